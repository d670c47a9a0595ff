/** A pending checkpoint that is given up for a newer one or for a task that closes: there must be one. */
import { describe, expect, it } from 'vitest';
import {
  checkpointId,
  type ExecutionAttemptId,
  executionAttemptId,
  leaderEpoch,
} from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { CheckpointFailure } from '../../../../engine/protocol/checkpoint-failure.ts';
import type { SnapshotType } from '../../../../engine/protocol/checkpoint-options.ts';
import { Findings } from '../../../../sim/judges/findings.ts';
import { GivenUpPending } from '../../../../sim/judges/given-up-pending.ts';
import { ALIGNED } from '../../../support/engine-values.ts';

type Step =
  | readonly ['begins' | SnapshotType, number]
  | readonly ['completes', number]
  | readonly ['is-given-up', number];

function found(steps: readonly Step[], reason: CheckpointFailure = 'checkpoint-subsumed'): string[] {
  const findings = new Findings('checkpoint-lifecycle');
  const judge = new GivenUpPending(findings);
  for (const [at, [what, id]] of steps.entries()) {
    const of = { epoch: leaderEpoch(1), checkpointId: checkpointId(id) };
    if (what === 'completes') judge.onCompleted(id, at);
    else if (what === 'is-given-up')
      judge.onAborted(
        { kind: 'checkpoint-aborted', ...of, triggeredAtUs: micros(0), reason, acknowledged: 1, required: 2 },
        at,
      );
    else {
      const options = { ...ALIGNED, snapshot: what === 'begins' ? 'checkpoint' : what };
      const tasks = [executionAttemptId(1)];
      judge.onTriggered({ kind: 'checkpoint-triggered', ...of, jobAttempt: 1, tasks, options }, at);
    }
  }
  return findings.verdicts('right').map(({ outcome, anomaly }) => (outcome === 'passed' ? 'passed' : anomaly));
}

describe('a pending checkpoint is given up because a task closes', () => {
  const closing = 'checkpoint-declined-task-closing';
  const of = { epoch: leaderEpoch(1), checkpointId: checkpointId(1) };
  const [closed, other] = [executionAttemptId(1), executionAttemptId(2)];
  const given = (...before: readonly ((judge: GivenUpPending) => void)[]): string[] => {
    const findings = new Findings('checkpoint-lifecycle');
    const judge = new GivenUpPending(findings);
    const tasks = [closed, other];
    judge.onTriggered({ kind: 'checkpoint-triggered', ...of, jobAttempt: 1, tasks, options: ALIGNED }, 0);
    for (const step of before) step(judge);
    const end = { triggeredAtUs: micros(0), reason: closing, acknowledged: 1, required: 2 } as const;
    judge.onAborted({ kind: 'checkpoint-aborted', ...of, ...end }, 9);
    return findings.verdicts('right').map(({ outcome, anomaly }) => (outcome === 'passed' ? 'passed' : anomaly));
  };
  const acknowledges = (attempt: ExecutionAttemptId) => (judge: GivenUpPending) =>
    judge.onAcknowledged({ kind: 'acknowledge-received', ...of, attempt, result: 'success' });
  const declines = (judge: GivenUpPending): void =>
    judge.onDeclined({ kind: 'decline-received', ...of, attempt: other, reason: closing });
  const finishes = (judge: GivenUpPending): void =>
    judge.onTaskState({ kind: 'task-state', ...PLACE, state: 'finished' });
  const PLACE = { attempt: closed, vertex: 0, subtask: 0 };

  it('that it waits for, or that has said so: right', () => {
    expect(given(finishes)).toEqual(['passed']);
    expect(given(declines)).toEqual(['passed']);
    expect(given(acknowledges(closed), acknowledges(other))).toEqual(['passed']);
  });

  it('that has acknowledged, or that runs: closing-of-none', () => {
    expect(given(acknowledges(closed), finishes)).toEqual(['closing-of-none']);
    expect(given()).toEqual(['closing-of-none']);
  });
});

describe('a pending checkpoint is given up for a newer one', () => {
  it('which has completed: right', () => {
    const steps: Step[] = [
      ['begins', 1],
      ['begins', 2],
      ['completes', 2],
      ['is-given-up', 1],
    ];
    expect(found(steps)).toEqual(['passed']);
  });

  it('which is pending, too, or older: subsumed-by-none', () => {
    expect(
      found([
        ['begins', 1],
        ['begins', 2],
        ['is-given-up', 1],
      ]),
    ).toEqual(['subsumed-by-none']);
    expect(
      found([
        ['begins', 1],
        ['begins', 2],
        ['completes', 1],
        ['is-given-up', 2],
      ]),
    ).toEqual(['subsumed-by-none']);
  });

  it.each(['savepoint', 'suspend-savepoint', 'terminate-savepoint'] as const)(
    'it is a %s: subsumed-by-none',
    (kind) => {
      expect(
        found([
          [kind, 1],
          ['begins', 2],
          ['completes', 2],
          ['is-given-up', 1],
        ]),
      ).toEqual(['subsumed-by-none']);
    },
  );

  it('for another reason: nobody need have completed', () => {
    expect(
      found(
        [
          ['begins', 1],
          ['is-given-up', 1],
        ],
        'checkpoint-expired',
      ),
    ).toEqual(['passed']);
  });
});

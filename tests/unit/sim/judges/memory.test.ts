/** What judges remember of a long life is what they remember of one twice as long: checkpoints, restarts and leaders leave no trace for ever. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { encodeLease, encodePointer, leaderKey, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { KeyedOperatorState } from '../../../../engine/state/keyed-state-backend.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { BarrierHashes } from '../../../../sim/cluster/barrier-hashes.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { CheckpointLifecycle } from '../../../../sim/judges/checkpoint-lifecycle.ts';
import { ExactlyOnceState, type ExactlyOnceStateOptions } from '../../../../sim/judges/exactly-once-state.ts';
import { CheckpointReader } from '../../../../sim/judges/checkpoint-reader.ts';
import { Fencing } from '../../../../sim/judges/fencing.ts';
import { Finishing } from '../../../../sim/judges/finishing.ts';
import { PARTS_KEPT } from '../../../../sim/judges/forget-oldest.ts';
import { encodeLedgerEntry } from '../../../../sim/judges/ledger-entry.ts';
import type { DurableState } from '../../../../sim/judges/judge.ts';
import { Ledgers } from '../../../../sim/judges/ledgers.ts';
import { Notifications } from '../../../../sim/judges/notifications.ts';
import { unreadable } from '../../../../sim/judges/readable.ts';
import { InputIndex } from '../../../../sim/judges/reference-run.ts';
import { Retention, type RetentionOptions } from '../../../../sim/judges/retention.ts';
import { ALIGNED } from '../../../support/engine-values.ts';
import { planOf } from '../../../support/lives.ts';
import { countGraph, JOB_ID, metadataPath, statePath } from './small-life.ts';

const LEDGER = { identifier: 'ledger', key: 'ledger', refuses: () => false };

/** Judge and what it remembers, by name. */
function judges() {
  const reader = { filesOf: ({ id }: { id: number }) => [metadataPath(id), statePath(id, 0)] };
  const durable = { object: () => new Uint8Array(1) };
  const retention = { jobId: JOB_ID, reader, durable, isOver: () => false } as unknown as RetentionOptions;
  const state = { jobId: JOB_ID } as unknown as ExactlyOnceStateOptions;
  const plan = planOf('quickstart', '1');
  const graph = countGraph([0, 1]);
  const kinds = { configuration: plan.engine.checkpoint, graphOf: () => graph };
  return [
    new CheckpointLifecycle({ jobId: JOB_ID, isCheckpointing: true, kinds }),
    new Fencing({ jobId: JOB_ID, plan }),
    new ExactlyOnceState(state),
    new Finishing({ graph, isCheckpointing: true }),
    new Notifications(),
    new Retention(retention),
    new Ledgers([LEDGER], { retained: () => [], metadata: () => unreadable('there is none') }),
  ];
}

/** One checkpoint, one restart, one leader and one transaction. */
function* cycle(n: number): Generator<HistoryEvent['event']> {
  const epoch = leaderEpoch(n);
  const id = checkpointId(n);
  const attempt = executionAttemptId(n);
  const task = { attempt, vertex: 1, subtask: 0 };
  const by = nodeId('jobmanager-1');
  const lease = encodeLease({ epoch, holder: 'jobmanager-1', incarnation: 1, renewal: 0 });
  yield { kind: 'coordination-updated', key: leaderKey(JOB_ID), version: n, value: lease, by };
  yield { kind: 'leadership-acquired', epoch };
  yield { kind: 'restore-chosen', epoch, jobAttempt: 1, checkpointId: checkpointId(n - 1) };
  yield { kind: 'task-deployed', ...task, epoch, jobAttempt: 1, node: by, parallelism: 1 };
  yield { kind: 'task-restored', ...task, checkpointId: checkpointId(n - 1) };
  yield { kind: 'checkpoint-triggered', epoch, jobAttempt: 1, tasks: [attempt], options: ALIGNED, checkpointId: id };
  const numbered = encodeLedgerEntry({ epoch: n, sequence: 1, what: 'numbered', checkpointId: n, number: n });
  yield { kind: 'coordination-updated', key: LEDGER.key, version: n, value: numbered, by };
  yield { kind: 'object-stored', path: metadataPath(n), bytes: 1 };
  const pointer = encodePointer({ epoch, completed: [{ id, metadata: metadataPath(n) }] });
  yield { kind: 'coordination-updated', key: pointerKey(JOB_ID), version: n, value: pointer, by };
  yield { kind: 'object-deleted', path: statePath(n - 1, 0) };
  yield { kind: 'notify-complete-received', ...task, checkpointId: id };
  yield { kind: 'notify-aborted-received', ...task, checkpointId: checkpointId(n + 1) };
  const of = { transaction: `out-0-${n}-${n}`, producer: 'out-0', producerEpoch: n };
  yield { kind: 'transaction-opened', ...of };
  yield { kind: 'transaction-committed', ...of, committedBy: n, values: [], lineages: [] };
  const kafka = { kind: 'kafka-transaction', transactionalId: `sink-0-${n}`, producerId: n, producerEpoch: 0 } as const;
  yield { ...kafka, state: 'prepare-commit', partitions: [] };
  yield { ...kafka, state: 'complete-commit', partitions: [] };
  yield { kind: 'checkpoint-completed', ...completed(n) };
}

const completed = (n: number) => ({
  epoch: leaderEpoch(n),
  checkpointId: checkpointId(n),
  triggeredAtUs: micros(0),
  stateBytes: 1,
  metadataBytes: 1,
  endToEndUs: 1,
});

describe('memory of judges', () => {
  it('nor do metadata that was read and hashes of state at barriers, which the bench shares', () => {
    const bytes = encodeMetadata({
      ...{ checkpointId: checkpointId(1), jobId: JOB_ID, triggeredAtUs: 0, states: [], operators: [] },
      highestParallelism: 1,
    });
    const durable = { object: () => bytes } as unknown as DurableState;
    const reader = new CheckpointReader({
      graph: countGraph([0, 1]),
      index: new InputIndex([]),
      durable,
    });
    const hashes = new BarrierHashes(new Map());
    const keyed = [
      { operator: 'count', backend: { registered: [], visitEntries: () => {} } },
    ] as unknown as KeyedOperatorState[];
    const readTo = (from: number, to: number): readonly [number, number] => {
      for (let n = from; n <= to; n += 1) {
        expect(reader.metadata(metadataPath(n)).kind).toBe('read');
        hashes.atBarrier(
          { checkpointId: checkpointId(n), attempt: executionAttemptId(n), vertex: 1, subtask: 0 },
          keyed,
        );
      }
      return [reader.remembered, hashes.remembered];
    };
    const long = readTo(1, 1_000);
    expect(readTo(1_001, 4_000)).toEqual(long);
    expect(Math.min(...long)).toBeGreaterThan(0);
  });

  it('does not grow with checkpoints, restarts, leaders and transactions', () => {
    const all = judges();
    let index = 0;
    const liveTo = (from: number, to: number): number[] => {
      for (let n = from; n <= to; n += 1)
        for (const event of cycle(n)) {
          const entry = { index, atUs: index, node: nodeId('jobmanager-1'), event };
          index += 1;
          for (const judge of all) if ((judge.kinds as readonly string[]).includes(event.kind)) judge.observe(entry);
        }
      return all.map(({ remembered }) => remembered);
    };
    const long = liveTo(1, PARTS_KEPT + 100);
    const twice = liveTo(PARTS_KEPT + 101, 2 * PARTS_KEPT);
    expect(twice).toEqual(long);
    expect(Math.min(...long)).toBeGreaterThan(0);
    // They looked: the lifecycle judge has followed each checkpoint.
    expect(all[0]?.finish({ atUs: index, cause: 'quiescent', historyLength: index })[0]?.message).toMatch(/\d{4,}/);
  }, 60_000);
});

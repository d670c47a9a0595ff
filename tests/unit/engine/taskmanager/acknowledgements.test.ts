import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch } from '../../../../engine/foundation/ids.ts';
import type { EngineParts } from '../../../../engine/parts.ts';
import type { DeclineCheckpoint } from '../../../../engine/protocol/messages.ts';
import { Acknowledgements } from '../../../../engine/taskmanager/acknowledgements.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const TIMEOUT_US = 1_000;
const ID = checkpointId(7);
const DECLINE: DeclineCheckpoint = {
  kind: 'decline-checkpoint',
  epoch: leaderEpoch(1),
  attempt: executionAttemptId(1),
  checkpointId: ID,
  reason: 'checkpoint-async-exception',
};

/** A subtask with its two mailboxes, each with timers of its own. A timer that nobody knows is an error in the main one. */
class Subtask {
  readonly sent: string[] = [];
  readonly main: RecordingOut;
  readonly async: RecordingOut;
  readonly reports: Acknowledgements;
  readonly unknown: string[] = [];

  constructor(lostDecline: EngineParts['lostDecline'] = 'sent-again') {
    this.reports = new Acknowledgements({
      lostDecline,
      requestTimeoutUs: TIMEOUT_US,
      toJobManager: ({ kind }) => this.sent.push(kind),
      givenUp: () => this.sent.push('given up'),
    });
    const open = (): RecordingOut =>
      new RecordingOut((timer, nowUs, out) => {
        if (!this.reports.handleTimer(timer, nowUs, out)) this.unknown.push(timer);
      });
    this.main = open();
    this.async = open();
  }

  wait(): void {
    this.main.advance(TIMEOUT_US);
    this.async.advance(TIMEOUT_US);
  }
}

describe('a decline (row C11)', () => {
  it.each(['confirmed', 'forget'] as const)('is sent again until it is %s', (how) => {
    const subtask = new Subtask();
    subtask.reports.decline(DECLINE, subtask.async);
    for (let count = 0; count < 20; count += 1) subtask.wait();
    expect(subtask.sent).toEqual(Array.from({ length: 21 }, () => 'decline-checkpoint'));
    subtask.reports[how](ID, subtask.async);
    for (let count = 0; count < 3; count += 1) subtask.wait();
    expect(subtask.sent).toHaveLength(21);
  });

  it('may come from both mailboxes, and its confirmation to either: each finds its timers', () => {
    const subtask = new Subtask();
    subtask.reports.decline(DECLINE, subtask.async);
    subtask.reports.decline({ ...DECLINE }, subtask.main);
    subtask.wait();
    expect(subtask.sent).toHaveLength(3);
    subtask.reports.confirmed(ID, subtask.async);
    subtask.reports.decline({ ...DECLINE }, subtask.main);
    subtask.reports.confirmed(ID, subtask.async);
    subtask.wait();
    expect(subtask.sent).toHaveLength(4);
    expect(subtask.unknown).toEqual([]);
  });

  it('keeps no subtask from its end, and ends with it', () => {
    const subtask = new Subtask();
    subtask.reports.decline(DECLINE, subtask.main);
    expect(subtask.reports.areConfirmed).toBe(true);
    subtask.reports.clear();
    subtask.wait();
    expect(subtask.sent).toHaveLength(1);
  });
});

describe('the mutant of a decline that is sent once', () => {
  it('leaves it at that', () => {
    const subtask = new Subtask('unnoticed');
    subtask.reports.decline(DECLINE, subtask.async);
    subtask.wait();
    expect(subtask.sent).toEqual(['decline-checkpoint']);
  });
});

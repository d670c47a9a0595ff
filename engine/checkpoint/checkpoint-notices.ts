/**
 * What tasks are told of a checkpoint: triggered, complete, aborted (rows C1, C14; Flink: Execution.triggerCheckpoint,
 * notifyCheckpointOnComplete, notifyCheckpointAborted). Best effort: whoever misses a notice learns of it by a later one (G4).
 *
 * Owns: the messages and what else rides on them. Does not own: when they are due (the coordinator).
 */
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch } from '../foundation/ids.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage, TriggerCheckpoint } from '../protocol/messages.ts';
import type { PendingCheckpoint, SubtaskOfAttempt } from './pending-checkpoint.ts';

type Send = (attempt: ExecutionAttemptId, message: EngineMessage, out: Out) => void;

export interface CheckpointNoticesOptions {
  readonly epoch: LeaderEpoch;
  readonly send: Send;
  /** Undefined where nobody needs to know: without file merging. */
  readonly oldestRetainedId: () => number | undefined;
}

export class CheckpointNotices {
  readonly #epoch: LeaderEpoch;
  readonly #send: Send;
  readonly #oldestRetainedId: CheckpointNoticesOptions['oldestRetainedId'];

  constructor({ epoch, send, oldestRetainedId }: CheckpointNoticesOptions) {
    this.#epoch = epoch;
    this.#send = send;
    this.#oldestRetainedId = oldestRetainedId;
  }

  triggered(
    { checkpointId, triggeredAtUs }: PendingCheckpoint,
    sources: readonly ExecutionAttemptId[],
    how: Pick<TriggerCheckpoint, 'options' | 'isAsked'>,
    out: Out,
  ): void {
    const epoch = this.#epoch;
    for (const attempt of sources)
      this.#send(attempt, { kind: 'trigger-checkpoint', epoch, attempt, checkpointId, triggeredAtUs, ...how }, out);
  }

  /** `lastSubsumedId`: files of checkpoints up to it may go, wherever a task keeps copies. */
  complete({ checkpointId, required }: PendingCheckpoint, lastSubsumedId: number, out: Out): void {
    const epoch = this.#epoch;
    out.report({ kind: 'notify-complete-sent', checkpointId, epoch });
    for (const attempt of required) this.#completed(attempt, checkpointId, lastSubsumedId, out);
  }

  /** The completion of `checkpointId` once more, to those who may have missed it. */
  repeated(checkpointId: CheckpointId, to: readonly SubtaskOfAttempt[], lastSubsumedId: number, out: Out): void {
    for (const { attempt } of to) this.#completed(attempt, checkpointId, lastSubsumedId, out);
  }

  #completed(attempt: ExecutionAttemptId, checkpointId: CheckpointId, lastSubsumedId: number, out: Out): void {
    const oldestRetainedId = this.#oldestRetainedId();
    const of = { epoch: this.#epoch, attempt, checkpointId, lastSubsumedId };
    const notice = { kind: 'notify-checkpoint-complete', ...of } as const;
    this.#send(attempt, oldestRetainedId === undefined ? notice : { oldestRetainedId, ...notice }, out);
  }

  /** `latestCompletedId`: makes good a completion that a task was not told of. */
  aborted({ checkpointId, required }: PendingCheckpoint, latestCompletedId: number, out: Out): void {
    const epoch = this.#epoch;
    for (const attempt of required)
      this.#send(attempt, { kind: 'notify-checkpoint-aborted', epoch, attempt, checkpointId, latestCompletedId }, out);
  }
}

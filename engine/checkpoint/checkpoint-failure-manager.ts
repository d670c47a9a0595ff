/**
 * Counts consecutive failures that matter (row C15; Flink: CheckpointFailureManager).
 *
 * Owns: the counter. Does not own: failing the job.
 * Invariants: I1 each failure counts once: it is told of once, where Flink is told by every task; I2 a success clears the counter; I3 ids up to
 * the last success are ignored; I4 what goes wrong with a savepoint at the JobManager never counts, what a task does to a synchronous one
 * fails the job; I5 what failed before the job was submitted again counts no more.
 */
import { type EngineParts, standardParts } from '../parts.ts';
import { CHECKPOINT_FAILURES, type CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { isSavepoint, isSynchronous, type SnapshotType } from '../protocol/checkpoint-options.ts';

export interface FailedCheckpoint {
  /** Undefined when it failed before it had one. */
  readonly checkpointId: number | undefined;
  readonly snapshot: SnapshotType;
  readonly reason: CheckpointFailure;
  /** A task said so. */
  readonly byTask: boolean;
}

export class CheckpointFailureManager {
  readonly #tolerable: number;
  readonly #ofEarlierRun: EngineParts['failuresOfEarlierRun'];
  #failures = 0;
  #lastSuccess = 0;

  constructor(
    tolerableFailures: number,
    { failuresOfEarlierRun }: Pick<EngineParts, 'failuresOfEarlierRun'> = standardParts,
  ) {
    this.#tolerable = tolerableFailures;
    this.#ofEarlierRun = failuresOfEarlierRun;
  }

  succeeded(checkpointId: number): void {
    this.#lastSuccess = Math.max(this.#lastSuccess, checkpointId);
    this.#failures = 0;
  }

  /** I5. */
  runBegins(): void {
    if (this.#ofEarlierRun === 'forgotten') this.#failures = 0;
  }

  /** True when the job must be failed now. The counter starts anew when it is for that; a stop that fails leaves it as it is, as in Flink. */
  failed({ checkpointId, snapshot, reason, byTask }: FailedCheckpoint): boolean {
    const isTaskLevel = byTask && !CHECKPOINT_FAILURES[reason].preFlight;
    if (!isTaskLevel) return !isSavepoint(snapshot) && this.#exceeds(checkpointId, reason);
    return isSynchronous(snapshot) || this.#exceeds(checkpointId, reason);
  }

  #exceeds(checkpointId: number | undefined, reason: CheckpointFailure): boolean {
    if (!CHECKPOINT_FAILURES[reason].counted) return false;
    if (checkpointId !== undefined && checkpointId <= this.#lastSuccess) return false;
    this.#failures += 1;
    if (this.#failures <= this.#tolerable) return false;
    this.#failures = 0;
    return true;
  }
}

/**
 * Counts consecutive failures that matter (row C15; Flink: CheckpointFailureManager).
 *
 * Invariants: I1 each checkpoint id counts once; I2 a success clears the counter; I3 ids up to the last success are ignored.
 */
import { CHECKPOINT_FAILURES, type CheckpointFailure } from '../protocol/checkpoint-failure.ts';

export class CheckpointFailureManager {
  readonly #tolerable: number;
  readonly #counted = new Set<number>();
  #lastSuccess = 0;

  constructor(tolerableFailures: number) {
    this.#tolerable = tolerableFailures;
  }

  succeeded(checkpointId: number): void {
    this.#lastSuccess = Math.max(this.#lastSuccess, checkpointId);
    this.#counted.clear();
  }

  /** True when the job must be failed now; the counter starts anew then. */
  failed(checkpointId: number, reason: CheckpointFailure): boolean {
    if (!CHECKPOINT_FAILURES[reason].counted || checkpointId <= this.#lastSuccess) return false;
    this.#counted.add(checkpointId);
    if (this.#counted.size <= this.#tolerable) return false;
    this.#counted.clear();
    return true;
  }
}

/**
 * When a subtask whose input ended may end itself (rows C23, C28; Flink: StreamTask.endData, afterInvoke, finalCheckpointMinId,
 * setSynchronousSavepoint).
 *
 * Owns: that the end of data was reached, which snapshot the subtask waits for, whether it is complete. Does not own: channels and
 * their ends (input and outputs), transactions (the sink), the acts themselves (the subtask).
 * Invariants:
 *   I1 the end of data is reached once, in the mode of the first call;
 *   I2 released only by a complete checkpoint taken after the end of data, or one with a higher id; with a synchronous savepoint only by
 *      that savepoint; without checkpointing at once.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import { isSynchronous, type SnapshotType } from '../protocol/checkpoint-options.ts';
import type { StopMode } from '../protocol/stream-elements.ts';

export class TaskEnding {
  readonly #waitsForCheckpoint: boolean;
  #mode: StopMode | undefined;
  /** First checkpoint taken after the end of data; 0: none yet. */
  #finalCheckpointMinId = 0;
  /** The synchronous savepoint the subtask acted on; 0: none. */
  #synchronous = 0;
  #released = false;

  constructor(waitsForCheckpoint: boolean) {
    this.#waitsForCheckpoint = waitsForCheckpoint;
  }

  /** Undefined while records may come. */
  get mode(): StopMode | undefined {
    return this.#mode;
  }

  /** All input was there and operators have finished: not so when the job only stops here. */
  get isDrained(): boolean {
    return this.#mode === 'drain';
  }

  /** No checkpoint stands in the way of the end. */
  get isReleased(): boolean {
    return this.#mode !== undefined && (this.#released || (!this.#waitsForCheckpoint && this.#synchronous === 0));
  }

  reached(mode: StopMode): void {
    assert(this.#mode === undefined, 'I1: the end of data is reached once', { mode });
    this.#mode = mode;
  }

  /** In the mailbox action of the snapshot. */
  snapshotTaken(id: CheckpointId, snapshot: SnapshotType): void {
    if (isSynchronous(snapshot)) this.#synchronous = id;
    if (this.#mode !== undefined && this.#finalCheckpointMinId === 0) this.#finalCheckpointMinId = id;
  }

  completed(id: CheckpointId): void {
    if (this.#synchronous !== 0) this.#released ||= id === this.#synchronous;
    else if (this.#finalCheckpointMinId !== 0 && id >= this.#finalCheckpointMinId) this.#released = true;
  }

  /** Row C28: the subtask stopped for this savepoint, which is lost: it cannot go on. */
  mustFailAfterAbort(id: CheckpointId): boolean {
    return id === this.#synchronous && !this.#released;
  }

  /** A later checkpoint begins although the subtask waits for its synchronous savepoint: that one failed, unheard of. */
  mustFailBefore(id: CheckpointId): boolean {
    return this.#synchronous !== 0 && id > this.#synchronous && !this.#released;
  }
}

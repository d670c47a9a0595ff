/**
 * The retained checkpoints as this leader knows them, and what the pointer says next (rows C16, F16; Flink:
 * DefaultCompletedCheckpointStore).
 *
 * Owns: the pointer's last known value and version, metadata read or written by this leader. Does not own: writing it.
 * Invariants: I1 ids rise from oldest to newest; I2 the newest is never dropped; I3 at most `retained` are kept.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId, LeaderEpoch } from '../foundation/ids.ts';
import type { CheckpointPointer, RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';

export class CompletedCheckpointStore {
  readonly #retained: number;
  readonly #metadata = new Map<CheckpointId, CheckpointMetadata>();
  #pointer: CheckpointPointer;
  #version: number;

  constructor(retained: number, pointer: CheckpointPointer, version: number) {
    assert(retained >= 1, 'at least one checkpoint is retained', { retained });
    this.#retained = retained;
    this.#pointer = pointer;
    this.#version = version;
  }

  get pointer(): CheckpointPointer {
    return this.#pointer;
  }
  get version(): number {
    return this.#version;
  }
  get newest(): RetainedCheckpoint | undefined {
    return this.#pointer.completed.at(-1);
  }

  metadataOf(id: CheckpointId): CheckpointMetadata | undefined {
    return this.#metadata.get(id);
  }

  remember(metadata: CheckpointMetadata): void {
    this.#metadata.set(metadata.checkpointId, metadata);
  }

  /** The pointer that adds a checkpoint and drops what is beyond the limit, oldest first. */
  pointerWith(checkpoint: RetainedCheckpoint, epoch: LeaderEpoch): CheckpointPointer {
    const newest = this.newest;
    assert(newest === undefined || newest.id < checkpoint.id, 'checkpoints complete in rising order', {
      newest,
      checkpoint,
    });
    return { epoch, completed: [...this.#pointer.completed, checkpoint].slice(-this.#retained) };
  }

  /** The pointer is durable. Returns what it dropped. */
  stored(pointer: CheckpointPointer, version: number): readonly RetainedCheckpoint[] {
    const kept = new Set(pointer.completed.map(({ id }) => id));
    const dropped = this.#pointer.completed.filter(({ id }) => !kept.has(id));
    this.#pointer = pointer;
    this.#version = version;
    for (const id of [...this.#metadata.keys()]) if (!kept.has(id)) this.#metadata.delete(id);
    return dropped;
  }
}

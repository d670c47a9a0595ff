/**
 * The retained checkpoints as this leader knows them, and what the pointer says next (rows C16, F16; Flink:
 * DefaultCompletedCheckpointStore).
 *
 * Owns: the pointer's last known value and version, metadata read or written by this leader. Does not own: writing it.
 * Invariants: I1 ids rise from oldest to newest; I2 the newest is never dropped; I3 what is dropped is for `subsume` to say;
 * I4 metadata of an id above the newest stays: its checkpoint may wait for its own pointer while an earlier one is written.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId, LeaderEpoch } from '../foundation/ids.ts';
import { type EngineParts, standardParts } from '../parts.ts';
import {
  type CheckpointPointer,
  FIRST_RUN,
  type JobEnd,
  type JobRun,
  type RetainedCheckpoint,
} from '../protocol/checkpoint-pointer.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import { subsume } from './checkpoint-subsumption.ts';

type StoreParts = Pick<EngineParts, 'unnamedMetadata'>;

export class CompletedCheckpointStore {
  readonly #retained: number;
  readonly #parts: StoreParts;
  readonly #metadata = new Map<CheckpointId, CheckpointMetadata>();
  #pointer: CheckpointPointer;
  #version: number;
  /** Directories of claimed snapshots in which nothing is left. */
  readonly #goneClaims = new Set<string>();

  constructor(retained: number, pointer: CheckpointPointer, version: number, parts: StoreParts = standardParts) {
    assert(retained >= 1, 'at least one checkpoint is retained', { retained });
    this.#retained = retained;
    this.#parts = parts;
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
  /** As the next pointer says it. */
  get run(): JobRun {
    const { job = FIRST_RUN } = this.#pointer;
    if (job.claimed?.some((directory) => this.#goneClaims.has(directory)) !== true) return job;
    const { claimed, ...run } = job;
    const left = claimed.filter((directory) => !this.#goneClaims.has(directory));
    return left.length === 0 ? run : { ...run, claimed: left };
  }

  metadataOf(id: CheckpointId): CheckpointMetadata | undefined {
    return this.#metadata.get(id);
  }

  /** Nothing is left in this directory of a snapshot that was claimed (row C27). */
  claimIsGone(directory: string): void {
    this.#goneClaims.add(directory);
  }

  remember(metadata: CheckpointMetadata): void {
    this.#metadata.set(metadata.checkpointId, metadata);
  }

  /** The pointer that adds a checkpoint and drops what is beyond the limit. An own one is in the store: it need not be full again (C7). */
  pointerWith(checkpoint: RetainedCheckpoint, epoch: LeaderEpoch): CheckpointPointer {
    const newest = this.newest;
    assert(newest === undefined || newest.id < checkpoint.id, 'checkpoints complete in rising order', {
      newest,
      checkpoint,
    });
    const completed = subsume([...this.#pointer.completed, checkpoint], this.#retained);
    const isFirst = this.#pointer.job === undefined;
    return { epoch, completed, ...(isFirst ? {} : { job: { ...this.run, fullFirst: false } }) };
  }

  /** The pointer of a run that is over; what it retains is not decided by that (row C28). */
  endedPointer(ended: JobEnd, epoch: LeaderEpoch): CheckpointPointer {
    return { ...this.#pointer, epoch, job: { ...this.run, ended } };
  }

  /** The pointer is durable. Returns what it dropped. */
  stored(pointer: CheckpointPointer, version: number): readonly RetainedCheckpoint[] {
    const kept = new Set(pointer.completed.map(({ id }) => id));
    const dropped = this.#pointer.completed.filter(({ id }) => !kept.has(id));
    this.#pointer = pointer;
    this.#version = version;
    const newest = this.#parts.unnamedMetadata === 'may-wait' ? (this.newest?.id ?? 0) : Number.POSITIVE_INFINITY;
    for (const id of [...this.#metadata.keys()]) if (id <= newest && !kept.has(id)) this.#metadata.delete(id);
    return dropped;
  }
}

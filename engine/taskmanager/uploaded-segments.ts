/**
 * Which segments of a subtask's state lie in the shared directory already (rows C7, S17; Flink: RocksIncrementalSnapshotStrategy,
 * its uploadedStateHandles and lastCompletedCheckpointId).
 *
 * Owns: what each acknowledged checkpoint was made of, and which of them is the base. Does not own: the files; nobody here deletes (G5).
 * Invariants:
 *   I1 the base is the newest checkpoint whose completion this subtask was told of, or what it was restored from: a file of any other may
 *      be deleted without a word; a notice that is lost costs an upload and nothing else;
 *   I2 a savepoint is never a base, whatever is said of it: its files are its user's (FLINK-23949);
 *   I3 behind a full checkpoint nothing older is used again, whichever notice comes late (row C7, C27).
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { isShared } from '../protocol/checkpoint-paths.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';
import type { NativeSegment } from '../state/keyed-state-backend.ts';
import type { FileMerging } from './file-merging/file-merging.ts';

/** By operator and number of the segment. */
export type UploadedFiles = ReadonlyMap<string, SegmentHandle>;

type OwnSegment = Pick<NativeSegment, 'id' | 'origin'>;

export const segmentKey = (operator: string, segment: number | string): string => `${operator}#${segment}`;

export class UploadedSegments {
  readonly #parts: Pick<EngineParts, 'incrementalBase' | 'fullCheckpoint'>;
  readonly #merging: Pick<FileMerging, 'reuse'> | undefined;
  readonly #acknowledged = new Map<CheckpointId, UploadedFiles>();
  #base: UploadedFiles | undefined;
  /** Undefined: none of this attempt was confirmed; what the segments were restored from is the base. */
  #baseId: CheckpointId | undefined;
  /** I3: the newest full checkpoint of this attempt. */
  #fullId = 0;

  /** `merging`: knows which files are too empty to be built on (row S19). */
  constructor(parts: Pick<EngineParts, 'incrementalBase' | 'fullCheckpoint'>, merging?: Pick<FileMerging, 'reuse'>) {
    this.#parts = parts;
    this.#merging = merging;
  }

  /** Where the segment lies; undefined: it has to be written. A checkpoint will be made of it. */
  find(operator: string, segment: OwnSegment, checkpointId: CheckpointId, out: Out): SegmentHandle | undefined {
    const known = this.#known(operator, segment);
    return known === undefined || this.#merging?.reuse(known, checkpointId, out) !== false ? known : undefined;
  }

  #known(operator: string, { id, origin }: OwnSegment): SegmentHandle | undefined {
    if (this.#base !== undefined) return this.#base.get(segmentKey(operator, id));
    if (this.#fullId > 0 || origin === undefined || !isShared(origin.handle.path)) return undefined;
    return origin.handle;
  }

  /** A checkpoint is taken that uses nothing of before. */
  full(checkpointId: CheckpointId): void {
    if (this.#parts.fullCheckpoint === 'of-new-files') this.#fullId = checkpointId;
    this.#base = undefined;
    this.#baseId = undefined;
  }

  /** One file is durable. With `incrementalBase: uploaded` that is enough. */
  stored(operator: string, segment: number, file: SegmentHandle): void {
    if (this.#parts.incrementalBase === 'uploaded')
      this.#base = new Map([...(this.#base ?? []), [segmentKey(operator, segment), file]]);
  }

  /** All its files are durable. Not said of savepoints (I2). */
  acknowledged(checkpointId: CheckpointId, files: UploadedFiles): void {
    this.#acknowledged.set(checkpointId, files);
  }

  confirmed(checkpointId: CheckpointId): void {
    const files = this.#acknowledged.get(checkpointId);
    if (files === undefined || checkpointId < this.#fullId || checkpointId < (this.#baseId ?? 0)) return;
    this.#base = files;
    this.#baseId = checkpointId;
    for (const id of this.#acknowledged.keys()) if (id < checkpointId) this.#acknowledged.delete(id);
  }

  aborted(checkpointId: CheckpointId): void {
    if (checkpointId !== this.#baseId) this.#acknowledged.delete(checkpointId);
  }
}

/**
 * Which files that checkpoints have in common are in use, and by which of them last (row S16; Flink: SharedStateRegistryImpl).
 *
 * A file is known by its path, which no two files ever share; a part of a merged file (row S19) by its offset, too. There are no counts of
 * references by checkpoints: a file is in use while the newest checkpoint that uses it is not below the lowest retained one; a merged file is in
 * use while any part of it is. Pure: what is to be deleted is said, not done (decision 0061).
 * Invariants:
 *   I1 what stands for a file that is not registered is refused: it may be deleted by now;
 *   I2 one path is one file: another size or checksum under it is refused;
 *   I3 last use never falls;
 *   I4 a file of an id up to `floor` was written by an earlier run, which may have kept it: it is never said to be deleted.
 */
import { creatorOf } from '../protocol/checkpoint-paths.ts';
import type { EngineParts } from '../parts.ts';
import { logicalFileKey, type SegmentHandle } from '../protocol/state-handle.ts';

interface SharedFile {
  readonly file: SegmentHandle;
  readonly createdBy: number;
  lastUsedBy: number;
}

export type Registration =
  | { readonly kind: 'registered'; readonly file: SegmentHandle }
  | { readonly kind: 'refused'; readonly why: 'unknown-placeholder' | 'different-file' };

export class SharedStateRegistry {
  /** By `logicalFileKey`. */
  readonly #files = new Map<string, SharedFile>();
  /** By path: how many of them lie in it. */
  readonly #parts = new Map<string, number>();
  readonly #floor: number;
  readonly #mergedFileUse: EngineParts['mergedFileUse'];

  constructor(floor: number, mergedFileUse: EngineParts['mergedFileUse'] = 'any-part') {
    this.#floor = floor;
    this.#mergedFileUse = mergedFileUse;
  }

  get size(): number {
    return this.#files.size;
  }

  isInUse(path: string): boolean {
    return this.#parts.has(path);
  }

  /** A checkpoint uses a file, whether or not that checkpoint is still wanted (row C9): the task may build on it. */
  register(file: SegmentHandle, checkpointId: number): Registration {
    const key = logicalFileKey(file);
    const known = this.#files.get(key);
    if (known === undefined) {
      if (file.isPlaceholder === true) return { kind: 'refused', why: 'unknown-placeholder' };
      this.#files.set(key, { file, createdBy: creatorOf(file.path), lastUsedBy: checkpointId });
      this.#parts.set(file.path, (this.#parts.get(file.path) ?? 0) + 1);
      return { kind: 'registered', file };
    }
    if (file.isPlaceholder !== true && !isSameFile(file, known.file)) return { kind: 'refused', why: 'different-file' };
    known.lastUsedBy = Math.max(known.lastUsedBy, checkpointId);
    return { kind: 'registered', file: known.file };
  }

  /** Forgets files that only checkpoints below the lowest retained one used. Returns those of them that may be deleted (I4). */
  unregisterUnused(lowestRetainedId: number): readonly string[] {
    const unused: string[] = [];
    for (const [key, { file, createdBy, lastUsedBy }] of this.#files) {
      if (lastUsedBy >= lowestRetainedId) continue;
      this.#files.delete(key);
      if (this.#isLeft(file.path)) continue;
      if (createdBy > this.#floor) unused.push(file.path);
    }
    return unused;
  }

  /** A part of it is not in use any more; whether others are. */
  #isLeft(path: string): boolean {
    const parts = (this.#parts.get(path) ?? 1) - 1;
    if (parts <= 0 || this.#mergedFileUse === 'every-part') return !this.#parts.delete(path);
    this.#parts.set(path, parts);
    return true;
  }
}

const isSameFile = (a: SegmentHandle, b: SegmentHandle): boolean => a.bytes === b.bytes && a.checksum === b.checksum;

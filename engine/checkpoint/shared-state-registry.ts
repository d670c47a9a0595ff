/**
 * Which files that checkpoints have in common are in use, and by which of them last (row S16; Flink: SharedStateRegistryImpl).
 *
 * A file is known by its path, which no two files ever share. There are no counts of references: a file is in use while the newest
 * checkpoint that uses it is not below the lowest retained one. Pure: what is to be deleted is said, not done (decision 0061).
 * Invariants:
 *   I1 what stands for a file that is not registered is refused: it may be deleted by now;
 *   I2 one path is one file: another size or checksum under it is refused;
 *   I3 last use never falls;
 *   I4 a file of an id up to `highestNotClaimedId` is somebody else's, and never said to be deleted.
 */
import { creatorOf } from '../protocol/checkpoint-paths.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';

interface SharedFile {
  readonly file: SegmentHandle;
  readonly createdBy: number;
  lastUsedBy: number;
}

export type Registration =
  | { readonly kind: 'registered'; readonly file: SegmentHandle }
  | { readonly kind: 'refused'; readonly why: 'unknown-placeholder' | 'different-file' };

export class SharedStateRegistry {
  readonly #files = new Map<string, SharedFile>();
  readonly #highestNotClaimedId: number;

  constructor(highestNotClaimedId: number) {
    this.#highestNotClaimedId = highestNotClaimedId;
  }

  get size(): number {
    return this.#files.size;
  }

  isInUse(path: string): boolean {
    return this.#files.has(path);
  }

  /** A checkpoint uses a file, whether or not that checkpoint is still wanted (row C9): the task may build on it. */
  register(file: SegmentHandle, checkpointId: number): Registration {
    const known = this.#files.get(file.path);
    if (known === undefined) {
      if (file.isPlaceholder === true) return { kind: 'refused', why: 'unknown-placeholder' };
      this.#files.set(file.path, { file, createdBy: creatorOf(file.path), lastUsedBy: checkpointId });
      return { kind: 'registered', file };
    }
    if (file.isPlaceholder !== true && !isSameFile(file, known.file)) return { kind: 'refused', why: 'different-file' };
    known.lastUsedBy = Math.max(known.lastUsedBy, checkpointId);
    return { kind: 'registered', file: known.file };
  }

  /** Forgets files that only checkpoints below the lowest retained one used. Returns those of them that may be deleted (I4). */
  unregisterUnused(lowestRetainedId: number): readonly string[] {
    const unused: string[] = [];
    for (const [path, { createdBy, lastUsedBy }] of this.#files) {
      if (lastUsedBy >= lowestRetainedId) continue;
      this.#files.delete(path);
      if (createdBy > this.#highestNotClaimedId) unused.push(path);
    }
    return unused;
  }
}

const isSameFile = (a: SegmentHandle, b: SegmentHandle): boolean => a.bytes === b.bytes && a.checksum === b.checksum;

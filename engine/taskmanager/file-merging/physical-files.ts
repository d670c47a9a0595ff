/**
 * Which files a TaskManager has merged, and what of them is still in use (row S19; Flink: PhysicalFile, LogicalFile, SpaceStat).
 *
 * A physical file lies in the storage; each piece of state in it is a logical file, known by its offset. Pure: what is to be deleted is said,
 * not done (decision 0096).
 * Invariants:
 *   I1 a logical file is in use while the newest checkpoint that uses it is not below the oldest retained one; last use never falls;
 *   I2 a physical file is said to be deleted when nothing in it is in use, nothing is being written to it and the subtask it was opened for
 *      runs; never otherwise, and what is said does not depend on which notices came before.
 */
import { assert } from '../../foundation/assert.ts';
import type { ExecutionAttemptId } from '../../foundation/ids.ts';
import type { EngineParts } from '../../parts.ts';
import type { FileMergingConfiguration } from '../../protocol/configuration.ts';
import type { SegmentHandle } from '../../protocol/state-handle.ts';

interface LogicalFile {
  readonly bytes: number;
  lastUsedBy: number;
}

interface PhysicalFile {
  readonly opener: ExecutionAttemptId;
  readonly logical: Map<number, LogicalFile>;
  bytes: number;
  /** Writes under way. */
  writing: number;
  /** A write of it was not answered, and may still arrive. */
  mayComeLate: boolean;
}

export interface UnusedFile {
  readonly path: string;
  readonly mayComeLate: boolean;
}

export class PhysicalFiles {
  readonly #parts: Pick<EngineParts, 'mergedFileDeletion' | 'mergedFileNotice'>;
  readonly #files = new Map<string, PhysicalFile>();

  constructor(parts: Pick<EngineParts, 'mergedFileDeletion' | 'mergedFileNotice'>) {
    this.#parts = parts;
  }

  /** Files that are known. */
  get size(): number {
    return this.#files.size;
  }

  /** Bytes of all files, and of what is in use in them. */
  get space(): { readonly occupied: number; readonly used: number } {
    let occupied = 0;
    let used = 0;
    for (const file of this.#files.values()) {
      occupied += file.bytes;
      used += usedBytes(file);
    }
    return { occupied, used };
  }

  /** Something is being written to a file, a new one or one that grows. */
  writes(path: string, opener: ExecutionAttemptId): void {
    const file = this.#files.get(path);
    if (file === undefined) {
      this.#files.set(path, { opener, logical: new Map(), bytes: 0, writing: 1, mayComeLate: false });
      return;
    }
    assert(file.opener === opener, 'a file was opened for one subtask', { path });
    file.writing += 1;
  }

  /** What was being written is durable: these lengths, one behind the other, from `offset` on. */
  written(path: string, offset: number, lengths: readonly number[], checkpointId: number): void {
    const file = this.#writing(path);
    let at = offset;
    for (const bytes of lengths) {
      file.logical.set(at, { bytes, lastUsedBy: checkpointId });
      at += bytes;
    }
    file.bytes = at;
  }

  /** It may or may not be there; nothing more is written to the file. */
  givenUp(path: string): void {
    this.#writing(path).mayComeLate = true;
  }

  /** It is being written once more, because nobody knows what became of the last time. */
  repeated(path: string): void {
    const file = this.#files.get(path);
    if (file !== undefined) file.mayComeLate = true;
  }

  /** A checkpoint is made of it; what is not known here belongs to somebody else. */
  uses({ path, offset = 0 }: Pick<SegmentHandle, 'path' | 'offset'>, checkpointId: number): void {
    const logical = this.#files.get(path)?.logical.get(offset);
    if (logical !== undefined) logical.lastUsedBy = Math.max(logical.lastUsedBy, checkpointId);
  }

  /** So little of the file is in use that its parts had better be written anew (Flink: couldReusePreviousStateHandle). */
  isWasteful(path: string, { numerator, denominator }: FileMergingConfiguration['maxSpaceAmplification']): boolean {
    const file = this.#files.get(path);
    return file !== undefined && file.bytes * denominator > usedBytes(file) * numerator;
  }

  /** Forgets files of subtasks that have ended: the JobManager finds what of them is not in use. */
  forget(runs: (opener: ExecutionAttemptId) => boolean): void {
    for (const [path, { opener, writing }] of this.#files) if (writing === 0 && !runs(opener)) this.#files.delete(path);
  }

  /** No checkpoint below this one is retained any more. Returns the files that may be deleted (I2). */
  release(oldestRetainedId: number, runs: (opener: ExecutionAttemptId) => boolean): readonly UnusedFile[] {
    const { mergedFileDeletion, mergedFileNotice } = this.#parts;
    const unused: UnusedFile[] = [];
    for (const [path, file] of this.#files) {
      const before = file.logical.size;
      for (const [offset, { lastUsedBy }] of file.logical) {
        const isOver =
          mergedFileNotice === 'all-below' ? lastUsedBy < oldestRetainedId : lastUsedBy === oldestRetainedId - 1;
        if (isOver) file.logical.delete(offset);
      }
      const isEmpty = file.logical.size === 0 || (mergedFileDeletion === 'with-first' && file.logical.size < before);
      if (!isEmpty || file.writing > 0 || !runs(file.opener)) continue;
      unused.push({ path, mayComeLate: file.mayComeLate });
      this.#files.delete(path);
    }
    return unused;
  }

  #writing(path: string): PhysicalFile {
    const file = this.#files.get(path);
    assert(file !== undefined && file.writing > 0, 'a write that ends was begun', { path });
    file.writing -= 1;
    return file;
  }
}

function usedBytes({ logical }: PhysicalFile): number {
  let used = 0;
  for (const { bytes } of logical.values()) used += bytes;
  return used;
}

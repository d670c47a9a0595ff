/**
 * What is left of a snapshot that a run has claimed (row C27; decision 0115).
 *
 * Its files are the run's to delete: those in its directory when the pointer does not name it any more, each shared one when nothing
 * uses it. The record of the run names the snapshot, and its `_metadata` stays, until all of them are gone: so whoever leads, or cleans up after
 * the run, knows them, whatever its predecessors deleted or meant to.
 *
 * Owns: the order of the deletions, and which are known to be done. Does not own: what is in use, when it is asked, the record.
 * Invariants: I1 `_metadata` goes when no file that it names is left to delete, the directory after it; I2 every step may be done again, by
 * anybody; I3 a shared file of an id up to `notClaimed` is somebody else's; so is what lies in another directory; I4 what was deleted while a write
 * of it could still come is deleted again.
 */
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { creatorOf, isShared } from '../protocol/checkpoint-paths.ts';
import { type CheckpointMetadata, decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { directoryOfMetadata, pathsIn, resolvedIn } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { liesUnder } from '../storage/entropy.ts';
import { sometimes } from '../protocol/probes.ts';

export interface ClaimedSnapshotOptions {
  /** Path of its `_metadata`. */
  readonly metadata: string;
  /** See JobRun. */
  readonly notClaimed: number;
  readonly storage: Pick<CheckpointStorage, 'read' | 'delete' | 'discard'>;
}

export interface ReleaseQuestion {
  readonly isInUse: (path: string) => boolean;
  /** No write of it can come any more: one that was repeated may happen again, and bring back what was deleted (I4). */
  readonly isQuiet: boolean;
}

/** `needed`: somebody uses some of it, or it may come back. `failed`: something may be left. Both: to be asked again. */
export type ReleaseOutcome = 'gone' | 'needed' | 'failed';
type Then = (outcome: ReleaseOutcome, nowUs: Micros, out: Out) => void;

export class ClaimedSnapshot {
  readonly metadata: string;
  readonly #options: ClaimedSnapshotOptions;
  /** Files that are not known to be gone; undefined: nobody has looked yet. */
  #left: Set<string> | undefined;

  constructor(options: ClaimedSnapshotOptions) {
    this.metadata = options.metadata;
    this.#options = options;
  }

  /** Something of it may be there that nobody uses. */
  hasUnused(isInUse: (path: string) => boolean): boolean {
    const left = this.#left;
    return left === undefined || left.size === 0 || [...left].some((path) => !isInUse(path));
  }

  /** Deletes what is not in use; with the last of it the directory. Asked where `hasUnused`, by one at a time. */
  release(question: ReleaseQuestion, out: Out, then: Then): void {
    const left = this.#left;
    const { isInUse, isQuiet } = question;
    if (left === undefined) return this.#look(question, out, then);
    if (left.size === 0) return this.removeDirectory(out, then);
    const unused = [...left].filter((path) => !isInUse(path));
    sometimes(unused.some(isShared), out, 'claimed-shared-files-deleted');
    this.#delete(unused, out, then, (nowUs, deletedOut) => {
      if (isQuiet) for (const path of unused) left.delete(path);
      if (left.size > 0) return then('needed', nowUs, deletedOut);
      this.removeDirectory(deletedOut, then);
    });
  }

  /** I1. Where shared files of it are still in use, they are those of whoever uses them from now on. */
  removeDirectory(out: Out, then: Then): void {
    const { storage } = this.#options;
    this.#delete([this.metadata], out, then, (_nowUs, deletedOut) =>
      storage.discard(directoryOfMetadata(this.metadata), deletedOut, (reply, nowUs, endOut) =>
        then(reply?.outcome === 'done' ? 'gone' : 'failed', nowUs, endOut),
      ),
    );
  }

  /** Without `_metadata` there is nothing left of what it names (I1). */
  #look(question: ReleaseQuestion, out: Out, then: Then): void {
    this.#options.storage.read(this.metadata, out, (reply, nowUs, readOut) => {
      const isGone = reply?.outcome === 'not-found';
      const bytes = reply?.outcome === 'done' ? reply.bytes : undefined;
      if (!isGone && (bytes === undefined || !isIntactMetadata(bytes))) return then('failed', nowUs, readOut);
      this.#left = new Set(bytes === undefined ? [] : this.#ownFilesOf(decodeMetadata(bytes)));
      if (this.hasUnused(question.isInUse)) this.release(question, readOut, then);
      else then('needed', nowUs, readOut);
    });
  }

  /** I3. */
  #ownFilesOf(read: CheckpointMetadata): readonly string[] {
    const directory = directoryOfMetadata(this.metadata);
    const { notClaimed } = this.#options;
    return pathsIn(resolvedIn(directory, read)).filter((path) =>
      isShared(path) ? creatorOf(path) > notClaimed : liesUnder(path, `${directory}/`),
    );
  }

  #delete(paths: readonly string[], out: Out, then: Then, deleted: (nowUs: Micros, out: Out) => void): void {
    this.#options.storage.delete(paths, out, (reply, nowUs, replyOut) =>
      reply?.outcome === 'done' ? deleted(nowUs, replyOut) : then('failed', nowUs, replyOut),
    );
  }
}

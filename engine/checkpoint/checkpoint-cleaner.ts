/**
 * Removes files nobody may restore any more (rows C16, F16, G5).
 *
 * Owns: deletion of checkpoint files; nobody else deletes. Differs from Flink, which deletes handle by handle and leaves behind what
 * a crashed leader or a late writer left: after each completion it lists the job's directory and deletes every file of a
 * checkpoint older than the newest that the durable pointer does not name.
 * Invariants: I1 what the pointer names is never deleted; I2 the pointer is moved first, files go after it (B8 in bugs.md);
 * I3 files of ids above the newest are not touched, except of a checkpoint this leader aborted before its pointer was written.
 */
import type { Micros } from '../foundation/time.ts';
import { type EngineParts, standardParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { checkpointIdOf, checkpointIdsOf } from '../protocol/checkpoint-paths.ts';
import type { CheckpointPointer } from '../protocol/checkpoint-pointer.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { isTemporary } from '../storage/file-names.ts';
import { probe, sometimes } from '../protocol/probes.ts';
import { disposeOfSnapshot } from './snapshot-disposal.ts';

type CleanerParts = Pick<EngineParts, 'filesToDelete' | 'leftOfEarlierRuns'>;

export class CheckpointCleaner {
  readonly #storage: CheckpointStorage;
  /** `<dir>/<job>/`. */
  readonly #root: string;
  readonly #cleaned: (nowUs: Micros, out: Out) => void;
  readonly #parts: CleanerParts;
  #cleaning = 0;

  /** `cleaned` is called at the end of each deletion: a checkpoint may have waited for it (row C2). */
  constructor(
    storage: CheckpointStorage,
    root: string,
    cleaned: (nowUs: Micros, out: Out) => void,
    parts: CleanerParts = standardParts,
  ) {
    this.#storage = storage;
    this.#root = root;
    this.#cleaned = cleaned;
    this.#parts = parts;
  }

  /** Deletions under way: back-pressure for the request decider (row C2). */
  get cleaning(): number {
    return this.#cleaning;
  }

  /**
   * A deletion that fails is not repeated: the next sweep finds the files again. `endsWith`: the run is over and this is the last id it took,
   * so ids above the newest are garbage, too; but a sweep that is slow meets files of the next run, which have higher ids. What earlier
   * runs kept is not this run's (C7 in bugs.md); what else they left is nobody's (decision 0115).
   */
  sweep(pointer: CheckpointPointer, out: Out, endsWith?: number): void {
    const newest = endsWith === undefined ? (pointer.completed.at(-1)?.id ?? 0) - 1 : endsWith;
    const ofEarlierRuns = checkpointIdsOf(pointer.job?.kept, this.#root);
    const kept = new Set<number>(pointer.completed.map(({ id }) => id).filter((id) => !ofEarlierRuns.has(id)));
    // Of what is kept, files that never got their last name: their checkpoint completed without them.
    const floor = this.#parts.leftOfEarlierRuns === 'swept' ? 0 : (pointer.job?.floor ?? 0);
    const isGarbage = (id: number, path: string): boolean =>
      kept.has(id) ? isTemporary(path) : id > floor && id <= newest && !ofEarlierRuns.has(id);
    const isUnfinished = (path: string): boolean => isTemporary(path) && kept.has(checkpointIdOf(path, this.#root));
    this.#deleteWhere(
      `${this.#root}chk-`,
      (path) => isGarbage(checkpointIdOf(path, this.#root), path),
      (paths, foundOut) => {
        sometimes(paths.some(isUnfinished), foundOut, 'unfinished-file-swept');
        const isOfEarlierRun = (path: string): boolean => checkpointIdOf(path, this.#root) <= (pointer.job?.floor ?? 0);
        sometimes(paths.some(isOfEarlierRun), foundOut, 'files-of-earlier-run-swept');
      },
      out,
    );
  }

  /** The directory of a checkpoint or savepoint that was aborted. */
  discard(directory: string, out: Out): void {
    this.#cleaning += 1;
    this.#storage.discard(directory, out, (_reply, nowUs, endOut) => this.#ended(nowUs, endOut));
  }

  /** A snapshot that the run has claimed. `discarded`: it is known to be gone. */
  discardSnapshot(directory: string, out: Out, discarded?: () => void): void {
    this.#cleaning += 1;
    disposeOfSnapshot(directory, this.#storage, out, (reply, nowUs, endOut) => {
      if (reply?.outcome === 'done') discarded?.();
      this.#ended(nowUs, endOut);
    });
  }

  /** Files that no directory gathers. */
  deleteFiles(paths: readonly string[], out: Out): void {
    if (paths.length === 0) return;
    this.#cleaning += 1;
    this.#delete(paths, out);
  }

  /** What checkpoints have in common (row T2): which of it is garbage the registry knows. */
  sweepShared(directory: 'shared' | 'taskowned', isGarbage: (path: string) => boolean, out: Out): void {
    this.#deleteWhere(
      `${this.#root}${directory}/`,
      isGarbage,
      (_paths, foundOut) => probe(foundOut, directory === 'shared' ? 'shared-garbage-swept' : 'merged-garbage-swept'),
      out,
    );
  }

  #ended(nowUs: Micros, out: Out): void {
    this.#cleaning -= 1;
    this.#cleaned(nowUs, out);
  }

  #deleteWhere(
    prefix: string,
    isGarbage: (path: string) => boolean,
    found: (paths: readonly string[], out: Out) => void,
    out: Out,
  ): void {
    this.#cleaning += 1;
    this.#storage.list(prefix, out, (reply, nowUs, replyOut) => {
      const paths = (reply?.paths ?? []).filter(isGarbage);
      if (paths.length === 0) return this.#ended(nowUs, replyOut);
      found(paths, replyOut);
      this.#delete(paths, replyOut);
    });
  }

  #delete(paths: readonly string[], out: Out): void {
    this.#storage.delete(this.#parts.filesToDelete(paths), out, (_reply, endUs, endOut) => this.#ended(endUs, endOut));
  }
}

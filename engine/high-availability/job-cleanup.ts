/**
 * Removes what a job that has ended left behind, until all of it is gone (row F18; B8 in bugs.md; Flink: DispatcherResourceCleaner,
 * RetryingRegistration of its cleanup strategy: exponential from 1 s to 1 h, without end).
 *
 * Owns: the order and the repetition. Does not own: the result (job-result-store).
 * Invariants:
 *   I1 the pointer goes before the files it names: who dies in between leaves files without an owner, never a pointer to nothing;
 *   I2 every step may be done again: after any failure all begins anew, later and later;
 *   I3 the result is marked clean when nothing is left, and not before;
 *   I4 checkpoints that earlier runs kept stay, whoever they belong to: the run may have been restored from one without claiming it (row C27).
 *      The result says which, because the pointer that says it is the first to go. What else those runs left goes;
 *   I5 a run that its user may begin anew leaves pointer and counter, what the pointer names, and the files that are named there: what is kept
 *      was decided with its end;
 *   I6 what was claimed and is not kept (row C27) goes before the pointer that names it, and once more at the end, when no write can come any more.
 */
import { readNamedFiles } from '../checkpoint/named-files.ts';
import { disposeOfSnapshot } from '../checkpoint/snapshot-disposal.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { counterKey, decodePointer, droppedClaims, FIRST_RUN, pointerKey } from '../protocol/checkpoint-pointer.ts';
import { checkpointIdOf, checkpointIdsOf, creatorOf } from '../protocol/checkpoint-paths.ts';
import { type JobResult, runOf } from '../protocol/job-result.ts';
import { requirementsKey } from '../protocol/job-scale.ts';
import type { JobResultStore } from './job-result-store.ts';
import type { NamedRegisters } from './named-registers.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { isTemporary } from '../storage/file-names.ts';
import { probe } from '../protocol/probes.ts';

export interface JobCleanupOptions {
  readonly jobId: string;
  /** `<dir>/<job>/`. */
  readonly root: string;
  readonly registers: NamedRegisters;
  readonly storage: CheckpointStorage;
  readonly results: JobResultStore;
  readonly parts: Pick<EngineParts, 'checkpointsOfEarlierRuns' | 'filesOfEndedJob' | 'unfoundMetadata'>;
  /** Checkpoints may name files outside of their own directory (rows S17, S19, S20). */
  readonly hasSharedFiles: boolean;
  /** See late-writes.ts. */
  readonly lateWriteUs: Micros;
  readonly done: (nowUs: Micros, out: Out) => void;
}

const FIRST_RETRY_US = 1_000_000;
const LAST_RETRY_US = 3_600_000_000;

interface Removal {
  readonly prefix: string;
  readonly isGarbage: (path: string) => boolean;
  readonly result: JobResult;
}

export class JobCleanup {
  readonly #options: JobCleanupOptions;
  readonly #later = new DelayedCalls();
  #retryUs = FIRST_RETRY_US;

  constructor(options: JobCleanupOptions) {
    this.#options = options;
  }

  start(result: JobResult, out: Out): void {
    if (result.isResumable === true) return this.#sweep(result, out);
    const { jobId, root, parts } = this.#options;
    const ofEarlierRuns = parts.checkpointsOfEarlierRuns === 'left-alone' ? (result.kept ?? []) : [];
    const kept = checkpointIdsOf(ofEarlierRuns, root);
    const removeAll = (claimed: readonly string[], named: ReadonlySet<string>, allOut: Out): void =>
      this.#removeValue(pointerKey(jobId), result, allOut, (pointerOut) => {
        const isGarbage = (path: string): boolean => !kept.has(checkpointIdOf(path, root)) && !named.has(path);
        this.#removeFiles({ prefix: root, isGarbage, result }, pointerOut, (filesOut) => {
          this.#removeValue(counterKey(jobId), result, filesOut, (counterOut) => {
            this.#removeValue(requirementsKey(jobId), result, counterOut, (lastOut) =>
              this.#discardClaimed(claimed, result, lastOut, (cleanOut) => this.#clean(result, cleanOut)),
            );
          });
        });
      });
    if ((result.floor ?? 0) === 0) return removeAll([], new Set(), out);
    this.#options.registers.read(pointerKey(jobId), out, (found, _nowUs, foundOut) => {
      if (found.outcome !== 'done') return this.#startAgain(result, foundOut);
      const { job: { claimed = [] } = FIRST_RUN } = decodePointer(found.value);
      this.#discardClaimed(claimed, result, foundOut, (discardedOut) =>
        this.#readNamed(ofEarlierRuns, result, discardedOut, (named, namedOut) => removeAll(claimed, named, namedOut)),
      );
    });
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  forget(out: Out): void {
    this.#later.clear(out);
  }

  /**
   * I5: files of the run that its pointer does not name (row C17). The counter is read first: if the pointer read after it still tells of
   * the end of this run, no later run has taken an id up to that one. It is read once more when it is known what those files are: a later
   * run claims a checkpoint and drops it, which then seems to be made of nothing, while what it was made of is that run's now.
   */
  #sweep(result: JobResult, out: Out): void {
    const { jobId, registers, root, done } = this.#options;
    registers.read(counterKey(jobId), out, (counter, _nowUs, counterOut) => {
      if (counter.outcome !== 'done') return this.#startAgain(result, counterOut);
      registers.read(pointerKey(jobId), counterOut, (found, nowUs, foundOut) => {
        if (found.outcome !== 'done') return this.#startAgain(result, foundOut);
        const { job = FIRST_RUN, completed } = decodePointer(found.value);
        if (job.run !== runOf(result) || job.ended === undefined) return done(nowUs, foundOut);
        const kept = new Set<number>(completed.map(({ id }) => id));
        const last = counter.value === '' ? 0 : Number(counter.value);
        const earlier = checkpointIdsOf(job.kept, root);
        const isGarbage = (path: string): boolean => {
          const id = checkpointIdOf(path, root);
          return kept.has(id) ? isTemporary(path) && !earlier.has(id) : id <= last && !earlier.has(id);
        };
        const claimed = droppedClaims(job, completed);
        const clean = (filesOut: Out): void =>
          this.#discardClaimed(claimed, result, filesOut, (cleanOut) => this.#clean(result, cleanOut));
        this.#discardClaimed(claimed, result, foundOut, (releasedOut) => {
          if (!this.#options.hasSharedFiles)
            return this.#removeFiles({ prefix: `${root}chk-`, isGarbage, result }, releasedOut, clean);
          const keep = [...completed.map(({ metadata }) => metadata), ...(job.kept ?? [])];
          this.#readNamed(keep, result, releasedOut, (named, namedOut) => {
            registers.read(pointerKey(jobId), namedOut, (again, againUs, againOut) => {
              if (again.outcome !== 'done') return this.#startAgain(result, againOut);
              if (again.version !== found.version) return done(againUs, againOut);
              const isUnnamed = (path: string): boolean => creatorOf(path) <= last && !named.has(path);
              const removal = { prefix: root, isGarbage: (path: string) => isGarbage(path) || isUnnamed(path), result };
              this.#removeFiles(removal, againOut, clean);
            });
          });
        });
      });
    });
  }

  /** I6. One after the other. */
  #discardClaimed(
    [directory, ...others]: readonly string[],
    result: JobResult,
    out: Out,
    then: (out: Out) => void,
  ): void {
    if (directory === undefined) return then(out);
    disposeOfSnapshot(directory, this.#options.storage, out, (reply, _nowUs, discardedOut) => {
      if (reply?.outcome !== 'done') return this.#startAgain(result, discardedOut);
      this.#discardClaimed(others, result, discardedOut, then);
    });
  }

  /** All files that these checkpoints are made of. */
  #readNamed(
    metadata: readonly string[],
    result: JobResult,
    out: Out,
    then: (named: ReadonlySet<string>, out: Out) => void,
  ): void {
    readNamedFiles(metadata, this.#options, out, (named, namedOut) => {
      if (named === undefined) this.#startAgain(result, namedOut);
      else then(named, namedOut);
    });
  }

  #clean(result: JobResult, out: Out): void {
    const { results, done } = this.#options;
    results.markClean(result, out, (_result, nowUs, cleanOut) => done(nowUs, cleanOut));
  }

  #removeValue(name: string, result: JobResult, out: Out, then: (out: Out) => void): void {
    const { registers } = this.#options;
    registers.read(name, out, (found, _nowUs, foundOut) => {
      if (found.outcome !== 'done') return this.#startAgain(result, foundOut);
      if (found.value === '') return then(foundOut);
      registers.remove(name, found.version, foundOut, (reply, _replyUs, replyOut) => {
        if (reply.outcome === 'done') then(replyOut);
        else this.#startAgain(result, replyOut);
      });
    });
  }

  /** Gone is what a look finds no more when it is as late as a write that a task sent before it ended can be. */
  #removeFiles(removal: Removal, out: Out, then: (out: Out) => void): void {
    this.#deleteFiles(removal, out, (_found, deletedOut) => {
      if (this.#options.parts.filesOfEndedJob === 'deleted-once') return then(deletedOut);
      this.#later.after(this.#options.lateWriteUs, 'late-files', deletedOut, (_nowUs, lateOut) =>
        this.#deleteFiles(removal, lateOut, (found, againOut) => {
          if (found === 0) then(againOut);
          else this.#removeFiles(removal, againOut, then);
        }),
      );
    });
  }

  #deleteFiles({ prefix, isGarbage, result }: Removal, out: Out, then: (found: number, out: Out) => void): void {
    const { storage } = this.#options;
    storage.list(prefix, out, (listed, _nowUs, listedOut) => {
      if (listed?.outcome !== 'done') return this.#startAgain(result, listedOut);
      const paths = (listed.paths ?? []).filter(isGarbage);
      if (paths.length === 0) return then(0, listedOut);
      storage.delete(paths, listedOut, (reply, _replyUs, replyOut) => {
        if (reply?.outcome === 'done') then(paths.length, replyOut);
        else this.#startAgain(result, replyOut);
      });
    });
  }

  #startAgain(result: JobResult, out: Out): void {
    probe(out, 'job-cleanup-repeated');
    this.#later.after(this.#retryUs, 'job-cleanup', out, (_nowUs, lateOut) => this.start(result, lateOut));
    this.#retryUs = Math.min(2 * this.#retryUs, LAST_RETRY_US);
  }
}

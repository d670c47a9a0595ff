/**
 * Removes what a job that has ended left behind, until all of it is gone (row F18; B8 in bugs.md; Flink: DispatcherResourceCleaner,
 * RetryingRegistration of its cleanup strategy: exponential from 1 s to 1 h, without end).
 *
 * Owns: the order and the repetition. Does not own: the result (job-result-store).
 * Invariants:
 *   I1 the pointer goes before the files it names: who dies in between leaves files without an owner, never a pointer to nothing;
 *   I2 every step may be done again: after any failure all begins anew, later and later;
 *   I3 the result is marked clean when nothing is left, and not before;
 *   I4 checkpoints of earlier runs stay, whoever they belong to: the run may have been restored from one without claiming it (row C27). The
 *      result says up to which id, because the pointer that says it is the first to go;
 *   I5 a run that its user may begin anew leaves pointer and counter, what the pointer names, and the files that are named there: what is kept
 *      was decided with its end;
 *   I6 what the run had claimed (row C27) goes before the pointer that names it, but for what kept checkpoints use: that is their user's.
 */
import { ClaimedSnapshot, type ReleaseOutcome } from '../checkpoint/claimed-snapshot.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import {
  type CheckpointPointer,
  counterKey,
  decodePointer,
  FIRST_RUN,
  pointerKey,
  type RetainedCheckpoint,
} from '../protocol/checkpoint-pointer.ts';
import { checkpointIdOf, creatorOf } from '../protocol/checkpoint-paths.ts';
import { type JobResult, runOf } from '../protocol/job-result.ts';
import { decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { pathsIn } from '../protocol/savepoint-paths.ts';
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
  readonly parts: Pick<EngineParts, 'checkpointsOfEarlierRuns'>;
  /** Checkpoints may name files outside of their own directory (rows S17, S19, S20). */
  readonly hasSharedFiles: boolean;
  /** See late-writes.ts. */
  readonly lateWriteUs: Micros;
  readonly done: (nowUs: Micros, out: Out) => void;
  /** Of what this run had claimed nothing is left (I6). */
  readonly released: (run: number) => void;
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
  #quietFromUs = 0;

  constructor(options: JobCleanupOptions) {
    this.#options = options;
  }

  /** From `quietFromUs` on no write can come that was made before the run began. */
  start(result: JobResult, quietFromUs: number, out: Out): void {
    this.#quietFromUs = quietFromUs;
    this.#begin(result, out);
  }

  #begin(result: JobResult, out: Out): void {
    if (result.isResumable === true) return this.#sweep(result, out);
    const { jobId, root, parts } = this.#options;
    const floor = parts.checkpointsOfEarlierRuns === 'left-alone' ? (result.floor ?? 0) : 0;
    // What neither lies in a checkpoint's directory nor was written for one has no id, and goes.
    const isGarbage = (path: string): boolean => !(checkpointIdOf(path, root) <= floor || creatorOf(path) <= floor);
    const removeAll = (allOut: Out): void =>
      this.#removeValue(pointerKey(jobId), result, allOut, (pointerOut) => {
        this.#removeFiles({ prefix: root, isGarbage, result }, pointerOut, (filesOut) => {
          this.#removeValue(counterKey(jobId), result, filesOut, (counterOut) => {
            this.#removeValue(requirementsKey(jobId), result, counterOut, (lastOut) => this.#clean(result, lastOut));
          });
        });
      });
    if ((result.floor ?? 0) === 0) return removeAll(out);
    this.#options.registers.read(pointerKey(jobId), out, (found, nowUs, foundOut) => {
      if (found.outcome !== 'done') return this.#startAgain(result, foundOut);
      this.#releaseClaimed({ pointer: decodePointer(found.value), result, nowUs }, foundOut, removeAll);
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
   * the end of this run, no later run has taken an id up to that one.
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
        const isGarbage = (path: string): boolean => {
          const id = checkpointIdOf(path, root);
          return id > job.floor && (kept.has(id) ? isTemporary(path) : id <= last);
        };
        const clean = (filesOut: Out): void => this.#clean(result, filesOut);
        this.#releaseClaimed({ pointer: decodePointer(found.value), result, nowUs }, foundOut, (releasedOut) => {
          if (!this.#options.hasSharedFiles)
            return this.#removeFiles({ prefix: `${root}chk-`, isGarbage, result }, releasedOut, clean);
          this.#readNamed({ left: completed, named: new Set(), result }, releasedOut, (named, namedOut) => {
            const isUnnamed = (path: string): boolean =>
              creatorOf(path) > job.floor && creatorOf(path) <= last && !named.has(path);
            const removal = { prefix: root, isGarbage: (path: string) => isGarbage(path) || isUnnamed(path), result };
            this.#removeFiles(removal, namedOut, clean);
          });
        });
      });
    });
  }

  /** I6. */
  #releaseClaimed(
    { pointer, result, nowUs }: { pointer: CheckpointPointer; result: JobResult; nowUs: Micros },
    out: Out,
    then: (out: Out) => void,
  ): void {
    const { job = FIRST_RUN, completed } = pointer;
    const { claimed: metadata, floor, notClaimed = floor, run } = job;
    const { storage, released } = this.#options;
    const isOver = (overOut: Out): void => {
      released(runOf(result));
      then(overOut);
    };
    const ended = (outcome: ReleaseOutcome, _nowUs: Micros, endedOut: Out): void =>
      outcome === 'gone' ? isOver(endedOut) : this.#startAgain(result, endedOut);
    const isKept = completed.some((checkpoint) => checkpoint.metadata === metadata);
    if (metadata === undefined || run !== runOf(result) || isKept) return isOver(out);
    const waitUs = this.#quietFromUs - nowUs;
    if (waitUs > 0)
      return this.#later.after(waitUs, 'claimed', out, (_lateUs, lateOut) => this.#begin(result, lateOut));
    const snapshot = new ClaimedSnapshot({ metadata, notClaimed, storage });
    this.#readNamed({ left: completed, named: new Set(), result }, out, (named, namedOut) => {
      snapshot.release(
        { isInUse: (path) => named.has(path), isQuiet: true },
        namedOut,
        (outcome, releasedUs, releasedOut) =>
          outcome === 'needed' ? snapshot.removeDirectory(releasedOut, ended) : ended(outcome, releasedUs, releasedOut),
      );
    });
  }

  /** All files that these checkpoints are made of; those that are shared have their whole path (row T4). One that its user has disposed of is made of none. */
  #readNamed(
    { left, named, result }: { left: readonly RetainedCheckpoint[]; named: Set<string>; result: JobResult },
    out: Out,
    then: (named: ReadonlySet<string>, out: Out) => void,
  ): void {
    const [next, ...others] = left;
    if (next === undefined) return then(named, out);
    this.#options.storage.read(next.metadata, out, (reply, _nowUs, readOut) => {
      const bytes = reply?.outcome === 'done' ? reply.bytes : undefined;
      const isGone = reply?.outcome === 'not-found';
      if (!isGone && (bytes === undefined || !isIntactMetadata(bytes))) return this.#startAgain(result, readOut);
      if (bytes !== undefined) for (const path of pathsIn(decodeMetadata(bytes))) named.add(path);
      this.#readNamed({ left: others, named, result }, readOut, then);
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
    this.#later.after(this.#retryUs, 'job-cleanup', out, (_nowUs, lateOut) => this.#begin(result, lateOut));
    this.#retryUs = Math.min(2 * this.#retryUs, LAST_RETRY_US);
  }
}

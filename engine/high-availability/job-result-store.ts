/**
 * That a job has ended, and whether what it left behind was cleaned up (row F18; Flink: JobResultStore, FLIP-194).
 *
 * A result is written before anything is removed: from then on no leader runs the job again, however often it changes. It is `dirty` until
 * the clean-up is over, then `clean`; it stays, because nobody else remembers that the job is over.
 *
 * Owns: the value under `resultKey`. Does not own: the clean-up (job-cleanup), when a job ends (its caller).
 * Invariants: I1 a result is written once per run: a second end of the same run finds the first; I2 every call is repeated until it is known.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { decodeResult, encodeResult, type JobResult, resultKey, runOf } from '../protocol/job-result.ts';
import type { NamedRegisters, RegisterReply } from './named-registers.ts';

export interface JobResultStoreOptions {
  readonly jobId: string;
  readonly registers: NamedRegisters;
  readonly retryUs: number;
}

type Then<T> = (found: T, nowUs: Micros, out: Out) => void;

export class JobResultStore {
  readonly #options: JobResultStoreOptions;
  readonly #later = new DelayedCalls();

  constructor(options: JobResultStoreOptions) {
    this.#options = options;
  }

  /** Undefined: the job has not ended. */
  read(out: Out, then: Then<JobResult | undefined>): void {
    this.#find(out, (found, nowUs, replyOut) =>
      then(found.value === '' ? undefined : decodeResult(found.value), nowUs, replyOut),
    );
  }

  /** I1: answers the result that is there now. */
  markDirty(result: JobResult, out: Out, then: Then<JobResult>): void {
    this.#change((found) => (isAsLate(found, result) ? found : { ...result, state: 'dirty' }), out, then);
  }

  /** That of a later run is left alone. */
  markClean(result: JobResult, out: Out, then: Then<JobResult>): void {
    const clean = (found: JobResult): JobResult =>
      runOf(found) === runOf(result) ? { ...found, state: 'clean' } : found;
    this.#change((found) => clean(isAsLate(found, result) ? found : result), out, then);
  }

  /** Forgets what is under way. */
  forget(out: Out): void {
    this.#later.clear(out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #change(next: (found: JobResult | undefined) => JobResult, out: Out, then: Then<JobResult>): void {
    this.#find(out, (found, nowUs, foundOut) => {
      const before = found.value === '' ? undefined : decodeResult(found.value);
      const result = next(before);
      const value = encodeResult(result);
      if (value === found.value) return then(result, nowUs, foundOut);
      const write = { name: resultKey(this.#options.jobId), expectedVersion: found.version, value };
      this.#options.registers.compareAndSet(write, foundOut, (reply, replyUs, replyOut) => {
        if (reply.outcome === 'done') return then(result, replyUs, replyOut);
        this.#again('write', replyOut, (lateOut) => this.#change(next, lateOut, then));
      });
    });
  }

  #find(out: Out, then: Then<RegisterReply>): void {
    this.#options.registers.read(resultKey(this.#options.jobId), out, (reply, nowUs, replyOut) => {
      if (reply.outcome === 'done') return then(reply, nowUs, replyOut);
      this.#again('read', replyOut, (lateOut) => this.#find(lateOut, then));
    });
  }

  #again(what: string, out: Out, call: (out: Out) => void): void {
    this.#later.after(this.#options.retryUs, `result/${what}`, out, (_nowUs, lateOut) => call(lateOut));
  }
}

const isAsLate = (found: JobResult | undefined, result: JobResult): found is JobResult =>
  found !== undefined && runOf(found) >= runOf(result);

/**
 * Removes what a job that has ended left behind, until all of it is gone (row F18; B8 in bugs.md; Flink: DispatcherResourceCleaner,
 * RetryingRegistration of its cleanup strategy: exponential from 1 s to 1 h, without end).
 *
 * Owns: the order and the repetition. Does not own: the result (job-result-store).
 * Invariants:
 *   I1 the pointer goes before the files it names: who dies in between leaves files without an owner, never a pointer to nothing;
 *   I2 every step may be done again: after any failure all begins anew, later and later;
 *   I3 the result is marked clean when nothing is left, and not before.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { counterKey, pointerKey } from '../protocol/checkpoint-pointer.ts';
import type { EndStatus } from '../protocol/job-result.ts';
import { requirementsKey } from '../protocol/job-scale.ts';
import type { StorageReply } from '../protocol/messages.ts';
import type { JobResultStore } from './job-result-store.ts';
import type { NamedRegisters } from './named-registers.ts';

export interface JobCleanupOptions {
  readonly jobId: string;
  /** `<dir>/<job>/`. */
  readonly root: string;
  readonly registers: NamedRegisters;
  readonly storage: RequestClient<StorageReply>;
  readonly results: JobResultStore;
  readonly done: (nowUs: Micros, out: Out) => void;
}

const FIRST_RETRY_US = 1_000_000;
const LAST_RETRY_US = 3_600_000_000;

/** Row C17: without another wish, checkpoints go with a job that reached its end and stay with one that broke. */
export const deletesCheckpoints = (status: EndStatus): boolean => status !== 'failed';

export class JobCleanup {
  readonly #options: JobCleanupOptions;
  readonly #later = new DelayedCalls();
  #retryUs = FIRST_RETRY_US;

  constructor(options: JobCleanupOptions) {
    this.#options = options;
  }

  start(status: EndStatus, out: Out): void {
    const { jobId, results, done } = this.#options;
    this.#removeValue(pointerKey(jobId), status, out, (pointerOut) => {
      this.#removeFiles(status, pointerOut, (filesOut) => {
        this.#removeValue(counterKey(jobId), status, filesOut, (counterOut) => {
          this.#removeValue(requirementsKey(jobId), status, counterOut, (requirementsOut) => {
            results.markClean(status, requirementsOut, (_result, nowUs, cleanOut) => done(nowUs, cleanOut));
          });
        });
      });
    });
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  forget(out: Out): void {
    this.#later.clear(out);
  }

  #removeValue(name: string, status: EndStatus, out: Out, then: (out: Out) => void): void {
    const { registers } = this.#options;
    registers.read(name, out, (found, _nowUs, foundOut) => {
      if (found.outcome !== 'done') return this.#startAgain(status, foundOut);
      if (found.value === '') return then(foundOut);
      registers.remove(name, found.version, foundOut, (reply, _replyUs, replyOut) => {
        if (reply.outcome === 'done') then(replyOut);
        else this.#startAgain(status, replyOut);
      });
    });
  }

  #removeFiles(status: EndStatus, out: Out, then: (out: Out) => void): void {
    if (!deletesCheckpoints(status)) return then(out);
    const { storage, root } = this.#options;
    storage.request(
      (requestId) => ({ kind: 'storage-list', requestId, prefix: root }),
      out,
      (listed, _nowUs, listedOut) => {
        if (listed?.outcome !== 'done') return this.#startAgain(status, listedOut);
        const paths = listed.paths ?? [];
        if (paths.length === 0) return then(listedOut);
        storage.request(
          (requestId) => ({ kind: 'storage-delete', requestId, paths }),
          listedOut,
          (reply, _replyUs, replyOut) => {
            if (reply?.outcome === 'done') then(replyOut);
            else this.#startAgain(status, replyOut);
          },
        );
      },
    );
  }

  #startAgain(status: EndStatus, out: Out): void {
    out.report({ kind: 'probe', probe: 'job-cleanup-repeated' });
    this.#later.after(this.#retryUs, 'job-cleanup', out, (_nowUs, lateOut) => this.start(status, lateOut));
    this.#retryUs = Math.min(2 * this.#retryUs, LAST_RETRY_US);
  }
}

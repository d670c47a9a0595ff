/**
 * The end of a bounded job: who has reached the end of data, and the durable record that the job has finished (rows C23, F18; Flink:
 * VertexEndOfDataListener, JobResultStore).
 *
 * Owns: the attempts at the end of data, the record. Does not own: executions and job status (job-master), checkpoints.
 * Invariants:
 *   I1 nothing is deployed before the record was read: a job that finished under an earlier leader is not run again;
 *   I2 the record is written once per leader and repeated until it is known to be there;
 *   I3 what an attempt reached counts for that attempt only.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { encodeResult, type JobResult, resultKey } from '../protocol/checkpoint-pointer.ts';
import type { CoordinationReply } from '../protocol/messages.ts';

export interface JobCompletionOptions {
  readonly jobId: string;
  readonly coordination: RequestClient<CoordinationReply>;
  readonly requestTimeoutUs: number;
  readonly endOfDataAtRestart: EngineParts['endOfDataAtRestart'];
  /** The record was looked for; `hasFinished` when it was there. */
  readonly known: (hasFinished: boolean, nowUs: Micros, out: Out) => void;
  /** The record is durable. */
  readonly remembered: (nowUs: Micros, out: Out) => void;
}

/** A subtask that may have reached the end of data. */
export interface EndedSubtask {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

export class JobCompletion {
  readonly #options: JobCompletionOptions;
  readonly #later = new DelayedCalls();
  readonly #atEndOfData = new Set<string>();
  #isKnown = false;
  #isWriting = false;

  constructor(options: JobCompletionOptions) {
    this.#options = options;
  }

  /** False: nothing may be deployed yet (I1). */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  start(out: Out): void {
    const { coordination, jobId } = this.#options;
    const key = resultKey(jobId);
    coordination.request(
      (requestId) => ({ kind: 'coordination-get', requestId, key }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.outcome !== 'done') return this.#after('read-result', replyOut, (lateOut) => this.start(lateOut));
        this.#isKnown = true;
        this.#options.known(reply.version !== 0 && reply.value !== '', nowUs, replyOut);
      },
    );
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  /** New attempts run: none of them has reached anything (FLINK-32945). */
  deployed(): void {
    if (this.#options.endOfDataAtRestart === 'cleared') this.#atEndOfData.clear();
  }

  /** Returns whether this was news and made it all of them. */
  endOfData(subtask: EndedSubtask, all: readonly EndedSubtask[]): boolean {
    const name = this.#nameOf(subtask);
    if (this.#atEndOfData.has(name)) return false;
    this.#atEndOfData.add(name);
    return all.every((other) => this.#atEndOfData.has(this.#nameOf(other)));
  }

  /** All subtasks have finished. */
  remember(result: JobResult, out: Out): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#write(result, out);
  }

  /** The mutant forgets which attempt it was (I3). */
  #nameOf({ attempt, vertex, subtask }: EndedSubtask): string {
    return this.#options.endOfDataAtRestart === 'cleared' ? String(attempt) : `${vertex}/${subtask}`;
  }

  #write(result: JobResult, out: Out): void {
    const { coordination, jobId, remembered } = this.#options;
    const key = resultKey(jobId);
    const value = encodeResult(result);
    coordination.request(
      (requestId) => ({ kind: 'coordination-compare-and-set', requestId, key, expectedVersion: 0, value }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.outcome === 'done' || (reply?.outcome === 'conflict' && reply.value !== '')) {
          return remembered(nowUs, replyOut);
        }
        this.#after('write-result', replyOut, (lateOut) => this.#write(result, lateOut));
      },
    );
  }

  #after(name: string, out: Out, then: (out: Out) => void): void {
    this.#later.after(retryDelayUs(this.#options.requestTimeoutUs), name, out, (_lateUs, lateOut) => then(lateOut));
  }
}

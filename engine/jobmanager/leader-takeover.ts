/**
 * What a new leader must do before it may act: take the checkpoint pointer under its epoch, so that the pointer writes of every
 * earlier leader fail, and read the id counter (rows F16, F17, C8; B6 in bugs.md).
 *
 * Every request is repeated until answered; an unanswered write is read back.
 */
import { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import {
  type CheckpointPointer,
  counterKey,
  decodePointer,
  encodePointer,
  pointerKey,
} from '../protocol/checkpoint-pointer.ts';
import type { CoordinationReply } from '../protocol/messages.ts';

export interface TakeoverOptions {
  readonly jobId: string;
  readonly epoch: LeaderEpoch;
  readonly retained: number;
  /** What a counter begins with that was never written. */
  readonly firstId: number;
  readonly retryUs: number;
  readonly coordination: RequestClient<CoordinationReply>;
  readonly done: (
    store: CompletedCheckpointStore,
    counter: { readonly value: number; readonly version: number },
    nowUs: Micros,
    out: Out,
  ) => void;
  /** A newer leader was there first. */
  readonly superseded: (nowUs: Micros, out: Out) => void;
}

export class LeaderTakeover {
  readonly #options: TakeoverOptions;
  readonly #later = new DelayedCalls();

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  start(out: Out): void {
    this.#get(pointerKey(this.#options.jobId), out, (reply, nowUs, replyOut) => this.#claim(reply, nowUs, replyOut));
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #claim(found: CoordinationReply, nowUs: Micros, out: Out): void {
    const { epoch, coordination, jobId } = this.#options;
    const before: CheckpointPointer = found.version === 0 ? { epoch, completed: [] } : decodePointer(found.value);
    if (before.epoch > epoch) return this.#options.superseded(nowUs, out);
    if (found.version !== 0 && before.epoch === epoch) return this.#readCounter(before, found.version, out);
    const pointer = { ...before, epoch };
    const key = pointerKey(jobId);
    coordination.request(
      (requestId) => ({
        kind: 'coordination-compare-and-set',
        requestId,
        key,
        expectedVersion: found.version,
        value: encodePointer(pointer),
      }),
      out,
      (reply, _nowUs, replyOut) => {
        if (reply?.outcome === 'done') return this.#readCounter(pointer, reply.version, replyOut);
        this.#later.after(this.#options.retryUs, 'takeover', replyOut, (_lateUs, lateOut) => this.start(lateOut));
      },
    );
  }

  #readCounter(pointer: CheckpointPointer, version: number, out: Out): void {
    this.#get(counterKey(this.#options.jobId), out, (reply, nowUs, replyOut) => {
      const value = reply.version === 0 ? this.#options.firstId - 1 : Number(reply.value);
      const store = new CompletedCheckpointStore(this.#options.retained, pointer, version);
      this.#options.done(store, { value, version: reply.version }, nowUs, replyOut);
    });
  }

  #get(key: string, out: Out, then: (reply: CoordinationReply, nowUs: Micros, out: Out) => void): void {
    this.#options.coordination.request(
      (requestId) => ({ kind: 'coordination-get', requestId, key }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.outcome === 'done') return then(reply, nowUs, replyOut);
        this.#later.after(this.#options.retryUs, 'takeover', replyOut, (_lateUs, lateOut) =>
          this.#get(key, lateOut, then),
        );
      },
    );
  }
}

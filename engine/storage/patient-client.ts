/**
 * Requests to a checkpoint storage that may be too busy (503 SlowDown): such a request is made again later, and then after twice as
 * long (AWS SDK: retry with exponential back-off; ours has no jitter, because the engine draws nothing).
 *
 * Owns: the waits. Does not own: what any other answer means, or none.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import { type ReplyHandler, RequestClient, type RequestClientOptions } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { ByteRange, EngineMessage, StorageReply, StorageRequest } from '../protocol/messages.ts';
import { probe, sometimes } from '../protocol/probes.ts';

const FIRST_BACK_OFF_US = 100_000;
/** After so many waits, six seconds in all, the caller is told. */
const BACK_OFFS_MAX = 6;

type MessageOf = (requestId: number) => EngineMessage;

export const getRequest = (requestId: number, path: string, range: ByteRange | undefined): StorageRequest =>
  range === undefined ? { kind: 'storage-get', requestId, path } : { kind: 'storage-get', requestId, path, range };

export class PatientClient {
  readonly #name: string;
  readonly #client: RequestClient<StorageReply>;
  readonly #later = new DelayedCalls();
  #waits = 0;

  constructor(options: RequestClientOptions) {
    this.#name = options.name;
    this.#client = new RequestClient(options);
  }

  request(message: MessageOf, out: Out, then: ReplyHandler<StorageReply>): void {
    this.#ask(message, 0, out, then);
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  abandon(out: Out): void {
    this.#client.abandon(out);
    this.#later.clear(out);
  }

  #ask(message: MessageOf, backOffs: number, out: Out, then: ReplyHandler<StorageReply>): void {
    this.#client.request(message, out, (reply, nowUs, replyOut) => {
      const isBusy = reply?.outcome === 'slow-down';
      sometimes(isBusy && backOffs >= BACK_OFFS_MAX, replyOut, 'storage-busy-for-too-long');
      if (!isBusy || backOffs >= BACK_OFFS_MAX) return then(reply, nowUs, replyOut);
      probe(replyOut, 'storage-backs-off');
      this.#waits += 1;
      const delayUs = FIRST_BACK_OFF_US << backOffs;
      this.#later.after(delayUs, `${this.#name}/slow-down/${this.#waits}`, replyOut, (_lateUs, lateOut) =>
        this.#ask(message, backOffs + 1, lateOut, then),
      );
    });
  }
}

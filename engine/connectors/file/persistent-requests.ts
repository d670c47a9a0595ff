/**
 * Requests of a file writer to its storage, made again until the storage has answered them for good.
 *
 * Owns: the waits. The same change is repeated as it was, with its number, so that one which was done already is only answered again.
 * Invariants:
 *   I1 whoever asked is answered once. No answer, a storage that is away or too busy is waited for without end: the snapshot waits with it
 *      and the checkpoint expires. A refusal is believed after `REFUSALS_MAX` times.
 */
import { DelayedCalls, retryDelayUs } from '../../clients/delayed-calls.ts';
import { RequestClient, type RequestClientOptions } from '../../clients/request-client.ts';
import type { Micros } from '../../foundation/time.ts';
import type { Out } from '../../protocol/actor.ts';
import type { EngineMessage, StorageReply } from '../../protocol/messages.ts';

type MessageOf = (requestId: number) => EngineMessage;
export type Answered = (reply: StorageReply, out: Out) => void;

/** A disk that is full, a request that failed: may be over the next time. */
const REFUSALS_MAX = 10;

export class PersistentRequests {
  readonly #options: RequestClientOptions;
  readonly #client: RequestClient<StorageReply>;
  readonly #later = new DelayedCalls();
  #waits = 0;

  constructor(options: RequestClientOptions) {
    this.#options = options;
    this.#client = new RequestClient(options);
  }

  request(message: MessageOf, out: Out, then: Answered): void {
    this.#ask(message, 0, out, then);
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  #ask(message: MessageOf, refusals: number, out: Out, then: Answered): void {
    this.#client.request(message, out, (reply, _nowUs, replyOut) => {
      const isRefusal = reply?.outcome === 'failed' || reply?.outcome === 'disk-full';
      if (reply !== undefined && !isPassing(reply) && !(isRefusal && refusals < REFUSALS_MAX))
        return then(reply, replyOut);
      this.#waits += 1;
      const { name, timeoutUs } = this.#options;
      this.#later.after(retryDelayUs(timeoutUs), `${name}/${this.#waits}`, replyOut, (_lateUs, lateOut) =>
        this.#ask(message, isRefusal ? refusals + 1 : refusals, lateOut, then),
      );
    });
  }
}

/** Says nothing of the request: the storage has not looked at it. */
export const isPassing = ({ outcome }: StorageReply): boolean =>
  outcome === 'unavailable' || outcome === 'slow-down' || outcome === 'safe-mode';

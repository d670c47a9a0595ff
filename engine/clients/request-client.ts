/**
 * Requests to an outside system over an unreliable network: ids, time-outs, and the third outcome.
 *
 * Owns: which requests are open. Does not own: what to do about no reply (the caller decides; it may have taken effect).
 * Invariants:
 *   I1 each request is answered to its caller exactly once: by the reply, or by `undefined` after the time-out;
 *   I2 a reply to a request that is not open (late, doubled, of an earlier life) is ordinary and ignored.
 */
import type { NodeId } from '../foundation/ids.ts';
import { MAIN_MAILBOX } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';

/** `reply` is undefined when none came in time: the outcome is unknown. */
export type ReplyHandler<R> = (reply: R | undefined, nowUs: Micros, out: Out) => void;

export interface RequestClientOptions {
  readonly node: NodeId;
  readonly via: Target['via'];
  /** Distinguishes the timers of several clients in one mailbox. */
  readonly name: string;
  readonly timeoutUs: number;
  /** Request ids start here; a restarted process starts elsewhere. */
  readonly firstRequestId: number;
}

export class RequestClient<R extends { readonly requestId: number }> {
  readonly #target: Target;
  readonly #timerPrefix: string;
  readonly #timeoutUs: Micros;
  readonly #open = new Map<number, ReplyHandler<R>>();
  #nextId: number;

  constructor(options: RequestClientOptions) {
    this.#target = { node: options.node, mailbox: MAIN_MAILBOX, via: options.via };
    this.#timerPrefix = `${options.name}#`;
    this.#timeoutUs = micros(options.timeoutUs);
    this.#nextId = options.firstRequestId;
  }

  get openRequests(): number {
    return this.#open.size;
  }

  request(message: (requestId: number) => EngineMessage, out: Out, handler: ReplyHandler<R>): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#open.set(id, handler);
    out.send(this.#target, message(id));
    out.setTimer(`${this.#timerPrefix}${id}`, this.#timeoutUs);
  }

  handleReply(reply: R, nowUs: Micros, out: Out): void {
    const handler = this.#open.get(reply.requestId);
    if (handler === undefined) return;
    this.#open.delete(reply.requestId);
    out.cancelTimer(`${this.#timerPrefix}${reply.requestId}`);
    handler(reply, nowUs, out);
  }

  /** True when the timer was this client's. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (!timer.startsWith(this.#timerPrefix)) return false;
    const id = Number(timer.slice(this.#timerPrefix.length));
    const handler = this.#open.get(id);
    if (handler === undefined) return true;
    this.#open.delete(id);
    handler(undefined, nowUs, out);
    return true;
  }

  /** Forgets every open request; their replies will be ignored. */
  abandon(out: Out): void {
    for (const id of this.#open.keys()) out.cancelTimer(`${this.#timerPrefix}${id}`);
    this.#open.clear();
  }
}

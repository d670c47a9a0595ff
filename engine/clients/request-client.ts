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

interface OpenRequest<R> {
  readonly id: number;
  readonly timer: string;
  readonly handler: ReplyHandler<R>;
}

export class RequestClient<R extends { readonly requestId: number }> {
  readonly #target: Target;
  readonly #timerPrefix: string;
  readonly #timeoutUs: Micros;
  /** Oldest first. A list, because requests are few and replies come about in order. */
  readonly #open: OpenRequest<R>[] = [];
  #nextId: number;

  constructor(options: RequestClientOptions) {
    this.#target = { node: options.node, mailbox: MAIN_MAILBOX, via: options.via };
    this.#timerPrefix = `${options.name}#`;
    this.#timeoutUs = micros(options.timeoutUs);
    this.#nextId = options.firstRequestId;
  }

  get openRequests(): number {
    return this.#open.length;
  }

  request(message: (requestId: number) => EngineMessage, out: Out, handler: ReplyHandler<R>): void {
    this.send(message(this.#nextId), out, handler);
  }

  /** The id that the message of the next request must carry. */
  get nextRequestId(): number {
    return this.#nextId;
  }

  /** `request` for callers on a hot path, who make the message themselves, with `nextRequestId`. */
  send(message: EngineMessage, out: Out, handler: ReplyHandler<R>): void {
    const id = this.#nextId;
    const timer = `${this.#timerPrefix}${id}`;
    this.#nextId += 1;
    this.#open.push({ id, timer, handler });
    out.send(this.#target, message);
    out.setTimer(timer, this.#timeoutUs);
  }

  handleReply(reply: R, nowUs: Micros, out: Out): void {
    const request = this.#take(reply.requestId);
    if (request === undefined) return;
    out.cancelTimer(request.timer);
    request.handler(reply, nowUs, out);
  }

  /** True when the timer was this client's. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (!timer.startsWith(this.#timerPrefix)) return false;
    this.#take(Number(timer.slice(this.#timerPrefix.length)))?.handler(undefined, nowUs, out);
    return true;
  }

  /** Forgets every open request; their replies will be ignored. */
  abandon(out: Out): void {
    for (const { timer } of this.#open) out.cancelTimer(timer);
    this.#open.length = 0;
  }

  /** Closes a request; undefined when it is not open (I2). */
  #take(id: number): OpenRequest<R> | undefined {
    const open = this.#open;
    let at = 0;
    while (at < open.length && open[at]?.id !== id) at += 1;
    const request = open[at];
    if (request === undefined) return undefined;
    open.copyWithin(at, at + 1);
    open.pop();
    return request;
  }
}

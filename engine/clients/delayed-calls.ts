/**
 * "Try again in a while": named one-shot continuations on a mailbox's timers. A pending call of the same name is replaced.
 */
import { type Micros, micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';

/** How long to wait before a request is repeated that was refused or not answered: a quarter of its time-out. */
export const retryDelayUs = (requestTimeoutUs: number): number => Math.max(1, Math.floor(requestTimeoutUs / 4));

type Call = (nowUs: Micros, out: Out) => void;

export class DelayedCalls {
  readonly #calls = new Map<string, Call>();

  after(delayUs: number, name: string, out: Out, call: Call): void {
    const timer = `after#${name}`;
    this.#calls.set(timer, call);
    out.setTimer(timer, micros(delayUs));
  }

  cancel(name: string, out: Out): void {
    const timer = `after#${name}`;
    if (this.#calls.delete(timer)) out.cancelTimer(timer);
  }

  clear(out: Out): void {
    for (const timer of this.#calls.keys()) out.cancelTimer(timer);
    this.#calls.clear();
  }

  /** True when the timer was one of these. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    const call = this.#calls.get(timer);
    if (call === undefined) return false;
    this.#calls.delete(timer);
    call(nowUs, out);
    return true;
  }
}

/**
 * Events handed in and not yet acknowledged, and who waits for those of a moment (Flink: IncompleteFuturesTracker).
 *
 * Events that a gateway keeps back count from the moment they were handed in: they, too, lie before a later checkpoint's cut.
 * Invariant I1: a wait ends once: when all events open at its start are acknowledged, or when the first of them is lost.
 */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';

type Settled = (isConfirmed: boolean, nowUs: Micros, out: Out) => void;

export class UnconfirmedEvents {
  /** With the attempt each is for. */
  readonly #open = new Map<number, ExecutionAttemptId>();
  readonly #waits = new Set<{ readonly left: Set<number>; readonly done: Settled }>();
  #next = 0;

  get count(): number {
    return this.#open.size;
  }

  /** Whose acknowledgements are missing, lowest first. */
  get attempts(): readonly ExecutionAttemptId[] {
    return [...new Set(this.#open.values())].sort((a, b) => a - b);
  }

  /** A new event; the number names it in `settle`. */
  add(attempt: ExecutionAttemptId): number {
    const event = this.#next;
    this.#next += 1;
    this.#open.set(event, attempt);
    return event;
  }

  settle(event: number, isConfirmed: boolean, nowUs: Micros, out: Out): void {
    if (!this.#open.delete(event)) return;
    for (const wait of [...this.#waits]) {
      if (!wait.left.delete(event) || (isConfirmed && wait.left.size > 0)) continue;
      this.#waits.delete(wait);
      wait.done(isConfirmed, nowUs, out);
    }
  }

  /** The attempt has ended: nobody will ever know of its events. */
  loseAll(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void {
    for (const [event, of] of [...this.#open]) if (of === attempt) this.settle(event, false, nowUs, out);
  }

  /** Calls back at once when nothing is open. */
  whenConfirmed(nowUs: Micros, out: Out, done: Settled): void {
    if (this.#open.size === 0) return done(true, nowUs, out);
    this.#waits.add({ left: new Set(this.#open.keys()), done });
  }

  /** Everything is void: nobody is called back. */
  clear(): void {
    this.#open.clear();
    this.#waits.clear();
  }
}

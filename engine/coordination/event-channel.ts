/**
 * Operator events over datagrams: numbered, acknowledged, handled in order and once (row C24).
 *
 * Flink sends them by RPC over one TCP connection, which keeps order, and takes a missing answer for a failure. Here every message
 * travels alone and may be lost, doubled, delayed and overtaken; so each event has a number, the receiver holds what came too
 * early, and the sender takes an event without acknowledgement for lost. It is never sent again: as in Flink, whoever cannot be
 * told is failed over, and the restore says what it knows.
 *
 * Owns: numbers and what is unanswered, for one direction between one subtask attempt and one coordinator.
 * Invariants:
 *   I1 events are handled in the order they were sent, each at most once;
 *   I2 each event is settled once: acknowledged after it was handled, or lost after the time-out; after `close` none is.
 */
import type { Micros } from '../foundation/time.ts';
import { micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';

/** How an event ended. */
export type EventOutcome = 'acknowledged' | 'lost';
export type OnSettled = (outcome: EventOutcome, nowUs: Micros, out: Out) => void;

export interface EventSenderOptions<E> {
  /** Distinguishes the timers of several senders in one mailbox. */
  readonly name: string;
  readonly timeoutUs: number;
  readonly deliver: (sequence: number, event: E, out: Out) => void;
}

export class EventSender<E> {
  readonly #options: EventSenderOptions<E>;
  readonly #prefix: string;
  readonly #open = new Map<number, OnSettled>();
  #next = 0;

  constructor(options: EventSenderOptions<E>) {
    this.#options = options;
    this.#prefix = `event/${options.name}#`;
  }

  send(event: E, out: Out, settled: OnSettled): void {
    const sequence = this.#next;
    this.#next += 1;
    this.#open.set(sequence, settled);
    this.#options.deliver(sequence, event, out);
    out.setTimer(`${this.#prefix}${sequence}`, micros(this.#options.timeoutUs));
  }

  acknowledged(sequence: number, nowUs: Micros, out: Out): void {
    if (!this.#open.has(sequence)) return;
    out.cancelTimer(`${this.#prefix}${sequence}`);
    this.#settle(sequence, 'acknowledged', nowUs, out);
  }

  /** True when the timer was this sender's. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (!timer.startsWith(this.#prefix)) return false;
    this.#settle(Number(timer.slice(this.#prefix.length)), 'lost', nowUs, out);
    return true;
  }

  close(out: Out): void {
    for (const sequence of this.#open.keys()) out.cancelTimer(`${this.#prefix}${sequence}`);
    this.#open.clear();
  }

  #settle(sequence: number, outcome: EventOutcome, nowUs: Micros, out: Out): void {
    const settled = this.#open.get(sequence);
    this.#open.delete(sequence);
    settled?.(outcome, nowUs, out);
  }
}

export class EventReceiver<E> {
  readonly #early = new Map<number, E>();
  #next = 0;

  /**
   * What is to be handled now, in order; each is to be acknowledged by its number when it was handled. An event that was handled
   * before comes back in `again`: only its acknowledgement is repeated.
   */
  receive(
    sequence: number,
    event: E,
  ): { readonly due: readonly { sequence: number; event: E }[]; readonly again: boolean } {
    if (sequence < this.#next) return { due: [], again: true };
    this.#early.set(sequence, event);
    const due: { sequence: number; event: E }[] = [];
    for (let next = this.#early.get(this.#next); next !== undefined; next = this.#early.get(this.#next)) {
      due.push({ sequence: this.#next, event: next });
      this.#early.delete(this.#next);
      this.#next += 1;
    }
    return { due, again: false };
  }
}

/**
 * The event loop: jumps from event to event, in virtual time, until told to stop.
 *
 * Owns: the queue, the only clock, the event count, the run's digest. Does not own: what events mean; `dispatch` does,
 * and schedules what follows. The cluster drives it.
 *
 * I1: virtual time never goes back; an event fires exactly at its time.
 * I2: an event is dispatched only when that exceeds no limit; a run that stops at a limit has lost no event.
 * I3: every event's (atUs, sequence) is in the digest before it is dispatched, and it is marked after.
 */
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';
import { Digest } from './digest.ts';
import { EventQueue } from './event-queue.ts';
import { DEFAULT_RUN_LIMITS, exceeded, type LimitName, type RunLimits } from './run-limits.ts';

/** Why a run ended: it was told to, nothing was left to happen, or a limit was hit. */
export type StopReason = 'stopped' | 'empty' | `limit-${LimitName}`;

export interface EventLoopOptions {
  /** `DEFAULT_RUN_LIMITS` when absent. */
  readonly limits?: RunLimits;
  /** The digest to fold into; a new one when absent. */
  readonly digest?: Digest;
}

export class EventLoop<T extends NonNullable<unknown>> {
  /** Running digest; who handles an event folds in what it is. */
  readonly digest: Digest;
  readonly #limits: RunLimits;
  readonly #queue = new EventQueue<T>();
  #nowUs = 0;
  #events = 0;

  constructor(options: EventLoopOptions = {}) {
    this.#limits = options.limits ?? DEFAULT_RUN_LIMITS;
    this.digest = options.digest ?? new Digest();
  }

  /** Virtual time in microseconds: that of the event dispatched last. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Events dispatched so far; while one is dispatched, its index, from 1. */
  get events(): number {
    return this.#events;
  }

  /** Events that will still fire. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Lets a payload fire at a time, now at the earliest. The handle is never 0. */
  schedule(atUs: number, payload: T): number {
    if (atUs < this.#nowUs) refusePast(atUs, this.#nowUs);
    return this.#queue.push(atUs, payload);
  }

  /** Lets a payload fire after a delay; with delay 0 after all that is already due now. */
  scheduleIn(delayUs: number, payload: T): number {
    return this.schedule(this.#nowUs + delayUs, payload);
  }

  /** Takes an event back; false when it has fired or was cancelled before. */
  cancel(handle: number): boolean {
    return this.#queue.cancel(handle);
  }

  /** Dispatches events in order. `until` is asked before each; the run may be continued later. */
  run(dispatch: (payload: T) => void, until: () => boolean): StopReason {
    // One object for the whole run: the check allocates nothing.
    const next = { events: 0, nowUs: 0, queueLength: 0 };
    while (!until()) {
      next.nowUs = this.#queue.peekAtUs();
      next.queueLength = this.#queue.size;
      if (next.queueLength === 0) return 'empty';
      next.events = this.#events + 1;
      const limit = exceeded(this.#limits, next);
      if (limit !== undefined) return `limit-${limit}`;
      this.#step(dispatch);
    }
    return 'stopped';
  }

  #step(dispatch: (payload: T) => void): void {
    const queue = this.#queue;
    const payload = queue.pop();
    assert(payload !== undefined, 'a queue that is not empty pops an event');
    assert(queue.atUs >= this.#nowUs, 'virtual time never goes back');
    this.#nowUs = queue.atUs;
    this.#events += 1;
    this.digest.fold(queue.atUs);
    this.digest.fold(queue.sequence);
    dispatch(payload);
    this.digest.mark(this.#events);
  }
}

function refusePast(atUs: number, nowUs: number): never {
  throw new InvariantViolation('an event is scheduled now or later', { atUs, nowUs });
}

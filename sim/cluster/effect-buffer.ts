/**
 * The effects of one handler, in the order it made them, until the host performs them.
 *
 * Owns: the `Out` that actors are handed; one for the whole cluster, its entries reused.
 *
 * I1: nothing happens while a handler runs: an effect is an entry here, and the host reads it afterwards.
 * I2: entries from `length` on are left over from earlier handlers and mean nothing.
 */
import { assert } from '../../engine/foundation/assert.ts';
import { MAIN_MAILBOX, nodeId } from '../../engine/foundation/ids.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { Out, Target, Work } from '../../engine/protocol/actor.ts';
import type { EngineEvent } from '../../engine/protocol/engine-events.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { WorldEvent } from '../history/history-event.ts';

/** What a hosted actor may do: an outside system also reports what happened to its durable state. */
export interface HostedOut extends Out {
  report(event: EngineEvent | WorldEvent): void;
}

const NO_TARGET: Target = { node: nodeId(''), mailbox: MAIN_MAILBOX, via: 'datagram' };
const NO_MESSAGE: EngineMessage = { kind: 'continue' };
const NO_EVENT: EngineEvent = { kind: 'message-discarded', message: '', why: '' };

/** One effect; `kind` says which of the fields count. */
export class Effect {
  kind: 'send' | 'set-timer' | 'cancel-timer' | 'report' | 'exit' = 'report';
  target: Target = NO_TARGET;
  message: EngineMessage = NO_MESSAGE;
  /** Name of a timer, or why the process ends. */
  timer = '';
  afterUs = 0;
  event: EngineEvent | WorldEvent = NO_EVENT;
}

export class EffectBuffer implements HostedOut {
  readonly #nanoseconds: Readonly<Record<Work, number>>;
  readonly #effects: Effect[] = [];
  #length = 0;
  #busyNs = 0;

  /** `nanoseconds`: the cost of one unit of work of each kind. */
  constructor(nanoseconds: Readonly<Record<Work, number>>) {
    this.#nanoseconds = nanoseconds;
  }

  get length(): number {
    return this.#length;
  }

  /** What the handler worked, in whole microseconds, rounded up. */
  get busyUs(): number {
    return this.#busyNs === 0 ? 0 : Math.ceil(this.#busyNs / 1_000);
  }

  at(index: number): Effect {
    const effect = this.#effects[index];
    assert(effect !== undefined && index < this.#length, 'an effect that is performed was made');
    return effect;
  }

  clear(): void {
    this.#length = 0;
    this.#busyNs = 0;
  }

  /** A buffer of its own with the same effects. */
  copy(): EffectBuffer {
    const copy = new EffectBuffer(this.#nanoseconds);
    for (let index = 0; index < this.#length; index += 1) Object.assign(copy.#next(), this.at(index));
    return copy;
  }

  send(to: Target, message: EngineMessage): void {
    const effect = this.#next();
    effect.kind = 'send';
    effect.target = to;
    effect.message = message;
  }

  setTimer(timer: string, afterUs: Micros): void {
    const effect = this.#next();
    effect.kind = 'set-timer';
    effect.timer = timer;
    effect.afterUs = afterUs;
  }

  cancelTimer(timer: string): void {
    const effect = this.#next();
    effect.kind = 'cancel-timer';
    effect.timer = timer;
  }

  busy(work: Work, amount: number): void {
    this.#busyNs += this.#nanoseconds[work] * amount;
  }

  report(event: EngineEvent | WorldEvent): void {
    const effect = this.#next();
    effect.kind = 'report';
    effect.event = event;
  }

  exit(why: string): void {
    const effect = this.#next();
    effect.kind = 'exit';
    effect.timer = why;
  }

  #next(): Effect {
    const index = this.#length;
    this.#length = index + 1;
    const known = this.#effects[index];
    if (known !== undefined) return known;
    const effect = new Effect();
    this.#effects.push(effect);
    return effect;
  }
}

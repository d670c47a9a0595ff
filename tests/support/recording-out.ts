/**
 * A world for one actor's parts: what they send and report is noted, and timers run on a virtual clock.
 *
 * Owns: the clock, the armed timers, the notes. Does not own: answers (a test gives them, or the fakes beside this file).
 * I1: timers behave as the actor contract says: one per name, replaced when set again, gone when cancelled or fired;
 * I2: time moves only by `advance`, which fires what is due in order of (time, time of arming).
 */
import { type Micros, micros } from '../../engine/foundation/time.ts';
import type { Out, Target, Work } from '../../engine/protocol/actor.ts';
import type { EngineEvent } from '../../engine/protocol/engine-events.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';

export interface Sent {
  readonly atUs: number;
  readonly to: Target;
  readonly message: EngineMessage;
}
export type MessageOf<K extends EngineMessage['kind']> = Extract<EngineMessage, { kind: K }>;
export type EventOf<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
export type TimerHandler = (timer: string, nowUs: Micros, out: Out) => unknown;

export class RecordingOut implements Out {
  nowUs: Micros;
  readonly sent: Sent[] = [];
  readonly events: EngineEvent[] = [];
  readonly busyFor = new Map<Work, number>();
  readonly #armed = new Map<string, number>();
  readonly #onTimer: TimerHandler;
  #seen = 0;

  constructor(onTimer: TimerHandler = () => {}, startUs = 1) {
    this.#onTimer = onTimer;
    this.nowUs = micros(startUs);
  }

  send(to: Target, message: EngineMessage): void {
    this.sent.push({ atUs: this.nowUs, to, message });
  }

  setTimer(timer: string, afterUs: Micros): void {
    if (!Number.isInteger(afterUs) || afterUs < 0) throw new Error(`timer ${timer} is set to ${afterUs}`);
    this.#armed.delete(timer);
    this.#armed.set(timer, this.nowUs + afterUs);
  }

  cancelTimer(timer: string): void {
    this.#armed.delete(timer);
  }

  busy(work: Work, amount: number): void {
    this.busyFor.set(work, (this.busyFor.get(work) ?? 0) + amount);
  }

  report(event: EngineEvent): void {
    this.events.push(event);
  }

  /** Why the process ended; empty while it lives. */
  exited = '';

  exit(why: string): void {
    this.exited = why;
  }

  get armedTimers(): readonly string[] {
    return [...this.#armed.keys()];
  }

  /** Moves the clock and fires what becomes due. */
  advance(us: number): void {
    const untilUs = this.nowUs + us;
    for (let due = this.#firstDue(untilUs); due !== undefined; due = this.#firstDue(untilUs)) {
      this.nowUs = micros(Math.max(this.nowUs, due.atUs));
      this.#armed.delete(due.timer);
      this.#onTimer(due.timer, this.nowUs, this);
    }
    this.nowUs = micros(untilUs);
  }

  /** Every message of a kind sent so far. */
  all<K extends EngineMessage['kind']>(kind: K): MessageOf<K>[] {
    return this.sent.map(({ message }) => message).filter((message): message is MessageOf<K> => message.kind === kind);
  }

  /** The newest message of a kind. */
  last<K extends EngineMessage['kind']>(kind: K): MessageOf<K> {
    const found = this.all(kind).at(-1);
    if (found === undefined) throw new Error(`no ${kind} was sent, but ${this.kinds().join(', ')}`);
    return found;
  }

  /** Kinds of all messages sent, in order. */
  kinds(): string[] {
    return this.sent.map(({ message }) => message.kind);
  }

  /** What was sent since this was last asked. */
  fresh(): readonly Sent[] {
    const fresh = this.sent.slice(this.#seen);
    this.#seen = this.sent.length;
    return fresh;
  }

  reported<K extends EngineEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  probes(): string[] {
    return this.reported('probe').map(({ probe }) => probe);
  }

  #firstDue(untilUs: number): { timer: string; atUs: number } | undefined {
    let first: { timer: string; atUs: number } | undefined;
    for (const [timer, atUs] of this.#armed) {
      if (atUs <= untilUs && (first === undefined || atUs < first.atUs)) first = { timer, atUs };
    }
    return first;
  }
}

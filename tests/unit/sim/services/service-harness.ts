/**
 * Runs one service alone: a time-ordered list instead of a cluster, no network, no other node.
 *
 * I1: timers behave as the actor contract says: one per name, replaced when set again, gone when cancelled;
 * I2: a restart forgets timers and what the old actor held in memory; disks are the caller's.
 */
import { MAIN_MAILBOX, nodeId, type MailboxId, type NodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { Input, Target } from '../../../../engine/protocol/actor.ts';
import type { EngineEvent } from '../../../../engine/protocol/engine-events.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import type { WorldEvent } from '../../../../sim/history/history-event.ts';
import { Choices } from '../../../../sim/kernel/choice.ts';
import type { ServiceActor, ServiceOut } from '../../../../sim/services/service-actor.ts';
import { ServiceConditions, type ServiceEffect } from '../../../../sim/services/service-conditions.ts';

export const CLIENT = nodeId('client');
export const CLIENT_MAILBOX = 7 as MailboxId;
export const ALWAYS = { numerator: 1, denominator: 1 };

export interface Sent {
  readonly atUs: number;
  readonly to: Target;
  readonly message: EngineMessage;
}

export class ServiceHarness {
  readonly sent: Sent[] = [];
  readonly events: (EngineEvent | WorldEvent)[] = [];
  /** Ids of faults that were effective, in order. */
  readonly effective: string[] = [];
  readonly conditions = new ServiceConditions((fault) => this.effective.push(fault));
  readonly choices: Choices;
  nowUs = 0;
  #service: ServiceActor | undefined;
  #timers = new Map<string, number>();
  readonly #out: ServiceOut = {
    send: (to, message) => this.sent.push({ atUs: this.nowUs, to, message }),
    setTimer: (timer, afterUs) => {
      if (!Number.isInteger(afterUs) || afterUs < 0) throw new Error(`timer ${timer} after ${afterUs}`);
      this.#timers.delete(timer);
      this.#timers.set(timer, this.nowUs + afterUs);
    },
    cancelTimer: (timer) => this.#timers.delete(timer),
    busy: () => undefined,
    exit: () => undefined,
    report: (event) => this.events.push(event),
  };

  constructor(rootSeed = 'harness') {
    this.choices = new Choices({ rootSeed });
  }

  /** Boots a service; a second call is a restart after a crash. */
  start(service: ServiceActor): void {
    this.#timers.clear();
    this.#service = service;
    this.#handle({ kind: 'started' });
  }

  receive(message: EngineMessage, from: NodeId = CLIENT, fromMailbox: MailboxId = CLIENT_MAILBOX): void {
    this.#handle({ kind: 'message', from, fromMailbox, mailbox: MAIN_MAILBOX, message });
  }

  /** Fires due timers in order until this time. */
  runUntil(atUs: number): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined || next[1] > atUs) break;
      this.#timers.delete(next[0]);
      this.nowUs = Math.max(this.nowUs, next[1]);
      this.#handle({ kind: 'timer', mailbox: MAIN_MAILBOX, timer: next[0] });
    }
    this.nowUs = Math.max(this.nowUs, atUs);
  }

  runFor(us: number): void {
    this.runUntil(this.nowUs + us);
  }

  /** Sends, waits, and returns the replies made meanwhile. */
  ask(message: EngineMessage, forUs = 10_000): EngineMessage[] {
    const before = this.sent.length;
    this.receive(message);
    this.runFor(forUs);
    return this.sent.slice(before).map((sent) => sent.message);
  }

  affect(fault: string, effect: ServiceEffect, factor = 1): void {
    this.conditions.apply(fault, { effect, factor, chance: ALWAYS });
  }

  get armedTimers(): number {
    return this.#timers.size;
  }

  eventsOf<Kind extends (EngineEvent | WorldEvent)['kind']>(
    kind: Kind,
  ): Extract<EngineEvent | WorldEvent, { kind: Kind }>[] {
    return this.events.filter(
      (event): event is Extract<EngineEvent | WorldEvent, { kind: Kind }> => event.kind === kind,
    );
  }

  #next(): [string, number] | undefined {
    let next: [string, number] | undefined;
    for (const timer of this.#timers) if (next === undefined || timer[1] < next[1]) next = timer;
    return next;
  }

  #handle(input: Input): void {
    this.#service?.handle(input, micros(this.nowUs), this.#out);
  }
}

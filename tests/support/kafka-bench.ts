/**
 * Brokers of a Kafka-like cluster on a clock of their own, and a network that delays each message as its sender says.
 *
 * I1: a broker that is down loses what arrives and what it waited for; started again, it goes on with what is durable;
 * I2: what has become visible to readers of committed records is noted in its order, by partition.
 */
import { MAIN_MAILBOX, type NodeId, nodeId, taskMailbox } from '../../engine/foundation/ids.ts';
import { micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { KafkaReply, KafkaRequest } from '../../engine/protocol/kafka-messages.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import { type BrokerRules, standardBrokerRules } from '../../sim/services/kafka/broker-rules.ts';
import { KafkaBroker } from '../../sim/services/kafka/kafka-broker.ts';
import { KafkaCluster } from '../../sim/services/kafka/kafka-cluster.ts';
import type { ServiceOut } from '../../sim/services/service-actor.ts';
import { ServiceConditions } from '../../sim/services/service-conditions.ts';
import { Choices } from '../../sim/kernel/choice.ts';
import { uniform } from '../../sim/kernel/distribution.ts';
import { attempt } from './engine-values.ts';

export const SESSION_US = 4_000;
export const MAX_TIMEOUT_US = 900_000;
const CLIENT = nodeId('client');
const CLIENT_MAILBOX = taskMailbox(attempt(1));

interface Due {
  readonly atUs: number;
  readonly run: () => void;
}

export class KafkaBench {
  readonly cluster: KafkaCluster;
  readonly brokers: readonly NodeId[];
  readonly visible = new Map<string, number[]>();
  readonly probes: string[] = [];
  nowUs = 0;
  #due: Due[] = [];
  readonly #actors = new Map<NodeId, KafkaBroker>();
  /** Timers of a broker's process, by name. */
  readonly #timers = new Map<string, Due>();
  readonly #handlers = new Map<number, (reply: KafkaReply) => void>();
  readonly #choices = new Choices({ rootSeed: 'kafka-bench' });
  /** Ids of faults that were effective. */
  readonly effective: string[] = [];
  readonly conditions = new ServiceConditions((fault) => this.effective.push(fault));
  #requests = 0;

  constructor(brokers = 2, rules: BrokerRules = standardBrokerRules) {
    this.brokers = Array.from({ length: brokers }, (_, index) => nodeId(`kafka-${index + 1}`));
    this.cluster = new KafkaCluster({ brokers: this.brokers, rules, sessionTimeoutUs: SESSION_US });
    for (const broker of this.brokers) this.start(broker);
  }

  start(broker: NodeId): void {
    const actor = new KafkaBroker({
      self: broker,
      cluster: this.cluster,
      latency: uniform(10, 200),
      maxTransactionTimeoutUs: MAX_TIMEOUT_US,
      conditions: this.conditions,
      latencySite: this.#choices.site('latency'),
      conditionSite: this.#choices.site('condition'),
    });
    this.#actors.set(broker, actor);
    this.#handle(broker, actor, { kind: 'started' });
  }

  crash(broker: NodeId): void {
    this.#actors.delete(broker);
  }

  isUp(broker: NodeId): boolean {
    return this.#actors.has(broker);
  }

  /** Sends to whichever broker leads when it is sent; `answered` is not called when the request or its reply is lost. */
  ask(
    about: { readonly partition: string } | { readonly coordinator: number },
    message: (requestId: number) => KafkaRequest,
    { delayUs = 10, answered }: { delayUs?: number; answered: (reply: KafkaReply) => void },
  ): void {
    const leader =
      'partition' in about ? this.cluster.leaderOf(about.partition) : this.cluster.coordinatorLeader(about.coordinator);
    this.#requests += 1;
    const request = message(this.#requests);
    this.#handlers.set(this.#requests, answered);
    this.#after(delayUs, () => this.#deliver(CLIENT, leader, request));
  }

  /** Asks and lets time pass until the answer is there. */
  now(
    about: { readonly partition: string } | { readonly coordinator: number },
    message: (requestId: number) => KafkaRequest,
  ): KafkaReply | undefined {
    let reply: KafkaReply | undefined;
    this.ask(about, message, {
      answered: (found) => {
        reply = found;
      },
    });
    for (let step = 0; step < 20 && reply === undefined; step += 1) this.advance(100);
    return reply;
  }

  advance(us: number): void {
    const untilUs = this.nowUs + us;
    for (;;) {
      let next: Due | undefined;
      for (const due of this.#due) if (due.atUs <= untilUs && (next === undefined || due.atUs < next.atUs)) next = due;
      if (next === undefined) break;
      this.#due = this.#due.filter((due) => due !== next);
      this.nowUs = next.atUs;
      next.run();
    }
    this.nowUs = untilUs;
  }

  visibleOf(partition: string): readonly number[] {
    return this.visible.get(partition) ?? [];
  }

  #deliver(from: NodeId, to: NodeId, message: EngineMessage): void {
    if (to === CLIENT) {
      if (message.kind === 'kafka-reply') this.#handlers.get(message.requestId)?.(message);
      return;
    }
    const actor = this.#actors.get(to);
    if (actor === undefined) return;
    const fromMailbox = from === CLIENT ? CLIENT_MAILBOX : taskMailbox(attempt(0));
    this.#handle(to, actor, { kind: 'message', from, fromMailbox, mailbox: MAIN_MAILBOX, message });
  }

  #handle(node: NodeId, actor: KafkaBroker, input: Input): void {
    if (this.#actors.get(node) !== actor) return;
    const out: ServiceOut = {
      send: (to, message) => this.#after(10, () => this.#deliver(node, to.node, message)),
      setTimer: (timer, afterUs) => {
        const due = this.#after(afterUs, () => {
          this.#timers.delete(`${node}/${timer}`);
          this.#handle(node, actor, { kind: 'timer', mailbox: MAIN_MAILBOX, timer });
        });
        this.#timers.set(`${node}/${timer}`, due);
      },
      cancelTimer: (timer) => {
        const due = this.#timers.get(`${node}/${timer}`);
        this.#due = this.#due.filter((other) => other !== due);
      },
      busy: () => undefined,
      exit: () => undefined,
      report: (event) => {
        if (event.kind === 'probe') this.probes.push(event.probe);
        if (event.kind !== 'output-appended') return;
        const seen = this.visible.get(event.producer) ?? [];
        seen.push(...event.lineages);
        this.visible.set(event.producer, seen);
      },
    };
    actor.handle(input, micros(this.nowUs), out);
  }

  #after(us: number, run: () => void): Due {
    const due = { atUs: this.nowUs + us, run };
    this.#due.push(due);
    return due;
  }
}

/**
 * Requests to whichever broker leads what they are about (Kafka: NetworkClient, Metadata).
 *
 * Owns: what is known of leaders, and coming again where a request was not decided. Does not own: what an answer means.
 * Invariants:
 *   I1 a request is answered to its caller once: by a decision of the leader, or by `undefined` when patience is at an end;
 *   I2 who leads is learned from those who do not: a broker that is silent is passed over for the next one;
 *   I3 where nobody has said who leads, a broker is asked that has answered before (Kafka: leastLoadedNode): one that is gone is not waited for with every
 *      new transactional id.
 */
import { DelayedCalls, retryDelayUs } from '../../clients/delayed-calls.ts';
import { RequestClient } from '../../clients/request-client.ts';
import { assert } from '../../foundation/assert.ts';
import { type NodeId, nodeId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { Out } from '../../protocol/actor.ts';
import type { KafkaReply, KafkaRequest } from '../../protocol/kafka-messages.ts';

export interface KafkaClientOptions {
  readonly brokers: readonly NodeId[];
  readonly requestTimeoutUs: number;
  /** Distinguishes the timers of several clients in one mailbox. */
  readonly name: string;
  readonly firstRequestId: number;
}

export interface KafkaCall {
  /** What must be led: a partition, or a transactional id. */
  readonly about: string;
  /** In quarters of a request timeout: what no reply costs four of. */
  readonly patience: number;
  readonly message: (requestId: number) => KafkaRequest;
  readonly answered: (reply: KafkaReply | undefined, nowUs: Micros, out: Out) => void;
}

/** Ids of requests to one broker; more than a subtask ever sends. */
const REQUESTS_PER_BROKER = 10_000_000;
const COST_OF_SILENCE = 4;
/** Partitions and transactions under way are fewer. */
const LEADERS_MAX = 256;

export class KafkaClient {
  readonly #options: KafkaClientOptions;
  readonly #clients: readonly RequestClient<KafkaReply>[];
  readonly #later = new DelayedCalls();
  /** Index of the broker that is believed to lead. */
  readonly #leaders = new Map<string, number>();
  /** I3. */
  #answering = 0;
  #calls = 0;

  constructor(options: KafkaClientOptions) {
    this.#options = options;
    const { brokers, requestTimeoutUs: timeoutUs, name, firstRequestId } = options;
    assert(brokers.length > 0, 'a Kafka sink knows a broker');
    this.#clients = brokers.map(
      (node, index) =>
        new RequestClient({
          node,
          via: 'connection',
          name: `${name}-${index}`,
          timeoutUs,
          firstRequestId: firstRequestId + index * REQUESTS_PER_BROKER,
        }),
    );
  }

  request(call: KafkaCall, out: Out): void {
    this.#calls += 1;
    this.#send(call, `${this.#calls}`, out);
  }

  handleReply(reply: KafkaReply, nowUs: Micros, out: Out): void {
    for (const client of this.#clients) client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (this.#later.handleTimer(timer, nowUs, out)) return true;
    return this.#clients.some((client) => client.handleTimer(timer, nowUs, out));
  }

  /** Every checkpoint has a transactional id of its own: the oldest are forgotten. */
  #learn(about: string, broker: number): void {
    this.#leaders.set(about, broker);
    const [oldest] = this.#leaders.keys();
    if (this.#leaders.size > LEADERS_MAX && oldest !== undefined) this.#leaders.delete(oldest);
  }

  #send(call: KafkaCall, name: string, out: Out): void {
    const broker = this.#leaders.get(call.about) ?? this.#answering;
    this.#clients[broker]?.request(call.message, out, (reply, nowUs, replyOut) => {
      const next = (broker + 1) % this.#clients.length;
      if (reply !== undefined) this.#answering = broker;
      else if (this.#answering === broker) this.#answering = next;
      const cost = reply === undefined ? COST_OF_SILENCE : 1;
      if (reply !== undefined && isDecided(reply)) return call.answered(reply, nowUs, replyOut);
      if (call.patience < cost) return call.answered(reply, nowUs, replyOut);
      const again = { ...call, patience: call.patience - cost };
      if (reply === undefined) {
        this.#learn(call.about, next);
        return this.#send(again, name, replyOut);
      }
      const leader = this.#options.brokers.indexOf(nodeId(reply.leader));
      if (leader >= 0 && leader !== broker) {
        this.#learn(call.about, leader);
        return this.#send(again, name, replyOut);
      }
      const { requestTimeoutUs, name: client } = this.#options;
      this.#later.after(retryDelayUs(requestTimeoutUs), `${client}/${name}`, replyOut, (_nowUs, lateOut) =>
        this.#send(again, name, lateOut),
      );
    });
  }
}

function isDecided({ outcome }: KafkaReply): boolean {
  return outcome !== 'not-leader' && outcome !== 'unavailable' && outcome !== 'concurrent-transactions';
}

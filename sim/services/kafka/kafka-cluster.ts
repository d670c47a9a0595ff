/**
 * What the brokers of a Kafka-like cluster share and what survives them: partition logs, the transaction log, and who leads what (Kafka: the
 * replicas' disks and the KRaft controller).
 *
 * Owns: names of partitions, leaders and their election, sessions of brokers. Does not own: requests and their time (kafka-broker.ts).
 * A simplification, decision 0074: replicas and controller are one consistent store. A broker acts on a log only while it leads it; what is
 * not replicated when it loses the lead is lost with it.
 * Invariants:
 *   I1 each partition, of topics and of the transaction log, has one leader; it changes only when the leader's session is over;
 *   I2 a change of leader truncates the log to its high watermark;
 *   I3 what readers of committed records see is reported once, when it becomes visible.
 */
import { assert } from '../../../engine/foundation/assert.ts';
import type { NodeId } from '../../../engine/foundation/ids.ts';
import { javaStringHash } from '../../../engine/foundation/stable-hash.ts';
import type { Lineage } from '../../../engine/protocol/stream-elements.ts';
import type { AbortedRecord, DurableState } from '../../judges/judge.ts';
import type { BrokerRules } from './broker-rules.ts';
import { PartitionLog } from './partition-log.ts';
import { TransactionLog, type TransactionFact } from './transaction-log.ts';

export interface KafkaClusterOptions {
  readonly brokers: readonly NodeId[];
  readonly rules: BrokerRules;
  /** A broker that is not heard of for so long leads nothing any more. */
  readonly sessionTimeoutUs: number;
}

interface Lead {
  /** Index of the broker. */
  leader: number;
}

export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #leads = new Map<string, Lead>();
  readonly #transactionLogs: readonly TransactionLog[];
  /** When each broker was last heard of. */
  readonly #heardOfUs: number[];
  #facts: TransactionFact[] = [];
  #producers = 0;

  constructor(options: KafkaClusterOptions) {
    assert(options.brokers.length > 0, 'a cluster has a broker');
    this.#options = options;
    this.#heardOfUs = options.brokers.map(() => 0);
    this.#transactionLogs = options.brokers.map(
      () =>
        new TransactionLog({
          rules: options.rules,
          nextProducerId: () => {
            this.#producers += 1;
            return this.#producers;
          },
          onState: (fact) => this.#facts.push(fact),
        }),
    );
  }

  get rules(): BrokerRules {
    return this.#options.rules;
  }
  get sessionTimeoutUs(): number {
    return this.#options.sessionTimeoutUs;
  }
  get coordinators(): number {
    return this.#transactionLogs.length;
  }

  /** Transitions of transactions since the last call: the caller reports them. */
  takeFacts(): readonly TransactionFact[] {
    const facts = this.#facts;
    if (facts.length > 0) this.#facts = [];
    return facts;
  }

  /** Topics are created by their first use. */
  log(partition: string): PartitionLog {
    let log = this.#logs.get(partition);
    if (log === undefined) {
      log = new PartitionLog(this.rules.readersStopAt);
      this.#logs.set(partition, log);
    }
    return log;
  }

  /** Which partition of the transaction log an id belongs to. */
  coordinatorOf(transactionalId: string): number {
    return (javaStringHash(transactionalId) >>> 0) % this.coordinators;
  }

  transactions(coordinator: number): TransactionLog {
    const log = this.#transactionLogs[coordinator];
    assert(log !== undefined, 'a coordinator is a partition of the transaction log', { coordinator });
    return log;
  }

  leaderOf(partition: string): NodeId {
    return this.#node(this.#lead(partition).leader);
  }

  coordinatorLeader(coordinator: number): NodeId {
    return this.leaderOf(coordinatorPartition(coordinator));
  }

  /** A broker is alive. Returns the partitions that get another leader, because theirs is not (I1, I2). */
  renew(broker: NodeId, nowUs: number): readonly string[] {
    this.#heardOfUs[this.#options.brokers.indexOf(broker)] = nowUs;
    const elected: string[] = [];
    for (const [partition, lead] of this.#leads) {
      if (this.#isAlive(lead.leader, nowUs)) continue;
      const next = this.#nextAlive(lead.leader, nowUs);
      if (next === undefined) continue;
      lead.leader = next;
      this.#logs.get(partition)?.truncateToHighWatermark();
      elected.push(partition);
    }
    return elected;
  }

  /** Judges: transactions that are neither committed nor aborted, at the coordinators or left over in a partition. */
  openTransactions(): ReturnType<DurableState['openTransactions']> {
    const known = this.#transactionLogs.flatMap((log) => log.facts());
    const unfinished = known.filter(({ state }) => state === 'ongoing' || state.startsWith('prepare'));
    const hanging = [...this.#logs].flatMap(([partition, log]) =>
      log
        .openProducers()
        .filter((producerId) => !unfinished.some((fact) => fact.producerId === producerId))
        .map((producerId) => ({ transaction: `hanging in ${partition}`, producer: `producer ${producerId}` })),
    );
    return [
      ...unfinished.map(({ transactionalId, producerEpoch, state }) => ({
        transaction: transactionalId,
        producer: transactionalId,
        producerEpoch,
        preCommitted: state.startsWith('prepare'),
        records: 0,
      })),
      ...hanging.map((one) => ({ ...one, producerEpoch: 0, preCommitted: false, records: 0 })),
    ];
  }

  /** Judges: where an aborted record of the output lies. */
  aborted(lineage: Lineage): AbortedRecord | undefined {
    for (const [partition, log] of this.#logs) {
      const place = log.aborted(lineage);
      if (place !== undefined) return { partition, ...place };
    }
    return undefined;
  }

  #lead(partition: string): Lead {
    let lead = this.#leads.get(partition);
    if (lead === undefined) {
      lead = { leader: (javaStringHash(partition) >>> 0) % this.#options.brokers.length };
      this.#leads.set(partition, lead);
    }
    return lead;
  }

  #isAlive(broker: number, nowUs: number): boolean {
    return nowUs - (this.#heardOfUs[broker] ?? 0) < this.#options.sessionTimeoutUs;
  }

  #nextAlive(after: number, nowUs: number): number | undefined {
    const { length } = this.#options.brokers;
    for (let step = 1; step < length; step += 1) {
      const broker = (after + step) % length;
      if (this.#isAlive(broker, nowUs)) return broker;
    }
    return undefined;
  }

  #node(broker: number): NodeId {
    const node = this.#options.brokers[broker];
    assert(node !== undefined, 'a leader is a broker of the cluster', { broker });
    return node;
  }
}

const coordinatorPartition = (coordinator: number): string => `__transaction_state-${coordinator}`;

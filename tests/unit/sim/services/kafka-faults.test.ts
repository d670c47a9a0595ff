/** Faults of a Kafka-like cluster alone: a producer that is fenced while it writes. */
import { describe, expect, it } from 'vitest';
import type { KafkaReply, KafkaRequest } from '../../../../engine/protocol/kafka-messages.ts';
import { KafkaBench, SESSION_US } from '../../../support/kafka-bench.ts';
import { ALWAYS } from './service-harness.ts';

const transactionalId = 'sink-0-1';
const partition = 'sink-0';
const FENCE = { effect: 'fence', factor: 1, chance: ALWAYS } as const;

class Producer {
  readonly bench = new KafkaBench(2);
  readonly #at = { coordinator: this.bench.cluster.coordinatorOf(transactionalId) };
  #who = { transactionalId, producerId: 0, producerEpoch: 0 };
  #sequence = 0;

  initialize(): this {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const reply = this.bench.now(this.#at, (requestId) => ({
        kind: 'kafka-init-producer',
        requestId,
        transactionalId,
        timeoutUs: 800_000,
        abortsOngoing: true,
      }));
      this.bench.advance(SESSION_US);
      if (reply?.outcome !== 'done') continue;
      const { producerId, producerEpoch } = reply;
      this.#who = { transactionalId, producerId, producerEpoch };
      this.#sequence = 0;
      break;
    }
    this.bench.now(this.#at, (requestId) => ({ kind: 'kafka-add-partition', requestId, ...this.#who, partition }));
    return this;
  }

  /** What has this record; sent twice it is a repetition, with the sequence number of before. */
  batch(record: number): (requestId: number) => KafkaRequest {
    const [who, sequence] = [this.#who, this.#sequence];
    return (requestId) => ({
      ...{ kind: 'kafka-produce', requestId, ...who, partition, sequence, bytes: 1 },
      ...{ values: [record], lineages: [record] },
    });
  }

  write(record: number): KafkaReply['outcome'] | undefined {
    const outcome = this.send(this.batch(record));
    this.#sequence += 1;
    return outcome;
  }

  send(batch: (requestId: number) => KafkaRequest): KafkaReply['outcome'] | undefined {
    return this.bench.now({ partition }, batch)?.outcome;
  }

  commit(): KafkaReply['outcome'] | undefined {
    return this.bench.now(this.#at, (requestId) => ({
      kind: 'kafka-end-transaction',
      requestId,
      ...this.#who,
      commit: true,
    }))?.outcome;
  }

  get visible(): readonly number[] {
    this.bench.advance(5 * SESSION_US);
    return this.bench.visibleOf(partition);
  }
}

describe('fence', () => {
  it('a producer that writes is told, its transaction is aborted, and another initialization goes on', () => {
    const producer = new Producer().initialize();
    expect(producer.write(1)).toBe('done');
    producer.bench.conditions.apply('f1', FENCE);
    expect(producer.write(2)).toBe('fenced');
    producer.bench.conditions.lift('f1');
    expect(producer.commit()).toBe('fenced');
    expect(producer.bench.effective).toEqual(['f1']);
    producer.initialize();
    expect(producer.write(3)).toBe('done');
    expect(producer.commit()).toBe('done');
    expect(producer.visible).toEqual([3]);
  });

  it('is told when it repeats what it was not answered: the record was appended and the epoch is an old one', () => {
    const producer = new Producer().initialize();
    expect(producer.write(1)).toBe('done');
    producer.bench.conditions.apply('f1', FENCE);
    const batch = producer.batch(2);
    expect(producer.send(batch)).toBe('fenced');
    producer.bench.conditions.lift('f1');
    expect(producer.send(batch)).toBe('fenced');
    expect(producer.visible).toEqual([]);
  });

  it('a transaction of a later epoch is not struck by what an earlier one still sends', () => {
    const producer = new Producer().initialize();
    expect(producer.write(1)).toBe('done');
    const late = producer.batch(2);
    producer.initialize();
    expect(producer.write(3)).toBe('done');
    producer.bench.conditions.apply('f1', FENCE);
    expect(producer.send(late)).toBe('fenced');
    expect(producer.bench.effective).toEqual([]);
    expect(producer.commit()).toBe('done');
    expect(producer.visible).toEqual([3]);
  });

  it('a producer that has written all and commits is not struck: the fault is not effective', () => {
    const producer = new Producer().initialize();
    producer.write(1);
    producer.bench.conditions.apply('f1', FENCE);
    expect(producer.commit()).toBe('done');
    expect(producer.visible).toEqual([1]);
    expect(producer.bench.effective).toEqual([]);
  });
});

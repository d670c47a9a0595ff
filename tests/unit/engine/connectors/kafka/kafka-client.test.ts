/** Whom a client asks when it does not know who leads. */
import { describe, expect, it } from 'vitest';
import { KafkaClient } from '../../../../../engine/connectors/kafka/kafka-client.ts';
import { nodeId } from '../../../../../engine/foundation/ids.ts';
import type { KafkaReply } from '../../../../../engine/protocol/kafka-messages.ts';
import { REQUEST_TIMEOUT_US } from '../../../../support/engine-values.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';

const BROKERS = ['kafka-1', 'kafka-2', 'kafka-3'].map(nodeId);

class Bench {
  readonly client = new KafkaClient({
    brokers: BROKERS,
    requestTimeoutUs: REQUEST_TIMEOUT_US,
    name: 'kafka',
    firstRequestId: 1,
  });
  readonly out = new RecordingOut((timer, nowUs, out) => this.client.handleTimer(timer, nowUs, out));
  readonly answers: string[] = [];

  commit(transactionalId: string): this {
    const transaction = { transactionalId, producerId: 1, producerEpoch: 0 };
    this.client.request(
      {
        about: transactionalId,
        patience: 8,
        message: (requestId) => ({ kind: 'kafka-end-transaction', requestId, ...transaction, commit: true }),
        answered: (reply) => this.answers.push(`${transactionalId}: ${reply?.outcome ?? 'no reply'}`),
      },
      this.out,
    );
    return this;
  }

  /** To the newest request. */
  reply(outcome: KafkaReply['outcome'], leader = ''): this {
    const { requestId } = this.out.last('kafka-end-transaction');
    const none = { producerId: 0, producerEpoch: 0, transactions: [] };
    this.client.handleReply({ kind: 'kafka-reply', requestId, outcome, leader, ...none }, this.out.nowUs, this.out);
    return this;
  }

  silence(): this {
    this.out.advance(REQUEST_TIMEOUT_US);
    return this;
  }

  /** Whom the newest request went to. */
  get asked(): string | undefined {
    return this.out.sent.at(-1)?.to.node;
  }
}

describe('Kafka client', () => {
  it('I2: a silent broker is passed over for the next one, who says who leads', () => {
    const bench = new Bench().commit('a');
    expect(bench.asked).toBe('kafka-1');
    expect(bench.silence().asked).toBe('kafka-2');
    expect(bench.reply('not-leader', 'kafka-3').asked).toBe('kafka-3');
    expect(bench.reply('done').answers).toEqual(['a: done']);
    expect(bench.commit('a').asked).toBe('kafka-3');
  });

  it('I3: a broker that is gone is waited for once, and not with every new transactional id', () => {
    const bench = new Bench().commit('a').silence().reply('done');
    expect(bench.commit('b').asked).toBe('kafka-2');
    bench.silence();
    expect(bench.asked).toBe('kafka-3');
    expect(bench.reply('done').commit('c').asked).toBe('kafka-3');
    expect(bench.answers).toEqual(['a: done', 'b: done']);
  });

  it('forgets the leaders of transactions that are long over', () => {
    const bench = new Bench();
    for (let n = 0; n < 300; n += 1) {
      const leader = n % 2 === 0 ? 'kafka-3' : 'kafka-1';
      bench
        .commit(`t${String(n)}`)
        .reply('not-leader', leader)
        .reply('done');
    }
    expect(bench.commit('t298').asked).toBe('kafka-3');
    expect(bench.reply('done').commit('t299').asked).toBe('kafka-1');
    expect(bench.reply('done').commit('t298').asked).toBe('kafka-3');
    expect(bench.reply('done').commit('t1').asked).toBe('kafka-3');
  });
});

/** One sink subtask that writes into Kafka transactions (rows K10, K11, K13; X63 KafkaWriterFaultToleranceITCase). */
import { describe, expect, it } from 'vitest';
import { openSink, type OpenSinkOptions } from '../../../../../engine/connectors/open-sink.ts';
import { encodeCommittable } from '../../../../../engine/connectors/kafka/transaction-naming.ts';
import type { SinkTask } from '../../../../../engine/connectors/sink/sink-task.ts';
import { nodeId } from '../../../../../engine/foundation/ids.ts';
import type { KafkaSinkSpec } from '../../../../../engine/job/job-graph.ts';
import { type EngineParts, standardParts } from '../../../../../engine/parts.ts';
import type {
  KafkaOutcome,
  KafkaReply,
  KafkaRequest,
  KafkaTransactionId,
} from '../../../../../engine/protocol/kafka-messages.ts';
import { attempt, id, REQUEST_TIMEOUT_US, RETRY_US, SINK } from '../../../../support/engine-values.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';

const BROKERS = [nodeId('kafka-1'), nodeId('kafka-2')];
const PATIENCE_US = 40 * REQUEST_TIMEOUT_US;
type Asked = KafkaRequest['kind'];

class Bench {
  readonly sink: SinkTask;
  readonly out: RecordingOut;
  /** Calls of the host, in order. */
  readonly told: string[] = [];
  #answered = 0;

  constructor(
    naming: KafkaSinkSpec['naming'] = 'incrementing',
    options: Partial<OpenSinkOptions['place']> & {
      readonly guarantee?: 'at-least-once';
      readonly parts?: Partial<EngineParts>;
    } = {},
  ) {
    const { guarantee = 'exactly-once', parts = {}, ...place } = options;
    this.sink = openSink({
      uid: 'out',
      jobId: 'job',
      spec: { guarantee, batchRecords: 2, kafka: { partitions: 2, naming, transactionTimeoutUs: 9 } },
      place: { subtask: 0, parallelism: 1, highestParallelism: 1, attempt: attempt(7), ...place },
      services: { sink: SINK, kafka: BROKERS },
      runtime: { requestTimeoutUs: REQUEST_TIMEOUT_US, bufferTimeoutUs: 50 },
      parts: { ...standardParts, ...parts },
      recordBytes: 2,
      behind: { process: () => undefined },
      host: {
        preCommitted: (checkpointId) => this.told.push(`flushed ${checkpointId}`),
        initialized: () => this.told.push('initialized'),
        fail: (failure) => this.told.push(failure),
        reportCommit: ({ transaction }) => this.told.push(`commit ${transaction}`),
        reportCommitFailure: ({ transaction }, outcome) => this.told.push(`${outcome} ${transaction}`),
      },
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.sink.handleTimer(timer, nowUs, out));
  }

  initialize(checkpoint = 0, committables: readonly string[] = []): this {
    const row = { checkpointId: checkpoint, subtasks: 1, expected: 1, received: 1 };
    const rows = committables.map((committable) => ({
      ...row,
      subtask: Number(committable.split('-')[2]),
      committable,
    }));
    this.sink.initialize({ committables: rows, writers: [] }, checkpoint, this.out);
    return this;
  }

  /** Answers everything that was asked, as an idle cluster would: ids are fresh unless `epochs` says otherwise. */
  answerAll(epochs: Readonly<Record<string, number>> = {}, outcomes: Partial<Record<Asked, KafkaOutcome>> = {}): this {
    for (let sent = this.out.sent[this.#answered]; sent !== undefined; sent = this.out.sent[this.#answered]) {
      this.#answered += 1;
      const message = sent.message as KafkaRequest;
      const producerEpoch = 'transactionalId' in message ? (epochs[message.transactionalId] ?? 0) : 0;
      this.reply(message.requestId, { outcome: outcomes[message.kind] ?? 'done', producerId: 5, producerEpoch });
    }
    return this;
  }

  reply(requestId: number, fields: Partial<KafkaReply>): this {
    const none = { outcome: 'done', leader: '', producerId: 0, producerEpoch: 0, transactions: [] } as const;
    this.#answered = Math.max(
      this.#answered,
      this.out.sent.findIndex(({ message }) => idOf(message) === requestId) + 1,
    );
    this.sink.handleReply({ kind: 'kafka-reply', requestId, ...none, ...fields }, this.out.nowUs, this.out);
    return this;
  }

  write(...values: number[]): this {
    for (const value of values) this.sink.head.process(value, 0, value);
    this.sink.sendBatches(this.out);
    return this;
  }

  #snapshot(n: number): ReturnType<SinkTask['snapshot']> {
    this.sink.prepareSnapshotPreBarrier(id(n), this.out);
    return this.sink.snapshot();
  }

  snapshot(n: number): { committables: string[]; waits: boolean } {
    const { committables, waits } = this.#snapshot(n);
    return { committables: committables.map(({ committable }) => committable), waits };
  }

  /** Transactions of which it was asked that they be committed, or aborted: each with producer and epoch. */
  ended(commit: boolean): string[] {
    return this.out
      .all('kafka-end-transaction')
      .filter((one) => one.commit === commit)
      .map(encodeCommittable);
  }

  initialized(): string[] {
    return this.out.all('kafka-init-producer').map(({ transactionalId }) => transactionalId);
  }
}

const idOf = (message: object): number | undefined => ('requestId' in message ? Number(message.requestId) : undefined);

describe('Kafka sink: incrementing ids', () => {
  it('K10: a transaction per checkpoint, its id that of the checkpoint; the committable names producer and epoch', () => {
    const bench = new Bench().initialize(4).answerAll();
    expect(bench.told).toEqual(['initialized']);
    bench.write(1, 2, 3).answerAll();
    expect(bench.snapshot(5)).toEqual({ committables: ['job-out-0-5/5/0'], waits: true });
    bench.answerAll();
    expect(bench.told).toEqual(['initialized', 'flushed 5']);
    expect(bench.initialized()).toEqual(['job-out-0-5', 'job-out-0-5', 'job-out-0-6']);
    expect(bench.out.all('kafka-produce').map(({ sequence, values }) => [sequence, values])).toEqual([
      [0, [1, 2]],
      [2, [3]],
    ]);
  });

  it('K10, I2: it probes forward until an id has epoch 0, of its own subtask and of those that are gone', () => {
    const bench = new Bench('incrementing', { parallelism: 2, highestParallelism: 4 }).initialize(4);
    bench.answerAll({ 'job-out-0-5': 3, 'job-out-0-6': 1, 'job-out-2-5': 2 });
    expect(bench.initialized().slice(0, 5)).toEqual([
      'job-out-0-5',
      'job-out-0-6',
      'job-out-0-7',
      'job-out-2-5',
      'job-out-2-6',
    ]);
  });

  it('I7: what is open under an id that it probes it aborts by producer and epoch, and then takes the id', () => {
    const bench = new Bench().initialize(4);
    bench.reply(bench.out.last('kafka-init-producer').requestId, {
      outcome: 'ongoing-transaction',
      producerId: 8,
      producerEpoch: 3,
    });
    expect(bench.ended(false)).toEqual(['job-out-0-5/8/3']);
    bench.answerAll({ 'job-out-0-5': 4 });
    expect(bench.initialized()).toEqual(['job-out-0-5', 'job-out-0-5', 'job-out-0-6', 'job-out-0-5']);
    expect(bench.told).toEqual(['initialized']);
  });

  it.each(['incrementing', 'pooling'] as const)(
    'I7, %s: somebody has a transaction open under the id that comes next: it was replaced, and aborts nothing',
    (naming) => {
      const bench = new Bench(naming).initialize().answerAll().write(1);
      bench.snapshot(1);
      bench.answerAll({}, { 'kafka-init-producer': 'ongoing-transaction' });
      expect(bench.told).toContain('sink-fenced');
      expect(bench.ended(false)).toEqual([]);
    },
  );

  it('K10: ids of checkpoints that did not come are initialized before the next one is used, so that probing finds all', () => {
    const bench = new Bench().initialize().answerAll().write(1);
    bench.snapshot(1);
    bench.answerAll().write(2);
    bench.snapshot(4);
    bench.answerAll();
    expect(bench.initialized().slice(-3)).toEqual(['job-out-0-3', 'job-out-0-4', 'job-out-0-5']);
  });

  it('I1: where all was acknowledged before the barrier, the next transaction has its turn at once', () => {
    const bench = new Bench().initialize().answerAll().write(1, 2).answerAll();
    expect(bench.snapshot(1)).toEqual({ committables: ['job-out-0-1/5/0'], waits: false });
    bench.answerAll().write(3).snapshot(2);
    bench.answerAll();
    expect(bench.told).toEqual(['initialized', 'flushed 2']);
  });

  it('FLINK-31363: a transaction without records is no committable', () => {
    const bench = new Bench().initialize().answerAll();
    expect(bench.snapshot(1)).toEqual({ committables: [], waits: false });
    bench.answerAll().sink.notifyComplete(id(1), bench.out);
    expect(bench.out.all('kafka-end-transaction')).toEqual([]);
  });

  it('I6: while the next producer has no epoch yet, no record may come', () => {
    const bench = new Bench().initialize().answerAll().write(1);
    expect(bench.sink.gate?.isAvailable).toBe(true);
    bench.snapshot(1);
    expect(bench.sink.gate?.isAvailable).toBe(false);
    bench.answerAll();
    expect(bench.sink.gate?.isAvailable).toBe(true);
  });

  it('I1: what is written behind the barrier waits until what was written before it is acknowledged', () => {
    const bench = new Bench().initialize().answerAll().write(1, 2).answerAll().write(3);
    bench.snapshot(1);
    const produce = bench.out.last('kafka-produce');
    const init = bench.out.last('kafka-init-producer');
    bench.reply(init.requestId, { producerId: 6 }).write(4, 5);
    expect(bench.out.last('kafka-produce')).toBe(produce);
    bench.reply(produce.requestId, {}).answerAll();
    expect(bench.out.last('kafka-produce').values).toEqual([4, 5]);
  });
});

describe('Kafka sink: pooled ids', () => {
  const open = (transactionalId: string, producerId: number, producerEpoch: number): KafkaTransactionId => ({
    transactionalId,
    producerId,
    producerEpoch,
  });

  it('K10, FLINK-34554: it aborts what is open under its ids, except what the checkpoint says to commit, epoch and all', () => {
    const bench = new Bench('pooling', { parallelism: 2, highestParallelism: 4 }).initialize(3, ['job-out-0-0/1/4']);
    const [first, second] = [open('job-out-0-0', 1, 4), open('job-out-0-1', 2, 0)];
    bench.reply(bench.out.last('kafka-list-transactions').requestId, { transactions: [first, second] });
    const others = [open('job-out-1-0', 3, 0), open('job-out-2-7', 4, 9), open('job-other-0-0', 5, 0)];
    bench.reply(bench.out.last('kafka-list-transactions').requestId, { transactions: others }).answerAll();
    expect(bench.initialized()).toEqual(['job-out-0-1']);
    expect(bench.ended(true)).toEqual(['job-out-0-0/1/4']);
    expect(bench.ended(false)).toEqual(['job-out-0-1/2/0', 'job-out-2-7/4/9']);
  });

  it('K10: an id that was used again since its commit is aborted: what is to be committed had an older epoch', () => {
    const bench = new Bench('pooling').initialize(3, ['job-out-0-0/1/4']);
    bench.reply(bench.out.last('kafka-list-transactions').requestId, { transactions: [open('job-out-0-0', 1, 5)] });
    bench.answerAll();
    expect(bench.ended(false)).toEqual(['job-out-0-0/1/5']);
  });

  it('K10: an id is used again when its transaction is committed, and not before', () => {
    const bench = new Bench('pooling').initialize().answerAll().write(1);
    bench.snapshot(1);
    bench.answerAll().write(2);
    bench.sink.notifyComplete(id(1), bench.out);
    bench.answerAll();
    bench.snapshot(2);
    bench.answerAll();
    expect(bench.initialized()).toEqual(['job-out-0-0', 'job-out-0-1', 'job-out-0-0']);
  });

  it.each([
    ['done', 'initialized'],
    ['fenced', 'initialized'],
    ['invalid-transaction-state', 'initialized'],
    ['out-of-order-sequence', 'sink-unavailable'],
  ] as const)(
    'K10: it asks to abort by producer and epoch; answered %s, what was open is so no more: %s',
    (outcome, told) => {
      const bench = new Bench('pooling').initialize();
      const { requestId } = bench.out.last('kafka-list-transactions');
      bench.reply(requestId, { transactions: [open('job-out-0-3', 2, 7)] });
      bench.answerAll({}, { 'kafka-end-transaction': outcome });
      expect(bench.told).toEqual([told]);
    },
  );

  it('FLINK-31363: an empty transaction keeps its id for the next checkpoint', () => {
    const bench = new Bench('pooling').initialize().answerAll();
    bench.snapshot(1);
    bench.write(1).answerAll();
    expect(bench.snapshot(2).committables).toEqual(['job-out-0-0/5/0']);
  });
});

describe('Kafka sink: commits', () => {
  const committed = (outcome: KafkaOutcome): Bench => {
    const bench = new Bench().initialize().answerAll().write(1);
    bench.snapshot(1);
    bench.answerAll().sink.notifyComplete(id(1), bench.out);
    return bench.answerAll({}, { 'kafka-end-transaction': outcome });
  };

  it.each(['fenced', 'invalid-transaction-state'] as const)(
    'K11: answered %s it can never succeed: dropped, and said',
    (outcome) => {
      const bench = committed(outcome);
      expect(bench.told).toContain(`${outcome} job-out-0-1`);
      expect(bench.snapshot(2).committables).toEqual([]);
    },
  );

  it('K6: answered that the transaction is just being ended it is tried again', () => {
    const bench = committed('concurrent-transactions');
    bench.out.advance(8 * RETRY_US);
    expect(bench.out.all('kafka-end-transaction').length).toBeGreaterThan(2);
    expect(bench.told).not.toContain('commit-failed');
  });

  it('K7: restored committables are committed before it is ready', () => {
    const bench = new Bench().initialize(3, ['job-out-0-3/9/2']).answerAll();
    expect(bench.told).toEqual(['commit job-out-0-3', 'initialized']);
    expect(bench.out.last('kafka-end-transaction')).toMatchObject({ producerId: 9, producerEpoch: 2, commit: true });
  });
});

describe('Kafka sink: brokers that are not there', () => {
  it('K11: a timeout longer than the brokers allow fails the job for good', () => {
    const bench = new Bench().initialize().answerAll({}, { 'kafka-init-producer': 'invalid-timeout' });
    expect(bench.told).toEqual(['transaction-timeout-refused']);
  });

  it.each(['starts', 'writes', 'flushes', 'commits'] as const)(
    'X63: silent while it %s, they fail the subtask; it does not hang',
    (when) => {
      const bench = new Bench().initialize();
      if (when !== 'starts') bench.answerAll();
      if (when === 'writes') bench.write(1, 2);
      if (when === 'flushes') bench.write(1).snapshot(1);
      if (when === 'commits') {
        bench.write(1).snapshot(1);
        bench.answerAll().sink.notifyComplete(id(1), bench.out);
      }
      bench.out.advance(PATIENCE_US);
      expect(bench.told.at(-1)).toBe(when === 'commits' ? 'commit-failed' : 'sink-unavailable');
    },
  );

  it.each(['fenced', 'invalid-transaction-state'] as const)(
    'I6: a write that is refused as %s fails the subtask',
    (outcome) => {
      const bench = new Bench().initialize().answerAll().write(1, 2).answerAll({}, { 'kafka-produce': outcome });
      expect(bench.told.at(-1)).toBe('sink-fenced');
    },
  );

  it('K10: a write without answer is repeated with its sequence number, at the next broker and at the one that leads', () => {
    const bench = new Bench().initialize().answerAll().write(1, 2);
    bench.reply(bench.out.last('kafka-add-partition').requestId, {});
    bench.out.advance(REQUEST_TIMEOUT_US);
    bench.reply(bench.out.last('kafka-produce').requestId, { outcome: 'not-leader', leader: 'kafka-1' });
    const produced = bench.out.sent.filter(({ message }) => message.kind === 'kafka-produce');
    expect(produced.map(({ to }) => to.node)).toEqual(['kafka-1', 'kafka-2', 'kafka-1']);
    expect(bench.out.all('kafka-produce').map(({ sequence }) => sequence)).toEqual([0, 0, 0]);
  });
});

describe('Kafka sink: at-least-once', () => {
  it('K13: no transactions; a snapshot waits for what was written before it, and not for what comes after', () => {
    const bench = new Bench('incrementing', { guarantee: 'at-least-once' }).initialize();
    bench.write(1, 2, 3);
    expect(bench.snapshot(1)).toEqual({ committables: [], waits: true });
    bench.write(4, 5);
    bench.reply(bench.out.last('kafka-produce').requestId, {});
    expect(bench.told).toEqual(['initialized']);
    bench.reply(bench.out.last('kafka-produce').requestId, {});
    expect(bench.told).toEqual(['initialized', 'flushed 1']);
    expect(bench.out.last('kafka-produce').values).toEqual([4, 5]);
  });
});

/** Two-phase commit of one sink subtask with the sink store, attempt 7 (rows K5, K6, K7, K9, K13). */
import { describe, expect, it } from 'vitest';
import { openSink, type OpenSinkOptions } from '../../../../../engine/connectors/open-sink.ts';
import type { CommittableRow } from '../../../../../engine/connectors/sink/committable-collector.ts';
import type { SinkTask } from '../../../../../engine/connectors/sink/sink-task.ts';
import type { SinkSpec } from '../../../../../engine/job/job-graph.ts';
import { standardParts } from '../../../../../engine/parts.ts';
import type { SinkReply } from '../../../../../engine/protocol/messages.ts';
import { attempt, id, REQUEST_TIMEOUT_US, RETRY_US, SINK } from '../../../../support/engine-values.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';

type Asked = 'sink-initialize' | 'sink-pre-commit' | 'sink-commit';
const BATCH = 3;
const LINGER_US = 50;

/** A committable, as the tests speak of it. */
interface Committable {
  readonly producer: number;
  readonly transaction: string;
  readonly checkpointId: number;
}

const rowOf = ({ producer, transaction, checkpointId }: Committable): CommittableRow => ({
  checkpointId,
  subtask: producer,
  subtasks: 1,
  expected: 1,
  received: 1,
  committable: transaction,
});

class Bench {
  readonly sink: SinkTask;
  readonly out: RecordingOut;
  /** Calls of the host, in order. */
  readonly told: string[] = [];

  constructor(guarantee: SinkSpec['guarantee'] = 'exactly-once', place: Partial<OpenSinkOptions['place']> = {}) {
    this.sink = openSink({
      uid: 'out',
      jobId: 'job',
      spec: { guarantee, batchRecords: BATCH },
      place: { subtask: 0, parallelism: 1, highestParallelism: 1, attempt: attempt(7), ...place },
      services: { sink: SINK },
      runtime: { requestTimeoutUs: REQUEST_TIMEOUT_US, bufferTimeoutUs: LINGER_US },
      parts: standardParts,
      recordBytes: 2,
      behind: { process: () => undefined },
      host: {
        preCommitted: (checkpointId) => this.told.push(`pre-committed ${checkpointId}`),
        initialized: () => this.told.push('initialized'),
        fail: (failure) => this.told.push(failure),
        reportCommit: ({ transaction }) => this.told.push(`commit ${transaction}`),
        reportCommitFailure: ({ transaction }, outcome) => this.told.push(`${outcome} ${transaction}`),
      },
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.sink.handleTimer(timer, nowUs, out));
  }

  initialize(restored: readonly Committable[] = [], checkpoint = 0): this {
    this.sink.initialize({ committables: restored.map(rowOf), writers: [] }, checkpoint, this.out);
    return this;
  }

  /** Initialized from scratch. */
  ready(): this {
    this.initialize().answer('sink-initialize', 'done');
    this.told.length = 0;
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

  snapshot(n: number): { committables: Committable[]; waits: boolean } {
    const { committables, waits } = this.#snapshot(n);
    return {
      committables: committables.map(({ subtask, committable: transaction, checkpointId }) => ({
        producer: subtask,
        transaction,
        checkpointId,
      })),
      waits,
    };
  }

  /** Records, a snapshot of n, and its confirmed pre-commit. */
  preCommitted(n: number): this {
    this.write(n).snapshot(n);
    return this.answer('sink-pre-commit', 'done');
  }

  complete(n: number): this {
    this.sink.notifyComplete(id(n), this.out);
    return this;
  }

  /** Answers the newest request of a kind. */
  answer(kind: Asked, outcome: SinkReply['outcome']): this {
    return this.reply(this.out.last(kind).requestId, outcome);
  }

  reply(requestId: number, outcome: SinkReply['outcome']): this {
    this.sink.handleReply({ kind: 'sink-reply', requestId, outcome }, this.out.nowUs, this.out);
    return this;
  }

  commits(): string[] {
    return this.out.all('sink-commit').map(({ transaction }) => transaction);
  }

  written(): [string, readonly unknown[]][] {
    return this.out.all('sink-write').map(({ transaction, values }) => [transaction, values]);
  }
}
const committable = (n: number): Committable => ({ producer: 0, transaction: `out-0-7-${n}`, checkpointId: n });

describe('transactional sink: transactions', () => {
  it('K9: records go in batches into the transaction opened after the last checkpoint', () => {
    const bench = new Bench().ready().write(1, 2, 3, 4);
    expect(bench.written()).toEqual([['out-0-7-1', [1, 2, 3]]]);
    expect(bench.out.last('sink-write')).toMatchObject({
      producer: 'out-0',
      producerEpoch: 7,
      lineages: [1, 2, 3],
      bytes: 6,
    });
  });

  it('K9, I1: a snapshot sends what is left, pre-commits it with its count, and opens the next transaction in the same step', () => {
    const bench = new Bench().ready().write(1, 2, 3, 4);
    expect(bench.snapshot(1)).toEqual({ committables: [committable(1)], waits: true });
    bench.write(5, 6, 7);
    expect(bench.out.kinds()).toEqual(['sink-initialize', 'sink-write', 'sink-write', 'sink-pre-commit', 'sink-write']);
    expect(bench.out.last('sink-pre-commit')).toMatchObject({ transaction: 'out-0-7-1', records: 4 });
    expect(bench.written()).toEqual([
      ['out-0-7-1', [1, 2, 3]],
      ['out-0-7-1', [4]],
      ['out-0-7-2', [5, 6, 7]],
    ]);
  });

  it('K9: writes and pre-commit share one connection, so that none overtakes the other', () => {
    const bench = new Bench().ready().write(1);
    bench.snapshot(1);
    const routes = bench.out.sent.map(({ to, message }) => `${message.kind} ${to.via}`);
    expect(routes).toEqual(['sink-initialize datagram', 'sink-write connection', 'sink-pre-commit connection']);
  });

  it('K9: the counts of one transaction do not carry over to the next', () => {
    const bench = new Bench().ready().preCommitted(1).write(5, 6);
    bench.snapshot(2);
    expect(bench.out.last('sink-pre-commit')).toMatchObject({ transaction: 'out-0-7-2', records: 2 });
  });

  it('K10: an empty transaction is neither pre-committed nor committed', () => {
    const bench = new Bench().ready();
    expect(bench.snapshot(1)).toEqual({ committables: [], waits: false });
    bench.complete(1);
    expect(bench.out.kinds()).toEqual(['sink-initialize']);
  });

  it('I4: the acknowledgement may go when the store has confirmed the pre-commit', () => {
    const bench = new Bench().ready().write(1);
    bench.snapshot(1);
    expect(bench.told).toEqual([]);
    bench.answer('sink-pre-commit', 'done');
    expect(bench.told).toEqual(['pre-committed 1']);
  });

  it('I4: a pre-commit without reply, or refused for now, is repeated until answered', () => {
    const bench = new Bench().ready().write(1);
    bench.snapshot(1);
    bench.out.advance(REQUEST_TIMEOUT_US + RETRY_US);
    bench.answer('sink-pre-commit', 'unavailable').out.advance(RETRY_US);
    expect(bench.out.all('sink-pre-commit').map(({ transaction }) => transaction)).toEqual(Array(3).fill('out-0-7-1'));
    expect(bench.answer('sink-pre-commit', 'done').told).toEqual(['pre-committed 1']);
  });

  it.each([
    ['fenced', 'sink-fenced'],
    ['aborted', 'transaction-lost'],
    ['incomplete', 'sink-unavailable'],
  ] as const)('K9: a pre-commit answered %s fails the subtask: %s', (outcome, failure) => {
    const bench = new Bench().ready().write(1);
    bench.snapshot(1);
    expect(bench.answer('sink-pre-commit', outcome).told).toEqual([failure]);
  });

  it('K6: a transaction of an aborted checkpoint belongs to the next one as well', () => {
    const bench = new Bench().ready().preCommitted(1).write(5);
    expect(bench.snapshot(2).committables).toEqual([committable(1), committable(2)]);
  });

  it('K6: an empty transaction still carries those of aborted checkpoints before', () => {
    const bench = new Bench().ready().preCommitted(1);
    expect(bench.snapshot(2)).toEqual({ committables: [committable(1)], waits: false });
  });

  it('I4: a snapshot waits for every pre-commit it contains, also for that of an aborted checkpoint before', () => {
    const bench = new Bench().ready().write(1);
    bench.snapshot(1);
    const { requestId } = bench.out.last('sink-pre-commit');
    bench.write(2).snapshot(2);
    bench.answer('sink-pre-commit', 'done'); // transaction 1 is not confirmed
    expect(bench.told).not.toContain('pre-committed 2');
    bench.reply(requestId, 'done');
    expect(bench.told).toContain('pre-committed 2');
  });

  it('I4: a snapshot without records waits while the pre-commit of an aborted checkpoint is not confirmed', () => {
    const bench = new Bench().ready().write(1);
    bench.snapshot(1);
    expect(bench.snapshot(2)).toEqual({ committables: [committable(1)], waits: true });
  });
});

describe('transactional sink: commit', () => {
  it('G3, I2: nothing is committed before the notice of completion', () => {
    const bench = new Bench().ready().preCommitted(1);
    expect(bench.commits()).toEqual([]);
    bench.complete(1);
    expect(bench.commits()).toEqual(['out-0-7-1']);
  });

  it('K6: a notice of n commits everything up to n, in order, one at a time, and nothing above', () => {
    const bench = new Bench().ready().preCommitted(1).preCommitted(2).preCommitted(3).complete(2);
    expect(bench.commits()).toEqual(['out-0-7-1']);
    bench.answer('sink-commit', 'done');
    expect(bench.commits()).toEqual(['out-0-7-1', 'out-0-7-2']);
    bench.answer('sink-commit', 'done');
    expect(bench.commits()).toHaveLength(2);
    bench.complete(3);
    expect(bench.commits()).toEqual(['out-0-7-1', 'out-0-7-2', 'out-0-7-3']);
  });

  it('C14: a doubled or older notice commits nothing twice', () => {
    const bench = new Bench().ready().preCommitted(1).preCommitted(2).complete(2);
    bench.answer('sink-commit', 'done').answer('sink-commit', 'done').complete(2).complete(1);
    expect(bench.commits()).toHaveLength(2);
    expect(bench.write(9).snapshot(3).committables).toEqual([committable(3)]);
  });

  it('K6: until its commit is confirmed a transaction stays in the snapshots', () => {
    const bench = new Bench().ready().preCommitted(1).complete(1);
    expect(bench.snapshot(2).committables).toEqual([committable(1)]);
    bench.answer('sink-commit', 'done');
    expect(bench.snapshot(3).committables).toEqual([]);
  });

  it('K6: a commit without reply, or refused for now, is repeated', () => {
    const bench = new Bench().ready().preCommitted(1).complete(1);
    bench.out.advance(REQUEST_TIMEOUT_US + RETRY_US);
    bench.answer('sink-commit', 'unavailable').out.advance(RETRY_US);
    bench.answer('sink-commit', 'done');
    expect(bench.commits()).toEqual(Array(3).fill('out-0-7-1'));
    expect(bench.told).toContain('no-reply out-0-7-1');
    expect(bench.told).toContain('unavailable out-0-7-1');
  });

  it('K6: after ten tries the subtask fails', () => {
    const bench = new Bench().ready().preCommitted(1).complete(1);
    for (let tries = 1; tries <= 10; tries += 1) {
      bench.answer('sink-commit', 'unavailable');
      expect(bench.told.includes('commit-failed'), `try ${tries}`).toBe(tries === 10);
      bench.out.advance(RETRY_US);
    }
    expect(bench.commits()).toHaveLength(10);
  });

  it('K6: tries are counted on when a further notice comes between them', () => {
    const bench = new Bench().ready().preCommitted(1).complete(1);
    for (let tries = 1; tries <= 10; tries += 1) {
      bench.answer('sink-commit', 'unavailable');
      if (tries < 10) bench.complete(1 + tries);
    }
    expect(bench.told).toContain('commit-failed');
  });

  it.each([
    ['fenced', 'sink-fenced'],
    ['aborted', 'transaction-lost'],
    ['incomplete', 'commit-failed'],
  ] as const)(
    'K6, K11: a commit answered %s fails the subtask, %s, and the data is not dropped silently',
    (outcome, failure) => {
      const bench = new Bench().ready().preCommitted(1).complete(1).answer('sink-commit', outcome);
      expect(bench.told).toContain(failure);
    },
  );
});

describe('transactional sink: restore', () => {
  const RESTORED = [
    { producer: 0, transaction: 'out-0-3-4', checkpointId: 4 },
    { producer: 0, transaction: 'out-0-3-5', checkpointId: 5 },
  ];

  it('K7: it fences earlier attempts, keeps the restored transactions, and commits them before it says it is ready', () => {
    const bench = new Bench().initialize(RESTORED, 5);
    expect(bench.out.last('sink-initialize')).toMatchObject({
      producer: 'out-0',
      producerEpoch: 7,
      keep: ['out-0-3-4', 'out-0-3-5'],
    });
    expect(bench.commits()).toEqual([]);
    bench.answer('sink-initialize', 'done').answer('sink-commit', 'done');
    expect(bench.told).not.toContain('initialized');
    bench.answer('sink-commit', 'done');
    expect(bench.commits()).toEqual(['out-0-3-4', 'out-0-3-5']);
    expect(bench.told.at(-1)).toBe('initialized');
  });

  it('K7: without restored transactions it is ready once earlier attempts are fenced', () => {
    const bench = new Bench().initialize([], 5);
    expect(bench.told).toEqual([]);
    expect(bench.answer('sink-initialize', 'done').told).toEqual(['initialized']);
    bench.write(1).snapshot(6);
    expect(bench.out.last('sink-pre-commit').transaction).toBe('out-0-7-6');
  });

  it('K7: fencing is repeated until it is answered; a late second answer does not start it twice', () => {
    const bench = new Bench().initialize(RESTORED, 5);
    bench.answer('sink-initialize', 'unavailable').out.advance(RETRY_US + REQUEST_TIMEOUT_US + RETRY_US);
    expect(bench.out.all('sink-initialize')).toHaveLength(3);
    bench.answer('sink-initialize', 'done').answer('sink-initialize', 'done');
    expect(bench.commits()).toEqual(['out-0-3-4']);
  });

  it('G6: an attempt that was itself fenced fails', () => {
    expect(new Bench().initialize(RESTORED, 5).answer('sink-initialize', 'fenced').told).toEqual(['sink-fenced']);
  });

  it('K7: a restored transaction that the store has lost fails the subtask', () => {
    const bench = new Bench()
      .initialize(RESTORED, 5)
      .answer('sink-initialize', 'done')
      .answer('sink-commit', 'aborted');
    expect(bench.told.at(-1)).toBe('transaction-lost');
  });

  it('I4: no snapshot before it is ready', () => {
    expect(() => new Bench().initialize().snapshot(1)).toThrow(/initialized before its first barrier/);
  });
});

describe('transactional sink: another parallelism', () => {
  const of = (producer: number): Committable => ({ producer, transaction: `out-${producer}-3-5`, checkpointId: 5 });
  const ALL = [of(0), of(1), of(2), of(3), of(4)];
  /** Subtask 1 of 2, after 5 of 5. */
  const inheriting = (): Bench => new Bench('exactly-once', { subtask: 1, parallelism: 2, highestParallelism: 5 });
  const fenced = (bench: Bench): [string, readonly string[]][] =>
    bench.out.all('sink-initialize').map(({ producer, keep }) => [producer, keep]);

  it('I1, K10: it fences its own producers and those of removed subtasks that are its number modulo the parallelism', () => {
    const bench = inheriting().initialize(ALL, 5).answer('sink-initialize', 'done');
    expect(bench.told).toEqual([]);
    bench.answer('sink-initialize', 'done');
    expect(fenced(bench)).toEqual([
      ['out-1', ['out-1-3-5']],
      ['out-3', ['out-3-3-5']],
    ]);
  });

  it('I2, K7: it commits what those left pre-committed under their names, and nothing of the producers of others', () => {
    const bench = inheriting().initialize(ALL, 5).answer('sink-initialize', 'done').answer('sink-initialize', 'done');
    bench.answer('sink-commit', 'done').answer('sink-commit', 'done');
    const commits = bench.out.all('sink-commit').map(({ producer, transaction }) => `${producer} ${transaction}`);
    expect(commits).toEqual(['out-1 out-1-3-5', 'out-3 out-3-3-5']);
    expect(bench.told.at(-1)).toBe('initialized');
  });

  it('I2: without any checkpoint former producers are fenced all the same: they may have left transactions open', () => {
    const bench = inheriting().initialize([], 0).answer('sink-initialize', 'done').answer('sink-initialize', 'done');
    expect(fenced(bench)).toEqual([
      ['out-1', []],
      ['out-3', []],
    ]);
    expect(bench.told).toEqual(['initialized']);
  });

  it('I1: whatever it inherits, it writes under its own producer', () => {
    const bench = inheriting().initialize([], 0).answer('sink-initialize', 'done').answer('sink-initialize', 'done');
    bench.write(1, 2, 3);
    expect(bench.out.last('sink-write')).toMatchObject({ producer: 'out-1', transaction: 'out-1-7-1' });
    expect(bench.snapshot(1).committables).toEqual([{ producer: 1, transaction: 'out-1-7-1', checkpointId: 1 }]);
  });

  it('G6: fenced on a producer it takes over, it fails: a newer deployment has it', () => {
    const bench = inheriting().initialize(ALL, 5).answer('sink-initialize', 'done').answer('sink-initialize', 'fenced');
    expect(bench.told).toEqual(['sink-fenced']);
    expect(bench.commits()).toEqual([]);
  });
});

describe('transactional sink: at-least-once', () => {
  it('K13: records are visible when written, flushed before the barrier, and there is nothing to commit', () => {
    const bench = new Bench('at-least-once').ready().write(1, 2, 3, 4);
    expect(bench.snapshot(1)).toEqual({ committables: [], waits: true });
    expect(bench.written()).toEqual([
      ['', [1, 2, 3]],
      ['', [4]],
    ]);
    expect(bench.out.last('sink-pre-commit')).toMatchObject({ transaction: '', records: 4 });
    bench.answer('sink-pre-commit', 'done').complete(1);
    expect(bench.told).toEqual(['pre-committed 1']);
    expect(bench.commits()).toEqual([]);
  });

  it('K13: what fills no batch is written after lingering, once', () => {
    const bench = new Bench('at-least-once').ready().write(1);
    bench.out.advance(LINGER_US - 1);
    expect(bench.written()).toEqual([]);
    bench.out.advance(1);
    expect(bench.written()).toEqual([['', [1]]]);
    bench.snapshot(1);
    expect(bench.written()).toHaveLength(1);
    expect(bench.out.last('sink-pre-commit').records).toBe(1);
  });

  it('K9: transactional output does not linger: it is sent by the batch and at the snapshot', () => {
    const bench = new Bench().ready().write(1);
    bench.out.advance(10 * LINGER_US);
    expect(bench.written()).toEqual([]);
  });

  it('K13: a flush that was not answered is repeated before the acknowledgement', () => {
    const bench = new Bench('at-least-once').ready().write(1);
    bench.snapshot(1);
    bench.out.advance(REQUEST_TIMEOUT_US + RETRY_US);
    expect(bench.told).toEqual([]);
    expect(bench.answer('sink-pre-commit', 'done').told).toEqual(['pre-committed 1']);
  });

  it('K13: a repeated flush counts what was written since: the store compares with all it has', () => {
    const bench = new Bench('at-least-once').ready().write(1);
    bench.snapshot(1);
    bench.write(2, 3, 4).answer('sink-pre-commit', 'unavailable').out.advance(RETRY_US);
    expect(bench.out.all('sink-pre-commit').map(({ records }) => records)).toEqual([1, 4]);
  });

  it('K13: flushes of two checkpoints that are both repeated do not replace each other', () => {
    const bench = new Bench('at-least-once').ready().write(1);
    bench.snapshot(1);
    const { requestId } = bench.out.last('sink-pre-commit');
    bench.write(2).snapshot(2);
    bench.answer('sink-pre-commit', 'unavailable').reply(requestId, 'unavailable');
    bench.out.advance(RETRY_US);
    for (const { requestId: again } of bench.out.all('sink-pre-commit').slice(2)) bench.reply(again, 'done');
    expect([...bench.told].sort()).toEqual(['pre-committed 1', 'pre-committed 2']);
  });
});

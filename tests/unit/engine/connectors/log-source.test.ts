import { describe, expect, it } from 'vitest';
import { LogSource } from '../../../../engine/connectors/log-source.ts';
import { decodeSourceOffsets, encodeSourceOffsets } from '../../../../engine/connectors/operator-state-rows.ts';
import type { SourceSpec } from '../../../../engine/job/job-graph.ts';
import type { LogRecords } from '../../../../engine/protocol/messages.ts';
import { id, LOG, REQUEST_TIMEOUT_US, NO_STORAGE } from '../../../support/engine-values.ts';
import { sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

/** The broker may hold a fetch so long (log-source.ts). */
const HELD_US = 5_000_000;
const ALWAYS = (): boolean => true;

class Bench {
  readonly source: LogSource;
  readonly out: RecordingOut;
  readonly emitted: unknown[] = [];
  readonly failures: string[] = [];

  constructor(
    partitions: readonly number[] = [0],
    subtask = 0,
    parallelism = 1,
    changes: Pick<SourceSpec, 'offsetReset'> = {},
  ) {
    const spec = sourceVertex(0, parallelism, partitions).source;
    if (spec === undefined) throw new Error('a source vertex has a source');
    this.source = new LogSource({
      spec: { ...spec, ...changes },
      uid: 'source',
      subtask,
      parallelism,
      broker: LOG,
      requestTimeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
      restore: undefined,
      openStorage: () => NO_STORAGE,
      fail: (failure) => this.failures.push(failure),
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.source.handleTimer(timer, nowUs, out));
  }

  start(): this {
    this.source.start(this.out);
    return this;
  }

  /** Answers the newest fetch with so many records; a record's value is `<partition>/<offset>`. */
  answer(count: number, changes: Partial<LogRecords> = {}): this {
    const { requestId, partition, offset } = this.out.last('log-fetch');
    const offsets = Array.from({ length: count }, (_, index) => offset + index);
    const reply: LogRecords = {
      kind: 'log-records',
      behind: 0,
      requestId,
      outcome: 'done',
      partition,
      offset,
      values: offsets.map((at) => `${partition}/${at}`),
      timestampsUs: offsets.map((at) => at * 1_000),
      sourceIndices: offsets.map((at) => at + 500),
      ended: false,
      ...changes,
    };
    this.source.handleMessage(reply, this.out.nowUs, this.out);
    return this;
  }

  emit(limit: number, mayEmit: () => boolean = ALWAYS): number {
    return this.source.emit(limit, { process: (...record) => this.emitted.push(record) }, mayEmit, this.out);
  }

  fetches(): [number, number][] {
    return this.out.all('log-fetch').map(({ partition, offset }) => [partition, offset]);
  }
}

describe('log source', () => {
  it('subtask i of p owns the partitions whose place is i modulo p', () => {
    const partitionsOf = (subtask: number): number[] =>
      new Bench([4, 5, 6, 7, 8], subtask, 2).source.positions().map(({ partition }) => partition);
    expect(partitionsOf(0)).toEqual([4, 6, 8]);
    expect(partitionsOf(1)).toEqual([5, 7]);
  });

  it('fetches each of its partitions from the beginning', () => {
    expect(new Bench([0, 1]).start().fetches()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  it('I1: a position is the next record to emit: it moves with what is emitted, not with what is fetched', () => {
    const bench = new Bench().start().answer(3);
    expect(bench.source.positions()).toEqual([{ partition: 0, offset: 0 }]);
    bench.emit(2);
    expect(bench.source.positions()).toEqual([{ partition: 0, offset: 2 }]);
    expect(bench.emitted).toEqual([
      ['0/0', 0, 500],
      ['0/1', 1_000, 501],
    ]);
  });

  it('I1: while a record is being emitted its position is already behind it', () => {
    const bench = new Bench().start().answer(1);
    const seen: number[] = [];
    bench.source.emit(1, { process: () => seen.push(bench.source.positions()[0]?.offset ?? -1) }, ALWAYS, bench.out);
    expect(seen).toEqual([1]);
  });

  it('I2, K4: a restored source goes on with exactly the next record', () => {
    const bench = new Bench();
    bench.source.restore([{ bytes: encodeSourceOffsets([{ partition: 0, offset: 7 }]) }]);
    bench.start().answer(2).emit(9);
    expect(bench.fetches()).toEqual([
      [0, 7],
      [0, 9],
    ]);
    expect(bench.emitted.map((record) => (record as unknown[])[0])).toEqual(['0/7', '0/8']);
  });

  it('K4: its operator state is the position of each of its partitions, those without a record included', () => {
    const bench = new Bench([0, 1]).start().answer(3, { partition: 1 });
    bench.emit(2);
    const state = bench.source.snapshot(id(1), (offset) => offset);
    expect(decodeSourceOffsets(state)).toEqual([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 2 },
    ]);
  });

  it('K4: positions of partitions it does not own are ignored, its other ones start at the beginning', () => {
    const { source } = new Bench([0, 1]);
    source.restore([
      { bytes: encodeSourceOffsets([{ partition: 9, offset: 3 }]) },
      { bytes: encodeSourceOffsets([{ partition: 1, offset: 4 }]) },
    ]);
    expect(source.positions()).toEqual([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 4 },
    ]);
  });

  it('B15: it stops in the middle of a batch when there is no room, and goes on where it stopped', () => {
    const bench = new Bench().start().answer(4);
    let room = 3;
    expect(bench.emit(9, () => room-- > 0)).toBe(3);
    expect(bench.source.hasRecords).toBe(true);
    expect(bench.fetches()).toHaveLength(1);
    expect(bench.emit(9)).toBe(1);
    expect(bench.emitted.map((record) => (record as unknown[])[0])).toEqual(['0/0', '0/1', '0/2', '0/3']);
  });

  it('I3: the next fetch of a partition goes out when its batch is used up', () => {
    const bench = new Bench().start().answer(2);
    bench.emit(1);
    expect(bench.fetches()).toEqual([[0, 0]]);
    bench.emit(1);
    expect(bench.fetches()).toEqual([
      [0, 0],
      [0, 2],
    ]);
    expect(bench.emit(1)).toBe(0);
  });

  it('an empty answer asks again from the same position', () => {
    expect(new Bench().start().answer(0).fetches()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('a broker that is away is asked again after a quarter of the time-out', () => {
    const bench = new Bench().start().answer(0, { outcome: 'unavailable' });
    expect(bench.fetches()).toHaveLength(1);
    bench.out.advance(REQUEST_TIMEOUT_US / 4);
    expect(bench.fetches()).toHaveLength(2);
  });

  it('I3: a fetch without answer is repeated, and a late answer to the first one is dropped', () => {
    const bench = new Bench().start();
    const { requestId } = bench.out.last('log-fetch');
    bench.out.advance(REQUEST_TIMEOUT_US + HELD_US);
    expect(bench.fetches()).toHaveLength(2);
    bench.answer(3, { requestId }).answer(2).emit(9);
    expect(bench.emitted).toHaveLength(2);
    expect(bench.source.positions()).toEqual([{ partition: 0, offset: 2 }]);
  });

  it('I2: an answer from another offset is a broken promise', () => {
    expect(() => new Bench().start().answer(1, { offset: 5 })).toThrow(/from the offset it asked for/);
  });

  it('C23: a bounded partition is exhausted when its last record was emitted, not when it was fetched', () => {
    const bench = new Bench().start().answer(3, { ended: true });
    expect(bench.source.isExhausted).toBe(false);
    expect(bench.emit(10)).toBe(3);
    expect(bench.source.isExhausted).toBe(true);
    expect(bench.fetches()).toEqual([[0, 0]]);
  });

  it('C23: restored at the end, one empty answer tells it so', () => {
    const bench = new Bench();
    bench.source.restore([{ bytes: encodeSourceOffsets([{ partition: 0, offset: 7 }]) }]);
    expect(bench.start().answer(0, { ended: true }).source.isExhausted).toBe(true);
    expect(bench.source.positions()).toEqual([{ partition: 0, offset: 7 }]);
  });

  it('C23: one of two partitions has ended: the source goes on', () => {
    const bench = new Bench([0, 1]).start().answer(0, { ended: true });
    expect(bench.source.isExhausted).toBe(false);
  });

  it('C28: stopped, it emits nothing more, fetches nothing more, and its positions stay', () => {
    const bench = new Bench().start().answer(3);
    bench.emit(1);
    bench.source.stop();
    expect([bench.source.hasRecords, bench.emit(10)]).toEqual([false, 0]);
    expect(bench.source.positions()).toEqual([{ partition: 0, offset: 1 }]);
    expect(bench.fetches()).toHaveLength(1);
  });

  it('K1: what the log has deleted fails the subtask, unless the job says to go on at what is left', () => {
    const deleted: Partial<LogRecords> = { outcome: 'out-of-range', offset: 7 };
    const strict = new Bench().start().answer(0, deleted);
    expect(strict.failures).toEqual(['offset-out-of-range']);
    expect(strict.fetches()).toEqual([[0, 0]]);
    const reset = new Bench([0], 0, 1, { offsetReset: 'earliest' }).start().answer(0, deleted).answer(2);
    expect(reset.failures).toEqual([]);
    reset.emit(9);
    expect(reset.emitted.map((record) => (record as unknown[])[0])).toEqual(['0/7', '0/8']);
    expect(reset.source.positions()).toEqual([{ partition: 0, offset: 9 }]);
  });

  it('K1: once it has stopped, nothing that the log says fails it', () => {
    const bench = new Bench().start();
    bench.source.stop();
    expect(bench.answer(0, { outcome: 'out-of-range', offset: 7 }).failures).toEqual([]);
  });
});

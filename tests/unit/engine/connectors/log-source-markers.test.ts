/** Row C25: a source that stops at markers. */
import { describe, expect, it } from 'vitest';
import { LogSource } from '../../../../engine/connectors/log-source.ts';
import { id, LOG, REQUEST_TIMEOUT_US, NO_STORAGE } from '../../../support/engine-values.ts';
import { sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Bench {
  readonly source: LogSource;
  readonly out = new RecordingOut();
  readonly emitted: unknown[] = [];

  constructor(partitions: readonly number[], restoredId = 0) {
    const { source } = sourceVertex(0, 1, partitions);
    if (source === undefined) throw new Error('a source vertex has a source');
    const openStorage = () => NO_STORAGE;
    const fail = (failure: string): never => {
      throw new Error(failure);
    };
    const place = { openStorage, fail, uid: 'source', subtask: 0, parallelism: 1, broker: LOG };
    const requests = {
      requestTimeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
      restore: { checkpointId: id(restoredId) },
    };
    this.source = new LogSource({ spec: { ...source, induced: true }, ...place, ...requests });
    this.source.start(this.out);
  }

  /** Answers the newest fetch of a partition, and emits all of it. */
  answer(partition: number, count: number, end: { marker?: number; ended?: boolean } = {}): this {
    const asked = this.out.all('log-fetch').filter((message) => message.partition === partition);
    const { requestId, offset } = asked.at(-1) ?? { requestId: 0, offset: 0 };
    const offsets = Array.from({ length: count }, (_, index) => offset + index);
    const values = offsets.map((at) => `${partition}/${at}`);
    const of = { kind: 'log-records', requestId, outcome: 'done', partition, offset, behind: 0 } as const;
    const content = { values, timestampsUs: offsets, sourceIndices: offsets, ended: false, ...end };
    this.source.handleMessage({ ...of, ...content }, this.out.nowUs, this.out);
    const consumer = { process: (value: unknown) => void this.emitted.push(value) };
    while (this.source.hasRecords) this.source.emit(9, consumer, () => true, this.out);
    return this;
  }

  /** [partition, offset, markers after] of what was asked since. */
  fetches(): readonly (readonly (number | undefined)[])[] {
    return this.out
      .fresh()
      .flatMap(({ message }) =>
        message.kind === 'log-fetch' ? [[message.partition, message.offset, message.markersAfter]] : [],
      );
  }
}

describe('a source that stops at markers', () => {
  it('I5: reads nothing from behind a marker before it may pass', () => {
    const bench = new Bench([0]);
    expect(bench.fetches()).toEqual([[0, 0, 0]]);
    bench.answer(0, 3, { marker: 7 });
    expect(bench.source.marker).toBe(7);
    expect(bench.fetches()).toEqual([]);
    bench.source.passMarker(id(7), bench.out);
    expect(bench.source.marker).toBeUndefined();
    expect(bench.fetches()).toEqual([[0, 3, 7]]);
  });

  it('stands at a marker when all partitions that have not ended do', () => {
    const bench = new Bench([0, 1, 2]);
    bench.answer(0, 1, { marker: 7 }).answer(1, 0, { ended: true });
    expect(bench.source.marker).toBeUndefined();
    bench.answer(2, 0, { marker: 7 });
    expect(bench.source.marker).toBe(7);
  });

  it('a marker that was dropped holds nobody, before it is met and when it is', () => {
    const bench = new Bench([0, 1]);
    bench.answer(0, 2, { marker: 7 });
    bench.fetches();
    bench.source.dropMarker(id(7), bench.out);
    expect(bench.fetches()).toEqual([[0, 2, 7]]);
    bench.source.start(bench.out);
    bench.answer(1, 1, { marker: 7 });
    expect(bench.source.marker).toBeUndefined();
    expect(bench.fetches().at(-1)).toEqual([1, 1, 7]);
  });

  it('I5: a later marker in one partition lets the others leave an earlier one', () => {
    const bench = new Bench([0, 1]);
    bench.answer(0, 2, { marker: 7 });
    bench.answer(1, 2, { marker: 8 });
    expect(bench.source.marker).toBeUndefined();
    expect(bench.fetches().at(-1)).toEqual([0, 2, 7]);
  });

  it('restored, it asks for no marker of the checkpoint it comes from, nor of earlier ones', () => {
    expect(new Bench([0], 9).fetches()).toEqual([[0, 0, 9]]);
  });
});

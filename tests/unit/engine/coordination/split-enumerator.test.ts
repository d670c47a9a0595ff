import { describe, expect, it } from 'vitest';
import { type EnumeratorState, SplitEnumerator } from '../../../../engine/coordination/split-enumerator.ts';
import { ENDED, type LogSplit, UNBOUNDED } from '../../../../engine/protocol/operator-events.ts';
import { sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Bench {
  readonly said: string[] = [];
  /** Who was told that there is nothing more. */
  readonly done = new Set<number>();
  readonly registered = new Set<number>();
  readonly out = new RecordingOut();
  readonly enumerator: SplitEnumerator;

  constructor(options: { parallelism: number; partitions: number; range?: number; state?: EnumeratorState }) {
    const partitions = Array.from({ length: options.partitions }, (_, partition) => partition);
    const { source } = sourceVertex(0, options.parallelism, partitions);
    if (source === undefined) throw new Error('a source vertex has a source');
    this.enumerator = new SplitEnumerator(
      { ...source, kind: 'split-log', ...(options.range === undefined ? {} : { recordsPerSplit: options.range }) },
      {
        registered: this.registered,
        parallelism: () => options.parallelism,
        isDone: (subtask) => this.done.has(subtask),
        assignSplit: (subtask, { splitId }) => this.said.push(`${splitId} to ${subtask}`),
        releaseSplit: (subtask, splitId) => this.said.push(`${subtask} releases ${splitId}`),
      },
      options.state,
    );
    this.enumerator.start();
  }

  register(subtask: number, splits: readonly LogSplit[] = []): this {
    this.registered.add(subtask);
    this.enumerator.addReader(subtask, splits, this.out);
    return this;
  }
  request(subtask: number): this {
    this.enumerator.handleSplitRequest(subtask, this.out);
    return this;
  }
  finish(subtask: number, split: LogSplit, partitionEnded = false): this {
    this.enumerator.handleFinished(subtask, { split: { ...split, offset: split.end }, partitionEnded }, this.out);
    return this;
  }
  giveBack(subtask: number, ...splits: LogSplit[]): this {
    this.registered.delete(subtask);
    this.enumerator.addSplitsBack(splits, subtask, this.out);
    return this;
  }
}

const range = (partition: number, from: number, end = from + 10): LogSplit => ({
  splitId: `${partition}@${from}`,
  partition,
  offset: from,
  sub: 0,
  end,
});

describe('split enumerator', () => {
  it('K1: nothing is assigned before every reader is there', () => {
    const bench = new Bench({ parallelism: 2, partitions: 2 }).register(0).request(0);
    expect(bench.said).toEqual([]);
    bench.register(1);
    expect(bench.said).toEqual(['0@0 to 0']);
  });

  it('K1, K3: one split for each request; when there are no more, whoever asks waits', () => {
    const bench = new Bench({ parallelism: 3, partitions: 2 }).register(0).register(1).register(2);
    bench.request(2).request(0).request(1).request(2);
    expect(bench.said).toEqual(['0@0 to 2', '1@0 to 0']);
    expect(bench.enumerator.isExhausted).toBe(true);
    expect(bench.enumerator.takeWaiting()).toEqual([1, 2]);
    expect(bench.enumerator.takeWaiting()).toEqual([]);
    expect(bench.enumerator.snapshotState()).toEqual({
      discovered: [
        { partition: 0, next: UNBOUNDED },
        { partition: 1, next: UNBOUNDED },
      ],
      unassigned: [],
    });
  });

  it('K1: the next range is made when the one before is finished, and the reader may let go of that', () => {
    const bench = new Bench({ parallelism: 1, partitions: 1, range: 10 }).register(0).request(0).request(0);
    expect(bench.said).toEqual(['0@0 to 0']);
    bench.finish(0, range(0, 0));
    expect(bench.said).toEqual(['0@0 to 0', '0 releases 0@0', '0@10 to 0']);
    expect(bench.enumerator.snapshotState()).toEqual({ discovered: [{ partition: 0, next: 20 }], unassigned: [] });
  });

  it('K1: restored, it goes on where it was; partitions that are new begin at their start', () => {
    const state = { discovered: [{ partition: 0, next: 30 }], unassigned: [range(0, 20)] };
    const bench = new Bench({ parallelism: 1, partitions: 2, range: 10, state }).register(0).request(0).request(0);
    expect(bench.said).toEqual(['0@20 to 0', '1@0 to 0']);
  });

  it('K1: a reader registers with a finished split: that is the note, which the restored enumerator lacks', () => {
    const state = { discovered: [{ partition: 0, next: 10 }], unassigned: [] };
    const bench = new Bench({ parallelism: 1, partitions: 1, range: 10, state });
    bench.register(0, [{ ...range(0, 0), offset: 10 }]).request(0);
    expect(bench.said).toEqual(['0 releases 0@0', '0@10 to 0']);
  });

  it('K2: a split that is given back goes before the later ranges of its partition', () => {
    const bench = new Bench({ parallelism: 2, partitions: 1, range: 10 }).register(0).register(1).request(0);
    bench.finish(0, range(0, 0)).giveBack(0, range(0, 0));
    bench.request(1).register(0);
    expect(bench.said.at(-1)).toBe('0@0 to 1');
    expect(bench.enumerator.snapshotState().unassigned).toEqual([range(0, 10)]);
  });

  it('K2: a split that is given back does not wait for a later range that another reader has open', () => {
    const bench = new Bench({ parallelism: 2, partitions: 1, range: 10 }).register(0).register(1).request(0);
    bench.finish(0, range(0, 0)).request(1);
    expect(bench.said.at(-1)).toBe('0@10 to 1');
    bench.giveBack(0, range(0, 0)).register(0);
    expect(bench.said.at(-1)).toBe('0@0 to 0');
    bench.finish(0, range(0, 0));
    expect(bench.out.probes()).toContain('split-finished-again');
    expect(bench.enumerator.snapshotState().unassigned).toEqual([]);
  });

  it('K1: a reader registers with a finished split and an open one: nothing is assigned before both are known', () => {
    const state = {
      discovered: [
        { partition: 0, next: 20 },
        { partition: 1, next: 10 },
      ],
      unassigned: [range(0, 10)],
    };
    const bench = new Bench({ parallelism: 2, partitions: 2, range: 10, state }).register(1).request(1);
    bench.register(0, [{ ...range(1, 0), offset: 10 }, range(0, 0)]);
    expect(bench.said).toEqual(['0 releases 1@0', '1@10 to 1']);
    expect(bench.enumerator.snapshotState().unassigned).toEqual([range(0, 10)]);
  });

  it('a partition that has ended gets no further range, and when all have, there is nothing more', () => {
    const bench = new Bench({ parallelism: 2, partitions: 1, range: 10 }).register(0).register(1).request(0).request(1);
    expect(bench.said.splice(0)).toEqual(['0@0 to 0']);
    expect(bench.enumerator.isExhausted).toBe(false);
    bench.finish(0, range(0, 0), true);
    expect(bench.said).toEqual(['0 releases 0@0']);
    expect(bench.enumerator.isExhausted).toBe(true);
    expect(bench.enumerator.snapshotState()).toEqual({ discovered: [{ partition: 0, next: ENDED }], unassigned: [] });
  });

  it('what a reader that restarts alone gives back does not go to one that was told that there is nothing more', () => {
    const bench = new Bench({ parallelism: 2, partitions: 1, range: 10 }).register(0).register(1).request(0).request(1);
    bench.finish(0, range(0, 0), true);
    bench.said.splice(0);
    bench.done.add(1);
    bench.giveBack(0, range(0, 0));
    expect(bench.said).toEqual([]);
    expect(bench.register(0).said).toEqual(['0@0 to 0']);
  });

  it('FLIP-288: partitions of the first answer begin where it says, later ones where that one says, known ones stay', () => {
    const bench = new Bench({ parallelism: 1, partitions: 0 }).register(0).request(0);
    const starts = (...offsets: readonly number[]) =>
      [offsets.map((_, at) => at), (at: number) => offsets[at] ?? -1] as const;
    expect(bench.enumerator.hasDiscovered).toBe(false);
    bench.enumerator.discovered(...starts(7, 9), bench.out);
    expect(bench.said.splice(0)).toEqual(['0@7 to 0']);
    bench.enumerator.discovered(...starts(0, 0, 0), bench.out);
    bench.request(0).request(0);
    expect(bench.said).toEqual(['1@9 to 0', '2@0 to 0']);
    expect(bench.out.probes()).toEqual(['partition-discovered-later']);
  });

  it('K1: where a look finds no partitions, there is nothing more; before it nobody knows', () => {
    const bench = new Bench({ parallelism: 1, partitions: 0 }).register(0).request(0);
    expect([bench.enumerator.isExhausted, bench.enumerator.hasEnded]).toEqual([false, false]);
    bench.enumerator.discovered([], () => 0, bench.out);
    expect([bench.enumerator.isExhausted, bench.enumerator.hasEnded]).toEqual([true, true]);
  });
});

import { describe, expect, it } from 'vitest';
import { decodeChainState } from '../../../../engine/connectors/split-rows.ts';
import { HybridEnumerator } from '../../../../engine/coordination/hybrid-enumerator.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { type LogSplit, UNBOUNDED } from '../../../../engine/protocol/operator-events.ts';
import { NO_STORAGE, REQUEST_TIMEOUT_US, SERVICES } from '../../../support/engine-values.ts';
import { sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const HOST = { services: SERVICES, storage: NO_STORAGE, requestTimeoutUs: REQUEST_TIMEOUT_US, firstRequestId: 1 };

/** Two readers; partitions 0 and 1 are of a source that ends, 2 of one behind it whose beginning the log is asked for. */
class Bench {
  readonly said: string[] = [];
  readonly registered = new Set<number>();
  readonly out = new RecordingOut();
  readonly enumerator: HybridEnumerator;

  /** `range`: records of a split of the first source; 0: a partition is one. */
  constructor({ range = 0 } = {}) {
    const { source } = sourceVertex(0, 2, [0, 1]);
    if (source === undefined) throw new Error('a source vertex has a source');
    const first = { ...source, kind: 'split-log', bounded: true, recordsPerSplit: range } as const;
    this.enumerator = new HybridEnumerator({
      uid: 'source',
      sources: [first, { ...source, kind: 'split-log', partitions: [2], start: 'committed' }],
      context: {
        registered: this.registered,
        parallelism: () => 2,
        assignSplit: (subtask, { splitId, source: of }) => this.said.push(`${splitId} of ${of} to ${subtask}`),
        signalNoMoreSplits: (subtask) => this.said.push(`no more to ${subtask}`),
        releaseSplit: (subtask, splitId) => this.said.push(`${subtask} releases ${splitId}`),
        switchSource: (subtask, of) => this.said.push(`${subtask} reads ${of}`),
      },
      host: HOST,
      parts: standardParts,
    });
    this.enumerator.restartDiscovery(this.out);
  }

  register(subtask: number, ...splits: LogSplit[]): this {
    this.registered.add(subtask);
    this.enumerator.addReader(subtask, splits, false, this.out);
    return this;
  }
  request(...subtasks: number[]): this {
    for (const subtask of subtasks) this.requestOf(this.enumerator.current, subtask);
    return this;
  }
  requestOf(source: number, subtask: number): this {
    this.enumerator.handleSplitRequest(subtask, source, this.out);
    return this;
  }
  ends(subtask: number, split: LogSplit, partitionEnded = true): this {
    this.enumerator.handleFinished(subtask, { split, partitionEnded }, this.out);
    return this;
  }
  finishes(subtask: number, split: LogSplit): this {
    return this.ends(subtask, split, false);
  }
  fails(subtask: number, ...forgotten: LogSplit[]): this {
    this.registered.delete(subtask);
    this.enumerator.addSplitsBack(forgotten, subtask, this.out);
    return this;
  }
  /** The log says where partition 2 begins. */
  answers(offset: number): this {
    const { requestId, group } = this.out.last('log-list-offsets');
    const reply = {
      kind: 'log-offsets',
      requestId,
      group,
      outcome: 'done',
      partitions: [2],
      offsets: [offset],
    } as const;
    expect(this.enumerator.handleMessage(reply, this.out.nowUs, this.out)).toBe(true);
    return this;
  }
  fresh(): string[] {
    return this.said.splice(0);
  }
}

const split = (partition: number, source: number, offset = 0): LogSplit => ({
  splitId: `${partition}@${offset}`,
  partition,
  offset,
  sub: 0,
  end: UNBOUNDED,
  source,
});

const range = (partition: number, from: number): LogSplit => ({ ...split(partition, 0, from), end: from + 10 });

/** Both readers are there, and each has read one partition to its end. */
function switched(): Bench {
  const bench = new Bench().register(0).register(1).request(0, 1).ends(0, split(0, 0)).ends(1, split(1, 0));
  bench.fresh();
  return bench;
}

describe('hybrid enumerator (B24)', () => {
  it('reads the next source when all of the one before was read; nobody is told that there is nothing more', () => {
    const bench = new Bench().register(0).register(1).request(0, 1);
    expect(bench.fresh()).toEqual(['0 reads 0', '1 reads 0', '0@0 of 0 to 0', '1@0 of 0 to 1']);
    bench.ends(0, split(0, 0)).request(0);
    expect(bench.fresh()).toEqual(['0 releases 0@0']);
    expect(bench.enumerator.isProcessingBacklog).toBe(true);
    bench.ends(1, split(1, 0));
    expect(bench.fresh()).toEqual(['1 releases 1@0', '0 reads 1', '1 reads 1']);
    expect(bench.out.probes()).toContain('source-switched');
    expect(bench.enumerator.isProcessingBacklog).toBe(false);
  });

  it('asks where the next source begins when it is its turn, and keeps the answer in its state', () => {
    const bench = new Bench().register(0).register(1);
    expect(bench.out.sent).toEqual([]);
    bench.request(0, 1).ends(0, split(0, 0)).ends(1, split(1, 0));
    expect(bench.out.last('log-list-offsets').at).toBe('committed');
    bench.answers(40);
    const state = decodeChainState(bench.enumerator.snapshotState());
    expect(state).toHaveLength(2);
    expect(state[1]?.unassigned).toEqual([split(2, 1, 40)]);
    bench.request(1);
    expect(bench.fresh().at(-1)).toBe('2@40 of 1 to 1');
  });

  it('splits of an earlier source that a reader forgot are handed out as that source\u2019s, to any reader', () => {
    const bench = switched().fails(0, split(0, 0));
    expect(bench.out.probes()).toContain('splits-of-earlier-source-given-back');
    expect(decodeChainState(bench.enumerator.snapshotState()).map(({ unassigned }) => unassigned)).toEqual([
      [split(0, 0)],
      [],
    ]);
    bench.register(0);
    expect(bench.fresh()).toEqual(['0 reads 1', '0@0 of 0 to 0']);
    bench.ends(0, split(0, 0));
    expect(bench.fresh()).toEqual(['0 releases 0@0']);
  });

  it('does not switch while a split that was given back is read again, or a reader is not there', () => {
    const bench = new Bench().register(0).register(1).request(0, 1).ends(0, split(0, 0)).fails(0, split(0, 0));
    bench.ends(1, split(1, 0));
    expect(bench.enumerator.current).toBe(0);
    bench.register(0);
    expect(bench.enumerator.current).toBe(0);
    bench.ends(0, split(0, 0));
    expect(bench.enumerator.current).toBe(1);
  });

  it('a request of before the switch is followed by one of after it, and only that counts', () => {
    const bench = switched().answers(0).requestOf(0, 0);
    expect(bench.fresh()).toEqual([]);
    bench.request(1).requestOf(0, 1).request(0);
    expect(bench.fresh()).toEqual(['2@0 of 1 to 1', 'no more to 0']);
  });

  it('I5: what comes back of an earlier source does not go to a reader that was told that there is nothing more', () => {
    const bench = switched().answers(0).request(1, 0);
    expect(bench.fresh()).toEqual(['2@0 of 1 to 1', 'no more to 0']);
    bench.fails(1, split(1, 0), split(2, 1)).register(1);
    expect(bench.fresh()).toEqual(['1 reads 1', '1@0 of 0 to 1']);
    bench.request(1).ends(1, split(1, 0));
    expect(bench.fresh()).toEqual(['2@0 of 1 to 1', '1 releases 1@0']);
    bench.request(1);
    expect(bench.fresh()).toEqual(['no more to 1']);
  });

  it('I5: nobody is told that there is nothing more while a split of an earlier source waits', () => {
    const bench = new Bench({ range: 10 }).register(0).register(1).request(0, 1).finishes(0, range(0, 0)).request(0);
    bench.ends(0, range(0, 10)).ends(1, range(1, 0)).answers(0).request(1).fresh();
    bench.fails(0, range(0, 0), range(0, 10)).register(0).request(0);
    expect(bench.fresh()).toEqual(['0 reads 1', '0@0 of 0 to 0']);
    bench.ends(0, range(0, 0));
    expect(bench.fresh()).toEqual(['0 releases 0@0', '0@10 of 0 to 0', 'no more to 0']);
  });

  it('I5: a request that was on its way when its reader was told that there is nothing more is not remembered', () => {
    const bench = switched().answers(0).request(1, 0);
    bench.registered.delete(1);
    bench.request(0).fails(1, split(2, 1)).fresh();
    bench.register(1);
    expect(bench.fresh()).toEqual(['1 reads 1']);
    bench.request(1);
    expect(bench.fresh()).toEqual(['2@0 of 1 to 1']);
  });

  it('restored, it reads the source that was read; back before the switch, it asks nothing of the next one', () => {
    const before = new Bench().register(0).register(1).request(0, 1);
    const early = before.enumerator.snapshotState();
    const bench = switched();
    const late = bench.answers(7).enumerator.snapshotState();
    bench.registered.clear();
    bench.enumerator.begin(early);
    bench.enumerator.restartDiscovery(bench.out);
    expect(bench.enumerator.current).toBe(0);
    bench.register(0, split(0, 0)).register(1, split(1, 0)).ends(0, split(0, 0)).ends(1, split(1, 0));
    expect(bench.enumerator.current).toBe(1);
    bench.registered.clear();
    bench.fresh();
    bench.enumerator.begin(late);
    bench.register(0).register(1).request(0);
    expect(bench.fresh()).toEqual(['0 reads 1', '1 reads 1', '2@7 of 1 to 0']);
  });
});

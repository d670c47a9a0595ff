import { describe, expect, it } from 'vitest';
import { EventTimeSessionWindows, TumblingEventTimeWindows } from '../../../../engine/api/windows.ts';
import type { JobGraph } from '../../../../engine/job/job-graph.ts';
import type { WindowAssignerSpec } from '../../../../engine/job/windows.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { ConservedOutput } from '../../../../sim/judges/conserved-output.ts';
import type { HasFired } from '../../../../sim/judges/fired-timers.ts';
import { InputIndex } from '../../../../sim/judges/reference-run.ts';

interface Shown {
  readonly key: string;
  readonly start?: number;
  readonly end?: number;
  readonly ids: readonly string[];
}

const END = { cause: 'quiescent', atUs: 9 } as never;
const TUMBLING = TumblingEventTimeWindows.of(10);
const SESSION = EventTimeSessionWindows.withGap(10);

/** Records are named by their event time in milliseconds; the bound is 2 ms, the lateness 20 ms. */
class Windows {
  readonly #judge: ConservedOutput;
  #at = 0;
  /** Event time of the operator, in milliseconds, at the checkpoint that is restored. */
  restoredAtMs = Number.NEGATIVE_INFINITY;

  constructor(assigner: WindowAssignerSpec, times: readonly number[], idlenessUs?: number) {
    const watermarks = { outOfOrdernessUs: 2_000, intervalUs: 1, ...(idlenessUs === undefined ? {} : { idlenessUs }) };
    const window = { uid: 'windows', kind: 'window', window: { assigner, allowedLatenessUs: 20_000 } };
    const graph = {
      vertices: [
        { source: { partitions: [0], watermarks }, operators: [], maxParallelism: 8 },
        { operators: [window], maxParallelism: 8 },
      ],
    } as unknown as JobGraph;
    const index = new InputIndex([
      {
        ...{ topic: 't', partition: 0, bounded: true },
        values: times.map(String),
        timestampsUs: times.map((ms) => ms * 1_000),
        sourceIndices: times.map((_, offset) => offset),
      },
    ]);
    const of = ({ key, start, end }: Shown) =>
      start === undefined || end === undefined ? undefined : { key, startMs: start, endMs: end };
    const before = (): HasFired => (_operator, timer) => timer.timestampUs <= this.restoredAtMs * 1_000;
    this.#judge = new ConservedOutput({
      conserves: {
        input: String,
        output: (value) => (value as Shown).ids,
        windows: { operator: 'windows', of: (value) => of(value as Shown) },
      },
      index,
      hasFinished: () => true,
      windows: { graph, fired: { before } },
    });
  }

  #see(value: Shown): this {
    const event = { kind: 'output-appended', producer: 'sink', values: [value], lineages: [1] };
    this.#at += 1;
    this.#judge.observe({ event, index: this.#at } as unknown as HistoryEvent);
    return this;
  }

  shows(start: number, end: number, ...times: readonly number[]): this {
    return this.#see({ key: 'k', start, end, ids: times.map(String) });
  }

  late(...times: readonly number[]): this {
    return this.#see({ key: 'k', ids: times.map(String) });
  }

  /** From a checkpoint at which event time had come so far. */
  restored(atMs: number): this {
    this.restoredAtMs = atMs;
    this.#judge.observe({ event: { kind: 'task-restored', checkpointId: 4 }, index: 0 } as unknown as HistoryEvent);
    return this;
  }

  get found(): string[] {
    return this.#judge.finish(END).map(({ anomaly }) => anomaly);
  }
}

const PASSED = [''];

describe('results of a window that fires again (S11, X5)', () => {
  /** 3, 4 and 8 come when event time has passed 10 at most; 5 when it has passed 30. */
  const times = [1, 2, 13, 3, 4, 40, 5];
  const windows = (): Windows => new Windows(TUMBLING, times);

  it('each holds what the one before it held, and at least one more', () => {
    const usual = windows().shows(0, 10, 1, 2).shows(0, 10, 1, 2, 3).shows(0, 10, 1, 4, 3, 2);
    expect(usual.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(PASSED);
  });

  it('window-shrunk: a record of before is gone', () => {
    const purged = windows().shows(0, 10, 1, 2).shows(0, 10, 3).shows(0, 10, 3, 4);
    expect(purged.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(['window-shrunk']);
  });

  it('window-repeated: nothing is new', () => {
    const again = windows().shows(0, 10, 1, 2, 3, 4).shows(0, 10, 1, 2, 3, 4);
    expect(again.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(['window-repeated']);
  });

  it('window-misplaced: a record is in a window of another time', () => {
    expect(windows().shows(0, 10, 1, 2, 3, 4, 13).shows(40, 50, 40).late(5).found).toEqual(['window-misplaced']);
  });

  it('window-fired-early: what is new cannot have come behind the end', () => {
    const early = windows().shows(0, 10, 1).shows(0, 10, 1, 2, 3, 4);
    expect(early.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(['window-fired-early']);
  });

  it('late-too-early: event time cannot have passed the lateness; behind an idle partition nobody knows', () => {
    expect(windows().shows(0, 10, 1, 2, 3).shows(10, 20, 13).shows(40, 50, 40).late(4, 5).found).toEqual([
      'late-too-early',
    ]);
    const idle = new Windows(TUMBLING, times, 300).shows(0, 10, 1, 2, 3).shows(10, 20, 13).shows(40, 50, 40);
    expect(idle.late(4, 5).found).toEqual(PASSED);
  });

  it('what no result and no late output holds is lost', () => {
    expect(windows().shows(0, 10, 1, 2, 3, 4).shows(10, 20, 13).shows(40, 50, 40).found).toEqual(['output-lost']);
  });

  it('may begin anew behind a restore at which it was forgotten, and not behind an earlier one', () => {
    const anew = (atMs: number): string[] =>
      windows().shows(0, 10, 1, 2, 3, 4).shows(10, 20, 13).restored(atMs).shows(0, 10, 5).shows(40, 50, 40).found;
    expect(anew(29.999)).toEqual(PASSED);
    expect(anew(20)).toEqual(['window-shrunk']);
  });
});

describe('results of sessions', () => {
  it('one that several became covers them and holds their records', () => {
    const times = [1, 15, 28, 8];
    const merged = (): Windows => new Windows(SESSION, times).shows(1, 11, 1).shows(15, 25, 15);
    expect(merged().shows(1, 25, 1, 8, 15).shows(28, 38, 28).found).toEqual(PASSED);
    expect(merged().shows(8, 25, 8, 15).shows(28, 38, 28).found).toEqual(['window-shrunk']);
  });

  it('one that is forgotten does not hold another back that reaches into it; one that is there does', () => {
    // The session of 1 is forgotten at 30: 6 comes when event time has passed 47, 5 when it has passed 10.
    expect(new Windows(SESSION, [1, 50, 6]).shows(1, 11, 1).shows(50, 60, 50).shows(6, 16, 6).found).toEqual(PASSED);
    expect(new Windows(SESSION, [1, 13, 5, 50]).shows(1, 11, 1).shows(5, 23, 5, 13).shows(50, 60, 50).found).toEqual([
      'window-shrunk',
    ]);
  });
});

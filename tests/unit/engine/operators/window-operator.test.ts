import { describe, expect, it } from 'vitest';
import {
  ContinuousEventTimeTrigger,
  ContinuousProcessingTimeTrigger,
  CountTrigger,
  EventTimeSessionWindows,
  ProcessingTimeSessionWindows,
  PurgingTrigger,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
} from '../../../../engine/api/windows.ts';
import { mergedWith, windowsOf } from '../../../../engine/operators/window-assigner.ts';
import { WindowBench } from '../../../support/window-bench.ts';

describe('assigners', () => {
  it('tumbling: one window, aligned to the offset, before the epoch as well', () => {
    const spec = TumblingEventTimeWindows.of(10, 3);
    expect(windowsOf(spec, 12_000)).toEqual([{ startUs: 3_000, endUs: 13_000 }]);
    expect(windowsOf(spec, 13_000)).toEqual([{ startUs: 13_000, endUs: 23_000 }]);
    expect(windowsOf(spec, -1)).toEqual([{ startUs: -7_000, endUs: 3_000 }]);
  });

  it('sliding: every window that contains the instant; between two of them none', () => {
    expect(windowsOf(SlidingEventTimeWindows.of(10, 5), 12_000).map(({ startUs }) => startUs)).toEqual([10_000, 5_000]);
    expect(windowsOf(SlidingEventTimeWindows.of(5, 10), 7_000)).toEqual([]);
  });

  it('sessions merge when they share an instant, and not when they only touch', () => {
    const known = [
      { startUs: 0, endUs: 10 },
      { startUs: 20, endUs: 30 },
    ];
    expect(mergedWith(known, { startUs: 9, endUs: 21 })).toEqual({ window: { startUs: 0, endUs: 30 }, merged: known });
    expect(mergedWith(known, { startUs: 10, endUs: 20 }).merged).toEqual([]);
  });
});

describe('WindowOperator in event time (S11)', () => {
  it('a window comes out once, when the watermark has passed its end, with its last instant as time', () => {
    const bench = new WindowBench({ assigner: TumblingEventTimeWindows.of(10) });
    bench.record(1, 1).record(9, 2).record(10, 4).watermark(9);
    expect(bench.take()).toEqual([]);
    bench.watermark(9.999);
    expect(bench.take()).toEqual(['k [0,10) 3 @9.999']);
    bench.watermark(30);
    expect(bench.take()).toEqual(['k [10,20) 4 @19.999']);
    expect(bench.backend.keyCount).toBe(0);
  });

  it('a late record is dropped and counted once, or goes into the side output', () => {
    const dropping = new WindowBench({ assigner: SlidingEventTimeWindows.of(10, 5) }).watermark(20);
    dropping.record(3, 1);
    expect([dropping.take(), dropping.operator.lateRecordsDropped]).toEqual([[], 1]);
    const telling = new WindowBench({ assigner: TumblingEventTimeWindows.of(10), late: true }).watermark(20);
    telling.record(3, 7).record(25, 1).watermark(40);
    expect(telling.take()).toEqual(['late 7', 'k [20,30) 1 @29.999']);
  });

  it('a record that is late for one of its windows only is not late', () => {
    const bench = new WindowBench({ assigner: SlidingEventTimeWindows.of(10, 5), late: true }).watermark(10);
    bench.record(8, 1).watermark(20);
    expect(bench.take()).toEqual(['k [5,15) 1 @14.999']);
  });

  it('allowed lateness: a window comes out again with each late record, and is forgotten behind it', () => {
    const bench = new WindowBench({ assigner: TumblingEventTimeWindows.of(10), latenessMs: 5, late: true });
    bench.record(1, 1).watermark(12).record(2, 2).watermark(15).record(3, 4);
    expect(bench.take()).toEqual(['k [0,10) 1 @9.999', 'k [0,10) 3 @9.999', 'late 4']);
    expect(bench.backend.keyCount).toBe(0);
  });

  it('sessions that a record joins are one, with the contents and the timers of one', () => {
    const bench = new WindowBench({ assigner: EventTimeSessionWindows.withGap(10) });
    bench.record(0, 1).record(15, 2).record(8, 4).watermark(20);
    expect(bench.take()).toEqual([]);
    bench.watermark(24.999);
    expect(bench.take()).toEqual(['k [0,25) 7 @24.999']);
    expect(bench.backend.keyCount).toBe(0);
  });
});

describe('triggers (S11)', () => {
  it('count fires with every so many records and keeps the contents, unless it purges', () => {
    const keeping = new WindowBench({ assigner: TumblingEventTimeWindows.of(10), trigger: CountTrigger.of(2) });
    for (const value of [1, 2, 4, 8, 16]) keeping.record(1, value);
    expect(keeping.take()).toEqual(['k [0,10) 3 @9.999', 'k [0,10) 15 @9.999']);
    const purging = new WindowBench({
      assigner: TumblingEventTimeWindows.of(10),
      trigger: PurgingTrigger.of(CountTrigger.of(2)),
    });
    for (const value of [1, 2, 4, 8, 16]) purging.record(1, value);
    expect(purging.take()).toEqual(['k [0,10) 3 @9.999', 'k [0,10) 12 @9.999']);
    purging.watermark(10);
    expect(purging.backend.keyCount).toBe(0);
  });

  it('counts of sessions that merge are added up', () => {
    const bench = new WindowBench({ assigner: EventTimeSessionWindows.withGap(10), trigger: CountTrigger.of(3) });
    bench.record(0, 1).record(15, 2).record(8, 4);
    expect(bench.take()).toEqual(['k [0,25) 7 @24.999']);
  });

  it('continuous: every interval of event time and at the end', () => {
    const bench = new WindowBench({
      assigner: TumblingEventTimeWindows.of(10),
      trigger: ContinuousEventTimeTrigger.of(4),
    });
    bench.record(1, 1).watermark(4);
    bench.record(5, 2).watermark(8).watermark(10);
    expect(bench.take()).toEqual(['k [0,10) 1 @9.999', 'k [0,10) 3 @9.999', 'k [0,10) 3 @9.999']);
  });

  it('continuous in processing time fires while event time stands still', () => {
    const bench = new WindowBench({
      assigner: TumblingEventTimeWindows.of(10),
      trigger: ContinuousProcessingTimeTrigger.of(4),
    });
    bench.processingTime(1).record(1, 1).processingTime(4);
    expect(bench.take()).toEqual(['k [0,10) 1 @9.999']);
  });
});

describe('WindowOperator in processing time (X5, G6)', () => {
  it('the clock of the subtask decides, and event time does not matter', () => {
    const bench = new WindowBench({ assigner: TumblingProcessingTimeWindows.of(10) });
    bench.processingTime(3).record(999, 1).processingTime(9).record(1, 2).watermark(5_000).processingTime(10);
    expect(bench.take()).toEqual(['k [0,10) 3 @9.999']);
  });

  it('sessions end when nothing came for the gap', () => {
    const bench = new WindowBench({ assigner: ProcessingTimeSessionWindows.withGap(10) });
    bench.processingTime(0).record(0, 1).processingTime(8).record(0, 2).processingTime(17);
    expect(bench.take()).toEqual([]);
    bench.processingTime(18);
    expect(bench.take()).toEqual(['k [0,18) 3 @17.999']);
  });

  it('restored timers of the past fire at once', () => {
    const before = new WindowBench({ assigner: TumblingProcessingTimeWindows.of(10) }).processingTime(3).record(0, 5);
    const restored = before.backend.snapshot().write();
    const after = new WindowBench({ assigner: TumblingProcessingTimeWindows.of(10), restored }).processingTime(500);
    expect(after.take()).toEqual(['k [0,10) 5 @9.999']);
  });
});

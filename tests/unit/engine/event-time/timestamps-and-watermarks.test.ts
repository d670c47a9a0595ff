import { describe, expect, it } from 'vitest';
import { WatermarkStrategy } from '../../../../engine/api/watermark-strategy.ts';
import { TimestampsAndWatermarks } from '../../../../engine/event-time/timestamps-and-watermarks.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { UserCode } from '../../../../engine/operators/user-code.ts';
import { END_OF_TIME_US } from '../../../../engine/protocol/stream-elements.ts';

const INTERVAL_MS = 100;

function assigner(strategy: WatermarkStrategy<number>, isIdleWithoutSplits = false) {
  const taken: [unknown, number][] = [];
  const of = new TimestampsAndWatermarks({
    uid: 'source',
    spec: strategy.spec(INTERVAL_MS),
    next: { process: (value, us) => taken.push([value, us]) },
    userCode: new UserCode(),
    isIdleWithoutSplits,
  });
  const poll = (ms: number) => of.poll(micros(ms * 1_000));
  return { of, taken, poll };
}

const bounded = (ms: number): WatermarkStrategy<number> => WatermarkStrategy.forBoundedOutOfOrderness<number>(ms);

describe('TimestampsAndWatermarks (S11; FLIP-27 sources)', () => {
  it('gives a record the time of the assigner, the log time otherwise', () => {
    const plain = assigner(bounded(0));
    plain.of.process('a', 7_000, 1);
    const stamped = assigner(bounded(0).withTimestampAssigner((value, logMs) => value + logMs));
    stamped.of.process(5, 7_000, 1);
    expect([plain.taken, stamped.taken]).toEqual([[['a', 7_000]], [[5, 12_000]]]);
  });

  it('the watermark is the minimum over the open splits; one without a record holds it back, one that ended does not', () => {
    const { of, poll } = assigner(bounded(2));
    of.openSplits(['a', 'b']);
    of.startSplit('a');
    of.process(1, 10_000, 1);
    expect(poll(0)).toEqual({});
    of.startSplit('b');
    of.process(1, 5_000, 2);
    expect(poll(200)).toEqual({ watermarkUs: 2_999 });
    of.openSplits(['a']);
    expect(poll(400)).toEqual({ watermarkUs: 7_999 });
  });

  it('is told at most once an interval, and asks to be looked at again when something waits', () => {
    const { of, poll } = assigner(bounded(0));
    of.process(1, 1_000, 1);
    expect(poll(0)).toEqual({ watermarkUs: 999 });
    of.process(1, 2_000, 1);
    expect(poll(10)).toEqual({});
    expect(of.nextPollUs).toBe(100_000);
    expect(poll(100)).toEqual({ watermarkUs: 1_999 });
    expect(of.nextPollUs).toBe(Number.POSITIVE_INFINITY);
  });

  it('an older record does not take the watermark back', () => {
    const { of, poll } = assigner(bounded(0));
    of.process(1, 9_000, 1);
    poll(0);
    of.process(1, 4_000, 1);
    expect(poll(500)).toEqual({});
  });

  it('a split is idle when nothing came for the time-out, and wakes with its next record', () => {
    const { of, poll } = assigner(bounded(0).withIdleness(1_000));
    of.openSplits(['a', 'b']);
    of.startSplit('a');
    of.process(1, 10_000, 1);
    poll(0);
    of.process(1, 11_000, 1);
    expect(poll(900)).toEqual({});
    expect(of.nextPollUs).toBe(1_000_000);
    expect(poll(1_000)).toEqual({ watermarkUs: 10_999 });
    expect(poll(2_000)).toEqual({ idle: true });
    of.process(1, 12_000, 1);
    expect(poll(2_100)).toEqual({ watermarkUs: 11_999, idle: false });
  });

  it('a source subtask that will never have a split is idle at once', () => {
    expect(assigner(bounded(0), true).poll(0)).toEqual({ idle: true });
  });

  it('a generator of the user is heard with every record, and asked once an interval', () => {
    const calls: string[] = [];
    const { of, poll } = assigner(
      WatermarkStrategy.forGenerator<number>(() => ({
        onEvent: (value, ms, output) => {
          calls.push(`event ${String(value)} at ${String(ms)}`);
          if (value === 2) output.emitWatermark(ms);
        },
        onPeriodicEmit: () => calls.push('periodic'),
      })),
    );
    of.process(1, 1_000, 1);
    expect(poll(0)).toEqual({});
    of.process(2, 3_000, 1);
    expect(poll(10)).toEqual({ watermarkUs: 3_000 });
    expect(poll(50)).toEqual({});
    expect(calls).toEqual(['event 1 at 1', 'periodic', 'event 2 at 3', 'periodic']);
  });

  it('watermarks of before end here, the end of time passes', () => {
    const { of } = assigner(bounded(0));
    expect([of.advanceWatermark(5), of.advanceWatermark(END_OF_TIME_US)]).toEqual(['absorbed', 'passed']);
  });
});

import { describe, expect, it } from 'vitest';
import { InputWatermarks } from '../../../../engine/event-time/input-watermarks.ts';
import { StatusWatermarkValve } from '../../../../engine/event-time/status-watermark-valve.ts';
import { START_OF_TIME_US } from '../../../../engine/protocol/stream-elements.ts';

describe('StatusWatermarkValve (S11, B25; Flink: StatusWatermarkValveTest)', () => {
  it('a single channel: rises with its watermarks, never falls', () => {
    const valve = new StatusWatermarkValve(1);
    expect(valve.watermarkUs).toBe(START_OF_TIME_US);
    valve.watermark(0, 25);
    valve.watermark(0, 18);
    expect(valve.watermarkUs).toBe(25);
  });

  it('several channels: the minimum, and nothing before each has said something', () => {
    const valve = new StatusWatermarkValve(3);
    valve.watermark(0, 10);
    valve.watermark(1, 12);
    expect(valve.watermarkUs).toBe(START_OF_TIME_US);
    valve.watermark(2, 8);
    expect(valve.watermarkUs).toBe(8);
    valve.watermark(2, 20);
    expect(valve.watermarkUs).toBe(10);
  });

  it('an idle channel holds back nobody; when it wakes behind the others it has to catch up first', () => {
    const valve = new StatusWatermarkValve(2);
    valve.watermark(0, 10);
    valve.watermark(1, 5);
    valve.status(1, true);
    expect(valve.watermarkUs).toBe(10);
    valve.status(1, false);
    valve.watermark(1, 7);
    valve.watermark(0, 20);
    expect(valve.watermarkUs).toBe(20);
    valve.watermark(1, 22);
    valve.watermark(0, 30);
    expect(valve.watermarkUs).toBe(22);
  });

  it('all channels idle: the maximum counts, the input is idle, and watermarks are ignored until one wakes', () => {
    const valve = new StatusWatermarkValve(2);
    valve.watermark(0, 10);
    valve.watermark(1, 30);
    valve.status(0, true);
    valve.status(1, true);
    expect([valve.isIdle, valve.watermarkUs]).toEqual([true, 30]);
    valve.watermark(0, 50);
    expect(valve.watermarkUs).toBe(30);
    valve.status(0, false);
    valve.watermark(0, 50);
    expect([valve.isIdle, valve.watermarkUs]).toEqual([false, 50]);
  });
});

describe('InputWatermarks (B23): two inputs', () => {
  it('the minimum over the inputs, an idle one left out; two idle inputs leave event time where it is', () => {
    const inputs = new InputWatermarks([0, 0, 1]);
    expect(inputs.watermark(0, 10)).toEqual({});
    expect(inputs.watermark(2, 5)).toEqual({});
    expect(inputs.watermark(1, 8)).toEqual({ watermarkUs: 5 });
    expect(inputs.status(2, true)).toEqual({ watermarkUs: 8 });
    expect(inputs.status(0, true)).toEqual({});
    expect(inputs.status(1, true)).toEqual({ idle: true });
    expect(inputs.status(2, false)).toEqual({ idle: false });
    expect(inputs.watermark(2, 40)).toEqual({ watermarkUs: 40 });
  });

  it('one input: when its last channel falls idle, what that held back is given up', () => {
    const inputs = new InputWatermarks([0, 0]);
    inputs.watermark(0, 10);
    expect(inputs.watermark(1, 30)).toEqual({ watermarkUs: 10 });
    expect(inputs.status(0, true)).toEqual({ watermarkUs: 30 });
    expect(inputs.status(1, true)).toEqual({ idle: true });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CombinedWatermark } from '../../../../engine/event-time/combined-watermark.ts';
import { START_OF_TIME_US } from '../../../../engine/protocol/stream-elements.ts';

describe('CombinedWatermark (S11; Flink: CombinedWatermarkStatusTest)', () => {
  it('parts that are all idle leave event time where it was, however far one of them is', () => {
    const combined = new CombinedWatermark<string>();
    const slow = combined.part('slow');
    const fast = combined.part('fast');
    slow.watermarkUs = 10;
    fast.watermarkUs = 90;
    combined.update();
    fast.idle = true;
    slow.idle = true;
    combined.update();
    expect([combined.watermarkUs, combined.isIdle]).toEqual([10, true]);
    slow.idle = false;
    slow.watermarkUs = 20;
    combined.update();
    expect([combined.watermarkUs, combined.isIdle]).toEqual([20, false]);
  });

  it('is at any time the most that the slowest part that was not idle ever was', () => {
    const step = fc.record({ part: fc.nat(2), byUs: fc.nat(50), idle: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const combined = new CombinedWatermark<number>();
        const parts = [0, 1, 2].map((id) => combined.part(id));
        for (const part of parts) part.watermarkUs = 0;
        let most = START_OF_TIME_US;
        for (const { part: id, byUs, idle } of steps) {
          const part = parts[id];
          if (part === undefined) continue;
          part.watermarkUs += byUs;
          part.idle = idle;
          combined.update();
          const awake = parts.filter((one) => !one.idle).map(({ watermarkUs }) => watermarkUs);
          if (awake.length > 0) most = Math.max(most, Math.min(...awake));
          expect([combined.watermarkUs, combined.isIdle]).toEqual([most, awake.length === 0]);
        }
      }),
      { seed: 34, numRuns: 60 },
    );
  });
});

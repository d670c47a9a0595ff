/** The next delay of an exponential strategy, at each edge; and the engine's strategy held against it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RestartBackoff } from '../../../../engine/jobmanager/restart-backoff.ts';
import type { RestartConfiguration } from '../../../../engine/protocol/configuration.ts';
import { GrowingDelay } from '../../../../sim/judges/growing-delay.ts';

type Exponential = Extract<RestartConfiguration, { strategy: 'exponential-delay' }>;

const STRATEGY: Exponential = {
  strategy: 'exponential-delay',
  initialUs: 100,
  maxUs: 400,
  multiplier: { numerator: 2, denominator: 1 },
  resetThresholdUs: 1_000,
  attemptsBeforeReset: 0,
};

/** Of failures at these times, each restarted after the least delay that may be. */
function ranges(strategy: Exponential, ...timesUs: readonly number[]): readonly (readonly [number, number])[] {
  const growing = new GrowingDelay(strategy);
  let delayUs = strategy.initialUs;
  return timesUs.map((atUs) => {
    const { leastUs, mostUs } = growing.next(atUs, delayUs);
    delayUs = Math.min(2 * delayUs, strategy.maxUs);
    return [leastUs, mostUs];
  });
}

describe('a delay that grows', () => {
  it('by its multiplier from restart to restart, up to its maximum', () => {
    expect(ranges(STRATEGY, 1, 500, 1_000, 1_500)).toEqual([
      [100, 100],
      [200, 200],
      [400, 400],
      [400, 400],
    ]);
  });

  it('I1: of failures until the restart is due is what is left', () => {
    expect(ranges(STRATEGY, 1_000, 1_040, 1_100, 1_101)).toEqual([
      [100, 100],
      [60, 60],
      [0, 0],
      [200, 200],
    ]);
  });

  it('I2: begins anew behind a quiet time', () => {
    const quietUs = 1_000 + STRATEGY.initialUs + STRATEGY.resetThresholdUs;
    expect(ranges(STRATEGY, 1_000, quietUs - 1).at(-1)).toEqual([200, 200]);
    expect(ranges(STRATEGY, 1_000, quietUs).at(-1)).toEqual([100, 100]);
  });

  it('is longer or shorter by its jitter, within initial delay and maximum', () => {
    const jittered = { ...STRATEGY, jitter: { numerator: 1, denominator: 10 } };
    expect(ranges(jittered, 1, 500, 1_000)).toEqual([
      [100, 110],
      [180, 220],
      [360, 400],
    ]);
  });

  it('is what the engine makes of any failures under any strategy', () => {
    const us = fc.integer({ min: 0, max: 5_000 });
    const positive = fc.integer({ min: 1, max: 9 });
    const strategies = fc.record({
      initialUs: fc.integer({ min: 1, max: 500 }),
      moreUs: us,
      factor: fc.tuple(positive, positive),
      share: fc.tuple(positive, positive),
      resetThresholdUs: us,
    });
    fc.assert(
      fc.property(strategies, fc.array(fc.tuple(us, fc.integer({ min: -9, max: 9 }))), (drawn, failures) => {
        const strategy: Exponential = {
          ...STRATEGY,
          initialUs: drawn.initialUs,
          maxUs: drawn.initialUs + drawn.moreUs,
          multiplier: { numerator: Math.max(...drawn.factor), denominator: Math.min(...drawn.factor) },
          jitter: { numerator: Math.min(...drawn.share), denominator: Math.max(...drawn.share) },
          resetThresholdUs: drawn.resetThresholdUs,
        };
        let drawnShare = 0;
        const backoff = new RestartBackoff(strategy, (spreadUs) => Math.trunc((spreadUs * drawnShare) / 9));
        const growing = new GrowingDelay(strategy);
        let nowUs = 0;
        for (const [afterUs, share] of failures) {
          nowUs += afterUs;
          drawnShare = share;
          const delayUs = backoff.onFailure(nowUs) ?? Number.NaN;
          const { leastUs, mostUs } = growing.next(nowUs, delayUs);
          expect(delayUs).toBeGreaterThanOrEqual(leastUs);
          expect(delayUs).toBeLessThanOrEqual(mostUs);
        }
      }),
    );
  });
});

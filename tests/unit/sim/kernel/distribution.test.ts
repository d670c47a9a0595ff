/** Unit tests of latency shapes. */
import { describe, expect, it } from 'vitest';
import { Choices } from '../../../../sim/kernel/choice.ts';
import {
  constant,
  type Distribution,
  exponential,
  lognormal,
  sampleUs,
  scaled,
  uniform,
} from '../../../../sim/kernel/distribution.ts';
import { EXPONENTIAL_QUANTILES, LOGNORMAL_QUANTILES } from '../../../../sim/kernel/quantile-tables.ts';

function samples(distribution: Distribution, count: number): number[] {
  const site = new Choices({ rootSeed: 'samples' }).site(distribution.name);
  return Array.from({ length: count }, () => sampleUs(distribution, site)).sort((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const SIGMAS = ['0.1', '0.25', '0.3', '0.6', '0.9', '1.2'] as const;

describe('quantile tables', () => {
  it.each([...Object.entries(LOGNORMAL_QUANTILES), ['exponential', EXPONENTIAL_QUANTILES] as const])(
    'table %s: 256 whole numbers that do not decrease',
    (_, table) => {
      expect(table).toHaveLength(256);
      expect(table.every((value, index) => Number.isInteger(value) && value >= (table[index - 1] ?? 0))).toBe(true);
    },
  );

  it('the exponential table: agrees with the logarithm', () => {
    EXPONENTIAL_QUANTILES.slice(0, 255).forEach((value, index) => {
      expect(Math.abs(value + Math.log(1 - index / 255) * 1_000_000)).toBeLessThanOrEqual(0.5);
    });
  });
});

describe('distribution', () => {
  it.each(SIGMAS)('lognormal of sigma %s: median, mean and 99.9th percentile are right', (sigma) => {
    const medianUs = 500_000;
    const distribution = lognormal({ medianUs, sigma });
    const sorted = samples(distribution, 200_000);
    const spread = Number(sigma);
    expect(Math.abs((sorted[100_000] ?? 0) / medianUs - 1)).toBeLessThan(0.015 * spread + 0.001);
    expect(Math.abs(mean(sorted) / (medianUs * Math.exp((spread * spread) / 2)) - 1)).toBeLessThan(0.02);
    expect(Math.abs(Math.log((sorted[199_800] ?? 0) / medianUs) / (3.09 * spread) - 1)).toBeLessThan(0.07);
  });

  it('exponential: mean and median are right', () => {
    const sorted = samples(exponential({ meanUs: 20_000 }), 200_000);
    expect(Math.abs(mean(sorted) / 20_000 - 1)).toBeLessThan(0.012);
    expect(Math.abs((sorted[100_000] ?? 0) / (20_000 * Math.LN2) - 1)).toBeLessThan(0.02);
  });

  it('a floor: lifts what is below it and leaves the rest', () => {
    const free = lognormal({ medianUs: 1_000, sigma: '0.6' });
    const lifted = lognormal({ medianUs: 1_000, sigma: '0.6', floorUs: 700 });
    expect(lifted.quantilesUs).toEqual(free.quantilesUs.map((knotUs) => Math.max(knotUs, 700)));
    expect(() => lognormal({ medianUs: 10, sigma: '0.1', floorUs: 11 })).toThrow('at most the median');
  });

  it('a constant: is always itself and draws nothing', () => {
    const choices = new Choices({ rootSeed: 's', mode: 'record' });
    expect(sampleUs(constant(42), choices.site('a'))).toBe(42);
    expect(choices.tape?.length).toBe(0);
  });

  it('uniform over a few values: reaches both bounds', () => {
    const seen = new Set(samples(uniform(3, 5), 2_000));
    expect([...seen]).toEqual([3, 4, 5]);
  });

  it('uniform over many: is even', () => {
    const sorted = samples(uniform(1_000, 9_000), 100_000);
    expect(Math.abs(mean(sorted) - 5_000)).toBeLessThan(50);
    expect(Math.abs((sorted[25_000] ?? 0) - 3_000)).toBeLessThan(70);
  });

  it('only boring choices: give the minimum', () => {
    const site = new Choices({ rootSeed: 's', mode: 'enumerate' }).site('a');
    const distribution = lognormal({ medianUs: 1_000, sigma: '0.3', floorUs: 100 });
    expect(sampleUs(distribution, site)).toBe(distribution.quantilesUs[0]);
  });

  it('scaled: multiplies every knot and says so', () => {
    const half = scaled(uniform(100, 355), 1, 2);
    expect(half.quantilesUs[0]).toBe(50);
    expect(half.quantilesUs[255]).toBe(178);
    expect(half.name).toBe('uniform(100..355)*1/2');
  });

  it('nonsense: is refused', () => {
    expect(() => constant(-1)).toThrow('do not decrease');
    expect(() => constant(1.5)).toThrow('whole number');
    expect(() => uniform(9, 3)).toThrow('do not decrease');
    expect(() => scaled(constant(1), 1, 0)).toThrow('divides by');
    expect(() => scaled(constant(1), 0.5, 1)).toThrow('fraction of whole numbers');
    expect(() => scaled(constant(0x400_0000_0000), 2, 1)).toThrow('below 50 days');
    expect(() => scaled(constant(1_000_000_000), 1, 1_000_000_000)).toThrow('safe integers');
  });
});

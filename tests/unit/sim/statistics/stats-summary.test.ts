import { describe, expect, it } from 'vitest';
import { percentile, statsSummary } from '../../../../sim/statistics/stats-summary.ts';

describe('stats summary', () => {
  it('7.1: of nothing: zeros, and percentiles that are no numbers, as Flink writes them', () => {
    expect(statsSummary([])).toEqual({
      min: 0,
      max: 0,
      avg: 0,
      p50: 'NaN',
      p90: 'NaN',
      p95: 'NaN',
      p99: 'NaN',
      p999: 'NaN',
    });
  });

  it('7.1: of one value: that value', () => {
    expect(statsSummary([7])).toEqual({ min: 7, max: 7, avg: 7, p50: 7, p90: 7, p95: 7, p99: 7, p999: 7 });
  });

  it('7.1: percentiles lie between neighbours as in commons-math (LEGACY), the mean is rounded down', () => {
    // Positions 5.5, 9.9 and beyond the last of ten.
    const summary = statsSummary([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(summary).toMatchObject({ min: 1, max: 10, avg: 5, p50: 5.5, p95: 10, p99: 10, p999: 10 });
    expect(summary.p90).toBeCloseTo(9.9, 12);
  });

  it('7.1: a percentile below the first position is the smallest value', () => {
    expect(percentile([3, 9, 27], 10)).toBe(3);
    expect(percentile([3, 9, 27], 50)).toBe(9);
    expect(percentile([3, 9], 50)).toBe(6);
  });

  it('microseconds are told in milliseconds', () => {
    expect(statsSummary([1_500, 2_500], 1_000)).toMatchObject({ min: 1.5, max: 2.5, avg: 2, p50: 2 });
  });
});

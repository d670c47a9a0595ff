/**
 * Smallest, greatest, mean and percentiles of figures (row 7.1; Flink: StatsSummary over a DescriptiveStatisticsHistogram).
 *
 * Percentiles are estimated as Flink does it, by commons-math's Percentile in its LEGACY estimation: of n sorted values, the p-th is at
 * position p * (n + 1) / 100, counted from 1, linearly between its neighbours, and the smallest or greatest value beyond the ends. Flink
 * forgets all but the last 10,000 values; a life has fewer checkpoints.
 *
 * I1: values are integers; the mean is rounded down, as Flink's division of longs is.
 */
export interface StatsSummary {
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  /** `NaN` of nothing, as Flink writes it. */
  readonly p50: number | 'NaN';
  readonly p90: number | 'NaN';
  readonly p95: number | 'NaN';
  readonly p99: number | 'NaN';
  readonly p999: number | 'NaN';
}

/** What Flink answers for figures that it does not gather any more. */
export const ZERO_SUMMARY: StatsSummary = { min: 0, max: 0, avg: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0 };

/** `unit`: what one of the unit told is in the unit of the values; 1,000 for milliseconds of microseconds. */
export function statsSummary(values: readonly number[], unit = 1): StatsSummary {
  const sorted = [...values].sort((a, b) => a - b);
  const sum = values.reduce((total, value) => total + value, 0);
  const at = (percent: number): number | 'NaN' => (sorted.length === 0 ? 'NaN' : percentile(sorted, percent) / unit);
  return {
    min: (sorted[0] ?? 0) / unit,
    max: (sorted.at(-1) ?? 0) / unit,
    avg: sorted.length === 0 ? 0 : Math.floor(sum / sorted.length) / unit,
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
  };
}

/** Of values that are sorted and at least one. */
export function percentile(sorted: readonly number[], percent: number): number {
  const count = sorted.length;
  const position = (percent * (count + 1)) / 100;
  const below = Math.floor(position);
  const lower = sorted[Math.min(Math.max(below, 1), count) - 1] ?? 0;
  if (position < 1 || position >= count) return lower;
  const upper = sorted[below] ?? lower;
  return lower + (position - below) * (upper - lower);
}

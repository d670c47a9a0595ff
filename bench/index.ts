/** What other rooms may use of bench: the real clock, and the suites by name. Libraries of a suite load when it runs. */
export type { BenchContext, BenchPlot, BenchResult, BenchSuite, BenchTable, LineSeries } from './bench-suite.ts';
export { BENCH_SUITES } from './bench-suites.ts';
export { median, medianAbsoluteDeviation } from './statistics.ts';
export { type Machine, thisMachine, today, wallClockMs } from './wall-clock.ts';

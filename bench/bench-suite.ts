/**
 * What a suite is and what it answers: tables of figures, each either virtual or wall clock, never both.
 *
 * I1: a table of kind `virtual` is exact: it depends on the version and the options only. One of kind `wall-clock` is noisy and
 *     means nothing without the machine.
 */
import type { LivePlan } from './bench-life.ts';
import type { Scenario } from '../scenarios/scenario.ts';

export interface BenchContext {
  readonly live: LivePlan;
  /** The measure of all figures: its cluster, engine and costs are what suites start from. */
  readonly standard: Scenario;
  /** Paired seeds: the same ones in every cell. */
  readonly pairs: number;
  /** A look instead of a measurement. */
  readonly quick: boolean;
  readonly onProgress: (done: number, total: number, note: string) => void;
}

export type BenchValue = string | number;

export interface BenchTable {
  /** File name without ending. */
  readonly name: string;
  readonly title: string;
  readonly kind: 'virtual' | 'wall-clock';
  /** Units stand last in a name. */
  readonly columns: readonly { readonly name: string; readonly sentence: string }[];
  readonly rows: readonly (readonly BenchValue[])[];
  /** Only a step towards another table: a file, but not in the summary. */
  readonly isDetail?: boolean;
}

/** Lines of a plot; x and y in the units of its axes. */
export interface LineSeries {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface BenchPlot {
  /** File name without ending. */
  readonly name: string;
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  readonly series: readonly LineSeries[];
}

export interface BenchResult {
  readonly suite: string;
  readonly tables: readonly BenchTable[];
  readonly plots: readonly BenchPlot[];
  /** What one must know to read the figures. */
  readonly notes: readonly string[];
}

export interface BenchSuite {
  readonly name: string;
  readonly sentence: string;
  readonly run: (context: BenchContext) => Promise<BenchResult>;
}

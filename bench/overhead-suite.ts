/**
 * Suite `overhead`: what checkpointing costs, in virtual time.
 *
 * Every cell is a setting (mode, interval, number of keys) in which the same seeds are lived: once with all input readable at
 * once, for throughput, and once at a fixed rate well below that, for latency. Overhead compares lives of one seed.
 *
 * `none` has no checkpoints; `at-least-once` lets records overtake barriers; `exactly-once-state` aligns barriers; these three write
 * to a sink without transactions. `exactly-once` has aligned barriers and a transactional sink: output is visible when its
 * checkpoint is complete, so latency follows the interval.
 */
import { compile } from '../scenarios/compile.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { CheckpointRecord, RunRecord } from '../sim/run-record.ts';
import type { BenchContext, BenchPlot, BenchResult, BenchTable, BenchValue } from './bench-suite.ts';
import { median, medianAbsoluteDeviation } from './statistics.ts';

const MODES = ['exactly-once', 'exactly-once-state', 'at-least-once'] as const;
type Mode = (typeof MODES)[number] | 'none';

interface Setting {
  readonly mode: Mode;
  /** 0 only for `none`. */
  readonly intervalMs: number;
  readonly keys: number;
}

interface Load {
  readonly records: number;
  /** 0: all at once. */
  readonly ratePerSecond: number;
}

interface Sizes {
  readonly intervalsMs: readonly number[];
  readonly keys: readonly number[];
  readonly saturated: Load;
  readonly steady: Load;
}

const FULL: Sizes = {
  intervalsMs: [100, 250, 500, 1_000, 2_000],
  keys: [1_000, 50_000],
  saturated: { records: 400_000, ratePerSecond: 0 },
  steady: { records: 40_000, ratePerSecond: 4_000 },
};
const QUICK: Sizes = {
  intervalsMs: [100, 500],
  keys: [1_000],
  saturated: { records: 40_000, ratePerSecond: 0 },
  steady: { records: 4_000, ratePerSecond: 4_000 },
};

const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;
const PARTITIONS = 4;
/** Large records, so that a saturated life lasts for several intervals of virtual time and not of wall time. */
const RECORD_BYTES = 1_000;
/** Nothing goes wrong, so the storm may be over at once. */
const STORM_US = 1_000;
/** Far below what the job manages: the life lasts as long as this rate needs for all records, and some intervals more. */
const SLOWEST_RECORDS_PER_SECOND = 40_000;
/** By then the job runs: input becomes readable, and measuring starts. */
const DEPLOYMENT_US = 5 * US_PER_SECOND;
const INTERVALS_AFTER = 3;
const EVENTS_MAX = 100_000_000;

/** Figures of one seed in one setting. */
interface Measured extends Setting {
  readonly seed: string;
  readonly throughput: number;
  readonly overheadPercent: number;
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  readonly checkpoints: number;
  readonly durationUs: number;
  readonly alignmentUs: number;
  readonly syncUs: number;
  readonly asyncUs: number;
  readonly stateBytes: number;
}

export function overheadSuite(context: BenchContext): BenchResult {
  const sizes = context.quick ? QUICK : FULL;
  const seeds = Array.from({ length: context.pairs }, (_, index) => String(index + 1));
  const measured: Measured[] = [];
  const total = sizes.keys.length * seeds.length * (1 + MODES.length * sizes.intervalsMs.length);
  for (const keys of sizes.keys) {
    for (const seed of seeds) {
      const setting: Setting = { mode: 'none', intervalMs: 0, keys };
      const baseline = measure(context, { setting, seed, sizes, baseline: undefined });
      const settings = MODES.flatMap((mode) =>
        sizes.intervalsMs.map((intervalMs): Setting => ({ mode, intervalMs, keys })),
      );
      measured.push(baseline);
      for (const one of settings) {
        measured.push(measure(context, { setting: one, seed, sizes, baseline: baseline.throughput }));
        context.onProgress(measured.length, total, `${one.mode}, ${one.intervalMs} ms, ${keys} keys`);
      }
    }
  }
  return {
    suite: 'overhead',
    tables: [summaryTable(measured), cellTable(measured)],
    plots: sizes.keys.flatMap((keys) => [overheadPlot(measured, keys), latencyPlot(measured, keys)]),
    notes: [
      `Throughput: ${sizes.saturated.records} records, all readable at once, until the last is visible at the sink. In 'exactly-once' that includes the wait for the last commit, up to one interval; the other modes show what barriers and snapshots cost.`,
      `Latency: ${sizes.steady.records} records at ${sizes.steady.ratePerSecond} a second, from readable at the log to visible at the sink; columns with _mad_ are the MAD over seeds.`,
      `Overhead compares with the same seed without checkpoints. Cluster: the \`standard\` scenario's, without faults.`,
    ],
  };
}

interface MeasureOptions {
  readonly setting: Setting;
  readonly seed: string;
  readonly sizes: Sizes;
  /** Throughput without checkpoints; undefined when this is it. */
  readonly baseline: number | undefined;
}

function measure(context: BenchContext, { setting, seed, sizes, baseline }: MeasureOptions): Measured {
  const saturated = liveAll(context, { setting, seed, load: sizes.saturated });
  const steady = liveAll(context, { setting, seed, load: sizes.steady });
  const throughput = (sizes.saturated.records * US_PER_SECOND) / Math.max(1, saturated.latency.maxUs);
  const completed = steady.checkpointRecords.filter((record) => record.outcome === 'completed');
  const middle = (figure: (record: CheckpointRecord) => number): number => median(completed.map(figure));
  return {
    ...setting,
    seed,
    throughput,
    overheadPercent: baseline === undefined ? 0 : (1 - throughput / baseline) * 100,
    latencyP50Us: steady.latency.p50Us,
    latencyP99Us: steady.latency.p99Us,
    checkpoints: completed.length,
    durationUs: middle((record) => record.endToEndUs),
    alignmentUs: middle((record) => record.alignmentUsMax),
    syncUs: middle((record) => record.syncUsMax),
    asyncUs: middle((record) => record.asyncUsMax),
    stateBytes: middle((record) => record.stateBytes),
  };
}

interface CellLife {
  readonly setting: Setting;
  readonly seed: string;
  readonly load: Load;
}

/** A life that did not bring out all its input measures nothing. */
function liveAll(context: BenchContext, cell: CellLife): RunRecord {
  const record = context.live(overheadPlan(context.standard, cell), { judges: false });
  if (record.latency.count < cell.load.records) {
    const { mode, intervalMs, keys } = cell.setting;
    throw new Error(
      `overhead: ${mode}, ${intervalMs} ms, ${keys} keys, seed ${cell.seed}: only ${record.latency.count} of ${cell.load.records} records came out`,
    );
  }
  return record;
}

export function overheadPlan(standard: Scenario, { setting, seed, load }: CellLife): SimulationPlan {
  const base = compile({ ...standard, faults: [] }, seed);
  const { checkpoint } = base.engine;
  const guarantee = setting.mode === 'exactly-once' ? 'exactly-once' : 'at-least-once';
  const mode = setting.mode === 'at-least-once' || setting.mode === 'none' ? 'at-least-once' : 'exactly-once';
  const seconds = load.records / (load.ratePerSecond === 0 ? SLOWEST_RECORDS_PER_SECOND : load.ratePerSecond);
  const withinUs =
    Math.ceil(seconds * US_PER_SECOND) + 2 * DEPLOYMENT_US + INTERVALS_AFTER * setting.intervalMs * US_PER_MS;
  return {
    ...base,
    scenario: `overhead-${setting.mode}-${setting.intervalMs}ms-${setting.keys}keys`,
    job: {
      ...base.job,
      use: 'keyed-count',
      parameters: { ...base.job.parameters, key: 'key', guarantee, recordBytes: RECORD_BYTES },
    },
    topics: [
      {
        name: 'input',
        dataset: `generated:${setting.keys}x10`,
        partitions: PARTITIONS,
        startUs: DEPLOYMENT_US,
        bounded: false,
        ...load,
      },
    ],
    engine: {
      ...base.engine,
      checkpoint: { ...checkpoint, intervalUs: setting.intervalMs * US_PER_MS, minPauseUs: 0, mode },
    },
    liveness: { stormUs: STORM_US, withinUs },
    limits: { ...base.limits, maxEvents: EVENTS_MAX, maxVirtualUs: 2 * withinUs },
    expect: guarantee,
  };
}

const FIGURES: readonly {
  readonly name: string;
  readonly sentence: string;
  readonly value: (row: Measured) => number;
  readonly digits: number;
}[] = [
  {
    name: 'throughput_records_per_s',
    sentence: 'Records visible a second, all input readable at once.',
    value: (row) => row.throughput,
    digits: 0,
  },
  {
    name: 'overhead_percent',
    sentence: 'Throughput lost against the same seed without checkpoints.',
    value: (row) => row.overheadPercent,
    digits: 2,
  },
  {
    name: 'latency_p50_ms',
    sentence: 'Readable at the log to visible at the sink, median.',
    value: (row) => row.latencyP50Us / US_PER_MS,
    digits: 1,
  },
  {
    name: 'latency_p99_ms',
    sentence: 'The same, 99th percentile.',
    value: (row) => row.latencyP99Us / US_PER_MS,
    digits: 1,
  },
  {
    name: 'checkpoints_completed',
    sentence: 'Checkpoints completed in the steady life.',
    value: (row) => row.checkpoints,
    digits: 0,
  },
  {
    name: 'checkpoint_duration_ms',
    sentence: 'Trigger to last acknowledgement, median over checkpoints.',
    value: (row) => row.durationUs / US_PER_MS,
    digits: 2,
  },
  {
    name: 'alignment_ms',
    sentence: 'First to last barrier, slowest task, median.',
    value: (row) => row.alignmentUs / US_PER_MS,
    digits: 2,
  },
  {
    name: 'sync_ms',
    sentence: 'Synchronous part, slowest task, median.',
    value: (row) => row.syncUs / US_PER_MS,
    digits: 2,
  },
  {
    name: 'async_ms',
    sentence: 'Asynchronous part, slowest task, median.',
    value: (row) => row.asyncUs / US_PER_MS,
    digits: 2,
  },
  {
    name: 'state_bytes',
    sentence: 'Bytes persisted by a checkpoint, median.',
    value: (row) => row.stateBytes,
    digits: 0,
  },
];

const SETTING_COLUMNS = [
  { name: 'mode', sentence: 'Guarantee; `none` has no checkpoints.' },
  { name: 'interval_ms', sentence: 'From trigger to trigger.' },
  { name: 'state_keys', sentence: 'Different keys of the input.' },
] as const;

function cellTable(measured: readonly Measured[]): BenchTable {
  return {
    name: 'overhead-lives',
    title: 'Every seed of every cell',
    kind: 'virtual',
    isDetail: true,
    columns: [
      ...SETTING_COLUMNS,
      { name: 'seed', sentence: 'Seed of both lives.' },
      ...FIGURES.map(({ name, sentence }) => ({ name, sentence })),
    ],
    rows: measured.map((row) => [
      row.mode,
      row.intervalMs,
      row.keys,
      row.seed,
      ...FIGURES.map(({ value, digits }) => rounded(value(row), digits)),
    ]),
  };
}

function summaryTable(measured: readonly Measured[]): BenchTable {
  const cells = new Map<string, Measured[]>();
  for (const row of measured) {
    const key = `${row.keys} ${row.mode} ${row.intervalMs}`;
    cells.set(key, [...(cells.get(key) ?? []), row]);
  }
  const columns = FIGURES.flatMap(({ name, sentence }) => [
    { name, sentence: `${sentence} Median over seeds.` },
    { name: name.replace(/_(records_per_s|percent|ms|completed|bytes)$/, '_mad_$1'), sentence: 'Its MAD over seeds.' },
  ]);
  const rows = [...cells.values()].map((lives): BenchValue[] => {
    const [first] = lives;
    const figures = FIGURES.flatMap(({ value, digits }) => {
      const values = lives.map(value);
      return [rounded(median(values), digits), rounded(medianAbsoluteDeviation(values), digits)];
    });
    return [first?.mode ?? '', first?.intervalMs ?? 0, first?.keys ?? 0, ...figures];
  });
  return {
    name: 'overhead',
    title: 'Overhead of checkpoints',
    kind: 'virtual',
    columns: [...SETTING_COLUMNS, ...columns],
    rows,
  };
}

/** Without transactions, so that waiting for a commit is not taken for lost throughput. */
function overheadPlot(measured: readonly Measured[], keys: number): BenchPlot {
  return {
    name: `overhead-${keys}-keys`,
    title: `Throughput lost to checkpoints, ${keys} keys`,
    xAxis: 'checkpoint interval, s',
    yAxis: 'overhead, %',
    series: seriesOf(
      measured.filter((row) => row.keys === keys && row.mode !== 'exactly-once'),
      (row) => row.overheadPercent,
    ),
  };
}

function latencyPlot(measured: readonly Measured[], keys: number): BenchPlot {
  return {
    name: `latency-${keys}-keys`,
    title: `Latency until visible, 99th percentile, ${keys} keys`,
    xAxis: 'checkpoint interval, s',
    yAxis: 'latency, ms',
    series: seriesOf(
      measured.filter((row) => row.keys === keys),
      (row) => row.latencyP99Us / US_PER_MS,
    ),
  };
}

/** A line per mode with checkpoints: the median over seeds at each interval. */
function seriesOf(measured: readonly Measured[], figure: (row: Measured) => number): BenchPlot['series'] {
  return MODES.map((mode) => {
    const rows = measured.filter((row) => row.mode === mode);
    const intervals = [...new Set(rows.map((row) => row.intervalMs))].toSorted((left, right) => left - right);
    return {
      name: mode,
      points: intervals.map((intervalMs) => ({
        x: intervalMs / 1_000,
        y: median(rows.filter((row) => row.intervalMs === intervalMs).map(figure)),
      })),
    };
  }).filter(({ points }) => points.length > 0);
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/**
 * Suite `kernel`: how fast the simulator is here, by wall clock.
 *
 * One call of a task is at least some milliseconds of work, so that the timer costs nothing; what is reported is the median of
 * the calls and their MAD, per unit of work. No figure of virtual time is in these tables.
 */
import { Bench } from 'tinybench';
import { HashMapStateBackend } from '../engine/state/hashmap-state-backend.ts';
import type { KeyedStateSnapshot } from '../engine/state/keyed-state-backend.ts';
import { valueState } from '../engine/state/state-descriptor.ts';
import { Types } from '../engine/state/type-information.ts';
import { compile } from '../scenarios/compile.ts';
import type { BenchContext, BenchResult, BenchValue } from './bench-suite.ts';
import { pholdWithDigest, pholdWithoutDigest } from './phold.ts';
import { thisMachine, wallClockMs } from './wall-clock.ts';

interface Measurement {
  readonly name: string;
  /** What one unit of work is. */
  readonly unit: string;
  /** Units in one call. */
  readonly units: number;
  readonly work: () => void;
  /** Calls that are measured. */
  readonly calls: number;
  /** Calls before the first that counts. */
  readonly warmup?: number;
  readonly before?: () => void;
  readonly after?: () => void;
}

interface Sizes {
  readonly pholdEvents: number;
  readonly keys: number;
  readonly puts: number;
  readonly calls: number;
  readonly lives: number;
}

const FULL: Sizes = { pholdEvents: 200_000, keys: 1_000_000, puts: 100_000, calls: 15, lives: 300 };
const QUICK: Sizes = { pholdEvents: 20_000, keys: 20_000, puts: 5_000, calls: 3, lives: 3 };

const MAX_PARALLELISM = 128;
const NS_PER_MS = 1_000_000;
const MS_PER_S = 1_000;

export async function kernelSuite(context: BenchContext): Promise<BenchResult> {
  const sizes = context.quick ? QUICK : FULL;
  const measurements = [...pholdTasks(sizes), ...lifeTasks(context, sizes), ...snapshotTasks(sizes)];
  const rows: BenchValue[][] = [];
  for (const [index, measurement] of measurements.entries()) {
    context.onProgress(index, measurements.length, measurement.name);
    rows.push(await measured(measurement));
  }
  const machine = thisMachine();
  return {
    suite: 'kernel',
    tables: [
      {
        name: 'kernel',
        title: 'Speed of the simulator, wall clock',
        kind: 'wall-clock',
        columns: [
          { name: 'task', sentence: 'What was measured.' },
          { name: 'unit', sentence: 'The unit of work.' },
          { name: 'median_ns_per_unit', sentence: 'Median over calls, nanoseconds of wall clock.' },
          { name: 'mad_ns_per_unit', sentence: 'Median absolute deviation over calls.' },
          { name: 'units_per_s', sentence: 'From the median.' },
          { name: 'calls', sentence: 'Calls measured.' },
          { name: 'units_per_call', sentence: 'Units of work in one call.' },
        ],
        rows,
      },
    ],
    plots: [],
    notes: [
      `Machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}. Ratios count, absolute times are noise.`,
      `Lives are measured after up to ${WARM_LIVES} lives of warm-up, as in a long sweep.`,
      'PHOLD: 8,192 processes, 25 % remote, exponential increments from the integer table.',
    ],
  };
}

async function measured({
  name,
  unit,
  units,
  work,
  calls,
  warmup = 2,
  before,
  after,
}: Measurement): Promise<BenchValue[]> {
  const bench = new Bench({ time: 0, iterations: calls, warmupTime: 0, warmupIterations: warmup, now: wallClockMs });
  bench.add(name, work, {
    ...(before === undefined ? {} : { beforeEach: before }),
    ...(after === undefined ? {} : { afterEach: after }),
  });
  const [task] = await bench.run();
  const result = task?.result;
  if (result?.state !== 'completed')
    throw new Error(`kernel: ${name} did not complete (${result?.state ?? 'no result'})`);
  const { p50, mad, samplesCount } = result.latency;
  const perUnit = (ms: number): number => Math.round((ms * NS_PER_MS * 10) / units) / 10;
  return [name, unit, perUnit(p50), perUnit(mad), Math.round((units * MS_PER_S) / p50), samplesCount, units];
}

function pholdTasks({ pholdEvents, calls }: Sizes): Measurement[] {
  const withDigest = pholdWithDigest();
  const without = pholdWithoutDigest();
  return [
    { name: 'PHOLD with digest', unit: 'event', units: pholdEvents, calls, work: () => withDigest(pholdEvents) },
    { name: 'PHOLD on the bare queue', unit: 'event', units: pholdEvents, calls, work: () => without(pholdEvents) },
  ];
}

/** So many lives it takes until the compiler is done with most of what a life does: a sweep's steady state is measured. */
const WARM_LIVES = 300;

function lifeTasks({ live, standard }: BenchContext, { lives }: Sizes): Measurement[] {
  const task = (name: string, judges: boolean): Measurement => {
    let seed = 0;
    return {
      name,
      unit: 'life',
      units: 1,
      calls: lives,
      warmup: Math.min(lives, WARM_LIVES),
      work: () => {
        seed += 1;
        live(compile(standard, String(seed)), { judges });
      },
    };
  };
  return [task('life of standard, all judges', true), task('life of standard, no judges', false)];
}

/** The synchronous part must not depend on the size of the state; writes during the asynchronous part pay for it. */
function snapshotTasks({ keys, puts, calls }: Sizes): Measurement[] {
  let backend: HashMapStateBackend | undefined;
  let snapshot: KeyedStateSnapshot | undefined;
  const filled = (): HashMapStateBackend => {
    if (backend !== undefined) return backend;
    const made = new HashMapStateBackend({
      keySerializer: Types.key,
      keyGroups: { start: 0, end: MAX_PARALLELISM - 1 },
      maxParallelism: MAX_PARALLELISM,
    });
    const state = made.getState(valueState('count', Types.int));
    for (let key = 0; key < keys; key += 1) {
      made.setCurrentKey(`key-${key}`);
      state.update(key);
    }
    backend = made;
    return made;
  };
  const release = (): void => {
    snapshot?.release();
    snapshot = undefined;
  };
  const put = (): void => {
    const target = filled();
    const state = target.getState(valueState('count', Types.int));
    for (let index = 0; index < puts; index += 1) {
      target.setCurrentKey(`key-${(index * 7_919) % keys}`);
      state.update(index);
    }
  };
  const take = (): void => {
    snapshot = filled().snapshot();
  };
  const label = `snapshot of ${keys} keys`;
  return [
    {
      name: `${label}: synchronous part`,
      unit: 'snapshot',
      units: 1,
      calls,
      before: () => void filled(),
      work: take,
      after: release,
    },
    {
      name: `${label}: write`,
      unit: 'key',
      units: keys,
      calls: Math.min(calls, 5),
      before: take,
      work: () => void snapshot?.write(),
      after: release,
    },
    { name: 'puts without a snapshot', unit: 'put', units: puts, calls, before: () => void filled(), work: put },
    {
      name: 'puts during the asynchronous part',
      unit: 'put',
      units: puts,
      calls,
      before: take,
      work: put,
      after: release,
    },
  ];
}

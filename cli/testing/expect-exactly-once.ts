/** `await expectExactlyOnce(job, { input, seeds })`: the common case in one line. */
import { didYouMean } from '../../scenarios/did-you-mean.ts';
import { datasetNeeds } from '../../scenarios/live.ts';
import type { JobDefinition, Parameters } from '../../scenarios/jobs/job-definition.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { DatasetStore } from '../datasets.ts';
import { failureMessage } from './failure-message.ts';
import { ALL_RIGHT } from './question.ts';
import { compileOnRows, type InputRow, ROWS, rowsDataset } from './rows.ts';
import { stormScenario } from './storm.ts';
import { liveTest, readPlan, type TestWorld } from './test-life.ts';

export interface ExactlyOnceOptions {
  /** The rows the job reads, in their order. Left out only with `scenario` or `replay`, whose inputs are data sets. */
  readonly input?: readonly InputRow[];
  /** Field of the rows that is their event time, in milliseconds. Default: one row per millisecond. */
  readonly time?: string;
  /** How many seeds, or which. Default 100. */
  readonly seeds?: number | readonly string[];
  /** What the job lets you set. */
  readonly parameters?: Parameters;
  /** Subtasks of each operator. Default 2. */
  readonly parallelism?: number;
  /** The input ends, and the job with it. Default false. */
  readonly bounded?: boolean;
  /** In place of the storm: a scenario of your own (`parseScenario`). */
  readonly scenario?: Scenario;
  /** Path of a capsule: live this one only. */
  readonly replay?: string;
  /** Where capsules of failures go. Default `out`. */
  readonly out?: string;
}

export interface ExactlyOnceResult {
  readonly lives: number;
  /** Faults that changed something, over all lives: 0 proves nothing. */
  readonly effectiveFaults: number;
  readonly checkpointsCompleted: number;
}

const DEFAULT_SEEDS = 100;
const OPTION_NAMES = [
  'input',
  'time',
  'seeds',
  'parameters',
  'parallelism',
  'bounded',
  'scenario',
  'replay',
  'out',
] as const satisfies readonly (keyof ExactlyOnceOptions)[];

/** Resolves with figures when all lives are exactly-once and make progress; else throws an error that says what failed, and why. */
export async function expectExactlyOnce(job: JobDefinition, options: ExactlyOnceOptions): Promise<ExactlyOnceResult> {
  checkCall(job, options);
  const plans = plansOf(job, options);
  const world = await worldOf(job, options, plans);
  let [effectiveFaults, checkpointsCompleted] = [0, 0];
  for (const plan of plans) {
    const life = liveTest(plan, world);
    if (life.signature !== '')
      throw new Error(failureMessage(life, { folder: options.out ?? 'out', question: ALL_RIGHT, again }));
    effectiveFaults += Object.values(life.record.faults).reduce((sum, { effective }) => sum + effective, 0);
    checkpointsCompleted += life.record.checkpoints.completed;
  }
  if (effectiveFaults === 0 && options.replay === undefined)
    throw new Error(`${job.name}: no fault changed anything in ${plans.length} lives; more seeds or rows are needed.`);
  return { lives: plans.length, effectiveFaults, checkpointsCompleted };
}

const again = (capsule: string): string => `expectExactlyOnce(job, { input, replay: '${capsule}' })`;

/** Callers in plain JavaScript have no compiler: what is misspelt would be left out without a word. */
function checkCall(job: unknown, options: unknown): void {
  if (!(isRecord(job) && typeof job['name'] === 'string' && typeof job['build'] === 'function'))
    throw new TypeError('expectExactlyOnce: expected a job definition first, an object with name and build().');
  if (!isRecord(options)) throw new TypeError('expectExactlyOnce: expected options second, at least { input }.');
  for (const key of Object.keys(options)) {
    if (OPTION_NAMES.some((name) => name === key)) continue;
    const hint = didYouMean(key, OPTION_NAMES);
    throw new TypeError(
      `expectExactlyOnce: there is no option '${key}'; expected ${OPTION_NAMES.join(', ')}${hint === undefined ? '' : `. Did you mean '${hint}'?`}`,
    );
  }
  const { seeds } = options;
  const isCount = typeof seeds === 'number' && Number.isSafeInteger(seeds) && seeds >= 1;
  const isList = Array.isArray(seeds) && seeds.length > 0 && seeds.every((seed) => typeof seed === 'string');
  if (seeds !== undefined && !isCount && !isList)
    throw new TypeError('expectExactlyOnce: expected seeds as a whole number from 1, or a list of texts.');
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function plansOf(job: JobDefinition, options: ExactlyOnceOptions): SimulationPlan[] {
  const { input, seeds = DEFAULT_SEEDS, replay, parameters, parallelism, bounded } = options;
  if (replay !== undefined) return [planToReplay(job, replay, input)];
  if (options.scenario === undefined && (input ?? []).length === 0)
    throw new TypeError('expectExactlyOnce: expected input, at least one row, or a scenario that names a data set.');
  const scenario =
    options.scenario ?? stormScenario({ job, parameters, records: (input ?? []).length, parallelism, bounded });
  const names = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, index) => String(index + 1)) : seeds;
  return names.map((seed) => compileOnRows(scenario, seed));
}

function planToReplay(job: JobDefinition, file: string, input: ExactlyOnceOptions['input']): SimulationPlan {
  const plan = readPlan(file);
  if (plan.job.use !== job.name)
    throw new TypeError(`${file}: it is a life of the job '${plan.job.use}'; expected one of '${job.name}'.`);
  const needed = datasetNeeds(plan).get(ROWS) ?? 0;
  if ((input ?? []).length < needed)
    throw new TypeError(
      `${file}: expected input as it was then, ${needed} rows at least; found ${(input ?? []).length}.`,
    );
  return plan;
}

async function worldOf(
  job: JobDefinition,
  { input, time }: ExactlyOnceOptions,
  plans: readonly SimulationPlan[],
): Promise<TestWorld> {
  const rows = input === undefined ? undefined : rowsDataset(input, time);
  const store = new DatasetStore();
  for (const plan of plans) {
    const needs = [...datasetNeeds(plan)].filter(([name]) => rows === undefined || name !== ROWS);
    await store.prepare(new Map(needs));
  }
  return { jobs: [job], loadDataset: (name) => (rows !== undefined && name === ROWS ? rows : store.load(name)) };
}

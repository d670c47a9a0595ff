/** `await expectExactlyOnce(job, { input, seeds })`: the common case in one line. */
import { datasetNeeds } from '../../scenarios/live.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { DatasetStore } from '../datasets.ts';
import { checkCall, checkParameters, type ExactlyOnceOptions } from './exactly-once-options.ts';
import { failureMessage, replayMessage } from './failure-message.ts';
import { ALL_RIGHT } from './question.ts';
import { compileOnRows, ROWS, rowsDataset } from './rows.ts';
import { stormScenario } from './storm.ts';
import { liveTest, readReplayable, type TestLife, type TestWorld } from './test-life.ts';
import { testedWith } from './tested-with.ts';

export interface ExactlyOnceResult {
  readonly lives: number;
  /** Faults that changed something, over all lives: 0 proves nothing. */
  readonly effectiveFaults: number;
  readonly checkpointsCompleted: number;
}

const DEFAULT_SEEDS = 100;
/** Resolves with figures when all lives are exactly-once and make progress; else throws an error that says what failed, and why. */
export async function expectExactlyOnce(job: JobDefinition, options: ExactlyOnceOptions): Promise<ExactlyOnceResult> {
  checkCall(job, options);
  if (options.replay !== undefined) return await replayed(job, options, options.replay);
  checkParameters(job, options.parameters);
  const plans = plansOf(job, options);
  const world = await worldOf(job, options, plans);
  let [effectiveFaults, checkpointsCompleted] = [0, 0];
  for (const plan of plans) {
    const life = liveTest(plan, world);
    if (life.signature !== '')
      throw new Error(failureMessage(life, { folder: options.out ?? 'out', question: ALL_RIGHT, again }));
    const figures = figuresOf(life);
    effectiveFaults += figures.effectiveFaults;
    checkpointsCompleted += figures.checkpointsCompleted;
  }
  if (effectiveFaults === 0)
    throw new Error(`${job.name}: no fault changed anything in ${plans.length} lives; more seeds or rows are needed.`);
  return { lives: plans.length, effectiveFaults, checkpointsCompleted };
}

const figuresOf = ({ record }: TestLife): Omit<ExactlyOnceResult, 'lives'> => ({
  effectiveFaults: Object.values(record.faults).reduce((sum, { effective }) => sum + effective, 0),
  checkpointsCompleted: record.checkpoints.completed,
});

const again = (capsule: string): string => `expectExactlyOnce(job, { input, replay: '${capsule}' })`;

function plansOf(job: JobDefinition, options: ExactlyOnceOptions): SimulationPlan[] {
  const { input, seeds = DEFAULT_SEEDS, parameters, parallelism, bounded } = options;
  if (options.scenario === undefined && (input ?? []).length === 0)
    throw new TypeError('expectExactlyOnce: expected input, at least one row, or a scenario that names a data set.');
  const scenario =
    options.scenario ?? stormScenario({ job, parameters, records: (input ?? []).length, parallelism, bounded });
  const names = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, index) => String(index + 1)) : seeds;
  return names.map((seed) => compileOnRows(scenario, seed));
}

/** Lives a capsule as it is. */
async function replayed(job: JobDefinition, options: ExactlyOnceOptions, file: string): Promise<ExactlyOnceResult> {
  const { plan, testedWith: then } = readReplayable(file);
  if (plan.job.use !== job.name)
    throw new TypeError(`${file}: it is a life of the job '${plan.job.use}'; expected one of '${job.name}'.`);
  const needed = datasetNeeds(plan).get(ROWS) ?? 0;
  const { length } = options.input ?? [];
  if (length < needed)
    throw new TypeError(`${file}: expected input as it was then, ${needed} rows at least; found ${length}.`);
  const world = await worldOf(job, options, [plan]);
  const now = testedWith(plan, world);
  if (then !== undefined && then.job !== now.job)
    throw new TypeError(
      `${file}: the job '${job.name}' has other operators than then, so that this is another life; expected those of then (their functions may differ), or no replay.`,
    );
  if (then !== undefined && then.input !== now.input)
    throw new TypeError(
      `${file}: its life read other rows; expected input${options.time === undefined ? '' : ' and time'} as they were then: the first ${needed} rows are not the same.`,
    );
  const life = liveTest(plan, world);
  if (life.signature !== '') throw new Error(replayMessage(life, file));
  return { lives: 1, ...figuresOf(life) };
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

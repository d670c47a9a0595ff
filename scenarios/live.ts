/**
 * Lives a plan: builds its job, finds its inputs and the variant of the engine, and hands all of it to the simulator.
 *
 * Owns: the composition, in this one place. Does not own: loading files (the caller's `loadDataset`), judging (sim).
 * Called by the command line and by the benchmarks.
 * I1: the record is a function of the plan and its data sets. What lives of one job and input share is prepared once and
 *     remembered; it does not depend on the seed.
 */
import { InvalidJob } from '../engine/api/invalid-job.ts';
import type { EngineParts } from '../engine/parts.ts';
import type { Dataset } from '../sim/judges/job-audit.ts';
import type { BrokerRules } from '../sim/services/kafka/broker-rules.ts';
import type { JobVersions } from '../sim/judges/run-history.ts';
import { type PreparedJob, prepareJob } from '../sim/prepared-job.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';
import { type SimulationOptions, simulate } from '../sim/simulate.ts';
import { buildJob } from './build-job.ts';
import { canonicalJson } from './canonical-json.ts';
import { madeDataset } from './datasets/made-dataset.ts';
import { isMade, type MadeSpec, parseDatasetName } from './datasets/dataset-name.ts';
import type { BuiltJob, JobDefinition } from './jobs/job-definition.ts';
import { brokerRulesOf, partsOf } from './mutants/mutant-catalog.ts';
import { planHash } from './plan-hash.ts';

/** Answers a data set that is not generated; it has at least the records any plan asks of it. */
export type DatasetLoader = (name: string) => Dataset;

export interface LiveOptions {
  readonly loadDataset: DatasetLoader;
  /** Keep every event; a failing life is lived again with this. */
  readonly keepHistory?: boolean;
  /** Without judges a life is only measured. */
  readonly judges?: boolean;
  /** Put each subtask's part in each checkpoint into the record. */
  readonly subtasks?: boolean;
  /** Shown the durable state when the life has ended. */
  readonly inspect?: SimulationOptions['inspect'] | undefined;
  /** Where chance takes another course, and who watches it (sim/simulate.ts). */
  readonly branch?: SimulationOptions['branch'] | undefined;
  readonly watchChoices?: SimulationOptions['watchChoices'] | undefined;
  readonly recordChoices?: boolean | undefined;
  /** The jobs a plan may name. Default: those that come with the package. */
  readonly jobs?: readonly JobDefinition[];
  /** The engine to use in place of the variant that the plan names. */
  readonly parts?: EngineParts;
}

/** Seed of generated inputs: every life of a scenario reads the same rows, so that seeds differ in faults only. */
const DATASET_SEED = 'dataset';
/** Prepared jobs that are kept for further lives, each with its input: as many as the seeds of a swarm draw of job and topics. */
const PREPARED_MAX = 32;

interface Remembered {
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly jobs: readonly JobDefinition[] | undefined;
  readonly job: PreparedJob;
}
const remembered = new Map<string, Remembered>();

export function live(plan: SimulationPlan, options: LiveOptions): RunRecord {
  const inputs = {
    job: jobOf(plan, options),
    parts: options.parts ?? partsOf(plan.variant),
    planHash: planHash(plan),
    ...brokersOf(plan),
  };
  return simulate(plan, inputs, {
    keepHistory: options.keepHistory ?? false,
    judges: options.judges ?? true,
    subtasks: options.subtasks ?? false,
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
    ...(options.branch === undefined ? {} : { branch: options.branch }),
    ...(options.watchChoices === undefined ? {} : { watchChoices: options.watchChoices }),
    recordChoices: options.recordChoices === true,
  });
}

function brokersOf({ variant }: SimulationPlan): { readonly brokerRules?: BrokerRules } {
  const brokerRules = brokerRulesOf(variant);
  return brokerRules === undefined ? {} : { brokerRules };
}

/** Records a plan needs of each data set, generated ones included. */
export function datasetNeeds(plan: Pick<SimulationPlan, 'topics'>): ReadonlyMap<string, number> {
  const needs = new Map<string, number>();
  for (const { dataset, records, rows } of plan.topics) {
    const needed = rows === undefined ? records : rows.reduce((most, row) => Math.max(most, row + 1), 0);
    needs.set(dataset, Math.max(needed, needs.get(dataset) ?? 0));
  }
  return needs;
}

function jobOf(plan: SimulationPlan, { loadDataset, jobs }: LiveOptions): PreparedJob {
  const key = canonicalJson({
    job: plan.job,
    topics: plan.topics,
    sink: plan.sink ?? null,
    versions: versionNumbers(plan),
  });
  const known = remembered.get(key);
  if (known !== undefined && known.jobs === jobs && isStillLoaded(known, loadDataset)) return known.job;
  const { graph, audit } = buildJob(plan, jobs);
  const datasets = datasetsOf(plan, loadDataset);
  const versions = versionsOf(plan, { graph, audit }, jobs);
  const job = prepareJob({
    graph,
    audit,
    topics: plan.topics,
    datasets,
    ...(versions === undefined ? {} : { versions }),
  });
  if (remembered.size >= PREPARED_MAX) remembered.clear();
  remembered.set(key, { datasets, jobs, job });
  return job;
}

/** Versions that somebody submits in this life. */
function versionNumbers({ faults }: SimulationPlan): readonly number[] {
  const numbers = new Set<number>();
  for (const fault of faults) {
    if (fault.kind !== 'operation' || !('thenResume' in fault.command)) continue;
    const { version, fallBack } = fault.command.thenResume ?? {};
    for (const number of [version, fallBack]) if (number !== undefined) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Row S24. The one that the life begins with is the same graph under its number. */
function versionsOf(plan: SimulationPlan, first: BuiltJob, jobs: LiveOptions['jobs']): JobVersions | undefined {
  const numbers = versionNumbers(plan);
  if (numbers.length === 0) return undefined;
  const { parameters } = plan.job;
  if (parameters['version'] === undefined)
    throw new InvalidJob(
      `Somebody submits version ${numbers.join(', ')} of '${plan.job.use}', which has no parameter version.`,
    );
  const begins = Number(parameters['version']);
  const versions = new Map([[begins, first]]);
  for (const version of numbers) {
    const job = { ...plan.job, parameters: { ...parameters, version } };
    if (!versions.has(version)) versions.set(version, buildJob({ ...plan, job }, jobs));
  }
  return versions;
}

/** The loader still answers the same rows, or more of them. */
function isStillLoaded({ datasets }: Remembered, loadDataset: DatasetLoader): boolean {
  return [...datasets].every(
    ([name, dataset]) => madeSpec(name) !== undefined || loadDataset(name).values === dataset.values,
  );
}

function datasetsOf(plan: SimulationPlan, loadDataset: DatasetLoader): ReadonlyMap<string, Dataset> {
  const datasets = new Map<string, Dataset>();
  for (const [name, records] of datasetNeeds(plan)) {
    const spec = madeSpec(name);
    const made = { name, seed: DATASET_SEED, records };
    datasets.set(name, spec === undefined ? loadDataset(name) : madeDataset(made, spec));
  }
  return datasets;
}

/** Undefined where the data set is to be loaded. */
function madeSpec(name: string): MadeSpec | undefined {
  const parsed = parseDatasetName(name);
  return parsed.ok && isMade(parsed.spec) ? parsed.spec : undefined;
}

/**
 * Lives a plan: builds its job, finds its inputs and the variant of the engine, and hands all of it to the simulator.
 *
 * Owns: the composition, in this one place. Does not own: loading files (the caller's `loadDataset`), judging (sim).
 * Called by the command line and by the benchmarks.
 * I1: the record is a function of the plan and its data sets; nothing is remembered from one life to the next but
 *     generated inputs, which are functions of their name.
 */
import { type EngineParts, standardParts } from '../engine/parts.ts';
import type { Dataset } from '../sim/judges/job-audit.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';
import { type PreparedJob, prepareJob } from '../sim/prepared-job.ts';
import { simulate } from '../sim/simulate.ts';
import { buildJob } from './build-job.ts';
import { canonicalJson } from './canonical-json.ts';
import { parseDatasetName } from './datasets/dataset-name.ts';
import { generatedDataset } from './datasets/generated-dataset.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import { planHash } from './plan-hash.ts';

/** Answers a data set that is not generated; it has at least the records any plan asks of it. */
export type DatasetLoader = (name: string) => Dataset;

export interface LiveOptions {
  readonly loadDataset: DatasetLoader;
  /** Keep every event; a failing life is lived again with this. */
  readonly keepHistory?: boolean;
  /** Without judges a life is only measured. */
  readonly judges?: boolean;
  /** The jobs a plan may name. Default: those that come with the package. */
  readonly jobs?: readonly JobDefinition[];
  /** The engine to use in place of the variant that the plan names. */
  readonly parts?: EngineParts;
}

/** Seed of generated inputs: every life of a scenario reads the same rows, so that seeds differ in faults only. */
const DATASET_SEED = 'dataset';
/** Generated inputs kept for further lives. */
const GENERATED_MAX = 16;
const generated = new Map<string, Dataset>();

/** Prepared jobs kept for further lives: seeds of a scenario share one. */
const PREPARED_MAX = 8;
const prepared = new Map<string, PreparedJob>();

export function live(plan: SimulationPlan, options: LiveOptions): RunRecord {
  const inputs = { job: preparedJob(plan, options), parts: options.parts ?? standardParts, planHash: planHash(plan) };
  return simulate(plan, inputs, { keepHistory: options.keepHistory ?? false, judges: options.judges ?? true });
}

/** Remembered only for jobs of the catalog, which are functions of the plan. */
function preparedJob(plan: SimulationPlan, options: LiveOptions): PreparedJob {
  const key = options.jobs === undefined ? canonicalJson({ job: plan.job, topics: plan.topics }) : undefined;
  const known = key === undefined ? undefined : prepared.get(key);
  if (known !== undefined) return known;
  const { graph, audit } = buildJob(plan, options.jobs);
  const made = prepareJob({ graph, audit, topics: plan.topics, datasets: datasetsOf(plan, options.loadDataset) });
  if (key === undefined) return made;
  if (prepared.size >= PREPARED_MAX) prepared.clear();
  prepared.set(key, made);
  return made;
}

/** Records a plan needs of each data set that is not generated. */
export function datasetNeeds(plan: Pick<SimulationPlan, 'topics'>): ReadonlyMap<string, number> {
  const needs = new Map<string, number>();
  for (const { dataset, records } of plan.topics) needs.set(dataset, Math.max(records, needs.get(dataset) ?? 0));
  return needs;
}

function datasetsOf(plan: SimulationPlan, loadDataset: DatasetLoader): ReadonlyMap<string, Dataset> {
  const datasets = new Map<string, Dataset>();
  for (const [name, records] of datasetNeeds(plan)) {
    const parsed = parseDatasetName(name);
    const isGenerated = parsed.ok && parsed.spec.kind === 'generated';
    datasets.set(name, isGenerated ? rememberedDataset(name, records) : loadDataset(name));
  }
  return datasets;
}

function rememberedDataset(name: string, records: number): Dataset {
  const key = `${records} of ${name}`;
  const known = generated.get(key);
  if (known !== undefined) return known;
  const parsed = parseDatasetName(name);
  const { keys, skewPercent } =
    parsed.ok && parsed.spec.kind === 'generated' ? parsed.spec : { keys: 1, skewPercent: 0 };
  const made = generatedDataset({ name, seed: DATASET_SEED, records, keys, skewPercent });
  if (generated.size >= GENERATED_MAX) generated.clear();
  generated.set(key, made);
  return made;
}

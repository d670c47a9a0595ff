/**
 * What a plan sets otherwise than a scenario that sets nothing: its options, one by one, each with the value it would have.
 *
 * Owns: finding them and putting defaults back. Does not own: what they mean; it compares plain JSON, so options that come later are found, too.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import { canonicalJson } from '../canonical-json.ts';
import { JOB_CATALOG, jobNamed } from '../job-catalog.ts';
import { type JobDefinition, withDefaults } from '../jobs/job-definition.ts';
import { qualify } from '../qualify.ts';
import { scenarioSchema } from '../schema.ts';

/** The parts of a plan that hold options. */
type Options = Pick<SimulationPlan, 'engine' | 'job' | 'transactionTimeoutUs' | 'storage' | 'sink'> & {
  readonly cluster: Pick<SimulationPlan['cluster'], 'profile'>;
};
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One thing a plan says that is not the default. */
export interface PlanChoice {
  /** For example `engine.checkpoint.unaligned`. */
  readonly path: string;
  readonly value: Json;
  /** Undefined: a plain scenario does not say it at all. */
  readonly standard: Json | undefined;
}

/** Follow from other choices, or say where things lie: not choices of their own. */
const DEPENDENT = new Set([
  'job.use',
  'job.parallelism',
  'engine.runtime.slotsPerTaskManager',
  'engine.checkpoint.directory',
]);
/** An object that says which variant it is belongs together. */
const VARIANT_KEYS = ['strategy', 'mode', 'kind'] as const;

export function choicesOf(plan: SimulationPlan, jobs: readonly JobDefinition[] = JOB_CATALOG): PlanChoice[] {
  const found: PlanChoice[] = [];
  compare(optionsOf(plan), standardOptions(plan, jobs), '', found);
  return found.filter(({ path }) => !DEPENDENT.has(path));
}

/** The plan with only these of its choices, all others as a plain scenario has them. */
export function withOnly(
  plan: SimulationPlan,
  all: readonly PlanChoice[],
  kept: readonly PlanChoice[],
): SimulationPlan {
  let options: Json = optionsOf(plan);
  for (const choice of all) if (!kept.includes(choice)) options = put(options, choice.path.split('.'), choice.standard);
  // The shape is the plan's own with other leaves, taken from a plan.
  const { cluster, ...changed } = options as unknown as Options;
  const { sink: _, ...rest } = plan;
  return { ...rest, ...changed, cluster: { ...plan.cluster, ...cluster } };
}

function optionsOf({ engine, job, transactionTimeoutUs, storage, sink, cluster }: Options): Json {
  const options: Options = { engine, job, transactionTimeoutUs, storage, cluster: { profile: cluster.profile } };
  return (sink === undefined ? options : { ...options, sink }) as unknown as Json;
}

/** What the same job would get from a scenario that sets nothing. */
function standardOptions(plan: SimulationPlan, jobs: readonly JobDefinition[]): Json {
  const input = scenarioSchema.parse({
    name: 'plain',
    job: { use: plan.job.use, parallelism: plan.job.parallelism },
    input: { dataset: 'flights-20k', records: 1 },
    cluster: { slots: plan.cluster.slots },
    duration: '30s',
  });
  const { engine, transactionTimeoutUs, storage, cluster, connectors, job } = qualify(input, jobs);
  const definition = jobNamed(plan.job.use, jobs);
  const parameters = definition === undefined ? {} : withDefaults(definition, {});
  return optionsOf({
    engine,
    transactionTimeoutUs,
    storage,
    cluster,
    job: { ...plan.job, parameters: { ...parameters, guarantee: job.guarantee, ...connectors } },
  });
}

function compare(value: Json | undefined, standard: Json | undefined, path: string, found: PlanChoice[]): void {
  if (value === undefined || canonicalJson(value) === canonicalJson(standard ?? null)) return;
  if (
    isObject(value) &&
    isObject(standard) &&
    VARIANT_KEYS.every((key) => value[key] === standard[key] || path === 'engine.checkpoint')
  ) {
    for (const key of Object.keys(value))
      compare(value[key], standard[key], path === '' ? key : `${path}.${key}`, found);
    return;
  }
  found.push({ path, value, standard });
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function put(value: Json, path: readonly string[], standard: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined || !isObject(value)) return standard ?? null;
  const entries = Object.entries(value).flatMap(([name, old]): [string, Json][] => {
    if (name !== key) return [[name, old]];
    if (rest.length > 0) return [[name, put(old, rest, standard)]];
    return standard === undefined ? [] : [[name, standard]];
  });
  return Object.fromEntries(entries);
}

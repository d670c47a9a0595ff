/**
 * Plan -> job graph and audit: finds the job that the plan names and hands it what the plan says about it.
 *
 * Partitions are numbered through over the topics in the order of the plan: topic 0 has 0 .. n-1, topic 1 goes on from n. Whoever deals
 * the data sets over the log broker's partitions must number them alike: `planTopics` says how.
 */
import { unreachable } from '../engine/foundation/assert.ts';
import { InvalidJob } from '../engine/api/invalid-job.ts';
import type { FileSinkSpec, FileSourceSpec, KafkaSinkSpec } from '../engine/job/job-graph.ts';
import { javaStringHash, murmurHash } from '../engine/foundation/stable-hash.ts';
import type { FileSinkPlan, FilesPlan, KafkaPlan, SimulationPlan } from '../sim/plan.ts';
import { JOB_CATALOG, jobNamed } from './job-catalog.ts';
import { rowVersion } from '../sim/judges/table-output.ts';
import {
  type BuiltJob,
  type JobDefinition,
  type JobInput,
  type JobTopic,
  outputKey,
  type ParameterValue,
  withDefaults,
} from './jobs/job-definition.ts';

const US_PER_MS = 1_000;

/** Builds the job of a plan. Throws `InvalidJob` when the catalog has none of that name. */
export function buildJob(
  plan: Pick<SimulationPlan, 'job' | 'topics' | 'sink'>,
  catalog: readonly JobDefinition[] = JOB_CATALOG,
): BuiltJob {
  const { use, parallelism, parameters } = plan.job;
  const definition = jobNamed(use, catalog);
  if (definition === undefined)
    throw new InvalidJob(`The plan asks for the job '${use}'; there are ${catalog.map((job) => job.name).join(', ')}.`);
  const fetchWaitUs = numberOf(parameters['fetchWaitUs']);
  return definition.build({
    parallelism,
    parameters: withDefaults(definition, parameters),
    topics: planTopics(plan),
    guarantee: parameters['guarantee'] === 'at-least-once' ? 'at-least-once' : 'exactly-once',
    ...optional('recordBytes', numberOf(parameters['recordBytes'])),
    ...optional('fetchRecords', numberOf(parameters['fetchRecords'])),
    ...optional('fetchWaitMs', fetchWaitUs === undefined ? undefined : fetchWaitUs / US_PER_MS),
    ...optional('batchRecords', numberOf(parameters['sinkBatchRecords'])),
    ...sinkPlace(plan.sink),
  });
}

function sinkPlace(sink: SimulationPlan['sink']): Pick<JobInput, 'kafka' | 'file' | 'upsert' | 'rocketmq'> {
  if (sink === undefined) return {};
  switch (sink.kind) {
    case 'kafka':
      return { kafka: kafkaSink(sink) };
    case 'file':
      return { file: fileSink(sink) };
    case 'upsert':
      return {
        upsert: { keyOf: (value) => String(outputKey(value)), versionOf: (value) => rowVersion(value, sink.version) },
      };
    case 'rocketmq':
      return { rocketmq: true };
    default:
      return unreachable(sink);
  }
}

function fileSink({ storage, partBytes, compactCheckpoints, bucketBy, buckets, bucketUs }: FileSinkPlan): FileSinkSpec {
  const spread = (text: string): string => `bucket-${murmurHash(javaStringHash(text)) % buckets}`;
  const bucketOf = {
    key: (value: unknown) => spread(String(outputKey(value))),
    value: (value: unknown) => spread(JSON.stringify(value)),
    time: (_value: unknown, timestampUs: number) => `from-${Math.floor(timestampUs / bucketUs)}`,
  }[bucketBy];
  const compact = compactCheckpoints === undefined ? {} : { compactCheckpoints };
  return { storage, directory: 'output', partBytes, ...compact, bucketOf };
}

const kafkaSink = ({ partitions, naming, transactionTimeoutUs, committer }: KafkaPlan): KafkaSinkSpec => ({
  ...(committer === undefined ? {} : { committer }),
  partitions,
  naming,
  transactionTimeoutUs,
});

/** The topics of a plan with their partition numbers at the log broker. */
export function planTopics(plan: Pick<SimulationPlan, 'topics'>): JobTopic[] {
  let next = 0;
  const topics = plan.topics.map((topic): JobTopic => {
    const first = next;
    const count = Math.max(topic.partitions, topic.grows?.partitions ?? 0);
    next += count;
    const partitions = Array.from({ length: count }, (_, index) => first + index);
    return {
      name: topic.name,
      partitions,
      ...(topic.bounded ? { bounded: true as const } : {}),
      ...(topic.socket === undefined ? {} : { socket: topic.socket }),
      ...(topic.induced === undefined ? {} : { induced: topic.induced }),
      ...(topic.offsetReset === undefined ? {} : { offsetReset: topic.offsetReset }),
      ...(topic.startFrom === undefined ? {} : { startFrom: topic.startFrom }),
      ...(topic.discoveryUs === undefined ? {} : { discoveryUs: topic.discoveryUs }),
      ...(topic.files === undefined ? {} : { files: filesOf(topic.name, topic.files) }),
      ...(topic.entryRecords === undefined ? {} : { hasEntries: true as const }),
    };
  });
  return topics.flatMap((topic, index) => {
    if (plan.topics[index]?.after !== undefined) return [];
    const followedBy = topics[plan.topics.findIndex(({ after }) => after === topic.name)];
    return [followedBy === undefined ? topic : { ...topic, followedBy }];
  });
}

/** As the world lays them out (sim/services/log-content.ts). */
const filesOf = (topic: string, { parts, partBytes, blockBytes }: FilesPlan): FileSourceSpec => ({
  directory: `input/${topic}`,
  parts,
  partBytes,
  blockBytes,
});

function numberOf(value: ParameterValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function optional<Name extends string>(name: Name, value: number | undefined): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]?: number });
}

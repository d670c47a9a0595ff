/**
 * What was written, qualified once into a full `Scenario` (nobody asks for defaults later): topics get names and partitions, data sets their
 * full names, options their place in the engine's configuration.
 *
 * Called by parse.ts after the file passed its schema and the checks between sections.
 */
import { unreachable } from '../engine/foundation/assert.ts';
import type {
  EngineConfiguration,
  RestartConfiguration,
  SchedulerConfiguration,
} from '../engine/protocol/configuration.ts';
import type { TopicPlan } from '../sim/plan.ts';
import {
  DATASET_NAMES,
  type DatasetSpec,
  FILE_FORMATS,
  fileFormatOf,
  formatDatasetName,
  parseDatasetName,
} from './datasets/dataset-name.ts';
import { JOB_CATALOG, jobNamed } from './job-catalog.ts';
import { type JobDefinition, type Parameters, withDefaults } from './jobs/job-definition.ts';
import type { LocateFile } from './located-files.ts';
import { brokersOf, isOperated, type ScenarioInput, type SectionProblem } from './schema.ts';
import { fileMergingOf, storageConfigurationOf, storagePhysicsOf } from './schema/storage-schema.ts';
import type { ClusterSettings, Scenario } from './scenario.ts';

type TopicInput = NonNullable<ScenarioInput['inputs']>[string];

interface NamedTopic {
  readonly name: string;
  readonly path: readonly PropertyKey[];
  readonly input: TopicInput;
}

/** Records that the smallest data set of flights with origin and destination has. */
const FLIGHTS_SMALL_RECORDS = 20_000;
/** The short name of the flights data sets: the smallest one with enough records. */
const FLIGHTS = 'flights';
const US_PER_MS = 1_000;
/** After storm and liveness phase, before a life is given up. */
const VIRTUAL_SLACK_US = 60_000_000;

/** Data sets that do not exist; to be asked before `qualify`. */
export function datasetProblems(input: ScenarioInput): SectionProblem[] {
  return topicsOf(input).flatMap(({ path, input: topic }): SectionProblem[] => {
    if (topic.file !== undefined) {
      if (fileFormatOf(topic.file) !== undefined) return [];
      const expected = `a file that ends in ${FILE_FORMATS.map((format) => `.${format}`).join(', ')}`;
      return [{ path: [...path, 'file'], message: `"${topic.file}" is of no known format`, expected }];
    }
    if (topic.dataset === undefined || topic.dataset === FLIGHTS) return [];
    const parsed = parseDatasetName(topic.dataset);
    if (parsed.ok) return [];
    const known = [FLIGHTS, ...DATASET_NAMES];
    return [
      {
        path: [...path, 'dataset'],
        message: `there is no data set "${topic.dataset}"`,
        expected: parsed.expected,
        known,
        found: topic.dataset,
      },
    ];
  });
}

/** The same with every parameter of its job, and data files where they lie: nothing more is needed to qualify what a swarm draws. */
export function completed(
  input: ScenarioInput,
  catalog: readonly JobDefinition[],
  locateFile: LocateFile,
): ScenarioInput {
  const located = (topic: TopicInput): TopicInput =>
    topic.file === undefined ? topic : { ...topic, file: locateFile(topic.file) };
  const topics = input.input;
  return {
    ...input,
    job: { ...input.job, parameters: parametersOf(input, catalog) },
    ...(topics === undefined ? {} : { input: Array.isArray(topics) ? topics.map(located) : located(topics) }),
    ...(input.inputs === undefined
      ? {}
      : { inputs: Object.fromEntries(Object.entries(input.inputs).map(([name, topic]) => [name, located(topic)])) }),
  };
}

export function qualify(input: ScenarioInput, catalog: readonly JobDefinition[] = JOB_CATALOG): Scenario {
  const { job, runtime } = input;
  const withinUs = input.liveness.within;
  return {
    name: input.name,
    description: input.description,
    ...(input.seed === undefined ? {} : { seed: input.seed }),
    job: {
      use: job.use,
      parallelism: job.parallelism,
      guarantee: job.guarantee,
      parameters: parametersOf(input, catalog),
    },
    topics: topicsOf(input).flatMap((topic) => [
      topicPlan(topic, job.parallelism),
      ...logBehind(topic, job.parallelism),
    ]),
    connectors: {
      recordBytes: runtime.recordSize,
      fetchRecords: runtime.fetchRecords,
      fetchWaitUs: runtime.fetchWait,
      sinkBatchRecords: runtime.sinkBatchRecords,
    },
    cluster: {
      ...clusterOf(input),
      ...(isOperated(input.faults) ? { clients: 1 } : {}),
      ...(brokersOf(input.sink) > 0 ? { brokers: brokersOf(input.sink) } : {}),
    },
    engine: engineOf(input),
    storage: storagePhysicsOf(input.storage),
    transactionTimeoutUs: runtime.transactionTimeout,
    ...sinkOf(input),
    faults: input.faults,
    liveness: { stormUs: input.duration, withinUs },
    limits: {
      maxEvents: input.limits.events,
      maxVirtualUs: input.limits.virtualTime ?? input.duration + withinUs + VIRTUAL_SLACK_US,
      maxQueueLength: input.limits.queueLength,
    },
    expect: input.expect,
    ...(input.notFor === undefined ? {} : { notFor: input.notFor }),
  };
}

/** A key that an input names is the job's key, unless the job is told otherwise. */
function parametersOf(input: ScenarioInput, catalog: readonly JobDefinition[]): Parameters {
  const definition = jobNamed(input.job.use, catalog);
  if (definition === undefined) return input.job.parameters;
  const key = topicsOf(input).find((topic) => topic.input.key !== undefined)?.input.key;
  return withDefaults(definition, key === undefined ? input.job.parameters : { key, ...input.job.parameters });
}

/** `input`, `input-1` and `input-2` ..., or the names of the map. */
function topicsOf({ input, inputs }: ScenarioInput): NamedTopic[] {
  if (inputs !== undefined)
    return Object.entries(inputs).map(([name, topic]) => ({ name, path: ['inputs', name], input: topic }));
  if (input === undefined) return [];
  if (!Array.isArray(input)) return [{ name: 'input', path: ['input'], input }];
  return input.map((topic, index) => ({ name: `input-${index + 1}`, path: ['input', index], input: topic }));
}

function topicPlan({ name, input }: NamedTopic, parallelism: number): TopicPlan {
  return {
    name,
    dataset: datasetOf(input),
    records: input.records,
    partitions: input.files === undefined ? (input.partitions ?? parallelism) : input.files.count * input.files.parts,
    startUs: input.start,
    ratePerSecond: input.rate,
    bounded: input.bounded || (input.files !== undefined && input.discovery === undefined),
    ...filesOf(input),
    ...(input.socket ? { socket: true } : {}),
    ...(input.induced ? { induced: true } : {}),
    ...(input.before > 0 ? { before: input.before } : {}),
    ...(input.committed === undefined ? {} : { committed: input.committed }),
    ...(input.grow === undefined ? {} : { grows: { atUs: input.grow.at, partitions: input.grow.partitions } }),
    ...(input.entryRecords > 1 ? { entryRecords: input.entryRecords } : {}),
    ...startOf(input),
    ...(input.retention === undefined ? {} : { retentionUs: input.retention }),
    ...(input.offsetReset === 'none' ? {} : { offsetReset: input.offsetReset }),
    ...(input.discovery === undefined ? {} : { discoveryUs: input.discovery }),
  };
}

/** What follows the files of an input. The archive ends where the group of consumers that wrote it had come to in the log. */
function logBehind({ name, input }: NamedTopic, parallelism: number): TopicPlan[] {
  const { thenLog, records: archived } = input;
  if (thenLog === undefined) return [];
  const { records, overlap, partitions = parallelism, start, rate, bounded } = thenLog;
  const first = archived - overlap;
  return [
    {
      name: `${name}-log`,
      after: name,
      dataset: datasetOf(input),
      records: overlap + records,
      rows: Array.from({ length: overlap + records }, (_, index) => first + index),
      partitions,
      startUs: start,
      ratePerSecond: rate,
      bounded,
      ...(overlap > 0 ? { before: overlap, committed: overlap, startFrom: 'committed' as const } : {}),
    },
  ];
}

function filesOf({ files }: TopicInput): Pick<TopicPlan, 'files'> {
  if (files === undefined) return {};
  const { count, parts, partSize: partBytes, blockSize: blockBytes, every: everyUs } = files;
  return { files: { count, parts, partBytes, blockBytes, everyUs } };
}

function startOf({ startFrom, fromTime = 0 }: TopicInput): Pick<TopicPlan, 'startFrom'> {
  if (startFrom === 'earliest') return {};
  return { startFrom: startFrom === 'timestamp' ? { timestampUs: fromTime * US_PER_MS } : startFrom };
}

function datasetOf({ dataset, file, key, time, records, thenLog }: TopicInput): string {
  if (dataset === FLIGHTS)
    return records + (thenLog?.records ?? 0) <= FLIGHTS_SMALL_RECORDS ? 'flights-20k' : 'flights-3m';
  if (dataset !== undefined) return dataset;
  const path = file ?? '';
  const spec: DatasetSpec = {
    kind: 'file',
    path,
    format: fileFormatOf(path) ?? 'csv',
    ...(key === undefined ? {} : { key }),
    ...(time === undefined ? {} : { time }),
  };
  return formatDatasetName(spec);
}

function clusterOf({ cluster: { clocks, ...cluster } }: ScenarioInput): ClusterSettings {
  if (clocks === undefined) return cluster;
  return { ...cluster, clocks: { offsetUs: clocks.offset, driftPpm: clocks.drift } };
}

function sinkOf({ sink }: ScenarioInput): Pick<Scenario, 'sink'> {
  if (sink.kind === 'sink-store') return {};
  if (sink.kind === 'upsert') return { sink };
  if (sink.kind === 'rocketmq') {
    const { kind, checkAfter: checkAfterUs, consumers } = sink;
    return { sink: { kind, checkAfterUs, consumers } };
  }
  if (sink.kind === 'file') {
    const { kind, storage, partSize: partBytes, bucketBy, buckets, bucketTime: bucketUs } = sink;
    const compact = sink.compactEvery === undefined ? {} : { compactCheckpoints: sink.compactEvery };
    return { sink: { kind, storage, partBytes, ...compact, bucketBy, buckets, bucketUs } };
  }
  const { kind, partitions, transactionalIds, committer, transactionTimeout, maxTransactionTimeout, sessionTimeout } =
    sink;
  return {
    sink: {
      kind,
      partitions,
      naming: transactionalIds,
      ...(committer === 'beside' ? {} : { committer }),
      transactionTimeoutUs: transactionTimeout,
      maxTransactionTimeoutUs: maxTransactionTimeout,
      sessionTimeoutUs: sessionTimeout,
    },
  };
}

function changelogOf(
  changelog: ScenarioInput['checkpointing']['changelog'],
): Pick<EngineConfiguration['checkpoint'], 'changelog'> {
  if (changelog === 'none') return {};
  return {
    changelog: {
      materializationIntervalUs: changelog.materializationInterval,
      maxMaterializationFailures: changelog.maxMaterializationFailures,
      preemptiveBytes: changelog.preemptiveUpload,
    },
  };
}

function engineOf(input: ScenarioInput): EngineConfiguration {
  const { checkpointing, restart, runtime, cluster, highAvailability } = input;
  return {
    scheduler: schedulerOf(input),
    checkpoint: {
      intervalUs: checkpointing.interval,
      ...(checkpointing.intervalDuringBacklog === undefined
        ? {}
        : { intervalDuringBacklogUs: checkpointing.intervalDuringBacklog }),
      minPauseUs: checkpointing.minPause,
      timeoutUs: checkpointing.timeout,
      mode: checkpointing.mode,
      unaligned: checkpointing.unaligned,
      alignedTimeoutUs: checkpointing.alignedTimeout,
      ...(checkpointing.withoutChannelStateOf === undefined
        ? {}
        : { withoutChannelStateOf: checkpointing.withoutChannelStateOf }),
      maxConcurrent: checkpointing.maxConcurrent,
      tolerableFailures: checkpointing.tolerableFailures,
      retained: checkpointing.retained,
      storage: storageConfigurationOf(checkpointing.storage, input.storage),
      directory: checkpointing.directory,
      savepointDirectory: checkpointing.savepointDirectory,
      savepointTimeoutUs: checkpointing.savepointTimeout,
      firstId: checkpointing.firstId,
      retention: checkpointing.retention,
      backend: checkpointing.backend,
      incremental: checkpointing.incremental,
      ...changelogOf(checkpointing.changelog),
      ...(checkpointing.localRecovery === 'none' ? {} : { localRecovery: checkpointing.localRecovery }),
      inlineThresholdBytes: checkpointing.inlineThreshold,
      compression: checkpointing.compression,
      ...fileMergingOf(checkpointing.fileMerging),
      timelineLogging: checkpointing.timelineLogging,
    },
    restart: restartOf(restart),
    highAvailability,
    runtime: {
      heartbeatIntervalUs: runtime.heartbeatInterval,
      heartbeatTimeoutUs: runtime.heartbeatTimeout,
      leaseRenewUs: runtime.leaseRenew,
      leaseUs: runtime.lease,
      deploymentTimeoutUs: runtime.deploymentTimeout,
      bufferTimeoutUs: runtime.bufferTimeout,
      bufferBytes: runtime.bufferSize,
      exclusiveBuffersPerChannel: runtime.exclusiveBuffers,
      floatingBuffersPerGate: runtime.floatingBuffers,
      overdraftBuffers: runtime.overdraftBuffers,
      bufferDebloat: {
        enabled: runtime.bufferDebloat.enabled,
        targetUs: runtime.bufferDebloat.target,
        periodUs: runtime.bufferDebloat.period,
        samples: runtime.bufferDebloat.samples,
        thresholdPercent: runtime.bufferDebloat.thresholdPercent,
        minBufferBytes: runtime.bufferDebloat.minBuffer,
      },
      requestTimeoutUs: runtime.requestTimeout,
      askTimeoutUs: runtime.askTimeout,
      partitionRequestBackoffUs: runtime.partitionRequestBackoff,
      slotsPerTaskManager: cluster.slots,
      failoverStrategy: restart.strategy === 'none' ? 'region' : restart.failover,
      taskCancellationTimeoutUs: runtime.taskCancellationTimeout,
      blocklist: {
        failures: runtime.blocklist.failures,
        withinUs: runtime.blocklist.within,
        forUs: runtime.blocklist.for,
      },
    },
  };
}

function schedulerOf({ scheduler, job, checkpointing }: ScenarioInput): SchedulerConfiguration {
  if (scheduler.mode === 'default') return { mode: 'default' };
  const { minParallelism, maxParallelism, maxCheckpointFailures, activeCheckpoint } = scheduler;
  return {
    mode: 'adaptive',
    minParallelism,
    maxParallelism: maxParallelism ?? job.parallelism,
    resourceStabilizationUs: scheduler.resourceStabilization,
    cooldownUs: scheduler.cooldown,
    stabilizationUs: scheduler.stabilization,
    maxDelayUs: scheduler.maxDelay ?? checkpointing.interval * (maxCheckpointFailures + 1),
    maxCheckpointFailures,
    activeCheckpoint,
  };
}

function restartOf(restart: ScenarioInput['restart']): RestartConfiguration {
  const { strategy } = restart;
  switch (strategy) {
    case 'none':
      return { strategy };
    case 'fixed-delay':
      return { strategy, attempts: restart.attempts, delayUs: restart.delay };
    case 'failure-rate':
      return {
        strategy,
        maxFailures: restart.maxFailures,
        intervalUs: restart.interval,
        delayUs: restart.delay,
      };
    case 'exponential-delay':
      return {
        strategy,
        initialUs: restart.initial,
        maxUs: restart.max,
        multiplier: restart.multiplier,
        ...(restart.jitter.numerator > 0 ? { jitter: restart.jitter } : {}),
        resetThresholdUs: restart.resetAfter,
        attemptsBeforeReset: restart.attemptsBeforeReset,
      };
    default:
      return unreachable(restart);
  }
}

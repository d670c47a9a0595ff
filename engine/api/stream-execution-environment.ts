/**
 * Where a job begins (Flink: StreamExecutionEnvironment): sources are made here, `jobGraph()` is what the cluster runs.
 *
 *     const env = new StreamExecutionEnvironment({ jobId: 'counts', name: 'Counts', parallelism: 4 });
 *     env.fromLog<Flight>({ topic: 'flights', partitions: [0, 1, 2, 3], uid: 'flights' })
 *       .keyBy((flight) => flight.origin)
 *       .process(countPerKey).uid('count')
 *       .sinkTo({ guarantee: 'exactly-once' });
 *     const graph = env.jobGraph();
 *
 * Owns: job-wide settings. Does not own: the graph's shape (stream-graph.ts) and its chaining (job-graph-generator.ts).
 */
import { millis } from '../foundation/time.ts';
import { defaultMaxParallelism, MAX_PARALLELISM_UPPER_BOUND } from '../job/key-groups.ts';
import type { MasterHookSpec } from '../job/master-hook.ts';
import { MarkerHook } from '../connectors/marker-hook.ts';
import type { FileSourceSpec, JobGraph, SourceSpec } from '../job/job-graph.ts';
import type { StartPosition } from '../protocol/start-position.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';
import { DataStream } from './data-stream.ts';
import { InvalidJob } from './invalid-job.ts';
import { generateJobGraph } from './job-graph-generator.ts';
import { StreamGraph } from './stream-graph.ts';
import type { WatermarkStrategy } from './watermark-strategy.ts';

export interface EnvironmentOptions {
  /** Names the job in paths of checkpoint storage: letters, digits, `-`, `_` and `.`. */
  readonly jobId: string;
  /** For people. */
  readonly name: string;
  /** Subtasks of every operator that sets no other number. */
  readonly parallelism: number;
  /** Number of key groups, fixed for the life of the job's state. Default: Flink's, at least 128. */
  readonly maxParallelism?: number;
}

export interface LogSourceOptions {
  readonly topic: string;
  /** Partition numbers at the log broker. */
  readonly partitions: readonly number[];
  /** Names the source for its state. */
  readonly uid: string;
  /** Bytes a record takes on the wire. Default 100. */
  readonly recordBytes?: number;
  /** Records a fetch asks for. Default 500. */
  readonly fetchRecords?: number;
  /** Longest time the broker may hold a fetch, milliseconds. Default 500. */
  readonly fetchWaitMs?: number;
  /** Its partitions end, so that a subtask without one has nothing to wait for. Default false. */
  readonly bounded?: boolean;
  /**
   * The log decides when the source takes a checkpoint: a master hook asks it for a marker in each partition, and nothing is read past one
   * before its checkpoint is taken (Flink: ExternallyInducedSource). Only of `fromLog`. Default false.
   */
  readonly induced?: boolean;
  /** Where to go on when the log has deleted what comes next. Default: the subtask fails, as nothing is to be lost unseen. */
  readonly offsetReset?: 'earliest';
}

/** Which event time the records of a source have, and how far it has come in each split. Default: as the log says, and no watermarks. */
export interface SourceTime<T> {
  readonly watermarks?: WatermarkStrategy<T>;
}

export interface SplitSourceOptions extends LogSourceOptions {
  /**
   * Records of a split. Then ranges of a partition may be read by different readers, and records of one key may overtake each other
   * where they meet. Default: each partition is one split.
   */
  readonly recordsPerSplit?: number;
  /** A reader that lags more records than this behind the end of a partition is in backlog (FLIP-309). Default: it never is. */
  readonly backlogRecords?: number;
  /** Where to begin in partitions that no checkpoint knows; the enumerator asks the log. Default: at the start, without asking. */
  readonly startFrom?: StartPosition;
  /** How often the enumerator asks for new partitions, milliseconds (FLIP-288). Default: never, the partitions are those named here. */
  readonly discoveryMs?: number;
  /** Not from the log but from files on the storage that checkpoints lie on; `partitions` are their splits. */
  readonly files?: FileSourceSpec;
}

/** What the job itself says about checkpointing; the rest is the cluster's business. */
export type JobCheckpointing = Partial<
  Pick<CheckpointConfiguration, 'intervalUs' | 'mode' | 'directory' | 'timelineLogging'>
>;

const DEFAULT_RECORD_BYTES = 100;
const DEFAULT_FETCH_RECORDS = 500;
/** Kafka's `fetch.max.wait.ms`. */
const DEFAULT_FETCH_WAIT_MS = 500;
const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export class StreamExecutionEnvironment {
  readonly #options: EnvironmentOptions;
  readonly #maxParallelism: number | undefined;
  readonly #graph = new StreamGraph();
  readonly #hooks: MasterHookSpec[] = [];
  #checkpointing: JobCheckpointing = {};

  constructor(options: EnvironmentOptions) {
    if (!JOB_ID.test(options.jobId))
      throw new InvalidJob(
        `The job id '${options.jobId}' cannot be part of a path: use letters, digits, '-', '_' and '.'.`,
      );
    requireCount('The parallelism', options.parallelism, MAX_PARALLELISM_UPPER_BOUND);
    const maxParallelism = options.maxParallelism;
    if (maxParallelism !== undefined) {
      requireCount('The maximum parallelism', maxParallelism, MAX_PARALLELISM_UPPER_BOUND);
      if (maxParallelism < options.parallelism)
        throw new InvalidJob(
          `A parallelism of ${options.parallelism} is above the maximum parallelism ${maxParallelism}: there are not enough key groups.`,
        );
    }
    this.#options = options;
    this.#maxParallelism = maxParallelism;
  }

  /** What `enableCheckpointing`, `setCheckpointDir` and `enableCheckpointingTimelineLogging` said so far. */
  get checkpointing(): JobCheckpointing {
    return this.#checkpointing;
  }

  /** A checkpoint every `intervalMs` milliseconds of virtual time. */
  enableCheckpointing(intervalMs: number, mode: CheckpointConfiguration['mode'] = 'exactly-once'): this {
    if (!Number.isInteger(intervalMs) || intervalMs < 1)
      throw new InvalidJob(`A checkpoint interval of ${intervalMs} ms is not a positive whole number of milliseconds.`);
    this.#checkpointing = { ...this.#checkpointing, intervalUs: millis(intervalMs), mode };
    return this;
  }

  /** Directory on the checkpoint storage; `<directory>/<job>/chk-<n>/` lies below it. */
  setCheckpointDir(directory: string): this {
    if (directory === '') throw new InvalidJob('The checkpoint directory is empty.');
    this.#checkpointing = { ...this.#checkpointing, directory };
    return this;
  }

  /** A line per completed checkpoint and task in `timeline.log`. */
  enableCheckpointingTimelineLogging(): this {
    this.#checkpointing = { ...this.#checkpointing, timelineLogging: true };
    return this;
  }

  /** Watermarks of strategies that are given from now on leave a subtask so far apart at least. Default 200 ms. */
  setAutoWatermarkInterval(milliseconds: number): this {
    this.#graph.watermarkIntervalMs = milliseconds;
    return this;
  }

  /** The records of a topic of the log, read at this environment's parallelism: each subtask reads fixed partitions. */
  fromLog<T>(options: LogSourceOptions & SourceTime<T>): DataStream<T> {
    return this.#from<T>(options, { kind: 'log' });
  }

  /**
   * From connections instead of partitions, which hand out each record once: what is on its way when a subtask fails is lost, and a job
   * that reads it is at-most-once (Flink: SocketTextStreamFunction).
   */
  fromSocket<T>(options: LogSourceOptions & SourceTime<T>): DataStream<T> {
    return this.#from<T>(options, { kind: 'socket' });
  }

  /** The same as a log, but an enumerator in the JobManager assigns the partitions, or ranges of them, as splits to readers that ask. */
  fromSource<T>(options: SplitSourceOptions & SourceTime<T>): DataStream<T> {
    return this.#add<T>(options, this.#splitSource(options));
  }

  /**
   * Sources that are read one after the other, each to its end: history from files, then the log (Flink: HybridSource). Where a later one begins
   * is asked when it is its turn. All but the last are bounded; event time is that of `options`.
   */
  fromHybridSource<T>(
    options: { readonly topic: string; readonly uid: string } & SourceTime<T>,
    sources: readonly Omit<SplitSourceOptions, 'uid'>[],
  ): DataStream<T> {
    const last = sources.at(-1);
    if (last === undefined || sources.length < 2)
      throw new InvalidJob(`The source '${options.topic}' reads several sources in turn, and is given less than two.`);
    for (const { topic, bounded } of sources.slice(0, -1))
      if (bounded !== true)
        throw new InvalidJob(`The source '${topic}' never ends: nothing can come behind it in '${options.topic}'.`);
    const chain = sources.map((source) => this.#splitSource({ ...source, uid: options.uid }));
    const partitions = sources.flatMap((source) => source.partitions);
    return this.#add<T>(options, {
      ...this.#source({ ...last, ...options, partitions }, { kind: 'split-log' }),
      chain,
    });
  }

  #from<T>(
    options: LogSourceOptions & SourceTime<T>,
    kind: Pick<SourceSpec, 'kind' | 'recordsPerSplit' | 'backlogRecords' | 'start' | 'discoveryUs' | 'files'>,
  ): DataStream<T> {
    return this.#add<T>(options, this.#source(options, kind));
  }

  #splitSource(options: SplitSourceOptions): SourceSpec {
    const { recordsPerSplit, backlogRecords, startFrom, discoveryMs, files, topic } = options;
    if (recordsPerSplit !== undefined)
      requireCount(`The split of '${topic}'`, recordsPerSplit, Number.MAX_SAFE_INTEGER);
    if (discoveryMs !== undefined) requireCount(`The discovery of '${topic}'`, discoveryMs, Number.MAX_SAFE_INTEGER);
    if (discoveryMs !== undefined && options.bounded === true)
      throw new InvalidJob(`The source '${topic}' is bounded, and cannot wait for further partitions.`);
    return this.#source(options, {
      kind: 'split-log',
      ...(recordsPerSplit === undefined ? {} : { recordsPerSplit }),
      ...(backlogRecords === undefined ? {} : { backlogRecords }),
      ...(startFrom === undefined ? {} : { start: startFrom }),
      ...(files === undefined ? {} : { files }),
      ...(discoveryMs === undefined ? {} : { discoveryUs: millis(discoveryMs) }),
    });
  }

  #source(
    options: LogSourceOptions,
    kind: Pick<SourceSpec, 'kind' | 'recordsPerSplit' | 'backlogRecords' | 'start' | 'discoveryUs' | 'files'>,
  ): SourceSpec {
    const { topic, partitions } = options;
    if (partitions.length === 0) throw new InvalidJob(`The source '${topic}' has no partition to read.`);
    if (options.induced === true && kind.kind !== 'log')
      throw new InvalidJob(`Only a log read by fixed partitions has markers, and '${topic}' is read in another way.`);
    if (new Set(partitions).size !== partitions.length)
      throw new InvalidJob(`The source '${topic}' names a partition twice.`);
    const fetchRecords = options.fetchRecords ?? DEFAULT_FETCH_RECORDS;
    const recordBytes = options.recordBytes ?? DEFAULT_RECORD_BYTES;
    requireCount(`The fetch of '${topic}'`, fetchRecords, Number.MAX_SAFE_INTEGER);
    requireCount(`The record size of '${topic}'`, recordBytes, Number.MAX_SAFE_INTEGER);
    const fetchWaitMs = options.fetchWaitMs ?? DEFAULT_FETCH_WAIT_MS;
    const fetchWaitUs = millis(fetchWaitMs);
    if (!Number.isInteger(fetchWaitUs) || fetchWaitUs < 0)
      throw new InvalidJob(`A fetch wait of ${fetchWaitMs} ms is not a whole number of microseconds.`);
    return {
      ...{ ...kind, topic, partitions: [...partitions], recordBytes, fetchRecords, fetchWaitUs },
      ...(options.bounded === true ? { bounded: true as const } : {}),
      ...(options.induced === true ? { induced: true as const } : {}),
      ...(options.offsetReset === undefined ? {} : { offsetReset: options.offsetReset }),
    };
  }

  #add<T>({ uid, watermarks }: Pick<LogSourceOptions, 'uid'> & SourceTime<T>, spec: SourceSpec): DataStream<T> {
    const time = watermarks === undefined ? {} : { watermarks: watermarks.spec(this.#graph.watermarkIntervalMs) };
    const node = this.#graph.add({
      body: { kind: 'source', source: { ...spec, ...time } },
      inputs: [],
      name: `Source: ${spec.topic}`,
      uid,
      parallelism: this.#options.parallelism,
    });
    return new DataStream<T>({ graph: this.#graph, parallelism: this.#options.parallelism }, [
      { from: node.id, exchange: 'default' },
    ]);
  }

  /** Called at every checkpoint of the job and at every restore (Flink: WithMasterCheckpointHook). */
  addMasterHook(hook: MasterHookSpec): this {
    if (this.#hooks.some(({ identifier }) => identifier === hook.identifier))
      throw new InvalidJob(`Two master hooks are named '${hook.identifier}': state is found by that name.`);
    this.#hooks.push(hook);
    return this;
  }

  /** The job as the cluster runs it: chained, numbered, validated. Throws `InvalidJob`. */
  jobGraph(): JobGraph {
    const graph = generateJobGraph(this.#graph, {
      jobId: this.#options.jobId,
      name: this.#options.name,
      hasExplicitMaxParallelism: this.#maxParallelism !== undefined,
      maxParallelismOf: (parallelism) => this.#maxParallelism ?? defaultMaxParallelism(parallelism),
    });
    const masterHooks = [...markerHooks(graph), ...this.#hooks];
    return masterHooks.length === 0 ? graph : { ...graph, masterHooks };
  }
}

/** Flink: WithMasterCheckpointHook, which such sources are. */
function markerHooks({ vertices }: JobGraph): MasterHookSpec[] {
  return vertices.flatMap(({ source }) =>
    source?.induced === true
      ? [{ identifier: `markers/${source.uid}`, create: (host) => new MarkerHook(source, host) }]
      : [],
  );
}

function requireCount(what: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new InvalidJob(`${what} is ${value}; it must be an integer from 1 to ${most}.`);
}

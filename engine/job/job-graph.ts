/**
 * The job as the cluster runs it: vertices of chained operators and edges between them (Flink: JobGraph).
 *
 * Owns: the shape. Built by `StreamExecutionEnvironment.jobGraph()`, validated once, then read-only and shared by all nodes
 * (as a user jar is). Operators are specs, data and functions, so that the engine and the judges' reference interpret the same
 * job independently.
 */
import type { MasterHookSpec } from './master-hook.ts';
import type { StartPosition } from '../protocol/start-position.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import type { WatermarkSpec } from './watermarks.ts';
import type { PatternSpec } from './patterns.ts';
import type { WindowSpec } from './windows.ts';
import type { BroadcastStateDescriptor, OperatorStateDescriptor } from '../state/operator-state-descriptor.ts';
import type {
  BroadcastProcessFunction,
  Collector,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
  StateKey,
} from './functions.ts';

/** Row K1. Files of lines (file-blocks.ts) `part-00000`, `part-00001` ... in a directory, each cut into as many parts, which are the splits. */
export interface FileSourceSpec {
  /** On the storage that checkpoints lie on. */
  readonly directory: string;
  /** Splits of each file. */
  readonly parts: number;
  /** Of each part but the last, which goes to the end of its file. */
  readonly partBytes: number;
  /** What is read at a time. */
  readonly blockBytes: number;
}

/** Reads partitions of the log. */
export interface SourceSpec {
  /**
   * `log`: subtask i of p reads the partitions whose position in `partitions` is i modulo p. `split-log`: an enumerator in the
   * JobManager assigns splits to readers that ask (row K1). `socket`: as `log`, but what was handed out is never handed out again.
   */
  readonly kind: 'log' | 'split-log' | 'socket';
  /** Topic name, for people. */
  readonly topic: string;
  /** Partition numbers at the log broker. */
  readonly partitions: readonly number[];
  /** Bytes a record takes on the wire. */
  readonly recordBytes: number;
  /** Records a fetch asks for. */
  readonly fetchRecords: number;
  /** Longest time the broker may hold a fetch, microseconds. */
  readonly fetchWaitUs: number;
  /** `split-log`: a reader is in backlog that lags so many records behind the end of a partition (row C5); absent: it never is. */
  readonly backlogRecords?: number;
  /** `split-log`: records of a split; absent: each partition is one split without an end. */
  readonly recordsPerSplit?: number;
  /** `split-log`: where to begin; absent: at the start of each partition of `partitions`, without asking. */
  readonly start?: StartPosition;
  /** `split-log`: how often to ask for new partitions, microseconds; absent: never. They are read from their start (FLIP-288). */
  readonly discoveryUs?: number;
  /** `split-log`: not from the log but from files; `partitions` are their splits then, those of files yet to come included. */
  readonly files?: FileSourceSpec;
  /** `split-log`: these are read one after the other, each to its end, in place of this one, whose `partitions` are all of theirs (row B24). */
  readonly chain?: readonly SourceSpec[];
  /** Its partitions end. A subtask that has none ends at once (Flink: NoMoreSplits); else it waits for some. */
  readonly bounded?: true;
  /** `log`: markers in its partitions say when a snapshot is due (row C25; Flink: ExternallyInducedSource). */
  readonly induced?: true;
  /** Where to go on when the log has deleted what comes next (Kafka: auto.offset.reset); absent: the subtask fails. */
  readonly offsetReset?: 'earliest';
  /** Event time of its records and watermarks per split; absent: the source says nothing of event time. */
  readonly watermarks?: WatermarkSpec;
}

/** The sources of a chain, or the one there is. */
export const chainOf = (source: SourceSpec): readonly SourceSpec[] => source.chain ?? [source];

export interface SinkSpec {
  /** `exactly-once`: transactions, two-phase commit (row K9). `at-least-once`: visible when written, flushed before the barrier (row K13). */
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** Records per write request. */
  readonly batchRecords: number;
  /** Present: into topics of a Kafka-like cluster. Absent: into the sink store. */
  readonly kafka?: KafkaSinkSpec;
  /** Present: as half messages to a RocketMQ-like broker. */
  readonly rocketmq?: true;
  /** Present: into a table, by key. */
  readonly upsert?: UpsertSinkSpec;
  /** Present: into files. */
  readonly file?: FileSinkSpec;
}

/** Row K13, idempotent. The table is named like the sink. */
export interface UpsertSinkSpec {
  readonly keyOf: (value: unknown) => string;
  /** Rises with each record of a key, and is the same when the record is made again. */
  readonly versionOf: (value: unknown) => number;
}

/** Row K12. Files lie in a directory named like the sink. */
export interface FileSinkSpec {
  readonly storage: 'hdfs' | 'object-store';
  /** Of all sinks of the job. */
  readonly directory: string;
  /** A file that has reached this size is closed before the next checkpoint. */
  readonly partBytes: number;
  /** HDFS: files are held back for so many checkpoints and made one; absent: they are not. */
  readonly compactCheckpoints?: number;
  /** Directory of a record (Flink: BucketAssigner). */
  readonly bucketOf: (value: unknown, timestampUs: number) => string;
}

/** Row K10. The topic is named like the sink. */
export interface KafkaSinkSpec {
  readonly partitions: number;
  readonly naming: 'incrementing' | 'pooling';
  /** Open transactions older than this are aborted by the brokers, microseconds (transaction.timeout.ms). */
  readonly transactionTimeoutUs: number;
  /**
   * Where committables are committed (row K8): beside their writer, in a vertex behind that has as many subtasks, or by one subtask that
   * commits a checkpoint when the committables of all writers are there. Absent: beside.
   */
  readonly committer?: 'separate' | 'global';
}

export type OperatorSpec = {
  readonly uid: string;
  readonly name: string;
  /** Virtual CPU time of the user function for each record, nanoseconds; models slow work. Absent: what the hardware profile says. */
  readonly workNanoseconds?: number;
} & (
  | { readonly kind: 'map'; readonly map: (value: unknown) => unknown }
  /** Flink: TimestampsAndWatermarksOperator. */
  | { readonly kind: 'watermarks'; readonly watermarks: WatermarkSpec }
  | { readonly kind: 'filter'; readonly filter: (value: unknown) => boolean }
  | { readonly kind: 'flat-map'; readonly flatMap: (value: unknown, out: Collector<unknown>) => void }
  | {
      readonly kind: 'process';
      readonly key: (value: unknown) => StateKey;
      readonly keySerializer: TypeSerializer<StateKey>;
      readonly function: FunctionSpec<KeyedProcessFunction<unknown, unknown>>;
    }
  | {
      readonly kind: 'co-process';
      readonly keys: readonly [(value: unknown) => StateKey, (value: unknown) => StateKey];
      readonly keySerializer: TypeSerializer<StateKey>;
      readonly function: FunctionSpec<KeyedCoProcessFunction<unknown, unknown, unknown>>;
    }
  | {
      readonly kind: 'window';
      readonly key: (value: unknown) => StateKey;
      readonly keySerializer: TypeSerializer<StateKey>;
      readonly window: WindowSpec;
    }
  | {
      readonly kind: 'pattern';
      readonly key: (value: unknown) => StateKey;
      readonly keySerializer: TypeSerializer<StateKey>;
      readonly pattern: PatternSpec;
    }
  | { readonly kind: 'plain-process'; readonly function: FunctionSpec<ProcessFunction<unknown, unknown>> }
  | {
      readonly kind: 'broadcast-process';
      /** Of input 0; input 1 is the broadcast one. Absent: the stream is not keyed. */
      readonly keyed?: {
        readonly key: (value: unknown) => StateKey;
        readonly keySerializer: TypeSerializer<StateKey>;
      };
      readonly broadcastStates: readonly BroadcastStateDescriptor<StateKey, unknown>[];
      readonly function: FunctionSpec<BroadcastProcessFunction<unknown, unknown, unknown>>;
    }
  | { readonly kind: 'sink'; readonly sink: SinkSpec }
  /** Behind a sink whose committables are not committed beside its writer. */
  | { readonly kind: 'committer'; readonly sink: SinkSpec }
);

/** Operators that run a function with state. */
export type FunctionOperatorSpec = Extract<
  OperatorSpec,
  { readonly kind: 'process' | 'co-process' | 'plain-process' | 'broadcast-process' }
>;

/** How the keys of an operator are stored; undefined: it has no keyed state. */
export function keySerializerOf(spec: OperatorSpec): TypeSerializer<StateKey> | undefined {
  if (spec.kind === 'broadcast-process') return spec.keyed?.keySerializer;
  return 'keySerializer' in spec ? spec.keySerializer : undefined;
}

/** State of an operator that belongs to no key. */
export function operatorStatesOf(spec: OperatorSpec): readonly OperatorStateDescriptor[] {
  if (!('function' in spec)) return [];
  const declared = spec.function.operatorStates ?? [];
  return spec.kind === 'broadcast-process' ? [...declared, ...spec.broadcastStates] : declared;
}

export interface JobVertex {
  readonly index: number;
  /** Chained operators' names joined by ` -> `. */
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Present when the job itself says it: then no other one is adopted from restored state (row S3). */
  readonly hasExplicitMaxParallelism?: true;
  /** Present on source vertices; its operators follow in the chain. */
  readonly source?: SourceSpec & { readonly uid: string; readonly name: string };
  /** The chain, head first. Empty only for a source whose successors are not chained. */
  readonly operators: readonly OperatorSpec[];
}

export interface JobEdge {
  readonly index: number;
  /** Within a sink: committables travel on it (rows B11, K8). */
  readonly sinkInternal?: true;
  readonly from: number;
  readonly to: number;
  /** Which logical input of the consumer: 0, or 1 for the second input of a co-process and the broadcast input. */
  readonly input: 0 | 1;
  /** `rescale`: dealt out among a share of the consumers (pointwise.ts). `global`: all to subtask 0. `custom`: as the user says. */
  readonly partitioning: 'forward' | 'hash' | 'rebalance' | 'broadcast' | 'rescale' | 'global' | 'custom';
  /** For `hash`: the key decides the subpartition by its key group (rows S1, S2). For `custom`: what the partitioner is asked about. */
  readonly key?: (value: unknown) => StateKey;
  /** For `custom`: the consumer of a key among so many (Flink: Partitioner). */
  readonly partitioner?: (key: StateKey, consumers: number) => number;
  /** Id of the side output that flows here; absent: the main output. */
  readonly sideOutput?: string;
}

export interface JobGraph {
  readonly jobId: string;
  readonly name: string;
  /** Topological order: every edge goes from a lower to a higher vertex index. */
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
  /** Some operator cares for event time: the end of bounded input is then the end of time (Flink: Watermark.MAX_WATERMARK). */
  readonly usesEventTime?: true;
  /** Row C25; absent: there are none. */
  readonly masterHooks?: readonly MasterHookSpec[];
}

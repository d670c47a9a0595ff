/**
 * A job that scenarios can name: how it is built, what may be set, and what it says about itself so that it can be judged.
 *
 * Owns: the contract and the decoding of parameters. Does not own: the list of jobs (job-catalog.ts).
 */
import type { StateKey } from '../../engine/job/functions.ts';
import type {
  FileSinkSpec,
  FileSourceSpec,
  JobGraph,
  KafkaSinkSpec,
  SinkSpec,
  UpsertSinkSpec,
} from '../../engine/job/job-graph.ts';
import type { StartPosition } from '../../engine/protocol/start-position.ts';
import type { JobAudit } from '../../sim/judges/job-audit.ts';

export type ParameterValue = string | number | boolean;
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** One thing that may be set under `job.parameters` of a scenario. */
export interface JobParameter {
  readonly name: string;
  /** One sentence: meaning and unit. */
  readonly description: string;
  /** Its type is the parameter's type. */
  readonly default: ParameterValue;
}

export interface JobTopic {
  readonly name: string;
  /** Its partitions end. */
  readonly bounded?: true;
  /** Partition numbers at the log broker. */
  readonly partitions: readonly number[];
  /** Present: each record is handed out once. */
  readonly socket?: true;
  /** Where a source begins; absent: at the start. */
  readonly startFrom?: StartPosition;
  /** How often a source asks for new partitions, microseconds; absent: never. */
  readonly discoveryUs?: number;
  /** Present: no topic but files. */
  readonly files?: FileSourceSpec;
  /** Present: the same source reads this one behind it (row B24). */
  readonly followedBy?: JobTopic;
  /** Present: an entry of its log may hold several records. */
  readonly hasEntries?: true;
  /** Present: markers in it say when a checkpoint is taken. */
  readonly induced?: true;
  /** Where a source goes on when what it wants was deleted; absent: it fails. */
  readonly offsetReset?: 'earliest';
}

export interface JobInput {
  readonly parallelism: number;
  /** Every parameter of the definition, defaults filled in. */
  readonly parameters: Parameters;
  /** In the order of the plan. */
  readonly topics: readonly JobTopic[];
  /** Guarantee of the sink. */
  readonly guarantee: SinkSpec['guarantee'];
  /** Bytes a record takes on the wire. */
  readonly recordBytes?: number;
  /** Records a fetch asks for. */
  readonly fetchRecords?: number;
  /** Longest time the broker may hold a fetch, milliseconds. */
  readonly fetchWaitMs?: number;
  /** Records per write request of the sink. */
  readonly batchRecords?: number;
  /** Present: sinks write into topics of a Kafka-like cluster. */
  readonly kafka?: KafkaSinkSpec;
  /** Present: sinks write half messages. */
  readonly rocketmq?: true;
  /** Present: sinks write into tables. */
  readonly upsert?: UpsertSinkSpec;
  /** Present: sinks write into files. */
  readonly file?: FileSinkSpec;
}

export interface BuiltJob {
  readonly graph: JobGraph;
  readonly audit: JobAudit;
}

export interface JobDefinition {
  /** What `job.use` says. */
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly JobParameter[];
  build(input: JobInput): BuiltJob;
}

/** A row of a data set: named fields. */
export type Row = Readonly<Record<string, unknown>>;

/** What is set, completed by the defaults; parameters the definition does not know are left out. */
export function withDefaults(definition: JobDefinition, parameters: Parameters): Parameters {
  return Object.fromEntries(
    definition.parameters.map(({ name, default: standard }) => [name, parameters[name] ?? standard]),
  );
}

/** A parameter that is text. */
export function textParameter(parameters: Parameters, name: string): string {
  return String(parameters[name] ?? '');
}

/** A parameter that is a number. */
export function numberParameter(parameters: Parameters, name: string): number {
  return Number(parameters[name] ?? 0);
}

/** A field of a row as a key: keys of all jobs are text, so that one type serializes them; a missing field is the empty key. */
export function keyField(row: Row, field: string): string {
  const value = row[field];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** The field `key` of an output value, for the order per key. */
export function outputKey(value: unknown): StateKey {
  const key = typeof value === 'object' && value !== null && 'key' in value ? value.key : '';
  return typeof key === 'string' ? key : '';
}

/**
 * What jobs have in common whose counts expire when their key has been silent for a time of the wall clock (row S12): counts by key, one after
 * the other into the sink, and an audit by the rule, as no reference can know the answer.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { CounterAccess, JobAudit } from '../../sim/judges/job-audit.ts';
import { type BuiltJob, type JobInput, keyField, outputKey, type Row } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

export interface ExpiringCounts {
  readonly jobId: string;
  readonly name: string;
  /** Field of the row that is the key. */
  readonly key: string;
  readonly count: FunctionSpec<KeyedProcessFunction<Row, CounterAccess>>;
  /** `renewsOnRead`: absent where nothing is only read. */
  readonly expires: { readonly ttlMs: number; readonly renewsOnRead?: boolean };
  /** Of a job that has versions. */
  readonly versions?: Pick<JobAudit, 'upgraded' | 'readsStateOf'>;
}

export function expiringCounts(
  input: JobInput,
  { jobId, name, key, count, expires, versions }: ExpiringCounts,
): BuiltJob {
  const env = new StreamExecutionEnvironment({ jobId, name, parallelism: input.parallelism });
  readUnion(env, input, input.topics)
    .keyBy((row) => keyField(row, key))
    .process(count)
    .uid('counts')
    .name('Counts')
    .sinkTo(sinkOptions(input))
    .uid('sink');
  const access = (value: unknown): CounterAccess => value as CounterAccess;
  return {
    graph: env.jobGraph(),
    audit: {
      stateIsOrderInsensitive: false,
      outputValues: 'lineage',
      outputKey,
      expires: { ...expires, access },
      ...versions,
    },
  };
}

/** The sources of a job: one per topic, in the order of the plan. */
import type { DataStream, SinkOptions } from '../../engine/api/data-stream.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import type { SplitSourceOptions, StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { WatermarkStrategy } from '../../engine/api/watermark-strategy.ts';
import type { JobInput, JobTopic, Row } from './job-definition.ts';

const US_PER_MS = 1_000;

/** A source that reads one topic, with a subtask per partition at most: one without a partition would have nothing to do. */
export function readTopic(
  env: StreamExecutionEnvironment,
  input: JobInput,
  topic: JobTopic,
  watermarks?: WatermarkStrategy<Row>,
): DataStream<Row> {
  const { startFrom, discoveryUs, hasEntries, files } = topic;
  if (startFrom !== undefined || discoveryUs !== undefined || hasEntries === true || files !== undefined)
    throw new InvalidJob(
      `The input '${topic.name}' begins elsewhere, grows, has entries of several records or is files: only a job that reads by splits can read it.`,
    );
  const time = watermarks === undefined ? {} : { watermarks };
  const options = { ...sourceOptions(input, topic), ...time };
  const source = topic.socket === true ? env.fromSocket<Row>(options) : env.fromLog<Row>(options);
  return source.setParallelism(sourceParallelism(input, topic));
}

/** One subtask per partition at most. */
export const sourceParallelism = (input: JobInput, topic: JobTopic): number =>
  Math.min(input.parallelism, topic.partitions.length);

/** The same by splits that an enumerator assigns, at the job's parallelism: readers without a split idle. */
export function readTopicBySplits(
  env: StreamExecutionEnvironment,
  input: JobInput,
  topic: JobTopic,
  splits: { readonly recordsPerSplit: number; readonly backlogRecords: number },
): DataStream<Row> {
  if (topic.socket === true) throw new InvalidJob(`The input '${topic.name}' is a socket, and has no splits.`);
  const { recordsPerSplit, backlogRecords } = splits;
  const split = recordsPerSplit === 0 ? {} : { recordsPerSplit };
  const backlog = backlogRecords === 0 ? {} : { backlogRecords };
  const optionsOf = (one: JobTopic): SplitSourceOptions => ({ ...sourceOptions(input, one), ...split, ...backlog });
  const { followedBy } = topic;
  if (followedBy === undefined) return env.fromSource<Row>(optionsOf(topic));
  const { uid } = optionsOf(topic);
  return env.fromHybridSource<Row>({ topic: topic.name, uid }, [optionsOf(topic), optionsOf(followedBy)]);
}

/** One stream of all these topics. */
export function readUnion(
  env: StreamExecutionEnvironment,
  input: JobInput,
  topics: readonly JobTopic[],
): DataStream<Row> {
  return unionOf(topics.map((topic) => readTopic(env, input, topic)));
}

/** All of them as one; refuses none at all. */
export function unionOf<T>(streams: readonly DataStream<T>[]): DataStream<T> {
  const [first, ...others] = streams;
  if (first === undefined) throw new InvalidJob('The job reads no topic: give the scenario an input.');
  return others.length === 0 ? first : first.union(...others);
}

/** The sink options of a job. */
export function sinkOptions({ guarantee, batchRecords, kafka, file, upsert, rocketmq }: JobInput): SinkOptions {
  return {
    guarantee,
    ...(batchRecords === undefined ? {} : { batchRecords }),
    ...(kafka === undefined ? {} : { kafka }),
    ...(file === undefined ? {} : { file }),
    ...(upsert === undefined ? {} : { upsert }),
    ...(rocketmq === undefined ? {} : { rocketmq }),
  };
}

function sourceOptions(input: JobInput, topic: JobTopic): SplitSourceOptions {
  const { recordBytes, fetchRecords, fetchWaitMs } = input;
  return {
    topic: topic.name,
    partitions: topic.partitions,
    uid: `source-${topic.name}`,
    ...(topic.bounded === true ? { bounded: true } : {}),
    ...(topic.startFrom === undefined ? {} : { startFrom: topic.startFrom }),
    ...(topic.files === undefined ? {} : { files: topic.files }),
    ...(topic.discoveryUs === undefined ? {} : { discoveryMs: topic.discoveryUs / US_PER_MS }),
    ...(topic.induced === true ? { induced: true } : {}),
    ...(topic.offsetReset === undefined ? {} : { offsetReset: topic.offsetReset }),
    ...(recordBytes === undefined ? {} : { recordBytes }),
    ...(fetchRecords === undefined ? {} : { fetchRecords }),
    ...(fetchWaitMs === undefined ? {} : { fetchWaitMs }),
  };
}

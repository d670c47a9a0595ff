/**
 * Several pipelined regions in one job (Flink: RegionFailoverITCase): a failure restarts one of them, and the others must not notice.
 *
 * The first topic runs through pipelines that never meet: source, map and sink, joined by forward channels, one region per subtask
 * index. They are not chained, so that a region has channels to lose. The second topic is counted per key by one subtask: a region of
 * its own with keyed state. Of files the pipelines are given splits, and of a log where `splitRecords` says so: then regions that restart alone
 * share an enumerator. Outputs are values that depend on nothing but the record, or on the count of its key.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { type JobDefinition, keyField, outputKey, textParameter } from './job-definition.ts';
import { countPerKey } from './keyed-count.ts';
import { readTopic, readTopicBySplits, sinkOptions } from './log-topics.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';

/** What comes out of a pipeline for every record. */
export interface PipelineOutput {
  readonly key: string;
  /** Of the flight, or 0. */
  readonly distance: number;
}

export const parallelPipelines: JobDefinition = {
  name: 'parallel-pipelines',
  description:
    'Pipelines that never meet over the first topic, beside them a count per key over the second: several failover regions.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    {
      name: 'splitRecords',
      description: 'Records of a split of the first topic, whose order per key is not judged then; 0: no splits.',
      default: 0,
    },
  ],
  build(input) {
    const field = textParameter(input.parameters, 'key');
    const { parallelism } = input;
    const recordsPerSplit = Number(input.parameters['splitRecords'] ?? 0);
    const env = new StreamExecutionEnvironment({
      jobId: 'parallel-pipelines',
      name: 'Parallel pipelines',
      parallelism,
    });
    const [pipelines, counted, ...more] = input.topics;
    if (pipelines === undefined || more.length > 0)
      throw new InvalidJob('parallel-pipelines reads one topic or two: the pipelines, and what is counted.');
    if (pipelines.partitions.length < parallelism)
      throw new InvalidJob(
        'parallel-pipelines needs a partition for each pipeline: give its first input as many as its parallelism.',
      );
    const rows =
      pipelines.files === undefined && recordsPerSplit === 0
        ? readTopic(env, input, pipelines)
        : readTopicBySplits(env, input, pipelines, { recordsPerSplit, backlogRecords: 0 });
    rows
      .map((row): PipelineOutput => ({ key: keyField(row, field), distance: Number(row['distance'] ?? 0) }))
      .uid('pipeline')
      .name('Pipeline')
      .disableChaining()
      .sinkTo(sinkOptions(input))
      .uid('pipeline-sink')
      .name('Pipeline sink')
      .disableChaining();
    if (counted !== undefined) {
      readTopic(env, input, counted)
        .setParallelism(1)
        .keyBy((row) => keyField(row, field))
        .process(countPerKey(field))
        .uid('count')
        .name('Count')
        .setParallelism(1)
        .sinkTo(sinkOptions(input))
        .uid('count-sink')
        .name('Count sink')
        .setParallelism(1);
    }
    const order = recordsPerSplit === 0 ? { outputKey } : {};
    return {
      graph: env.jobGraph(),
      audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', ...order },
    };
  },
};

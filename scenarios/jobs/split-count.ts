/**
 * Counts records per key like `keyed-count`, but reads by splits that an enumerator assigns to readers that ask (FLIP-27).
 *
 * With `splitRecords` each partition is cut into ranges of so many records, and a range may go to another reader than the one before.
 * Then records of one key may overtake each other between two readers, so their order is not judged: that is said here, in the audit,
 * and nowhere else. With 0 a partition is one split, stays with its reader between restarts, and order is judged as ever.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, textParameter } from './job-definition.ts';
import { countPerKey } from './keyed-count.ts';
import { readTopicBySplits, sinkOptions, unionOf } from './log-topics.ts';

export const splitCount: JobDefinition = {
  name: 'split-count',
  description: 'Counts records per key; an enumerator assigns the splits of all topics to readers.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'work', description: 'Virtual CPU time of the count for each record, microseconds.', default: 0 },
    {
      name: 'splitRecords',
      description: 'Records of a split; 0: each partition is one split. Otherwise the order per key is not judged.',
      default: 0,
    },
    {
      name: 'backlogRecords',
      description: 'A reader that lags more records than this behind a partition is in backlog; 0: it never is.',
      default: 0,
    },
  ],
  build(input) {
    const { parallelism, parameters } = input;
    const field = textParameter(parameters, 'key');
    const splitRecords = Number(parameters['splitRecords'] ?? 0);
    const splits = { recordsPerSplit: splitRecords, backlogRecords: Number(parameters['backlogRecords'] ?? 0) };
    const env = new StreamExecutionEnvironment({ jobId: 'split-count', name: 'Split count', parallelism });
    unionOf(input.topics.map((topic) => readTopicBySplits(env, input, topic, splits)))
      .keyBy((row) => keyField(row, field))
      .process(countPerKey(field))
      .uid('count')
      .name('Count')
      .workPerRecord(numberParameter(parameters, 'work'))
      .sinkTo(sinkOptions(input))
      .uid('sink');
    const order = splitRecords === 0 ? { outputKey } : {};
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', ...order } };
  },
};

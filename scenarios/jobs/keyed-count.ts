/**
 * Counts records per key: the smallest job in which a record that is lost, doubled or counted into the wrong state shows.
 *
 * Every record yields `{ key, count }` with the running count of its key; with `totals`, the end of bounded input yields `{ key, total }`. The counts of a key are 1, 2, 3 ... whatever the order in
 * which records of different partitions arrive, so outputs are compared as a bag of values and state byte for byte.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import {
  type JobDefinition,
  type JobTopic,
  keyField,
  numberParameter,
  outputKey,
  type Row,
  textParameter,
} from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

/** What comes out for every record. */
export interface KeyedCountOutput {
  readonly key: string;
  /** Records of this key so far, this one included. */
  readonly count: number;
}

/** What comes out for every key when all input has come. */
export interface KeyedTotalOutput {
  readonly key: string;
  readonly total: number;
}

const COUNT = 'count';

export const keyedCount: JobDefinition = {
  name: 'keyed-count',
  description: 'Counts records per key; reads all topics of the scenario as one stream.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'work', description: 'Virtual CPU time of the count for each record, microseconds.', default: 0 },
    { name: 'totals', description: 'Whether the end of bounded input yields the count of each key.', default: false },
    {
      name: 'perTopic',
      description: 'Whether each topic is counted for itself, into a sink of its own.',
      default: false,
    },
  ],
  build(input) {
    const field = textParameter(input.parameters, 'key');
    const env = new StreamExecutionEnvironment({
      jobId: 'keyed-count',
      name: 'Keyed count',
      parallelism: input.parallelism,
    });
    const totals = input.parameters['totals'] === true;
    const count = (topics: readonly JobTopic[], suffix: string): void => {
      readUnion(env, input, topics)
        .keyBy((row) => keyField(row, field))
        .process(countPerKey(field, totals))
        .uid(`count${suffix}`)
        .name(`Count${suffix}`)
        .workPerRecord(numberParameter(input.parameters, 'work'))
        .sinkTo(sinkOptions(input))
        .uid(`sink${suffix}`);
    };
    if (input.parameters['perTopic'] !== true) count(input.topics, '');
    else for (const topic of input.topics) count([topic], `-${topic.name}`);
    return {
      graph: env.jobGraph(),
      audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', outputKey },
    };
  },
};

/** Counts the records of each key in value state; `totals`: the end of bounded input yields the count of each key. */
export function countPerKey(
  field: string,
  totals = false,
): FunctionSpec<KeyedProcessFunction<Row, KeyedCountOutput | KeyedTotalOutput>> {
  return {
    states: [valueState(COUNT, Types.int)],
    create() {
      let count: ValueState<number>;
      return {
        open(runtime) {
          count = runtime.value<number>(COUNT);
        },
        processElement(row, _context, out) {
          const next = (count.value() ?? 0) + 1;
          count.update(next);
          out.collect({ key: keyField(row, field), count: next });
        },
        finish(context, out) {
          if (totals) out.collect({ key: String(context.currentKey), total: count.value() ?? 0 });
        },
      };
    },
  };
}

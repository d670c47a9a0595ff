/**
 * The chain of Flink's StreamCheckpointingITCase: source, filter, shuffle, map, a map that counts, keyBy, a reduce; a count in every stage.
 *
 * Each stage counts what passes it, per prefix of the key, so that a record that is lost or doubled between two stages shows in the first
 * state behind. Flink's stages without a key keep their counts in list state; here they are keyed by the same prefix, because functions
 * keep state by key only, and the source's count is its offsets. What comes out is the running count of the prefix: 1, 2, 3 ... in any
 * order of arrival, so outputs are compared as a bag. The shuffle deals a prefix out over all subtasks, so order is not judged.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { ReducingState, ValueState } from '../../engine/state/keyed-state.ts';
import { reducingState, valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { type JobDefinition, keyField, numberParameter, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

interface PrefixCount {
  readonly prefix: string;
  readonly count: number;
}

const COUNT = 'count';
const REDUCED = 'reduced';

export const stagedCount: JobDefinition = {
  name: 'staged-count',
  description: 'Counts records per key prefix in each stage of a chain with a filter, a shuffle, a map and a reduce.',
  parameters: [
    { name: 'key', description: 'Field of the row whose prefix is the key.', default: 'key' },
    { name: 'prefix', description: 'Characters of the key that are its prefix.', default: 6 },
    { name: 'work', description: 'Virtual CPU time of the counting map for each record, microseconds.', default: 0 },
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const field = textParameter(parameters, 'key');
    const length = numberParameter(parameters, 'prefix');
    const env = new StreamExecutionEnvironment({ jobId: 'staged-count', name: 'Staged count', parallelism });
    readUnion(env, input, input.topics)
      .filter((row) => keyField(row, field) !== '')
      .uid('filter')
      .name('Filter')
      .rebalance()
      .map((row: Row): PrefixCount => ({ prefix: keyField(row, field).slice(0, length), count: 1 }))
      .uid('map')
      .name('Map')
      .keyBy(({ prefix }) => prefix)
      .process(countingMap())
      .uid('counting-map')
      .name('Counting map')
      .workPerRecord(numberParameter(parameters, 'work'))
      .keyBy(({ prefix }) => prefix)
      .process(reduce())
      .uid('reduce')
      .name('Reduce')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset' } };
  },
};

/** Counts and hands on what it got. */
function countingMap(): FunctionSpec<KeyedProcessFunction<PrefixCount, PrefixCount>> {
  return {
    states: [valueState(COUNT, Types.int)],
    create() {
      let count: ValueState<number>;
      return {
        open(runtime) {
          count = runtime.value<number>(COUNT);
        },
        processElement(value, _context, out) {
          count.update((count.value() ?? 0) + 1);
          out.collect(value);
        },
      };
    },
  };
}

function reduce(): FunctionSpec<KeyedProcessFunction<PrefixCount, PrefixCount>> {
  return {
    states: [reducingState(REDUCED, Types.int, (a: number, b: number) => a + b)],
    create() {
      let reduced: ReducingState<number>;
      return {
        open(runtime) {
          reduced = runtime.reducing<number>(REDUCED);
        },
        processElement({ prefix, count }, _context, out) {
          reduced.add(count);
          out.collect({ prefix, count: reduced.get() ?? 0 });
        },
      };
    },
  };
}

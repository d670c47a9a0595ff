/**
 * Two keyed counts behind each other, with exchanges of every kind that barriers may overtake: records are dealt evenly, split in two,
 * counted per airport, and the counts are added up per group of airports.
 *
 * What comes out are running values that depend on the order of arrival, so only their lineage is compared. State does not depend on it:
 * the counts of a key are 1, 2, 3 ... whatever the order, and so is their sum.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { Collector, FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { type JobDefinition, keyField, numberParameter, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

interface Visit {
  readonly key: string;
}
interface Count {
  readonly key: string;
  readonly count: number;
}
interface Total {
  readonly key: string;
  readonly counts: number;
  readonly sum: number;
}

const COUNT = 'count';
const TOTAL = 'total';

export const keyedCascade: JobDefinition = {
  name: 'keyed-cascade',
  description: 'Splits each record in two, counts them per key, adds the counts up per group of keys.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the first key.', default: 'origin' },
    { name: 'secondKey', description: 'Field of the row that is the second key.', default: 'destination' },
    { name: 'work', description: 'Virtual CPU time of the totals for each record, microseconds.', default: 0 },
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const fields = [textParameter(parameters, 'key'), textParameter(parameters, 'secondKey')];
    const env = new StreamExecutionEnvironment({ jobId: 'keyed-cascade', name: 'Keyed cascade', parallelism });
    readUnion(env, input, input.topics)
      .rebalance()
      .flatMap(splitBy(fields))
      .uid('split')
      .name('Split')
      .keyBy((visit) => visit.key)
      .process(countPerKey())
      .uid('count')
      .name('Count')
      .keyBy((count) => count.key.slice(0, 1))
      .process(totalPerGroup())
      .uid('total')
      .name('Total')
      .workPerRecord(numberParameter(parameters, 'work'))
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage' } };
  },
};

function splitBy(fields: readonly string[]): (row: Row, out: Collector<Visit>) => void {
  return (row, out) => {
    for (const field of fields) out.collect({ key: keyField(row, field) });
  };
}

function countPerKey(): FunctionSpec<KeyedProcessFunction<Visit, Count>> {
  return {
    states: [valueState(COUNT, Types.int)],
    create() {
      let count: ValueState<number>;
      return {
        open(runtime) {
          count = runtime.value<number>(COUNT);
        },
        processElement({ key }, _context, out) {
          const next = (count.value() ?? 0) + 1;
          count.update(next);
          out.collect({ key, count: next });
        },
      };
    },
  };
}

function totalPerGroup(): FunctionSpec<KeyedProcessFunction<Count, Total>> {
  return {
    states: [valueState(TOTAL, Types.row({ counts: Types.int, sum: Types.int }))],
    create() {
      let total: ValueState<{ readonly counts: number; readonly sum: number }>;
      return {
        open(runtime) {
          total = runtime.value(TOTAL);
        },
        processElement({ count }, { currentKey }, out) {
          const before = total.value();
          const next = { counts: (before?.counts ?? 0) + 1, sum: (before?.sum ?? 0) + count };
          total.update(next);
          out.collect({ key: String(currentKey), ...next });
        },
      };
    },
  };
}

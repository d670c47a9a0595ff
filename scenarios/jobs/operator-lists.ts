/**
 * Two jobs whose functions keep what belongs to no key (Flink: CheckpointedFunction): a list that is dealt out when the parallelism
 * changes, and a union list of which every subtask is given all.
 *
 * `buffering-map` passes records on and buffers their keys (Flink's BufferingSink without its flush, so that what is buffered does not
 * depend on the number of subtasks): together the subtasks must hold each record's key once (row S5).
 *
 * `union-offsets` counts records per key in each subtask, whichever it came to. At a restore subtask 0 takes over what all have counted, as
 * a source takes over the partitions that are its own now. So each entry must reach it, also when the parallelism has not changed
 * (row S6), and together the counts of a key are those of its records.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, ProcessFunction } from '../../engine/job/functions.ts';
import {
  type OperatorListState,
  operatorListState,
  unionListState,
} from '../../engine/state/operator-state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { JobAudit } from '../../sim/judges/job-audit.ts';
import { type JobDefinition, keyField, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

/** What comes out for every record. */
export interface PassedRecord {
  readonly key: string;
}

interface KeyCount {
  readonly key: string;
  readonly count: number;
}

const BUFFER = 'buffer';
const COUNTS = 'counts';
const KEY = { name: 'key', description: 'Field of the row that is the key.', default: 'origin' } as const;

export const bufferingMap: JobDefinition = jobOf(
  'buffering-map',
  'Passes records on and buffers their keys in a list of operator state.',
  bufferKeys,
);

export const unionOffsets: JobDefinition = jobOf(
  'union-offsets',
  'Counts records per key in union list state; at a restore subtask 0 takes over all counts.',
  countInUnion,
  { count: { [COUNTS]: sumOfCounts } },
);

type Merge = NonNullable<JobAudit['mergeOperatorState']>;

function jobOf(
  name: string,
  description: string,
  functionOf: (field: string) => FunctionSpec<ProcessFunction<Row, PassedRecord>>,
  mergeOperatorState: Merge = {},
): JobDefinition {
  return {
    name,
    description,
    parameters: [KEY],
    build(input) {
      const { parallelism } = input;
      const env = new StreamExecutionEnvironment({ jobId: name, name, parallelism });
      const records = readUnion(env, input, input.topics);
      // Where buffers are filled evenly subtasks also finish together; union state stays beside its source. Whatever is in front, an
      // exchange behind makes the job one region: a subtask that restarts alone takes nothing over from others.
      (name === 'buffering-map' ? records.rebalance() : records)
        .process(functionOf(textParameter(input.parameters, 'key')))
        .uid('count')
        .name('Count')
        .rebalance()
        .sinkTo(sinkOptions(input))
        .uid('sink');
      return {
        graph: env.jobGraph(),
        // Rebalanced records of one key meet different sinks: their order is nobody's promise.
        audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', sendsOnWhatCame: true, mergeOperatorState },
      };
    },
  };
}

function bufferKeys(field: string): FunctionSpec<ProcessFunction<Row, PassedRecord>> {
  return {
    states: [],
    operatorStates: [operatorListState(BUFFER, Types.string)],
    create() {
      let state: OperatorListState<string>;
      const buffer: string[] = [];
      return {
        initializeState(context) {
          state = context.operatorList<string>(BUFFER);
          buffer.push(...state.get());
        },
        snapshotState() {
          state.update(buffer);
        },
        processElement(row, _context, out) {
          const key = keyField(row, field);
          buffer.push(key);
          out.collect({ key });
        },
      };
    },
  };
}

function countInUnion(field: string): FunctionSpec<ProcessFunction<Row, PassedRecord>> {
  return {
    states: [],
    operatorStates: [unionListState(COUNTS, Types.row<KeyCount>({ key: Types.string, count: Types.int }))],
    create() {
      let state: OperatorListState<KeyCount>;
      const counts = new Map<string, number>();
      const add = (key: string, count: number): void => {
        counts.set(key, (counts.get(key) ?? 0) + count);
      };
      return {
        initializeState(context) {
          state = context.operatorList<KeyCount>(COUNTS);
          if (context.subtask === 0) for (const { key, count } of state.get()) add(key, count);
        },
        snapshotState() {
          state.update(Array.from(counts, ([key, count]) => ({ key, count })));
        },
        processElement(row, _context, out) {
          const key = keyField(row, field);
          add(key, 1);
          out.collect({ key });
        },
      };
    },
  };
}

/** The counts of all subtasks together, by key. */
function sumOfCounts(elements: readonly unknown[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { key, count } of elements as readonly KeyCount[]) sums.set(key, (sums.get(key) ?? 0) + count);
  return sums;
}

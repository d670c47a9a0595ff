/**
 * `job()`: random valid topologies of up to six operators, for fast-check. Smaller ones come first when it shrinks.
 *
 * Every record keeps `key` and `id` of its source record, whatever it goes through, and no function looks at anything else; so keyed state
 * does not depend on the order of arrival, and all judges apply. Values that come out do depend on it: they are compared by lineage.
 */
import fc from 'fast-check';
import type { DataStream } from '../../engine/api/data-stream.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type {
  Collector,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
} from '../../engine/job/functions.ts';
import type { ReducingState, ValueState } from '../../engine/state/keyed-state.ts';
import { reducingState, valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { JobDefinition, JobInput } from '../../scenarios/jobs/job-definition.ts';
import { readTopic, sinkOptions, unionOf } from '../../scenarios/jobs/log-topics.ts';

/** What random jobs read and pass on. */
export interface RandomRecord {
  readonly key: string;
  readonly id: number;
  readonly seen?: number;
}

const STEPS = ['map', 'filter', 'flat-map', 'count', 'sum', 'rebalance', 'new-chain', 'rekey'] as const;
export type RandomStep = (typeof STEPS)[number];

/** How a random job is put together; shown when a property fails. */
export interface RandomTopology {
  /** How the topics of the input come together; of one topic there is nothing to join. */
  readonly join: 'union' | 'connect';
  readonly steps: readonly RandomStep[];
}

/** Steps; a join is one operator, too. */
const STEPS_MAX = 5;

export function topology(): fc.Arbitrary<RandomTopology> {
  return fc.record({
    join: fc.constantFrom('union' as const, 'connect' as const),
    steps: fc.array(fc.constantFrom(...STEPS), { minLength: 0, maxLength: STEPS_MAX }),
  });
}

/** A job for scenarios with one or more topics of `randomRows`. */
export function job(): fc.Arbitrary<JobDefinition> {
  return topology().map(randomJob);
}

export function randomJob({ join, steps }: RandomTopology): JobDefinition {
  const name = `random-${join}-${steps.length === 0 ? 'none' : steps.join('-')}`;
  return {
    name,
    description: `A random topology: ${join}, then ${steps.join(', ') || 'nothing'}.`,
    parameters: [],
    build(input) {
      const env = new StreamExecutionEnvironment({ jobId: 'random', name, parallelism: input.parallelism });
      let stream = joined(env, input, join);
      for (const [index, step] of steps.entries()) stream = then(stream, step, `${step}-${index}`);
      stream.sinkTo(sinkOptions(input)).uid('sink');
      const audit = { stateIsOrderInsensitive: true, outputValues: 'lineage', sendsOnWhatCame: true } as const;
      return { graph: env.jobGraph(), audit };
    },
  };
}

/** Rows with few keys, so that they meet. */
export function randomRows(count: number): readonly (RandomRecord & Readonly<Record<string, unknown>>)[] {
  return Array.from({ length: count }, (_, id) => ({ key: `k${(id * 7 + (id >> 3)) % 11}`, id }));
}

type Stream = DataStream<RandomRecord>;

function joined(env: StreamExecutionEnvironment, input: JobInput, join: RandomTopology['join']): Stream {
  const streams = input.topics.map((topic) => readTopic(env, input, topic) as unknown as Stream);
  const [first, second, ...others] = streams;
  if (join === 'union' || first === undefined || second === undefined)
    return unionOf(streams as never) as unknown as Stream;
  const rest = others.length === 0 ? second : second.union(...others);
  return first.connect(rest).keyBy(keyOf, keyOf).process(countBoth()).uid('connect');
}

function then(stream: Stream, step: RandomStep, uid: string): Stream {
  switch (step) {
    case 'map':
      return stream.map((record) => ({ ...record, id: record.id })).uid(uid);
    case 'filter':
      return stream.filter(({ id }) => id % 5 !== 0).uid(uid);
    case 'flat-map':
      return stream.flatMap(oneOrTwo).uid(uid);
    case 'rekey':
      return stream.map((record) => ({ ...record, key: `${record.key}/${record.id % 3}` })).uid(uid);
    case 'count':
      return stream.keyBy(keyOf).process(count()).uid(uid);
    case 'sum':
      return stream.keyBy(keyOf).process(sum()).uid(uid);
    case 'rebalance':
      return stream.rebalance();
    case 'new-chain':
      return stream
        .map((record) => record)
        .uid(uid)
        .startNewChain();
    default:
      throw new RangeError(`unknown step ${String(step satisfies never)}`);
  }
}

function oneOrTwo(record: RandomRecord, out: Collector<RandomRecord>): void {
  out.collect(record);
  if (record.id % 3 === 0) out.collect({ ...record, id: record.id + 1 });
}

const keyOf = ({ key }: RandomRecord): string => key;

function count(): FunctionSpec<KeyedProcessFunction<RandomRecord, RandomRecord>> {
  return {
    states: [valueState('count', Types.int)],
    create() {
      let state: ValueState<number>;
      return {
        open: (runtime) => {
          state = runtime.value<number>('count');
        },
        processElement({ key, id }, _context, out) {
          const seen = (state.value() ?? 0) + 1;
          state.update(seen);
          out.collect({ key, id, seen });
        },
      };
    },
  };
}

function sum(): FunctionSpec<KeyedProcessFunction<RandomRecord, RandomRecord>> {
  return {
    states: [reducingState<number>('sum', Types.double, (a, b) => a + b)],
    create() {
      let state: ReducingState<number>;
      return {
        open: (runtime) => {
          state = runtime.reducing<number>('sum');
        },
        processElement({ key, id }, _context, out) {
          state.add(id);
          const seen = state.get();
          out.collect({ key, id, ...(seen === undefined ? {} : { seen }) });
        },
      };
    },
  };
}

function countBoth(): FunctionSpec<KeyedCoProcessFunction<RandomRecord, RandomRecord, RandomRecord>> {
  return {
    states: [valueState('first', Types.int), valueState('second', Types.int)],
    create() {
      let states: readonly [ValueState<number>, ValueState<number>];
      const add = (state: ValueState<number>): number => {
        const next = (state.value() ?? 0) + 1;
        state.update(next);
        return next;
      };
      return {
        open: (runtime) => {
          states = [runtime.value<number>('first'), runtime.value<number>('second')];
        },
        processElement1: ({ key, id }, _context, out) => out.collect({ key, id, seen: add(states[0]) }),
        processElement2: ({ key, id }, _context, out) => out.collect({ key, id, seen: add(states[1]) }),
      };
    },
  };
}

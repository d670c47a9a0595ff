/**
 * A function that asks for its state when a record needs it, not once when it opens (Flink: RuntimeContext.getState in processElement): a
 * count with each record anew, the other kinds only for some records. So after a restart each subtask asks for what was restored in an order
 * of its own, long after it began, and for some of it never.
 *
 * Whatever it keeps of a key does not depend on the order in which records of different partitions arrive. Counts come out with each record,
 * everything else when bounded input has ended, so outputs are compared as a bag of values.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction, RuntimeContext, StateKey } from '../../engine/job/functions.ts';
import { listState, mapState, reducingState, valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { MEAN_DISTANCE } from './mean-distance.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import type { KeyedCountOutput } from './keyed-count.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

/** What comes out for every key when all input has come. */
export interface AskedTotals {
  readonly key: string;
  readonly total: number;
  /** Of delayed records, minutes. */
  readonly delay: number;
  /** Of far ones where they went, how far in thousands and whether on time, and how often. */
  readonly far: readonly (readonly [StateKey, number])[];
  /** How early ones were by where they went, minutes. */
  readonly early: readonly (readonly [string, Early])[];
  /** First letters of where early ones went. */
  readonly letters: string;
  /** Mean distance of punctual ones, rounded down. */
  readonly mean: number;
}

/** A count at the bottom of as many lists. */
type Nested = number | readonly Nested[];

interface Early {
  /** In order. */
  readonly delays: number[];
}

/** Distance from which a record is of a far flight. */
const FAR = 900;

const DELAY = reducingState<number>('delay', Types.int, (sum, delay) => sum + delay);
/** Keys of every kind. */
const FAR_ONES = mapState('far', Types.key, Types.int);
/** Documents that are changed in place. */
const EARLY_ONES = mapState('early', Types.string, Types.json as TypeSerializer<unknown> as TypeSerializer<Early>);
const LETTERS = listState('letters', Types.string);
const COUNT = 'count';

export const statesWhenAsked: JobDefinition = {
  name: 'states-when-asked',
  description: 'Asks for keyed state of every kind when a record needs it: some with each record, some seldom.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'group', description: 'Field by which the map of a key is filled.', default: 'destination' },
    { name: 'nesting', description: 'Lists around the count of a key; a type is nested 64 deep at most.', default: 1 },
  ],
  build(input) {
    const { parallelism, parameters } = input;
    const key = textParameter(parameters, 'key');
    const group = textParameter(parameters, 'group');
    const env = new StreamExecutionEnvironment({ jobId: 'states-when-asked', name: 'States when asked', parallelism });
    readUnion(env, input, input.topics)
      .keyBy((row) => keyField(row, key))
      .process(askingFunction(key, group, numberParameter(parameters, 'nesting')))
      .uid('asked')
      .name('Asked')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', outputKey } };
  },
};

function askingFunction(
  key: string,
  group: string,
  nesting: number,
): FunctionSpec<KeyedProcessFunction<Row, KeyedCountOutput | AskedTotals>> {
  return {
    states: [valueState(COUNT, nestedType(nesting)), DELAY, FAR_ONES, EARLY_ONES, LETTERS, MEAN_DISTANCE],
    registration: 'when-asked',
    create() {
      let runtime: RuntimeContext;
      return {
        open(opened) {
          runtime = opened;
        },
        processElement(row, _context, out) {
          const counted = runtime.value<Nested>(COUNT);
          const count = countIn(counted.value()) + 1;
          counted.update(nestedCount(count, nesting));
          note(runtime, row, keyField(row, group));
          out.collect({ key: keyField(row, key), count });
        },
        finish({ currentKey }, out) {
          const total = countIn(runtime.value<Nested>(COUNT).value());
          const delay = runtime.reducing<number>(DELAY.name).get() ?? 0;
          const far = runtime.map<StateKey, number>(FAR_ONES.name).entries();
          const early = runtime.map<string, Early>(EARLY_ONES.name).entries();
          const letters = runtime.list<string>(LETTERS.name).get().join('');
          const mean = runtime.aggregating<number, number>(MEAN_DISTANCE.name).get() ?? 0;
          out.collect({ key: String(currentKey), total, delay, far, early, letters, mean });
        },
      };
    },
  };
}

/** What is kept of some records only. */
function note(runtime: RuntimeContext, row: Row, place: string): void {
  const delay = wholeNumber(row['delay']);
  const distance = wholeNumber(row['distance']);
  if (delay > 0) runtime.reducing<number>(DELAY.name).add(delay);
  if (delay === 0) runtime.aggregating<number, number>(MEAN_DISTANCE.name).add(distance);
  if (distance >= FAR) {
    const farOnes = runtime.map<StateKey, number>(FAR_ONES.name);
    for (const what of [place, distance / 1_000, delay <= 0]) farOnes.put(what, (farOnes.get(what) ?? 0) + 1);
  }
  if (delay >= 0) return;
  const earlyOnes = runtime.map<string, Early>(EARLY_ONES.name);
  const delays = earlyOnes.get(place)?.delays;
  if (delays === undefined) earlyOnes.put(place, { delays: [delay] });
  else delays.splice(delays.findLastIndex((one) => one <= delay) + 1, 0, delay);
  const letters = runtime.list<string>(LETTERS.name);
  const letter = place.slice(0, 1);
  if (!letters.get().includes(letter)) letters.update([...letters.get(), letter].sort(byCodeUnits));
}

function nestedType(depth: number): TypeSerializer<Nested> {
  let type = Types.int as TypeSerializer<unknown>;
  for (let level = 0; level < depth; level += 1) type = Types.list(type);
  return type as TypeSerializer<Nested>;
}

function nestedCount(count: number, depth: number): Nested {
  let nested: Nested = count;
  for (let level = 0; level < depth; level += 1) nested = [nested];
  return nested;
}

function countIn(nested: Nested | undefined): number {
  let inner = nested;
  while (typeof inner === 'object') inner = inner[0];
  return inner ?? 0;
}

const wholeNumber = (value: unknown): number => (typeof value === 'number' ? Math.round(value) : 0);
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

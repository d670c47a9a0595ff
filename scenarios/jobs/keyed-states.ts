/**
 * One function with keyed state of every kind (row S10), so that each is snapshotted, restored, dealt out anew and judged byte for byte.
 *
 * Whatever it keeps of a key does not depend on the order in which records of different partitions arrive: sums, maxima, sets in the order of
 * their elements, and a map whose value is null until a group is seen again (X17 MapStateNullValue). What comes out are running values, so
 * outputs are compared by lineage.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  ValueState,
} from '../../engine/state/keyed-state.ts';
import {
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  valueState,
} from '../../engine/state/state-descriptor.ts';
import { withTimeToLive } from '../../engine/state/time-to-live.ts';
import { Types } from '../../engine/state/type-information.ts';
import { MEAN_DISTANCE } from './mean-distance.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

/** What comes out for every record. */
export interface KeyedStatesOutput {
  readonly key: string;
  /** Records of this key so far. */
  readonly count: number;
  /** Mean distance, rounded down. */
  readonly mean: number;
  /** Groups seen, and groups seen again. */
  readonly groups: number;
  readonly again: number;
  /** Elements of the list before this record; absent without one. */
  readonly marks?: number;
}

const SIZES = ['small', 'busy', 'hub'] as const;
type Size = (typeof SIZES)[number];
/** Records from which a key is busy, and from which it is a hub. */
const BUSY = 5;
const HUB = 20;

interface Profile {
  readonly count: number;
  readonly size: Size;
  readonly farthest: number;
}

const PROFILE = valueState(
  'profile',
  Types.record<Profile>({ count: Types.int, size: Types.enumeration(...SIZES), farthest: Types.double }),
);
const LETTERS = listState('letters', Types.string);
/** One element for each record since the list was full: grows in place, and is emptied and looked at again in one action. */
const MARKS = listState('marks', Types.int);
const MARKS_MAX = 12;
const GROUPS = mapState('groups', Types.string, Types.nullable(Types.int));
const DELAY = reducingState<number>('delay', Types.int, (sum, delay) => sum + delay);

export const keyedStates: JobDefinition = {
  name: 'keyed-states',
  description: 'Keeps keyed state of every kind: value, list, map with null values, reducing, aggregating.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'ttl', description: 'Milliseconds of the wall clock after which entries expire; 0: never.', default: 0 },
    {
      name: 'marks',
      description: 'Whether each record also adds to a list, which is emptied when it is full.',
      default: false,
    },
    { name: 'group', description: 'Field by which the map of a key is filled.', default: 'destination' },
  ],
  build(input) {
    const key = textParameter(input.parameters, 'key');
    const group = textParameter(input.parameters, 'group');
    const { parallelism } = input;
    const env = new StreamExecutionEnvironment({ jobId: 'keyed-states', name: 'Keyed states', parallelism });
    readUnion(env, input, input.topics)
      .keyBy((row) => keyField(row, key))
      .process(
        everyKind({
          key,
          group,
          ttlMs: numberParameter(input.parameters, 'ttl'),
          marks: input.parameters['marks'] === true,
        }),
      )
      .uid('states')
      .name('States')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage', outputKey } };
  },
};

function everyKind({
  key,
  group,
  ttlMs,
  marks: hasMarks,
}: {
  readonly key: string;
  readonly group: string;
  readonly ttlMs: number;
  readonly marks: boolean;
}): FunctionSpec<KeyedProcessFunction<Row, KeyedStatesOutput>> {
  const always: readonly StateDescriptor[] = [PROFILE, LETTERS, GROUPS, DELAY, MEAN_DISTANCE];
  const states = hasMarks ? [...always, MARKS] : always;
  return {
    states: ttlMs > 0 ? states.map((state) => withTimeToLive(state, { ttlMs })) : states,
    create() {
      let profile: ValueState<Profile>;
      let letters: ListState<string>;
      let marks: ListState<number> | undefined;
      let groups: MapState<string, number | null>;
      let delay: ReducingState<number>;
      let distance: AggregatingState<number, number>;
      return {
        open(runtime) {
          profile = runtime.value(PROFILE.name);
          letters = runtime.list(LETTERS.name);
          marks = hasMarks ? runtime.list(MARKS.name) : undefined;
          groups = runtime.map(GROUPS.name);
          delay = runtime.reducing(DELAY.name);
          distance = runtime.aggregating(MEAN_DISTANCE.name);
        },
        processElement(row, _context, out) {
          const before = profile.value();
          const count = (before?.count ?? 0) + 1;
          const far = wholeNumber(row['distance']);
          const size = count >= HUB ? 'hub' : count >= BUSY ? 'busy' : 'small';
          profile.update({ count, size, farthest: Math.max(before?.farthest ?? 0, far) });
          const place = keyField(row, group);
          const letter = place.slice(0, 1);
          if (!letters.get().includes(letter)) letters.update([...letters.get(), letter].sort(byCodeUnits));
          groups.put(place, groups.contains(place) ? (groups.get(place) ?? 0) + 1 : null);
          delay.add(wholeNumber(row['delay']));
          distance.add(far);
          const again = groups.entries().filter(([, times]) => times !== null).length;
          const mean = distance.get() ?? 0;
          const base = { key: keyField(row, key), count, mean, groups: groups.keys().length, again };
          out.collect(marks === undefined ? base : { ...base, marks: marked(marks, keyField(row, key)) });
        },
      };
    },
  };
}

/** A full list is emptied before the next mark is added to it, or, for every other letter that a key begins with, behind the last one. */
function marked(marks: ListState<number>, key: string): number {
  if (key.charCodeAt(0) % 2 === 0) {
    marks.add(marks.get().length);
    const { length } = marks.get();
    if (length === MARKS_MAX) marks.clear();
    return length;
  }
  if (marks.get().length === MARKS_MAX) marks.clear();
  const before = marks.get().length;
  marks.add(before);
  return before;
}

const wholeNumber = (value: unknown): number => (typeof value === 'number' ? Math.round(value) : 0);
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

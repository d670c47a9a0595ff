/**
 * Tallies in many versions of the job, of which most cannot read what the others left (row S13; Flink: StateMigrationException): a tally of
 * each key, a count of each key, and a list of what each subtask has seen, which belongs to no key.
 *
 * 1 is what the others are compared with. In 2 the count expires, after a time that no life reaches, so that 1 and 2 read what the other left:
 * turning a time to live on or off is a migration (row S12). Of the others each changes one thing that cannot be: 3 renames a column of the
 * tally, 4 makes rows of the elements of the list, 5 asks for the list as broadcast state, 6 as a union list (rows S6, S7), 7 for the count
 * as a list per key, and in 8 a column of the tally is a string. 9 has no list: what it finds of it, it leaves to the next. What 3 to 6 would read has the bytes they expect: only its description tells.
 */
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction, ProcessFunction } from '../../engine/job/functions.ts';
import type { ListState, ValueState } from '../../engine/state/keyed-state.ts';
import {
  broadcastState,
  type OperatorListState,
  type OperatorStateDescriptor,
  operatorListState,
  unionListState,
} from '../../engine/state/operator-state-descriptor.ts';
import { listState, type StateDescriptor, valueState } from '../../engine/state/state-descriptor.ts';
import { withTimeToLive } from '../../engine/state/time-to-live.ts';
import { Types } from '../../engine/state/type-information.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

/** Without the distance: which was the greatest so far depends on the order of arrival. */
interface Tally {
  readonly key: string;
  readonly records: number;
}

/** A place, and how often a subtask has seen it. */
type Sighting = readonly [string, number];

interface VersionStates {
  /** Of a row of records and `column`. */
  readonly tally: StateDescriptor;
  /** Where the greatest distance lies, and what it lies there as. */
  readonly column: string;
  readonly asColumn: (distance: number) => number | string;
  readonly count: StateDescriptor;
  readonly seen: OperatorStateDescriptor | undefined;
  /** An element of `seen`. */
  readonly elementOf: (sighting: Sighting) => unknown;
}

const DAY_MS = 86_400_000;
const SEEN = 'seen';
const COUNT = valueState('count', Types.int);
const SIGHTING = Types.tuple<[string, number]>([Types.string, Types.int]);
const FIRST: VersionStates = {
  tally: valueState('tally', Types.row({ records: Types.int, farthest: Types.int })),
  column: 'farthest',
  asColumn: Number,
  count: COUNT,
  seen: operatorListState(SEEN, SIGHTING),
  elementOf: (sighting) => sighting,
};
const RENAMED: Partial<VersionStates> = {
  tally: valueState('tally', Types.row({ records: Types.int, longest: Types.int })),
  column: 'longest',
};
const OTHER_ELEMENTS: Partial<VersionStates> = {
  seen: operatorListState(SEEN, Types.row({ place: Types.string, times: Types.int })),
  elementOf: ([place, times]) => ({ place, times }),
};
const OTHER_COLUMN: Partial<VersionStates> = {
  tally: valueState('tally', Types.row({ records: Types.int, farthest: Types.string })),
  asColumn: String,
};
/** By number, from 1. */
const VERSIONS: readonly VersionStates[] = [
  FIRST,
  { ...FIRST, count: withTimeToLive(COUNT, { ttlMs: DAY_MS }) },
  { ...FIRST, ...RENAMED },
  { ...FIRST, ...OTHER_ELEMENTS },
  { ...FIRST, seen: broadcastState(SEEN, Types.string, Types.int) },
  { ...FIRST, seen: unionListState(SEEN, SIGHTING) },
  { ...FIRST, count: listState('count', Types.int) },
  { ...FIRST, ...OTHER_COLUMN },
  { ...FIRST, seen: undefined },
];
/** By version. */
const READS_STATE_OF: Readonly<Record<number, readonly number[]>> = { 1: [2, 9], 2: [1, 9], 9: [1, 2] };

export const versionedTallies: JobDefinition = {
  name: 'versioned-tallies',
  description: 'Tallies per key, in versions of which most cannot read what the others left.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'place', description: 'Field that the list of what was seen is about.', default: 'destination' },
    {
      name: 'version',
      description: '1; 2 reads what 1 left, and 1 what 2 left; 3 to 8 read neither, 9 both.',
      default: 1,
    },
  ],
  build(input) {
    const { parallelism, parameters } = input;
    const key = textParameter(parameters, 'key');
    const version = numberParameter(parameters, 'version');
    const states = VERSIONS[version - 1];
    if (states === undefined)
      throw new InvalidJob(`The parameter version is ${version}; it must be 1 to ${VERSIONS.length}.`);
    const env = new StreamExecutionEnvironment({ jobId: 'versioned-tallies', name: 'Versioned tallies', parallelism });
    // The exchange behind it makes one region of the job: a subtask that restarts alone takes nothing over from others.
    readUnion(env, input, input.topics)
      .process(see(states, textParameter(parameters, 'place')))
      .uid('see')
      .name('See')
      .keyBy((row) => keyField(row, key))
      .process(tally(states, key))
      .uid('tally')
      .name('Tally')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return {
      graph: env.jobGraph(),
      audit: {
        stateIsOrderInsensitive: true,
        outputValues: 'multiset',
        outputKey,
        mergeOperatorState: { see: { [SEEN]: sumOfSightings } },
        upgraded: ({ state, content }) => upgraded(states, state, content),
        readsStateOf: READS_STATE_OF[version] ?? [],
      },
    };
  },
};

/** Passes records on, and counts the places in them. */
function see({ seen, elementOf }: VersionStates, field: string): FunctionSpec<ProcessFunction<Row, Row>> {
  return {
    states: [],
    operatorStates: seen === undefined ? [] : [seen],
    create() {
      const counts = new Map<string, number>();
      let list: OperatorListState<unknown> | undefined;
      return {
        initializeState(context) {
          if (seen === undefined || seen.kind === 'broadcast') return;
          list = context.operatorList(SEEN);
          for (const [place, times] of list.get().map(sightingOf)) counts.set(place, (counts.get(place) ?? 0) + times);
        },
        snapshotState() {
          list?.update(Array.from(counts, elementOf));
        },
        processElement(row, _context, out) {
          const place = keyField(row, field);
          counts.set(place, (counts.get(place) ?? 0) + 1);
          out.collect(row);
        },
      };
    },
  };
}

function tally(
  { tally: tallied, column, asColumn, count }: VersionStates,
  key: string,
): FunctionSpec<KeyedProcessFunction<Row, Tally>> {
  return {
    states: [tallied, count],
    create() {
      let tally: ValueState<Readonly<Record<string, unknown>>>;
      let counted: ValueState<number> | ListState<number>;
      return {
        open(runtime) {
          tally = runtime.value('tally');
          counted = count.kind === 'list' ? runtime.list('count') : runtime.value('count');
        },
        processElement(row, _context, out) {
          const before = tally.value();
          const records = Number(before?.['records'] ?? 0) + 1;
          const distance = typeof row['distance'] === 'number' ? Math.round(row['distance']) : 0;
          const farthest = Math.max(Number(before?.[column] ?? 0), distance);
          tally.update({ records, [column]: asColumn(farthest) });
          if ('value' in counted) counted.update((counted.value() ?? 0) + 1);
          out.collect({ key: keyField(row, key), records });
        },
      };
    },
  };
}

/** How often all subtasks together have seen each place. */
function sumOfSightings(elements: readonly unknown[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [place, times] of elements.map(sightingOf)) sums.set(place, (sums.get(place) ?? 0) + times);
  return sums;
}

/** Of an element of any version. */
const sightingOf = (element: unknown): Sighting => Object.values(element as object) as unknown as Sighting;

/** Also what a version that is refused would make of it: an engine that does not refuse it is judged, too. */
function upgraded({ column, asColumn, elementOf, count }: VersionStates, state: string, content: unknown): unknown {
  if (state === SEEN) return (content as readonly unknown[]).map((element) => elementOf(sightingOf(element)));
  if (state === 'count') return count.kind === 'list' ? [content] : content;
  const [records, distance] = Object.values(content as object) as readonly unknown[];
  return { records, [column]: asColumn(Number(distance)) };
}

/**
 * A job of several versions, whose state goes from one to the next (rows S13, C31, X17): a profile of each key, an archive that one version
 * does without, and a list of what was seen, which belongs to no key.
 *
 * 1 is what the others are compared with. 2 reads what 1 left after a migration: a field is added, one is widened, an enumeration has a symbol
 * more, the values of a map are widened, and elements of the list gain a field. 3 cannot read it: a field has another type. 4 has no archive, whose state must be given up; it
 * reads what 1 left as it is, and cannot read what 2 left.
 */
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction, ProcessFunction } from '../../engine/job/functions.ts';
import { type OperatorListState, operatorListState } from '../../engine/state/operator-state-descriptor.ts';
import type { MapState, ValueState } from '../../engine/state/keyed-state.ts';
import {
  type MapStateDescriptor,
  mapState,
  type ValueStateDescriptor,
  valueState,
} from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { JobAudit } from '../../sim/judges/job-audit.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, type Row, textParameter } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

type Size = 'small' | 'busy' | 'hub';

interface Profile {
  readonly count: number;
  readonly size: Size;
  readonly farthest: number;
  /** Records since the key is counted by version 2. */
  readonly since?: number;
}

interface Seen {
  readonly place: string;
  /** The version that saw it, where that is known. */
  readonly by?: number;
}

interface ProfileStates {
  readonly profile: ValueStateDescriptor<Profile>;
  readonly groups: MapStateDescriptor<string, number>;
}

/** Records from which a key is busy, and from which it is a hub where the version knows hubs. */
const BUSY = 5;
const HUB = 12;
const SEEN = 'seen';
const SEEN_FIRST = Types.record<Seen>({ place: Types.string });
const SEEN_SECOND = Types.record<Required<Seen>>({ place: Types.string, by: Types.int }, { by: 1 });
const ARCHIVED = valueState('archived', Types.int);

const FIRST: ProfileStates = {
  profile: valueState(
    'profile',
    Types.record<Profile>({ count: Types.int, size: Types.enumeration<Size>('small', 'busy'), farthest: Types.int }),
  ),
  groups: mapState('groups', Types.string, Types.int),
};
const SECOND: ProfileStates = {
  profile: valueState(
    'profile',
    Types.record<Required<Profile>>(
      {
        count: Types.int,
        size: Types.enumeration<Size>('small', 'busy', 'hub'),
        farthest: Types.double,
        since: Types.int,
      },
      { since: 0 },
    ) as ValueStateDescriptor<Profile>['type'],
  ),
  groups: mapState('groups', Types.string, Types.double),
};
const THIRD: ProfileStates = {
  ...FIRST,
  profile: valueState(
    'profile',
    Types.record({
      count: Types.string,
      size: Types.enumeration('small', 'busy'),
      farthest: Types.int,
    }) as unknown as ValueStateDescriptor<Profile>['type'],
  ),
};
const STATES: readonly ProfileStates[] = [FIRST, SECOND, THIRD, FIRST];
const READS_STATE_OF: readonly (readonly number[])[] = [[4], [1, 4], [], [1]];

export const evolvingProfile: JobDefinition = {
  name: 'evolving-profile',
  description: 'Keeps a profile per key, in versions whose state differs.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'group', description: 'Field by which the map of a key is filled.', default: 'destination' },
    { name: 'version', description: '1; 2 migrates its state; 3 cannot read it; 4 has one operator less.', default: 1 },
  ],
  build(input) {
    const { parallelism, parameters } = input;
    const key = textParameter(parameters, 'key');
    const version = numberParameter(parameters, 'version');
    const states = STATES[version - 1];
    if (states === undefined) throw new InvalidJob(`The parameter version is ${version}; it must be 1, 2, 3 or 4.`);
    const env = new StreamExecutionEnvironment({ jobId: 'evolving-profile', name: 'Evolving profile', parallelism });
    const byKey = (row: Row): string => keyField(row, key);
    // The exchange behind it makes one region of the job: a subtask that restarts alone takes nothing over from others.
    const rows = readUnion(env, input, input.topics)
      .process(seen(textParameter(parameters, 'group'), version))
      .uid('seen')
      .name('Seen');
    const archived = version === 4 ? rows : rows.keyBy(byKey).process(archive()).uid('archive').name('Archive');
    archived
      .keyBy(byKey)
      .process(profiles(states, textParameter(parameters, 'group'), version))
      .uid('profiles')
      .name('Profiles')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return { graph: env.jobGraph(), audit: auditOf(version) };
  },
};

/** Counts do not depend on the order of arrival, so the bag of values is compared, whichever version made them, and state byte for byte. */
const auditOf = (version: number): JobAudit => ({
  stateIsOrderInsensitive: true,
  outputValues: 'multiset',
  outputKey,
  readsStateOf: READS_STATE_OF[version - 1] ?? [],
  upgraded: ({ state, content }) => {
    if (state === SEEN)
      return (content as readonly Seen[]).map(({ place }) => (version === 2 ? { place, by: 1 } : { place }));
    if (state === 'groups') return new Map(content as ReadonlyMap<string, number>);
    if (state !== 'profile') return content;
    const { count, size, farthest } = content as Profile;
    return version === 2 ? { count, size, farthest, since: 0 } : { count, size, farthest };
  },
});

function profiles(
  states: ProfileStates,
  group: string,
  version: number,
): FunctionSpec<KeyedProcessFunction<Row, Omit<Profile, 'farthest'> & { readonly key: string }>> {
  return {
    states: [states.profile, states.groups],
    create() {
      let profile: ValueState<Profile>;
      let groups: MapState<string, number>;
      return {
        open(runtime) {
          profile = runtime.value('profile');
          groups = runtime.map('groups');
        },
        processElement(row, context, out) {
          const before = profile.value();
          const count = (before?.count ?? 0) + 1;
          const far = typeof row['distance'] === 'number' ? Math.round(row['distance']) : 0;
          const farthest = Math.max(before?.farthest ?? 0, far);
          const isHub = version === 2 && count >= HUB;
          const size = isHub ? 'hub' : count >= BUSY ? 'busy' : 'small';
          const since = version === 2 ? { since: (before?.since ?? 0) + 1 } : {};
          profile.update({ count, size, farthest, ...since });
          const place = keyField(row, group);
          groups.put(place, (groups.get(place) ?? 0) + 1);
          out.collect({ key: String(context.currentKey), count, size, ...since });
        },
      };
    },
  };
}

/** Buffers where each record goes to. */
function seen(field: string, version: number): FunctionSpec<ProcessFunction<Row, Row>> {
  const type = version === 2 ? (SEEN_SECOND as unknown as typeof SEEN_FIRST) : SEEN_FIRST;
  const by = version === 2 ? { by: version } : {};
  return {
    states: [],
    operatorStates: [operatorListState(SEEN, type)],
    create() {
      let state: OperatorListState<Seen>;
      const buffer: Seen[] = [];
      return {
        initializeState(context) {
          state = context.operatorList<Seen>(SEEN);
          buffer.push(...state.get());
        },
        snapshotState() {
          state.update(buffer);
        },
        processElement(row, _context, out) {
          buffer.push({ place: keyField(row, field), ...by });
          out.collect(row);
        },
      };
    },
  };
}

/** Counts what goes through. */
function archive(): FunctionSpec<KeyedProcessFunction<Row, Row>> {
  return {
    states: [ARCHIVED],
    create() {
      let archived: ValueState<number>;
      return {
        open(runtime) {
          archived = runtime.value(ARCHIVED.name);
        },
        processElement(row, _context, out) {
          archived.update((archived.value() ?? 0) + 1);
          out.collect(row);
        },
      };
    },
  };
}

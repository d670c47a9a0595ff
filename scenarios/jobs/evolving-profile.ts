/**
 * A job of several versions, whose state goes from one to the next (rows S13, C31, X17): a profile of each key, and an archive that one version
 * does without.
 *
 * 1 is what the others are compared with. 2 reads what 1 left after a migration: a field is added, one is widened, an enumeration has a symbol
 * more, and the values of a map are widened. 3 cannot read it: a field has another type. 4 has no archive, whose state must be given up; it
 * reads what 1 left as it is, and cannot read what 2 left.
 */
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
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

interface ProfileStates {
  readonly profile: ValueStateDescriptor<Profile>;
  readonly groups: MapStateDescriptor<string, number>;
}

/** Records from which a key is busy, and from which it is a hub where the version knows hubs. */
const BUSY = 5;
const HUB = 12;
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
    const rows = readUnion(env, input, input.topics);
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

/** Every version makes one value of every record, so output is compared by lineage whichever made it; state is compared byte for byte. */
const auditOf = (version: number): JobAudit => ({
  stateIsOrderInsensitive: true,
  outputValues: 'lineage',
  outputKey,
  upgraded: ({ state, content }) => {
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
): FunctionSpec<KeyedProcessFunction<Row, Profile & { readonly key: string }>> {
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
          out.collect({ key: String(context.currentKey), count, size, farthest, ...since });
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

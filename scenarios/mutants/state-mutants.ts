/** What a snapshot of keyed state may get wrong: whose file it is, and of which moment. */
import { standardParts } from '../../engine/parts.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import { decodeKeyedStateFile, encodeKeyedStateFile, type StateMetaInfo } from '../../engine/state/keyed-state-file.ts';
import { STAMPED } from '../../engine/state/schema-compatibility.ts';
import type { StateDescriptor } from '../../engine/state/state-descriptor.ts';
import { IncompatibleState, type SerializerSnapshot } from '../../engine/state/type-serializer.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const stateKeyWithoutSubtask: Mutant = {
  slug: 'state-key-without-subtask',
  bug: 'Hazelcast Jet #840',
  story:
    'State files are named without their subtask, so the last subtask to write overwrites the state of the others.',
  parts: withWrong({
    stateFile: ({ directory, operator, state }) => ({ path: `${directory}/${operator}.${state}`, overwrite: true }),
  }),
  scenario: 'standard',
  judges: ['consistent-cut', 'exactly-once-state', 'progress', 'restore-audit'],
};

export const asyncPartNotIsolated: Mutant = {
  slug: 'async-part-not-isolated',
  bug: 'FLINK-9269',
  story: 'The asynchronous part serializes the live state, with what was counted since the barrier.',
  parts: withWrong({ createStateBackend: (options) => withLiveSnapshots(standardParts.createStateBackend(options)) }),
  scenario: 'pause-during-snapshot',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const ttlTimestampNotInSnapshot: Mutant = {
  slug: 'ttl-timestamp-not-in-snapshot',
  bug: 'row S12',
  story:
    'What is restored counts as accessed just now, so entries that should have expired live on after every failure.',
  parts: withWrong({ restoredAccess: (_writtenUs, nowUs) => nowUs }),
  scenario: 'state-ttl',
  judges: ['state-expiry'],
};

export const migrationAppliedTwice: Mutant = {
  slug: 'migration-applied-twice',
  bug: 'row S13',
  story:
    'What is written after a migration is still described as it was before, so the next restore migrates values that have the new form already.',
  parts: withWrong({
    createStateBackend: (options) => {
      const backend = standardParts.createStateBackend(options);
      return options.backend === 'hashmap' ? withFirstDescription(backend) : backend;
    },
  }),
  scenario: 'upgrade-under-faults',
  judges: ['exactly-once-output', 'checkpoint-lifecycle', 'progress'],
};

export const timeToLiveRefused: Mutant = {
  slug: 'time-to-live-refused',
  bug: 'row S12',
  story:
    'A job in which a time to live was turned on or off is told that it cannot read its state, though only the time of access is missing or too much.',
  parts: withWrong({
    createStateBackend: (options) => {
      const backend = standardParts.createStateBackend(options);
      const isPlain = options.backend === 'hashmap' && options.changelog === undefined;
      return isPlain ? withFixedTimeToLive(backend) : backend;
    },
  }),
  scenario: 'refused-versions',
  judges: ['exactly-once-output', 'progress', 'restore-audit', 'upgrades'],
};

/** The same backend, but whether entries of a state have a time must not change. */
function withFixedTimeToLive(backend: KeyedStateBackend): KeyedStateBackend {
  const expiring = new Map<string, boolean>();
  const restore = backend.restore.bind(backend);
  const getState = backend.getState.bind(backend) as (descriptor: StateDescriptor) => never;
  return Object.assign(backend, {
    restore(...restored: Parameters<typeof restore>): void {
      for (const { name, serializer } of decodeKeyedStateFile(restored[0]).states)
        expiring.set(name, hasTime(serializer));
      restore(...restored);
    },
    getState(descriptor: StateDescriptor): never {
      const now = descriptor.timeToLive !== undefined;
      if ((expiring.get(descriptor.name) ?? now) !== now)
        throw new IncompatibleState(`state '${descriptor.name}' has another time to live`);
      return getState(descriptor);
    },
  });
}

const hasTime = ({ name, fields = [] }: SerializerSnapshot): boolean =>
  name === STAMPED || fields.some(({ serializer }) => hasTime(serializer));

/** The same backend, but its files say of each state what the file said that it was restored from. */
function withFirstDescription(backend: KeyedStateBackend): KeyedStateBackend {
  const described = new Map<string, StateMetaInfo>();
  return withWrongSnapshots(backend, {
    restore: (bytes) => {
      for (const state of decodeKeyedStateFile(bytes).states) described.set(state.name, state);
      backend.restore(bytes);
    },
    snapshot: () => {
      const snapshot = backend.snapshot();
      return { ...snapshot, write: () => redescribed(snapshot.write(), described) };
    },
  });
}

function redescribed(bytes: Uint8Array, described: ReadonlyMap<string, StateMetaInfo>): Uint8Array {
  const file = decodeKeyedStateFile(bytes);
  const states = file.states.map((state) => described.get(state.name) ?? state);
  return encodeKeyedStateFile({ ...file, states }, (state, keyGroup, out) => {
    const section = file.sections.find((found) => found.state === state && found.keyGroup === keyGroup);
    if (section !== undefined) out.writeBytes(bytes, section.start, section.end);
    return section?.entryCount ?? 0;
  });
}

/** The same backend, but the state of a snapshot is taken when it is written. */
function withLiveSnapshots(backend: KeyedStateBackend): KeyedStateBackend {
  return withWrongSnapshots(backend, {
    restore: (bytes) => backend.restore(bytes),
    snapshot: () => ({
      entryCount: backend.keyCount,
      write() {
        const late = backend.snapshot();
        const bytes = late.write();
        late.release();
        return bytes;
      },
      release: () => undefined,
    }),
  });
}

function withWrongSnapshots(
  backend: KeyedStateBackend,
  wrong: Pick<KeyedStateBackend, 'snapshot' | 'restore'>,
): KeyedStateBackend {
  return {
    get keyCount() {
      return backend.keyCount;
    },
    get estimatedBytes() {
      return backend.estimatedBytes;
    },
    get currentKey() {
      return backend.currentKey;
    },
    setCurrentKey: (key) => backend.setCurrentKey(key),
    getTimers: (name) => backend.getTimers(name),
    get registered() {
      return backend.registered;
    },
    keys: () => backend.keys(),
    visitEntries: (visit) => backend.visitEntries(visit),
    getState: backend.getState.bind(backend),
    cleanUp: (state, entries) => backend.cleanUp?.(state, entries),
    dispose: () => backend.dispose(),
    ...wrong,
  };
}

export const restoreForgetsLastBlock: Mutant = {
  slug: 'restore-forgets-last-block',
  bug: 'own',
  story:
    'The loop over the blocks of a file ends one too early in a restore, so the last key group with entries is left out. As long as nothing ' +
    'fails nobody restores, and no other judge can tell.',
  parts: withWrong({ createStateBackend: (options) => withShortRestore(standardParts.createStateBackend(options)) }),
  scenario: 'unaligned-expiry',
  judges: ['restore-audit'],
};

/** The same backend, but `restore` leaves out the last key group with entries. */
function withShortRestore(backend: KeyedStateBackend): KeyedStateBackend {
  const restore = backend.restore.bind(backend);
  return Object.assign(backend, {
    restore(bytes: Uint8Array): void {
      const file = decodeKeyedStateFile(bytes);
      const last = file.sections.at(-1)?.keyGroup;
      const short = encodeKeyedStateFile(file, (state, keyGroup, out) => {
        const section = file.sections.find((found) => found.state === state && found.keyGroup === keyGroup);
        if (section === undefined || keyGroup === last) return 0;
        out.writeBytes(bytes, section.start, section.end);
        return section.entryCount;
      });
      restore(short);
    },
  });
}

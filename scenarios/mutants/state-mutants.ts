/** What a snapshot of keyed state may get wrong: whose file it is, and of which moment. */
import { standardParts } from '../../engine/parts.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
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
  judges: ['consistent-cut', 'exactly-once-state', 'progress'],
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

/** The same backend, but the state of a snapshot is taken when it is written. */
function withLiveSnapshots(backend: KeyedStateBackend): KeyedStateBackend {
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
    keys: () => backend.keys(),
    getState: backend.getState.bind(backend),
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
    restore: (bytes) => backend.restore(bytes),
    dispose: () => backend.dispose(),
  };
}

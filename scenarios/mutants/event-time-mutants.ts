/** What an engine may get wrong about event time, timers and windows. */
import { END_OF_TIME_US, START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import { standardParts } from '../../engine/parts.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import { decodeKeyedStateFile, encodeKeyedStateFile } from '../../engine/state/keyed-state-file.ts';
import { TIMERS_KIND } from '../../engine/state/state-descriptor.ts';
import { lastInstantOf } from '../../engine/job/windows.ts';
import type { KeyGroupRange } from '../../engine/job/key-groups.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const watermarkEmittedBeforeBarrier: Mutant = {
  slug: 'watermark-emitted-before-barrier',
  bug: 'Jet #542',
  story:
    'A watermark that waits behind a barrier counts at once: timers fire before the snapshot for records that come behind it.',
  parts: withWrong({ watermarkOrder: 'ahead-of-barrier' }),
  scenario: 'watermarks-behind-barriers',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const restoredWatermarkMax: Mutant = {
  slug: 'restored-watermark-max',
  bug: 'FLINK-36663',
  story: 'After a restore event time stands at its end: every record counts as late, none is ever in a window again.',
  parts: withWrong({ initialWatermarkUs: (isRestored) => (isRestored ? END_OF_TIME_US : START_OF_TIME_US) }),
  scenario: 'event-time-windows',
  judges: ['exactly-once-output', 'consistent-cut', 'exactly-once-state'],
};

export const idleChannelWaitedFor: Mutant = {
  slug: 'idle-channel-waited-for',
  bug: 'FLINK-18934',
  story: 'That a channel is idle is not heard where channels meet: event time waits for it, and windows stay open.',
  parts: withWrong({ idleChannels: 'waited-for' }),
  scenario: 'idle-sources',
  judges: ['progress', 'exactly-once-output'],
};

export const idleChannelPassedOver: Mutant = {
  slug: 'idle-channel-passed-over',
  bug: 'own (row S11)',
  story:
    'When a channel falls idle, event time goes on to that of the furthest one, whatever those hold back that are not: their records are late.',
  parts: withWrong({ idleChannels: 'passed-over' }),
  scenario: 'idle-beside-apart',
  judges: ['exactly-once-output', 'consistent-cut', 'exactly-once-state', 'progress'],
};

export const restoredTimersNotArmed: Mutant = {
  slug: 'restored-timers-not-armed',
  bug: 'FLINK-4651',
  story:
    'Timers of processing time are restored and nobody waits for them: what was open when input fell silent stays open.',
  parts: withWrong({ restoredTimers: 'forgotten' }),
  scenario: 'processing-time-windows',
  judges: ['progress', 'exactly-once-output'],
};

export const timersStayBehindAtRescale: Mutant = {
  slug: 'timers-stay-behind-at-rescale',
  bug: 'row S11',
  story:
    'Timers of key groups that come from another subtask are not restored: the windows move, what would close them does not.',
  parts: withWrong({
    createStateBackend: (options) => {
      const backend = standardParts.createStateBackend(options);
      return withRestore(backend, (bytes) => withoutForeignTimers(bytes, options.keyGroups));
    },
  }),
  scenario: 'event-time-rescale',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const timerRegisteredTwice: Mutant = {
  slug: 'timer-registered-twice',
  bug: 'row S11',
  story: 'A timer that is there already is registered once more, and fires once more.',
  parts: withWrong({
    createStateBackend: (options) => {
      const backend = standardParts.createStateBackend(options);
      return withTimers(backend, (name) => {
        const timers = backend.getTimers(name);
        return {
          get size() {
            return timers.size;
          },
          // The queue is a set, so the second one lies a microsecond later.
          add: (namespace, timestampUs) => timers.add(namespace, timestampUs) || timers.add(namespace, timestampUs + 1),
          remove: (namespace, timestampUs) => timers.remove(namespace, timestampUs),
          peek: () => timers.peek(),
          poll: () => timers.poll(),
        };
      });
    },
  }),
  scenario: 'event-time-timers',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const timersWithoutNamespace: Mutant = {
  slug: 'timers-without-namespace',
  bug: 'own (row S11)',
  story:
    'A timer is known by key and time alone: where two windows of a key have one at the same instant, only the first is registered.',
  parts: withWrong({
    createStateBackend: (options) => {
      const backend = standardParts.createStateBackend(options);
      return withTimers(backend, (name) => {
        const timers = backend.getTimers(name);
        const known = new Set<string>();
        const nameOf = (key: unknown, timestampUs: number): string => `${String(key)}/${String(timestampUs)}`;
        return {
          get size() {
            return timers.size;
          },
          add: (namespace, timestampUs) => {
            const own = nameOf(backend.currentKey, timestampUs);
            if (known.has(own)) return false;
            known.add(own);
            return timers.add(namespace, timestampUs);
          },
          remove: (namespace, timestampUs) => {
            const isGone = timers.remove(namespace, timestampUs);
            if (isGone) known.delete(nameOf(backend.currentKey, timestampUs));
            return isGone;
          },
          peek: () => timers.peek(),
          poll: () => {
            const first = timers.poll();
            if (first !== undefined) known.delete(nameOf(first.key, first.timestampUs));
            return first;
          },
        };
      });
    },
  }),
  scenario: 'removed-state',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress', 'restore-audit', 'savepoints'],
};

export const mergedSessionForgets: Mutant = {
  slug: 'merged-session-forgets',
  bug: 'row S11',
  story: 'When sessions become one, only the record that joined them is in it.',
  parts: withWrong({ windows: { ...standardParts.windows, mergedContents: 'forgotten' } }),
  scenario: 'event-time-rescale',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const lateRecordInBothOutputs: Mutant = {
  slug: 'late-record-in-both-outputs',
  bug: 'row S11',
  story: 'A late record goes into the side output and, all the same, into a window that was evaluated before.',
  parts: withWrong({ windows: { ...standardParts.windows, lateRecords: 'in-their-window' } }),
  scenario: 'late-data',
  judges: ['exactly-once-output'],
};

export const lateRecordFiresNothing: Mutant = {
  slug: 'late-record-fires-nothing',
  bug: 'own (row S11)',
  story:
    'A window takes in a record that comes behind its end and is not evaluated again: nobody ever sees that record.',
  parts: withWrong({
    windows: {
      ...standardParts.windows,
      trigger: (spec) => {
        const trigger = standardParts.windows.trigger(spec);
        return {
          ...trigger,
          onElement: (timestampUs, window, context) => {
            const result = trigger.onElement(timestampUs, window, context);
            return lastInstantOf(window) <= context.currentWatermarkUs ? 'continue' : result;
          },
        };
      },
    },
  }),
  scenario: 'late-windows',
  judges: ['exactly-once-output', 'progress'],
};

export const firedWindowPurged: Mutant = {
  slug: 'fired-window-purged',
  bug: 'own (row S11)',
  story: 'A window forgets its records when it fires: a late one makes it fire again with that one alone.',
  parts: withWrong({
    windows: {
      ...standardParts.windows,
      trigger: (spec) => standardParts.windows.trigger({ ...spec, purging: true }),
    },
  }),
  scenario: 'late-windows',
  judges: ['exactly-once-output'],
};

export const forgottenWindowBegunAnew: Mutant = {
  slug: 'forgotten-window-begun-anew',
  bug: 'own (row S11)',
  story: 'A record that comes when its window is forgotten begins it anew, in place of going to the side output.',
  parts: withWrong({ windows: { ...standardParts.windows, lateRecords: 'in-a-new-window' } }),
  scenario: 'late-windows',
  judges: ['exactly-once-output'],
};

export const latenessForgotten: Mutant = {
  slug: 'lateness-forgotten',
  bug: 'own (row S11)',
  story:
    'A window is forgotten at its end, whatever lateness is allowed: what comes behind it goes to the side output.',
  parts: withWrong({ windows: { ...standardParts.windows, latenessUs: () => 0 } }),
  scenario: 'late-windows',
  judges: ['exactly-once-output'],
};

export const windowKeepsTimeOfItsCause: Mutant = {
  slug: 'window-keeps-time-of-its-cause',
  bug: 'own (row S11)',
  story:
    'What comes out of a window has the time of the record or timer that made it, so windows behind it put it where it is not.',
  parts: withWrong({ windows: { ...standardParts.windows, outputTime: 'of-its-cause' } }),
  scenario: 'window-triggers',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress', 'savepoints'],
};

export const purgedWindowKeepsContents: Mutant = {
  slug: 'purged-window-keeps-contents',
  bug: 'own (row S11)',
  story: 'A window that is purged when it is shown keeps what it holds, and shows it again with what comes after.',
  parts: withWrong({ windows: { ...standardParts.windows, purgedContents: 'as-before' } }),
  scenario: 'window-triggers',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress', 'savepoints'],
};

export const unheardInputLeftOut: Mutant = {
  slug: 'unheard-input-left-out',
  bug: 'own (row S11)',
  story:
    'Of two inputs the one that no watermark came from yet holds nobody back: after a restore, timers fire ahead of its records.',
  parts: withWrong({ unheardInputs: 'left-out' }),
  scenario: 'event-time-timers',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

function withRestore(backend: KeyedStateBackend, change: (bytes: Uint8Array) => Uint8Array): KeyedStateBackend {
  const restore = backend.restore.bind(backend);
  return overlaid(backend, { restore: (bytes, segments) => restore(change(bytes), segments) });
}

function withTimers(backend: KeyedStateBackend, getTimers: KeyedStateBackend['getTimers']): KeyedStateBackend {
  return overlaid(backend, { getTimers });
}

/** The backend with some of its methods replaced; its private fields stay with it. */
function overlaid(backend: KeyedStateBackend, wrong: Partial<KeyedStateBackend>): KeyedStateBackend {
  return new Proxy(backend, {
    get(target, name) {
      const value: unknown = Reflect.get(name in wrong ? wrong : target, name, target);
      return typeof value === 'function' && !(name in wrong) ? value.bind(target) : value;
    },
  });
}

/** A keyed state file of another range without its timers. */
function withoutForeignTimers(bytes: Uint8Array, own: KeyGroupRange): Uint8Array {
  const file = decodeKeyedStateFile(bytes);
  if (file.keyGroups.start === own.start && file.keyGroups.end === own.end) return bytes;
  return encodeKeyedStateFile(file, (state, keyGroup, out) => {
    const section = file.sections.find((candidate) => candidate.state === state && candidate.keyGroup === keyGroup);
    if (section === undefined || file.states[state]?.kind === TIMERS_KIND) return 0;
    out.writeBytes(bytes, section.start, section.end);
    return section.entryCount;
  });
}

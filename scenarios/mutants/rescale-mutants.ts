/** What a change of parallelism may get wrong: whose state, whose key groups, whose transactions. */
import { standardParts } from '../../engine/parts.ts';
import type { StateHandle } from '../../engine/protocol/state-handle.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const noAbortAfterScaleDown: Mutant = {
  slug: 'no-abort-after-scale-down',
  bug: 'FLINK-23854',
  story:
    'A sink subtask cleans up after its own producer only; what removed subtasks left open stays open, and their zombies may go on.',
  parts: withWrong({ producersToFence: ({ subtask }) => [subtask] }),
  scenario: 'rescale-storm',
  judges: ['progress', 'exactly-once-output'],
};

export const txnIdRangesOverlap: Mutant = {
  slug: 'txn-id-ranges-overlap',
  bug: 'FLINK-7978, FLINK-9295',
  story:
    'The id ranges of two subtasks overlap: the slower one aborts what it believes is left over, and its neighbour is writing it.',
  parts: withWrong({
    producersToFence: (question) => [...standardParts.producersToFence(question), question.subtask + 1],
  }),
  scenario: 'rescale-storm',
  judges: ['progress', 'exactly-once-output'],
};

export const prefixMatchSubtask: Mutant = {
  slug: 'prefix-match-subtask',
  bug: 'FLINK-3651',
  story:
    'Left-overs are matched by a prefix without an end: subtask 1 cleans up after subtask 10, whose name begins like its own.',
  parts: withWrong({
    producersToFence: (question) => {
      const { subtask, highestParallelism } = question;
      const alike = Array.from({ length: highestParallelism }, (_, producer) => producer).filter(
        (producer) => producer !== subtask && String(producer).startsWith(String(subtask)),
      );
      return [...new Set([...alike, ...standardParts.producersToFence(question)])];
    },
  }),
  scenario: 'rescale-storm',
  judges: ['progress', 'exactly-once-output'],
};

export const lateRescaleObeyed: Mutant = {
  slug: 'late-rescale-obeyed',
  bug: 'own',
  story:
    'A request for another parallelism is obeyed whenever it comes: repeated behind a later one, it takes its place.',
  parts: withWrong({ lateRescale: 'obeyed' }),
  scenario: 'late-rescales',
  judges: ['requests'],
};

export const unionStateSplit: Mutant = {
  slug: 'union-state-split',
  bug: 'row S6',
  story: 'Union state is dealt out like list state: an offset lands where nobody reads its partition.',
  parts: withWrong({
    repartitionOperatorState: ({ states, ...parallelism }) =>
      standardParts.repartitionOperatorState({
        ...parallelism,
        states: states.map(({ subtask, handles }) => ({ subtask, handles: handles.map(asSplit) })),
      }),
  }),
  scenario: 'rescale-storm',
  judges: ['exactly-once-output', 'exactly-once-state', 'consistent-cut', 'restore-audit', 'progress'],
};

function asSplit(handle: StateHandle): StateHandle {
  if (handle.lists === undefined) return handle;
  return { ...handle, lists: handle.lists.map((list) => ({ ...list, mode: 'split-distribute' })) };
}

export const rescaledOutputForgotten: Mutant = {
  slug: 'rescaled-output-forgotten',
  bug: 'row B19',
  story:
    'When the parallelism changes, only the input state of the consumers is dealt out anew; what the producers had not sent yet is lost.',
  parts: withWrong({ rescaledInFlight: 'consumers' }),
  scenario: 'unaligned-rescale',
  judges: ['exactly-once-output', 'exactly-once-state', 'consistent-cut', 'progress'],
};

export const keyGroupsNotClipped: Mutant = {
  slug: 'key-groups-not-clipped',
  bug: 'row S18',
  story:
    "A subtask keeps all of a restored file, not its own key groups only; what is another subtask's now goes stale in its snapshots.",
  parts: withWrong({
    createStateBackend: (options) =>
      standardParts.createStateBackend({ ...options, keyGroups: { start: 0, end: options.maxParallelism - 1 } }),
  }),
  scenario: 'reactive-mode',
  judges: ['consistent-cut', 'exactly-once-state', 'checkpoint-lifecycle', 'restore-audit'],
};

export const changeInCooldownForgotten: Mutant = {
  slug: 'change-in-cooldown-forgotten',
  bug: 'own (planted by hand; FLIP-461)',
  story:
    'TaskManagers that come in the cooldown of an adaptive job change nothing, and are not looked at again when it is over: the job stays narrow until ' +
    'something else changes.',
  parts: withWrong({ changeInCooldown: 'forgotten' }),
  scenario: 'wider-after-cooldown',
  judges: ['progress'],
};

export const rescaledToItsWidth: Mutant = {
  slug: 'rescaled-to-its-width',
  bug: 'own (planted by hand)',
  story:
    'Whether another parallelism is possible is asked of the slots, not of the slots that the upper bound lets the job use: where there are more, the job ' +
    'restarts again and again, as wide as before.',
  parts: withWrong({ isWorthRescaling: ({ slots, parallelism }) => slots !== parallelism }),
  scenario: 'wider-after-cooldown',
  judges: ['progress'],
};

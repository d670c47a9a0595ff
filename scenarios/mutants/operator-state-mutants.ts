/** What a function's state without a key may get wrong: whose elements, of which moment, and who had finished. */
import { standardParts } from '../../engine/parts.ts';
import type { RedistributionMode, StateHandle } from '../../engine/protocol/state-handle.ts';
import type { OperatorStateSnapshot } from '../../engine/state/operator-state.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const unionAtSameParallelismNotMerged: Mutant = {
  slug: 'union-at-same-parallelism-not-merged',
  bug: 'row S6',
  story:
    'At unchanged parallelism each subtask is given its own union state only: what it was to take over from the others is lost.',
  parts: withWrong({
    repartitionOperatorState: (question) =>
      question.oldParallelism === question.newParallelism
        ? standardParts.repartitionOperatorState({
            ...question,
            states: withMode(question.states, 'union', 'split-distribute'),
          })
        : standardParts.repartitionOperatorState(question),
  }),
  scenario: 'union-offsets',
  judges: ['consistent-cut', 'exactly-once-state'],
};

export const broadcastRedistributedWithFullReport: Mutant = {
  slug: 'broadcast-redistributed-with-full-report',
  bug: 'FLINK-38131',
  story:
    'Broadcast state is dealt out although every subtask reported its copy and stays: the entries of one copy, so that each has a part of them.',
  parts: withWrong({
    repartitionOperatorState: (question) =>
      standardParts.repartitionOperatorState(
        question.oldParallelism === question.newParallelism
          ? { ...question, states: dealtByEntry(question.states) }
          : question,
      ),
  }),
  scenario: 'broadcast-rules',
  judges: ['consistent-cut', 'exactly-once-state', 'restore-audit'],
};

export const movedListLosesAnElement: Mutant = {
  slug: 'moved-list-loses-an-element',
  bug: 'FLINK-34063',
  story:
    'A list that goes to other subtasks after a rescale is read from one element too far: the first one that moved with it is lost.',
  parts: withWrong({
    repartitionOperatorState: (question) => {
      const dealt = standardParts.repartitionOperatorState(question);
      if (question.oldParallelism === question.newParallelism) return dealt;
      return dealt.map((handles) => handles.map(withoutFirstMoved));
    },
  }),
  scenario: 'buffering-map',
  judges: ['consistent-cut', 'exactly-once-state', 'restore-audit'],
};

/** A list of several elements without its first one. */
function withoutFirstMoved(handle: StateHandle): StateHandle {
  const lists = handle.lists?.map((list) => {
    const isCut = list.mode === 'split-distribute' && list.offsets.length > 1;
    return isCut ? { ...list, offsets: list.offsets.slice(1) } : list;
  });
  return lists === undefined ? handle : { ...handle, lists };
}

export const operatorStateDeepCopyForgotten: Mutant = {
  slug: 'operator-state-deep-copy-forgotten',
  bug: 'row S23',
  story: 'Operator state is not copied in the synchronous part: what is written holds what came behind the barrier.',
  parts: withWrong({
    createOperatorStateStore: (operator) => {
      const store = standardParts.createOperatorStateStore(operator);
      const snapshot = store.snapshot.bind(store);
      store.snapshot = (): OperatorStateSnapshot => ({ ...snapshot(), write: () => snapshot().write() });
      return store;
    },
  }),
  scenario: 'broadcast-rules',
  judges: ['consistent-cut', 'exactly-once-state'],
};

export const unionOfFinishedCompletes: Mutant = {
  slug: 'union-of-finished-completes',
  bug: 'FLINK-2491, row C21',
  story:
    'A checkpoint completes though some subtasks with union state had finished: what they had in it is in no snapshot, and at a restore nobody has it.',
  parts: withWrong({ unionOfFinished: 'completed' }),
  scenario: 'union-offsets',
  judges: ['consistent-cut', 'exactly-once-state'],
};

export const elementFormsNotCompared: Mutant = {
  slug: 'element-forms-not-compared',
  bug: 'row S13',
  story:
    'Nobody compares the form that the elements of a list were written in with the one that the job has: bytes that can be read as it are.',
  parts: withWrong({
    createOperatorStateStore: (operator) => {
      const store = standardParts.createOperatorStateStore(operator);
      const getListState = store.getListState.bind(store);
      store.getListState = (name, type) => getListState(name, takenAsItIs(type));
      return store;
    },
  }),
  scenario: 'refused-versions',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-state', 'progress', 'savepoints', 'upgrades'],
};

/** The same type, to which any other is as good as itself. */
function takenAsItIs<T>(type: TypeSerializer<T>): TypeSerializer<T> {
  return {
    snapshot: type.snapshot,
    immutable: type.immutable,
    serialize: (value, out) => type.serialize(value, out),
    deserialize: (input) => type.deserialize(input),
    copy: (value) => type.copy(value),
    resolveSchema: () => ({ kind: 'compatible-as-is' }),
  };
}

type States = Parameters<typeof standardParts.repartitionOperatorState>[0]['states'];

/** Of broadcast lists each subtask keeps only every n-th entry of its copy, of n subtasks: together one copy. */
function dealtByEntry(states: States): States {
  return states.map(({ subtask, handles }) => ({
    subtask,
    handles: handles.map((handle) =>
      handle.lists === undefined
        ? handle
        : {
            ...handle,
            lists: handle.lists.map((list) =>
              list.mode === 'broadcast'
                ? { ...list, offsets: list.offsets.filter((_, index) => index % states.length === subtask) }
                : list,
            ),
          },
    ),
  }));
}

/** The same handles, but lists of one mode say another. */
function withMode(states: States, from: RedistributionMode, to: RedistributionMode): States {
  const changed = (handle: StateHandle): StateHandle =>
    handle.lists === undefined
      ? handle
      : { ...handle, lists: handle.lists.map((list) => (list.mode === from ? { ...list, mode: to } : list)) };
  return states.map(({ subtask, handles }) => ({ subtask, handles: handles.map(changed) }));
}

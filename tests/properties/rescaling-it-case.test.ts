/**
 * X30 RescalingITCase: 42 keys, 13 key groups, from 2 subtasks to 3 and back, over the bytes of real files and the assignment of the
 * JobManager, on each backend. Each key's (subtask, sum) is what the formulas of rows S1 and S2 say; a list keeps its sum, union state is
 * there once for each subtask, broadcast state whole in each, and state without a mode of redistribution is refused.
 */
import { describe, expect, it } from 'vitest';
import { StateAssignment } from '../../engine/checkpoint/state-assignment.ts';
import { InvariantViolation } from '../../engine/foundation/assert.ts';
import { checkpointId } from '../../engine/foundation/ids.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { keyGroupOf, keyGroupRangeOf } from '../../engine/job/key-groups.ts';
import { standardParts } from '../../engine/parts.ts';
import type { StateHandle, SubtaskState } from '../../engine/protocol/state-handle.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import { listsOf } from '../../engine/state/operator-state-file.ts';
import { OperatorStateStore } from '../../engine/state/operator-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { inlineHandle } from '../support/engine-values.ts';
import { jobGraph, vertex } from '../support/job-graphs.ts';
import { BACKENDS, type TestedBackend } from '../support/state-backends.ts';

const KEYS = 42;
const KEY_GROUPS = 13;
const BEFORE = 1_000;
const AFTER = 500;
const UID = 'sum';
const SUM = valueState('sum', Types.int);

interface Subtask {
  readonly backend: KeyedStateBackend;
  readonly store: OperatorStateStore;
}

class Deployment {
  readonly subtasks: readonly Subtask[];

  constructor(tested: TestedBackend, parallelism: number, restored: readonly (readonly StateHandle[])[] = []) {
    this.subtasks = Array.from({ length: parallelism }, (_, subtask) => {
      const keyGroups = keyGroupRangeOf(subtask, parallelism, KEY_GROUPS);
      const backend = tested.create({ keySerializer: Types.int as never, keyGroups, maxParallelism: KEY_GROUPS });
      const store = new OperatorStateStore(UID);
      for (const { state, inline = new Uint8Array(), lists } of restored[subtask] ?? []) {
        if (state === 'keyed') backend.restore(inline);
        else store.restore(inline, lists);
      }
      return { backend, store };
    });
  }

  /** Each number is added to the sum of its key, at the subtask its record is sent to (row S2). */
  process(from: number, to: number): this {
    for (let number = from; number < to; number += 1) {
      const key = number % KEYS;
      const index = Math.floor((keyGroupOf(key, KEY_GROUPS) * this.subtasks.length) / KEY_GROUPS);
      const { backend } = this.subtasks[index] ?? expect.unreachable();
      backend.setCurrentKey(key);
      const sum = backend.getState(SUM);
      sum.update((sum.value() ?? 0) + number);
    }
    return this;
  }

  /** Where each key's sum is, and what it is. */
  sums(): Map<number, [subtask: number, sum: number | undefined][]> {
    const found = new Map<number, [number, number | undefined][]>();
    this.subtasks.forEach(({ backend }, subtask) => {
      backend.getState(SUM);
      for (const key of backend.keys()) {
        backend.setCurrentKey(key);
        found.set(Number(key), [...(found.get(Number(key)) ?? []), [subtask, backend.getState(SUM).value()]]);
      }
    });
    return found;
  }

  /** What a checkpoint has of it. */
  snapshot(): SubtaskState[] {
    return this.subtasks.map(({ backend, store }, subtask) => {
      const keyGroups = keyGroupRangeOf(subtask, this.subtasks.length, KEY_GROUPS);
      const operator = store.snapshot().write();
      const handles: StateHandle[] = [
        { ...inlineHandle(UID, backend.snapshot().write()), state: 'keyed', keyGroups },
        { ...inlineHandle(UID, operator), state: 'operator', lists: listsOf(operator) },
      ];
      return { vertex: 0, subtask, handles };
    });
  }
}

function expectedSums(numbers: number, parallelism: number): Map<number, [number, number][]> {
  const sums = new Map<number, [number, number][]>();
  for (let key = 0; key < KEYS; key += 1) {
    let sum = 0;
    for (let number = key; number < numbers; number += KEYS) sum += number;
    sums.set(key, [[Math.floor((keyGroupOf(key, KEY_GROUPS) * parallelism) / KEY_GROUPS), sum]]);
  }
  return sums;
}

/** What each subtask of a deployment of this width is given. */
function assigned(states: readonly SubtaskState[], parallelism: number): readonly (readonly StateHandle[])[] {
  const graph: JobGraph = jobGraph(
    [
      {
        ...vertex(0, parallelism),
        maxParallelism: KEY_GROUPS,
        operators: [{ kind: 'map', uid: UID, name: UID, map: (value) => value }],
      },
    ],
    [],
  );
  const operators = [{ uid: UID, parallelism: states.length, maxParallelism: KEY_GROUPS }];
  const assignment = new StateAssignment({
    graph,
    restored: { checkpointId: checkpointId(1), states, operators },
    parts: standardParts,
  });
  return Array.from({ length: parallelism }, (_, subtask) => assignment.of(0, subtask).handles);
}

describe.each(BACKENDS)('X30 RescalingITCase: $name', (tested) => {
  it.each([
    [2, 3],
    [3, 2],
  ])('keyed and operator state from %i to %i subtasks', (before, now) => {
    const first = new Deployment(tested, before).process(0, BEFORE);
    first.subtasks.forEach(({ store }, subtask) => {
      store.getListState('list', Types.int).addAll(Array.from({ length: 5 + subtask }, (_, i) => 10 * subtask + i));
      store.getUnionListState('union', Types.int).add(subtask);
      for (let rule = 0; rule < 4; rule += 1)
        store.getBroadcastState('rules', Types.int, Types.int).put(rule, rule * rule);
    });
    expect(first.sums()).toEqual(expectedSums(BEFORE, before));
    const second = new Deployment(tested, now, assigned(first.snapshot(), now)).process(BEFORE, BEFORE + AFTER);
    expect(new Map([...second.sums()].sort(([a], [b]) => a - b))).toEqual(expectedSums(BEFORE + AFTER, now));
    const lists = second.subtasks.map(({ store }) => store.getListState('list', Types.int).get());
    const elements = first.subtasks.flatMap(({ store }) => store.getListState('list', Types.int).get());
    expect(lists.flat().sort((a, b) => a - b)).toEqual([...elements].sort((a, b) => a - b));
    for (const { store } of second.subtasks) {
      expect(store.getUnionListState('union', Types.int).get()).toEqual(Array.from({ length: before }, (_, i) => i));
      expect(store.getBroadcastState('rules', Types.int, Types.int).entries()).toEqual([
        [0, 0],
        [1, 1],
        [2, 4],
        [3, 9],
      ]);
    }
  });

  it('S9: state without a mode of redistribution is refused at another parallelism, and given back at its own', () => {
    const states = new Deployment(tested, 2).process(0, 10).snapshot();
    const fixed = states.map((state) => ({
      ...state,
      handles: state.handles.map(({ lists: _lists, ...handle }): StateHandle => handle),
    }));
    expect(() => assigned(fixed, 3)).toThrow(InvariantViolation);
    expect(assigned(fixed, 2).map((handles) => handles.length)).toEqual([2, 2]);
  });
});

import { describe, expect, it } from 'vitest';
import { assignState } from '../../../../engine/checkpoint/state-assignment.ts';
import type { SubtaskState } from '../../../../engine/protocol/state-handle.ts';
import { inlineHandle, keyedHandle } from '../../../support/engine-values.ts';
import { vertex } from '../../../support/job-graphs.ts';

/** Vertex 1, parallelism 2 of 8 key groups: each subtask has four, and some operator state. */
const STATES: readonly SubtaskState[] = [
  { vertex: 0, subtask: 0, handles: [inlineHandle('source', new Uint8Array([1]))] },
  { vertex: 1, subtask: 0, handles: [keyedHandle('count', 0, 3), inlineHandle('sink', new Uint8Array([2]))] },
  { vertex: 1, subtask: 1, handles: [keyedHandle('count', 4, 7), inlineHandle('sink', new Uint8Array([3]))] },
];
const namesOf = (states: readonly SubtaskState[]): string[] =>
  states.flatMap(({ vertex: v, subtask, handles }) => handles.map(({ operator }) => `${v}/${subtask} ${operator}`));

describe('state assignment', () => {
  it('S2: at unchanged parallelism each subtask gets what it wrote', () => {
    expect(namesOf(assignState(STATES, vertex(1, 2), 0))).toEqual(['1/0 count', '1/0 sink']);
    expect(namesOf(assignState(STATES, vertex(1, 2), 1))).toEqual(['1/1 count', '1/1 sink']);
  });

  it('S2: keyed state goes to each subtask whose key groups it touches, operator state stays with its index', () => {
    expect(namesOf(assignState(STATES, vertex(1, 4), 1))).toEqual(['1/0 count', '1/1 sink']);
    expect(namesOf(assignState(STATES, vertex(1, 4), 3))).toEqual(['1/1 count']);
  });

  it('S2: the state of other vertices stays away, and a vertex without state gets none', () => {
    expect(namesOf(assignState(STATES, vertex(0, 1), 0))).toEqual(['0/0 source']);
    expect(assignState(STATES, vertex(2, 2), 0)).toEqual([]);
  });

  it('S8: operator state of more subtasks than there are now is refused, not dropped', () => {
    expect(() => assignState(STATES, vertex(1, 1), 0)).toThrow(/parallelism it was taken/);
  });
});

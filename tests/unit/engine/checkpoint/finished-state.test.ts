/** Which finished subtasks a checkpoint may hold (row C22), on source 0 -> (hash) vertex 1 -> (forward) vertex 2, two subtasks each. */
import { describe, expect, it } from 'vitest';
import {
  finishedStateOf,
  finishedStateProblem,
  lacksUnionOfFinished,
} from '../../../../engine/checkpoint/finished-state.ts';
import type { SubtaskState } from '../../../../engine/protocol/state-handle.ts';
import type { JobGraph, OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { operatorListState, unionListState } from '../../../../engine/state/operator-state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { inlineHandle } from '../../../support/engine-values.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';

const GRAPH = jobGraph(
  [sourceVertex(0, 2), vertex(1, 2), vertex(2, 2)],
  [edge(0, 0, 1, 'hash'), edge(1, 1, 2, 'forward')],
);
/** `f`: ended; `o`: its operators had finished; `r`: neither. By vertex, then subtask. */
const states = (text: string): SubtaskState[] =>
  [...text].map((letter, index) => ({
    vertex: Math.floor(index / 2),
    subtask: index % 2,
    handles: [],
    ...(letter === 'f' ? { finished: 'task' as const } : letter === 'o' ? { finished: 'operators' as const } : {}),
  }));
const problem = (text: string): string | undefined => finishedStateProblem(GRAPH, { states: states(text) });

describe('finished state of a checkpoint', () => {
  it.each(['rrrrrr', 'frrrrr', 'ffrrrr', 'fffrrr', 'fffrfr', 'ffffrr', 'ffffff', 'oooooo', 'fforor'])(
    'C22: %s can be restored',
    (text) => {
      expect(problem(text)).toBeUndefined();
    },
  );

  it.each([
    ['rrffrr', 'a fully finished vertex behind one that runs'],
    ['frfrrr', 'a partly finished vertex behind a hash exchange from one that is not fully finished'],
    ['ffrrfr', 'a partly finished vertex behind a forward edge from one that has not finished at all'],
    ['fffrff', 'a fully finished vertex behind a partly finished one'],
  ])('C22: %s is refused: %s', (text) => {
    expect(problem(text)).toContain('has finished');
  });

  it('C22: a subtask that has finished and still has state: refused', () => {
    const [first, ...others] = states('ffrrrr');
    const wrong = { ...first, handles: [inlineHandle('source', new Uint8Array(1))] } as SubtaskState;
    expect(finishedStateProblem(GRAPH, { states: [wrong, ...others] })).toContain('has state');
  });

  it('says for each subtask how far it was', () => {
    const found = states('foorrr');
    const at = (index: number, subtask: number): unknown => finishedStateOf(found, { index, parallelism: 2 }, subtask);
    expect([at(0, 0), at(0, 1), at(1, 1)]).toEqual(['task', 'operators', undefined]);
  });

  it.each([
    ['ff', 'task'],
    ['fo', 'operators'],
    ['oo', 'operators'],
    ['or', undefined],
  ])('at another parallelism %s: %s', (text, expected) => {
    expect(finishedStateOf(states(text), { index: 0, parallelism: 3 }, 2)).toBe(expected);
  });

  it('C22: a vertex that had finished in part is refused at another parallelism', () => {
    const wider = jobGraph([sourceVertex(0, 3), vertex(1, 2), vertex(2, 2)], GRAPH.edges);
    expect(finishedStateProblem(wider, { states: states('frrrrr') })).toContain('another parallelism');
    expect(finishedStateProblem(wider, { states: states('ffrrrr') })).toBeUndefined();
  });
});

describe('union state of subtasks that have finished', () => {
  const withState = (descriptor: ReturnType<typeof unionListState<number>>): JobGraph => {
    const operator: OperatorSpec = {
      kind: 'plain-process',
      uid: 'op',
      name: 'Op',
      function: { states: [], operatorStates: [descriptor], create: () => ({ processElement: () => {} }) },
    };
    return { ...GRAPH, vertices: GRAPH.vertices.map((it) => (it.index === 1 ? { ...it, operators: [operator] } : it)) };
  };
  const union = withState(unionListState('list', Types.int));

  it.each(['fffrrr', 'fforrr', 'ffrorr'])('C21: %s lacks what the finished subtask had in it', (text) => {
    expect(lacksUnionOfFinished(union, states(text))).toBe(true);
  });

  it.each(['rrrrrr', 'ffrrrr', 'ffffrr', 'ffoorr', 'fffofr'])('C21: %s lacks nothing', (text) => {
    expect(lacksUnionOfFinished(union, states(text))).toBe(false);
  });

  it('C21: list state that is dealt out has nothing to take over', () => {
    expect(lacksUnionOfFinished(withState(operatorListState('list', Types.int)), states('fffrrr'))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import type { OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { keyGroupProblem } from '../../../../sim/judges/state-coverage.ts';
import { id, JOB, keyedHandle } from '../../../support/engine-values.ts';
import { jobGraph, vertex } from '../../../support/job-graphs.ts';

const count: OperatorSpec = {
  uid: 'count',
  name: 'Count',
  kind: 'process',
  key: () => 'key',
  keySerializer: Types.string,
  function: { states: [], create: () => ({ processElement: () => {} }) },
};
const GRAPH = jobGraph([vertex(0, 2, { operators: [count] })], []);

/** Of a checkpoint with these ranges, one per subtask. */
function problem(ranges: readonly (readonly [number, number])[], stored?: number): string | undefined {
  const states = ranges.map(([start, end], subtask) => ({
    vertex: 0,
    subtask,
    handles: [keyedHandle('count', start, end)],
  }));
  const operators = stored === undefined ? [] : [{ uid: 'count', parallelism: 2, maxParallelism: stored }];
  const metadata = { checkpointId: id(1), jobId: JOB, triggeredAtUs: 0, states, operators, highestParallelism: 1 };
  return keyGroupProblem(metadata, GRAPH, new Map());
}

describe('the key groups of a checkpoint', () => {
  it('S8: every one exactly once, whatever the parallelism and the order of handles: nothing is wrong', () => {
    expect(problem([[0, 7]])).toBeUndefined();
    expect(
      problem([
        [4, 5],
        [6, 7],
        [0, 3],
      ]),
    ).toBeUndefined();
    expect(problem([[0, 15]], 16)).toBeUndefined();
  });

  it('S8: one that is missing is state lost', () => {
    expect(problem([[1, 7]])).toBe('of count, key group 0 is in no handle');
    expect(
      problem([
        [0, 2],
        [4, 7],
      ]),
    ).toBe('of count, key group 3 is in no handle');
    expect(problem([[0, 6]])).toBe('of count, key groups end at 7 of 8');
    expect(problem([])).toBe('of count, key groups end at 0 of 8');
  });

  it('S8: one that is there twice is state of two moments', () => {
    expect(
      problem([
        [0, 4],
        [4, 7],
      ]),
    ).toBe('of count, key group 4 is in two handles');
  });
});

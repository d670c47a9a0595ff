import { describe, expect, it } from 'vitest';
import { fitToState } from '../../../../engine/checkpoint/restore-compatibility.ts';
import type { JobVertex } from '../../../../engine/job/job-graph.ts';
import type { OperatorScale } from '../../../../engine/protocol/job-scale.ts';
import { keyedHandle } from '../../../support/engine-values.ts';
import { jobGraph, vertex } from '../../../support/job-graphs.ts';

const operator = (uid: string): JobVertex['operators'][number] => ({
  uid,
  name: uid,
  kind: 'filter',
  filter: () => true,
});
const withOperators = (changes: Partial<JobVertex>, ...uids: string[]): JobVertex =>
  vertex(0, 2, { operators: uids.map(operator), ...changes });

function fitted(of: JobVertex, stored: Readonly<Record<string, number>>, allowNonRestoredState = false): string {
  const operators: OperatorScale[] = Object.entries(stored).map(([uid, maxParallelism]) => ({
    uid,
    parallelism: 1,
    maxParallelism,
  }));
  const states = [{ vertex: 0, subtask: 0, handles: operators.map(({ uid }) => keyedHandle(uid, 0, 1)) }];
  const result = fitToState({ graph: jobGraph([of], []), restored: { states, operators }, allowNonRestoredState });
  return result.kind === 'refused' ? result.why : `max ${result.graph.vertices[0]?.maxParallelism}`;
}

describe('restore into a job', () => {
  it('S3: a job that set no maximum parallelism adopts that of the state', () => {
    expect(fitted(withOperators({}, 'count'), { count: 128 })).toBe('max 128');
    expect(fitted(withOperators({}, 'count'), { count: 8 })).toBe('max 8');
  });

  it('S3: one that set another is refused', () => {
    expect(fitted(withOperators({ hasExplicitMaxParallelism: true }, 'count'), { count: 128 })).toMatch(
      /sets a maximum parallelism of 8/,
    );
    expect(fitted(withOperators({ hasExplicitMaxParallelism: true }, 'count'), { count: 8 })).toBe('max 8');
  });

  it('S3: more subtasks than the state has key groups are refused', () => {
    expect(fitted(withOperators({}, 'count'), { count: 1 })).toMatch(/above the 1 key groups/);
  });

  it('X33: operators that are chained now and whose state disagrees are refused, not remapped', () => {
    expect(fitted(withOperators({}, 'a', 'b'), { a: 16, b: 32 })).toMatch(/'a' and 'b' are chained/);
    expect(fitted(withOperators({}, 'a', 'b'), { a: 16, b: 16 })).toBe('max 16');
  });

  it('C31: state that no operator claims is refused, unless that is allowed', () => {
    expect(fitted(withOperators({}, 'count'), { gone: 8 })).toMatch(/has the uid 'gone'/);
    expect(fitted(withOperators({}, 'count'), { gone: 8 }, true)).toBe('max 8');
  });

  it('C31: an operator without state may be new or gone', () => {
    const operators = [{ uid: 'gone', parallelism: 1, maxParallelism: 64 }];
    const graph = jobGraph([withOperators({}, 'new')], []);
    const restored = { states: [{ vertex: 3, subtask: 0, handles: [] }], operators };
    expect(fitToState({ graph, restored, allowNonRestoredState: false })).toEqual({ kind: 'compatible', graph });
  });
});

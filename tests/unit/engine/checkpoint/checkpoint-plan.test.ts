/** Whom a checkpoint triggers and waits for when subtasks have finished (row C21), on source 0 -> vertex 1 -> vertex 2. */
import { standardParts } from '../../../../engine/parts.ts';
import { describe, expect, it } from 'vitest';
import { type CheckpointedSubtask, planCheckpoint } from '../../../../engine/checkpoint/checkpoint-plan.ts';
import { attempt } from '../../../support/engine-values.ts';
import { edge } from '../../../support/job-graphs.ts';

type State = 'running' | 'finished' | 'deploying';

/** Attempt 10 * vertex + subtask. */
const subtasks = (...states: readonly (readonly State[])[]): CheckpointedSubtask[] =>
  states.flatMap((ofVertex, vertex) =>
    ofVertex.map((state, subtask) => ({
      attempt: attempt(10 * vertex + subtask + 1),
      vertex,
      subtask,
      isSource: vertex === 0,
      isRunning: state === 'running',
      isFinished: state === 'finished',
    })),
  );
const ids = (of: readonly CheckpointedSubtask[] | undefined): number[] => (of ?? []).map((one) => one.attempt - 1);
const GRAPH = { edges: [edge(0, 0, 1, 'hash'), edge(1, 1, 2, 'forward')] };
const plan = (...states: readonly (readonly State[])[]): ReturnType<typeof planCheckpoint> =>
  planCheckpoint(GRAPH, subtasks(...states), standardParts);

describe('checkpoint plan', () => {
  it('C21: all run: sources are triggered, all are waited for', () => {
    const found = plan(['running', 'running'], ['running', 'running'], ['running', 'running']);
    expect(ids(found?.trigger)).toEqual([0, 1]);
    expect(ids(found?.waitFor)).toEqual([0, 1, 10, 11, 20, 21]);
    expect(found?.finished).toEqual([]);
  });

  it('C21: one of two sources has finished: the other reaches everybody behind a hash exchange', () => {
    const found = plan(['finished', 'running'], ['running', 'running'], ['running', 'running']);
    expect(ids(found?.trigger)).toEqual([1]);
    expect(ids(found?.finished)).toEqual([0]);
    expect(ids(found?.waitFor)).toEqual([1, 10, 11, 20, 21]);
  });

  it('C21: all sources have finished: those behind them are triggered', () => {
    const found = plan(['finished', 'finished'], ['running', 'running'], ['running', 'running']);
    expect(ids(found?.trigger)).toEqual([10, 11]);
  });

  it('C21: a forward edge leads to one subtask only: its consumer is triggered, the other hears the barrier', () => {
    const found = plan(['finished', 'finished'], ['finished', 'running'], ['running', 'running']);
    expect(ids(found?.trigger)).toEqual([11, 20]);
    expect(ids(found?.waitFor)).toEqual([11, 20, 21]);
    expect(ids(found?.finished)).toEqual([0, 1, 10]);
  });

  it('C4: a subtask that neither runs nor has finished: no checkpoint', () => {
    expect(plan(['running', 'running'], ['running', 'deploying'], ['running', 'running'])).toBeUndefined();
  });

  it('all have finished: nothing to checkpoint', () => {
    expect(plan(['finished'], ['finished'], ['finished'])).toBeUndefined();
  });
});

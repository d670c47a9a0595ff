/** What a heartbeat's list means for an execution (rows F4, F19). */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { Execution } from '../../../../engine/jobmanager/execution-graph.ts';
import { reconcile } from '../../../../engine/jobmanager/heartbeat-reconciliation.ts';
import type { ExecutionState } from '../../../../engine/protocol/task.ts';
import { attempt } from '../../../support/engine-values.ts';

const execution = (state: ExecutionState): Execution => ({
  attempt: attempt(7),
  vertex: 0,
  subtask: 0,
  slot: 0,
  node: nodeId('a'),
  incarnation: 2,
  isSource: false,
  restored: undefined,
  state,
  missed: 0,
});
const listing = (state?: ExecutionState, incarnation = 2) => ({
  incarnation,
  listed: new Map(state === undefined ? [] : [[attempt(7), { attempt: attempt(7), state }]]),
});

describe('heartbeat reconciliation', () => {
  it('another process: what ran in the former one is gone, whatever it lists', () => {
    expect(reconcile(execution('running'), listing('running', 3))).toBe('gone');
  });

  it('a deployment that is not listed is repeated, however often', () => {
    const deploying = execution('deploying');
    expect([1, 2, 3].map(() => reconcile(deploying, listing()))).toEqual(['missing', 'missing', 'missing']);
  });

  it.each(['running', 'canceling'] as const)('%s and not listed: gone at the second heartbeat in a row', (state) => {
    const missed = execution(state);
    expect(reconcile(missed, listing())).toBe('agreed');
    expect(reconcile(missed, listing('running'))).toBe('agreed');
    expect(reconcile(missed, listing())).toBe('agreed');
    expect(reconcile(missed, listing())).toBe('gone');
  });

  it('lost reports are made up for: it runs, or it failed', () => {
    expect(reconcile(execution('deploying'), listing('running'))).toBe('runs');
    expect(reconcile(execution('running'), listing('failed'))).toBe('failed');
    expect(reconcile(execution('deploying'), listing('initializing'))).toBe('agreed');
  });

  it('F4: what is being cancelled neither fails nor runs again', () => {
    for (const state of ['running', 'failed', 'canceling'] as const)
      expect(reconcile(execution('canceling'), listing(state))).toBe('agreed');
  });
});

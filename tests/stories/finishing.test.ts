/** Stories of the end of bounded input (rows C21-C23, F18, X14, X40; I7 and I8 of the bug list): shipped scenarios with faults of their own. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';
import { type Story, story } from './story.ts';

const NOBODY = -1;
const crash = (node: string, trigger: Fault['trigger'], index: number): Fault => ({
  id: `f${index}`,
  kind: 'crash',
  node: nodeId(node),
  restartAfterUs: 1_000_000,
  trigger,
});

function lived(plan: SimulationPlan, faults: readonly Fault[]): RunRecord {
  const record = liveIt({ ...plan, faults }, { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  for (const fault of record.faultRecords) expect(fault).toMatchObject({ effective: true });
  return record;
}
const statusesOf = (record: RunRecord): string[] =>
  record.history.flatMap(({ event }) => (event.kind === 'job-status' ? [event.status] : []));
const finishedAttempts = (record: RunRecord): number =>
  record.history.filter(({ event }) => event.kind === 'task-state' && event.state === 'finished').length;

const bounded = (): SimulationPlan => planOf('bounded-input', '1');
const finalOnly = (): SimulationPlan => planOf('final-checkpoint-only', '1');

describe('Cluster: the end of bounded input', () => {
  it('C23: all sources end: the job finishes, once per subtask, and its result is remembered', () => {
    const record = lived(bounded(), []);
    expect(statusesOf(record).at(-1)).toBe('finished');
    expect(finishedAttempts(record)).toBe(8);
    expect(record.restarts).toBe(0);
  });

  it('X14, K5: an interval longer than the job: the checkpoint that the end of data asks for commits everything', () => {
    const record = lived(finalOnly(), []);
    expect(record.checkpoints).toMatchObject({ triggered: 1, completed: 1 });
    expect(record.probes).toMatchObject({ 'final-checkpoint-requested': 1 });
  });

  it('C23: that checkpoint fails with its TaskManager: another one is asked for by the new attempts', () => {
    const record = lived(finalOnly(), [crash('taskmanager-1', { point: 'triggered', occurrence: 1 }, 1)]);
    expect(record.restarts).toBeGreaterThanOrEqual(1);
    expect(record.checkpoints.completed).toBe(1);
  });

  it('I8: a crash between the final checkpoint and the end of the job: operators do not finish twice', () => {
    const record = lived(bounded(), [crash('taskmanager-1', { point: 'task.finished', occurrence: 1 }, 1)]);
    expect(record.restarts).toBeGreaterThanOrEqual(1);
  });

  it('F18: both JobManagers crash when the job has finished and nobody remembers it: it ends once more, nothing comes twice', () => {
    const when = { point: 'job.finished', occurrence: 1 } as const;
    const record = lived(bounded(), [crash('jobmanager-1', when, 1), crash('jobmanager-2', when, 2)]);
    expect(finishedAttempts(record)).toBe(16);
    expect(statusesOf(record).at(-1)).toBe('finished');
  });

  it('F18: both JobManagers crash when the result is remembered: the next leader runs nothing', () => {
    const when = { point: 'job.remembered', occurrence: 1 } as const;
    const record = lived(bounded(), [crash('jobmanager-1', when, 1), crash('jobmanager-2', when, 2)]);
    expect(finishedAttempts(record)).toBe(8);
    expect(statusesOf(record).at(-1)).toBe('finished');
  });

  it('a TaskManager is gone for good when all its subtasks have finished: nobody misses it', () => {
    const gone = { ...crash('taskmanager-3', { point: 'job.remembered', occurrence: 1 }, 1), restartAfterUs: NOBODY };
    expect(lived(bounded(), [gone as Fault]).restarts).toBe(0);
  });

  it('C21, C22: some sources have finished, a restart starts them as finished and the job goes on', () => {
    const plan = planOf('partially-finished-sources', '1');
    const record = lived(plan, [crash('taskmanager-1', { atUs: 16_000_000 }, 1)]);
    expect(record.restarts).toBeGreaterThanOrEqual(1);
    const restored = record.history.filter(({ event }) => event.kind === 'end-of-data-reached');
    expect(restored.length).toBeGreaterThan(3);
    expect(statusesOf(record).at(-1)).toBe('running');
  });

  it('C21: union lists of which some subtasks have finished are in no checkpoint: a restore would deal them out without these', () => {
    /* One source reads nothing for a while; the others come to their end. */
    const tale = (): Story =>
      story({ scenario: 'union-offsets' }).deafen('log-broker', 'taskmanager-2', 10, 5).crash('taskmanager-1', 14);
    const record = tale().passes();
    const reasons = record.checkpointRecords.map(({ reason }) => reason);
    expect(reasons).toContain('checkpoint-declined-task-closing');
    expect(tale().fails('union-of-finished-completes')).toContain('consistent-cut');
  });

  it('C23: without checkpoints everything written is committed at the end', () => {
    const plan = bounded();
    const checkpoint = { ...plan.engine.checkpoint, intervalUs: 0 };
    const record = liveIt({ ...plan, engine: { ...plan.engine, checkpoint }, faults: [] });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.checkpoints.triggered).toBe(0);
  });
});

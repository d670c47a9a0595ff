/**
 * Stories around failover regions (rows F1-F5, F9, F10, C18, C20; Flink tests X4, X7, X53). The job has three pipelines, subtask i of
 * vertices 0, 1 and 2, and a keyed count, vertices 3 and 4.
 */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { liveIt } from '../support/lives.ts';
import { type Story, story } from './story.ts';

type EventOf<K extends HistoryEvent['event']['kind']> = Extract<HistoryEvent['event'], { kind: K }>;
type Restart = SimulationPlan['engine']['restart'];

const regions = (runtime: Partial<SimulationPlan['engine']['runtime']> = {}, restart?: Restart): Story =>
  story({
    scenario: 'region-failover',
    engine: (engine) => ({ ...engine, restart: restart ?? engine.restart, runtime: { ...engine.runtime, ...runtime } }),
  });
const keep = { keepHistory: true } as const;

function all<K extends HistoryEvent['event']['kind']>(record: RunRecord, kind: K): EventOf<K>[] {
  return record.history.map(({ event }) => event).filter((event): event is EventOf<K> => event.kind === kind);
}
/** Only what happened before the storm ended: then nodes outside the core are lost. */
function inStorm<K extends HistoryEvent['event']['kind']>(record: RunRecord, kind: K): EventOf<K>[] {
  const end = record.history.findIndex(({ event }) => event.kind === 'phase' && event.phase === 'liveness');
  return all({ ...record, history: record.history.slice(0, end) }, kind);
}
const text = (subtasks: readonly { vertex: number; subtask: number }[] | undefined): string[] =>
  (subtasks ?? []).map(({ vertex, subtask }) => `${vertex}/${subtask}`);
const statuses = (record: RunRecord): string[] => inStorm(record, 'job-status').map(({ status }) => status);
/** The node that runs a subtask at first. */
function nodeOf(record: RunRecord, vertex: number, subtask: number): string {
  const deployed = inStorm(record, 'task-deployed').find((one) => one.vertex === vertex && one.subtask === subtask);
  return deployed?.node ?? '';
}

describe('Cluster: regions', () => {
  it('X7: a mapper of one pipeline throws: its region restarts from the last checkpoint, all others go on', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions().throws(node, { point: 'completed', checkpoint: 3 }, { vertex: 1 }).passes(keep);
    const [restart, ...more] = inStorm(record, 'restart-scheduled');
    expect(more).toEqual([]);
    expect(restart?.cause).toBe('user-function');
    expect(text(restart?.subtasks)).toHaveLength(3);
    const [, restored] = inStorm(record, 'restore-chosen');
    expect(restored).toMatchObject({ jobAttempt: 1 });
    expect(restored?.checkpointId).toBeGreaterThanOrEqual(3);
    expect(text(restored?.subtasks)).toEqual(text(restart?.subtasks));
    expect(inStorm(record, 'task-deployed')).toHaveLength(11 + 3);
    expect(statuses(record)).toEqual(['created', 'created', 'running']);
  });

  it('X7: three failures, one in each pipeline: three regions restart, each alone', () => {
    const calm = regions().passes(keep);
    const record = regions()
      .throws(nodeOf(calm, 1, 0), { point: 'completed', checkpoint: 2 }, { vertex: 1 })
      .throws(nodeOf(calm, 1, 1), { point: 'completed', checkpoint: 4 }, { vertex: 1 })
      .throws(nodeOf(calm, 1, 2), { point: 'completed', checkpoint: 6 }, { vertex: 1 })
      .passes(keep);
    const restarted = inStorm(record, 'restart-scheduled').map(({ subtasks }) => text(subtasks)[0]);
    expect(new Set(restarted)).toEqual(new Set(['0/0', '0/1', '0/2']));
  });

  it('X4: after a region failed every subtask hears of a later checkpoint, none of the one that was aborted, none twice', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions()
      .throws(node, { point: 'trigger.received', checkpoint: 4, vertex: 3 }, { vertex: 1 })
      .passes(keep);
    const failed = all(record, 'checkpoint-aborted').map(({ checkpointId }) => checkpointId);
    const heard = new Map<string, number[]>();
    for (const { attempt, vertex, subtask, checkpointId } of all(record, 'notify-complete-received')) {
      expect(failed).not.toContain(checkpointId);
      const name = `${vertex}/${subtask} ${attempt}`;
      heard.set(name, [...(heard.get(name) ?? []), checkpointId]);
    }
    for (const ids of heard.values()) expect(new Set(ids).size).toBe(ids.length);
    const restartedAt = record.history.findIndex(({ event }) => event.kind === 'restart-scheduled');
    const after = record.history.slice(restartedAt).map(({ event }) => event);
    const reached = after.filter((event) => event.kind === 'notify-complete-received');
    expect(new Set(reached.map(({ vertex, subtask }) => `${vertex}/${subtask}`)).size).toBe(11);
  });

  it('C20: pending checkpoints are aborted when a region fails, and the next is triggered when all run again (A3, A4)', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions()
      .throws(node, { point: 'trigger.received', checkpoint: 4, vertex: 0, subtask: 0 }, { vertex: 1 })
      .reaches('region-recovered')
      .passes(keep);
    expect(all(record, 'checkpoint-aborted')).toMatchObject([{ checkpointId: 4, reason: 'job-failover-region' }]);
    expect(record.checkpoints.expired).toBe(0);
  });

  it('I2: a region fails while a pointer write is unanswered: it waits, and restores the checkpoint that became durable', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions()
      .service('coordination-store', 'unknown-outcome', { point: 'pointer-write.sent', checkpoint: 4 }, 3)
      .throws(node, { point: 'pointer-write.done', checkpoint: 4 }, { vertex: 1 })
      .reaches('pointer-write-unknown')
      .passes(keep);
    const [, restored] = inStorm(record, 'restore-chosen');
    expect(restored).toMatchObject({ checkpointId: 4 });
    const kinds = record.history.map(({ event }) => event);
    const completed = kinds.findIndex((event) => event.kind === 'checkpoint-completed' && event.checkpointId === 4);
    const failed = kinds.findIndex((event) => event.kind === 'restart-scheduled');
    const chosen = kinds.findIndex((event) => event.kind === 'restore-chosen' && event.subtasks !== undefined);
    expect(failed).toBeLessThan(completed);
    expect(completed).toBeLessThan(chosen);
  });

  it('F1: a TaskManager that hosts two regions is lost: one failure, the union of its regions', () => {
    const calm = regions().passes(keep);
    const crowded = nodeOf(calm, 3, 0);
    const record = regions().crash(crowded, 9.1, 2).passes(keep);
    const [restart, ...more] = inStorm(record, 'restart-scheduled');
    expect(more).toEqual([]);
    expect(restart?.cause).toBe('taskmanager-lost');
    expect(text(restart?.subtasks)).toEqual(['0/0', '1/0', '2/0', '3/0', '4/0']);
  });

  it('F4: a region fails again while it recovers: the later failure decides', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions()
      .throws(node, { point: 'completed', checkpoint: 3 }, { vertex: 1 })
      .throws(node, { point: 'restored', vertex: 1, subtask: 1 }, { vertex: 1 })
      .passes(keep);
    const restarts = inStorm(record, 'restart-scheduled');
    expect(restarts.map(({ subtasks }) => text(subtasks))).toEqual([
      text(restarts[0]?.subtasks),
      text(restarts[0]?.subtasks),
    ]);
  });

  it('F3: a second machine is lost while regions wait for their restart: each subtask is deployed once for each restore', () => {
    const record = regions().crash('taskmanager-1', 6).crash('taskmanager-2', 6.1).passes(keep);
    expect(record.probes['failure-while-region-restarts']).toBeGreaterThan(0);
    const restored = inStorm(record, 'restore-chosen').slice(1);
    expect(restored.length).toBeLessThanOrEqual(record.restarts);
    const deployed = inStorm(record, 'task-deployed').map(({ vertex, subtask }) => `${vertex}/${subtask}`);
    const all = new Set(deployed);
    const expected = restored.flatMap(({ subtasks }) => (subtasks === undefined ? [...all] : text(subtasks)));
    expect(deployed.slice(all.size).sort()).toEqual(expected.sort());
  });

  it('F5: what restarts goes back to its slot while its TaskManager lives', () => {
    const calm = regions().passes(keep);
    const node = nodeOf(calm, 1, 1);
    const record = regions().throws(node, { point: 'completed', checkpoint: 3 }, { vertex: 1 }).passes(keep);
    const again = inStorm(record, 'task-deployed').slice(11);
    expect(again.map((one) => one.node)).toEqual(again.map(() => node));
  });

  it('C18: with failover strategy full the whole job restarts', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions({ failoverStrategy: 'full' })
      .throws(node, { point: 'completed', checkpoint: 3 }, { vertex: 1 })
      .passes(keep);
    expect(inStorm(record, 'task-deployed')).toHaveLength(22);
    expect(statuses(record)).toEqual(['created', 'created', 'running', 'restarting', 'created', 'running']);
  });

  it('F2: an error that suppresses restarts fails the job at once', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const plan = regions().throws(node, 9, { vertex: 1, recoverable: false }).plan();
    const record = liveIt(plan, keep);
    expect(record.signature).toBe('progress/job-failed');
    expect(
      all(record, 'job-status')
        .map(({ status }) => status)
        .slice(-2),
    ).toEqual(['failing', 'failed']);
    expect(record.restarts).toBe(0);
  });

  it.each([
    ['none', { strategy: 'none' }, 0],
    ['fixed-delay', { strategy: 'fixed-delay', attempts: 2, delayUs: 100_000 }, 2],
    ['failure-rate', { strategy: 'failure-rate', maxFailures: 1, intervalUs: 60_000_000, delayUs: 100_000 }, 1],
  ] as const)('X53: %s restarts exactly as often as it is configured, then the job fails', (_, restart, restarts) => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const plan = [8, 10, 12, 14]
      .reduce((told, when) => told.throws(node, when, { vertex: 1 }), regions({}, restart))
      .plan();
    const record = liveIt(plan, keep);
    expect(record.signature).toBe('progress/job-failed');
    expect(record.restarts).toBe(restarts);
  });

  it('F10: a task that does not end when it is cancelled ends its process; only then is its slot used again', () => {
    const calm = regions().passes(keep);
    const node = nodeOf(calm, 1, 1);
    const record = regions({ taskCancellationTimeoutUs: 4_000_000 })
      .hangs(node, 8, 600)
      .crash('jobmanager-1', 10, 1)
      .crash('jobmanager-2', 10, 2)
      .reaches('task-cancellation-timeout')
      .shows('process-exited')
      .passes();
    const exitedAt = record.history.find(({ event }) => event.kind === 'process-exited')?.atUs ?? 0;
    const early = record.history.filter(
      ({ event, atUs }) =>
        event.kind === 'task-deployed' && event.node === node && atUs > 10_000_000 && atUs < exitedAt,
    );
    expect(early).toEqual([]);
  });

  it('F10: a task that ends late, but in time, costs no process', () => {
    const node = nodeOf(regions().passes(keep), 1, 1);
    const record = regions({ taskCancellationTimeoutUs: 20_000_000 })
      .hangs(node, 8, 6)
      .crash('jobmanager-1', 9, 1)
      .crash('jobmanager-2', 9, 2)
      .passes(keep);
    expect(all(record, 'process-exited')).toEqual([]);
  });

  it('G6: a TaskManager that was cut off comes back with old attempts of a region that runs elsewhere: they end', () => {
    const calm = regions().passes(keep);
    const node = nodeOf(calm, 1, 1);
    const record = regions().isolate(node, { point: 'barrier.sent', checkpoint: 3 }, 11).passes(keep);
    expect(record.restarts).toBeGreaterThanOrEqual(1);
    expect(record.probes['taskmanager-heartbeat-timeout']).toBeGreaterThanOrEqual(1);
  });

  it('F9: a node that lost its tasks twice gets none while it is blocked', () => {
    const calm = regions().passes(keep);
    const node = nodeOf(calm, 1, 1);
    const record = regions({ blocklist: { failures: 1, withinUs: 60_000_000, forUs: 20_000_000 } })
      .crash(node, 8, 1)
      .reaches('node-blocked')
      .passes(keep);
    const blockedAt = record.history.find(
      ({ event }) => event.kind === 'probe' && event.probe === 'node-blocked',
    )?.atUs;
    const placed = record.history.filter(
      ({ event, atUs }) =>
        event.kind === 'task-deployed' &&
        event.node === node &&
        atUs >= (blockedAt ?? 0) &&
        atUs < (blockedAt ?? 0) + 20_000_000,
    );
    expect(placed).toEqual([]);
  });
});

/** Rows that hold across the whole engine, read off the history of whole lives: C30, F11, G2, G7. */
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';
import { story } from './story.ts';

type Event = RunRecord['history'][number]['event'];

const lived = (scenario: string, seed: string): RunRecord => {
  const record = liveIt(planOf(scenario, seed), { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
};
/** As the first leader tells it; it may die for good when the storm ends. */
const statuses = ({ history }: RunRecord): string[] =>
  history.flatMap(({ event }) => (event.kind === 'job-status' && event.epoch === 1 ? [event.status] : []));

describe('G2: snapshot, barrier and records exclude each other on a task', () => {
  it.each(['standard', 'unaligned-backpressure', 'concurrent-checkpoints'])(
    '%s: where a barrier leaves, the snapshot follows in the same action, before the task does anything else',
    (scenario) => {
      const { history } = lived(scenario, '2');
      const ofTask = (event: Event, attempt: number): boolean => 'attempt' in event && event.attempt === attempt;
      let seen = 0;
      history.forEach(({ event, atUs, node }, index) => {
        if (event.kind !== 'barrier-sent') return;
        const next = history.slice(index + 1).find((later) => ofTask(later.event, event.attempt));
        // A task without operators has nothing to take, and one that died in between takes nothing.
        if (next === undefined || next.event.kind !== 'snapshot-taken') return;
        expect(next).toMatchObject({ node, atUs, event: { checkpointId: event.checkpointId } });
        seen += 1;
      });
      expect(seen).toBeGreaterThan(50);
    },
  );
});

describe('G7: ids of checkpoints rise over the whole life of a job', () => {
  it.each(['leader-flapping', 'drain-under-faults', 'cancel-and-restore-retained', 'savepoints-under-faults'])(
    '%s: through leaders, restores and runs, savepoints included',
    (scenario) => {
      const { history, failovers } = lived(scenario, '3');
      const ids = history.flatMap(({ event }) => (event.kind === 'checkpoint-triggered' ? [event.checkpointId] : []));
      expect(ids.length).toBeGreaterThan(8);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      if (scenario === 'leader-flapping') expect(failovers).toBeGreaterThan(0);
    },
  );
});

describe('F11: what is told of the status of a job', () => {
  it('a failure of the whole job: restarting, created, running', () => {
    const record = story().crash('taskmanager-1', 6).passes({ keepHistory: true });
    expect(statuses(record)).toEqual(['created', 'created', 'running', 'restarting', 'created', 'running']);
  });

  it('a failure of a region: it is running all the time', () => {
    const record = story({ scenario: 'region-failover' }).throws('taskmanager-1', 6).passes({ keepHistory: true });
    expect(record.probes).toHaveProperty('region-recovered');
    expect(statuses(record)).toEqual(['created', 'created', 'running']);
  });

  it('a change of leader: suspended is not the end of it', () => {
    const record = story().pause('jobmanager-1', 6, 12).passes({ keepHistory: true });
    const ofLeader = record.history.flatMap(({ event }) =>
      event.kind === 'job-status' ? [[event.epoch, event.status] as const] : [],
    );
    expect(ofLeader.filter(([epoch]) => epoch === 1).at(-1)?.[1]).not.toBe('finished');
    expect(ofLeader.at(-1)?.[1]).toBe('running');
    expect(Math.max(...ofLeader.map(([epoch]) => epoch))).toBeGreaterThan(1);
  });
});

describe('C30: a rescale asks for a checkpoint instead of falling back to an old one', () => {
  const rescaled = (activeCheckpoint: boolean): { readonly replayed: number; readonly ageUs: number } => {
    const plan = story({
      engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, intervalUs: 8_000_000 } }),
    })
      .adapts({ least: 1, most: 6 })
      .rescale(2, 14)
      .plan();
    const { scheduler } = plan.engine;
    if (scheduler.mode !== 'adaptive') throw new Error('the job adapts');
    const engine = { ...plan.engine, scheduler: { ...scheduler, activeCheckpoint, maxDelayUs: 500_000 } };
    const record = liveIt({ ...plan, engine }, { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const restarted = record.history.find(
      ({ event }) => event.kind === 'restart-scheduled' && event.cause === 'rescale',
    );
    const completed = record.history
      .filter(({ event, atUs }) => event.kind === 'checkpoint-completed' && atUs <= (restarted?.atUs ?? 0))
      .at(-1);
    expect(restarted).toBeDefined();
    return { replayed: record.records.replayed, ageUs: (restarted?.atUs ?? 0) - (completed?.atUs ?? 0) };
  };

  it('with it next to nothing is replayed, without it up to an interval', () => {
    const [asked, notAsked] = [rescaled(true), rescaled(false)];
    expect(asked.ageUs).toBeLessThan(1_000_000);
    expect(notAsked.ageUs).toBeGreaterThan(2_000_000);
    expect(asked.replayed).toBeLessThan(notAsked.replayed);
  });
});

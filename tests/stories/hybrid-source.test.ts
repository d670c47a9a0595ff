/** Row B24, X48: files first, then the log, as one source, in the whole cluster; what fails around the switch. */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import { findings, liveIt } from '../support/lives.ts';
import { type Story, story } from './story.ts';

const HYBRID = 'hybrid-source';
const LEADER = 'jobmanager-1';
/** With this seed the job is pipelines that restart alone. */
const hybrid = (): Story => story({ scenario: HYBRID }).seed('2');
const calm = liveIt(hybrid().plan(), { keepHistory: true });
const switchedAtUs =
  calm.history.find(({ event }) => event.kind === 'probe' && event.probe === 'source-switched')?.atUs ?? 0;
/** Seconds: the log is read, and no checkpoint knows of it. */
const SWITCHED = switchedAtUs / 1_000_000 + 0.02;

describe('a hybrid source', () => {
  it('reads the files and then the log behind them, though the log still holds some of what they hold', () => {
    const [files, log] = hybrid().plan().topics;
    expect(log).toMatchObject({ after: files?.name, before: 150, committed: 150, startFrom: 'committed' });
    expect(calm.verdict, findings(calm)).toBe('passed');
    expect(calm.probes['source-switched']).toBe(1);
    expect(calm.records.out).toBe(900 + 700);
  });

  it('a pipeline restarts alone after the switch: splits of files that it forgot come back as splits of files', () => {
    hybrid()
      .throws('taskmanager-1', SWITCHED)
      .reaches('source-switched')
      .reaches('splits-of-earlier-source-given-back')
      .passes();
  });

  it('the leader dies behind the switch, before a checkpoint knows of it: all read the files again, and switch again', () => {
    const record = hybrid().crash(LEADER, SWITCHED).reaches('source-switched').passes();
    expect(record.probes['source-switched']).toBe(2);
  });

  it('the leader dies when a checkpoint knows of the switch: the log is read on', () => {
    const record = hybrid().crash(LEADER, 8).reaches('source-switched').passes();
    expect(record.probes['source-switched']).toBe(1);
  });

  it('B24, S5: the parallelism changes while readers hold files, and again when they hold the log', () => {
    hybrid().rescale(5, 1.6).rescale(2, 8).reaches('restored-at-other-parallelism').passes();
  });

  it('C5, X15: files are a backlog: no checkpoint is taken while they are read, where that is asked for', () => {
    const withRest = (engine: SimulationPlan['engine']): SimulationPlan['engine'] => ({
      ...engine,
      checkpoint: { ...engine.checkpoint, intervalDuringBacklogUs: 0 },
    });
    const plan = story({ scenario: HYBRID, engine: withRest }).seed('2').plan();
    const record = liveIt(plan, { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const firstAt = (kind: string): number => record.history.find(({ event }) => event.kind === kind)?.atUs ?? -1;
    const switched = record.history.find(({ event }) => event.kind === 'probe' && event.probe === 'source-switched');
    expect(calm.history.find(({ event }) => event.kind === 'checkpoint-triggered')?.atUs).toBeLessThan(switchedAtUs);
    expect(firstAt('checkpoint-triggered')).toBeGreaterThan(switched?.atUs ?? Number.MAX_SAFE_INTEGER);
  });
});

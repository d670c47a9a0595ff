/** What is triggered when, and what becomes of it when the job restarts meanwhile (rows C1, C2, C4, C10, C11, C15, C29). */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { checkpointOf, eventsOf, liveIt, restoresOf } from '../support/lives.ts';
import { type Story, story } from './story.ts';

type Checkpointing = Partial<SimulationPlan['engine']['checkpoint']>;
const SECOND = 1_000_000;
const keep = { keepHistory: true } as const;
const SAVEPOINT = { kind: 'savepoint', format: 'canonical' } as const;

const withCheckpoints = (checkpointing: Checkpointing, scenario = 'crash-during-alignment'): Story =>
  story({
    scenario,
    engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, ...checkpointing } }),
  });
const answers = (record: RunRecord) =>
  eventsOf(record).flatMap((event) => (event.kind === 'operation-answered' ? [event.outcome] : []));

describe('Cluster: triggers', () => {
  it('C1: the job restarts while an id is being taken: what was decided before is asked once more, and nothing is triggered', () => {
    const record = story()
      .service('coordination-store', 'unavailable', 5.9, 2)
      .crash('taskmanager-1', 6.5)
      .reaches('trigger-after-job-stopped')
      .passes(keep);
    expect(record.restarts).toBeGreaterThanOrEqual(1);
  });

  it('C1, C4: while tasks are being restored nothing is triggered, though the job runs', () => {
    const tale = (): Story => story({ scenario: 'region-failover' }).crash('taskmanager-1', 6);
    tale().reaches('trigger-not-all-required-tasks-running').passes();
    expect(tale().fails('trigger-while-recovering')).toContain('checkpoint-lifecycle');
  });

  it('C1, C24: a checkpoint ends while it waits for events of before: what was kept back behind its cut is sent after all', () => {
    /* A reader there is given a range and does not say that it has it; before it does, the checkpoint has expired. */
    const record = withCheckpoints({ timeoutUs: 0.5 * SECOND, tolerableFailures: 50 }, 'split-assignment-under-faults')
      .pause('taskmanager-1', 0.84, 0.8)
      .reaches('checkpoint-waits-for-operator-events')
      .reaches('operator-event-kept-back')
      .passes(keep);
    expect(checkpointOf(record, 1)).toMatchObject({
      outcome: 'aborted',
      reason: 'checkpoint-expired',
      acknowledged: 0,
    });
    // What gateways went on keeping back nobody would confirm, and the next checkpoint would wait for it in vain.
    expect(checkpointOf(record, 2)?.outcome).toBe('completed');
    expect(record.restarts).toBe(0);
  });

  it('C1, C28: the trigger of a stop is lost at one machine: it has failed ten seconds later, and who stopped for it begins anew', () => {
    const tale = (): Story =>
      withCheckpoints({ savepointTimeoutUs: 600 * SECOND })
        .deafen('jobmanager-1', 'taskmanager-1', 4.9, 0.2)
        .asks({ kind: 'stop-with-savepoint', drain: false, format: 'canonical' }, 5)
        .seed('2');
    const record = tale().reaches('trigger-unconfirmed').passes(keep);
    expect(answers(record)).toEqual(['failed']);
    const stop = checkpointOf(record, 3);
    expect(stop).toMatchObject({ outcome: 'aborted', reason: 'trigger-checkpoint-failure' });
    expect((stop?.endedAtUs ?? 0) - (stop?.triggeredAtUs ?? 0)).toBe(10 * SECOND);
    expect(record.restarts).toBe(1);
    expect(liveIt({ ...tale().plan(), variant: 'lost-trigger-unnoticed' }).verdict).toBe('not-live');
  });

  it('C2: the minimum pause holds back periodic checkpoints and no savepoint, whose own completion it counts from', () => {
    const record = withCheckpoints({ minPauseUs: 3 * SECOND })
      .asks(SAVEPOINT, { point: 'completed', checkpoint: 2 })
      .reaches('trigger-held-back-by-minimum-pause')
      .passes(keep);
    const [second, savepoint, next] = [2, 3, 4].map((id) => checkpointOf(record, id));
    expect(savepoint).toMatchObject({ type: 'savepoint', outcome: 'completed' });
    expect((savepoint?.triggeredAtUs ?? 0) - (second?.endedAtUs ?? 0)).toBeLessThan(SECOND / 10);
    expect((next?.triggeredAtUs ?? 0) - (savepoint?.endedAtUs ?? 0)).toBeGreaterThanOrEqual(3 * SECOND);
  });

  it('C4: the job restarts while a savepoint is pending: it ends with the scheduler, and its user is told', () => {
    const record = story()
      .asks(SAVEPOINT, 5)
      .crash('taskmanager-1', { point: 'trigger.received', checkpoint: 3 })
      .passes(keep);
    expect(checkpointOf(record, 3)).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-coordinator-suspend' });
    expect(answers(record)).toEqual(['failed']);
  });

  it('C10, C29: what a task acknowledges of a checkpoint that has expired is late, and nobody fails for it', () => {
    const record = withCheckpoints({ timeoutUs: 1.5 * SECOND, tolerableFailures: 3 })
      .pause('taskmanager-1', { point: 'barrier.sent', checkpoint: 2 }, 3)
      .reaches('late-acknowledgement')
      .passes(keep);
    expect(checkpointOf(record, 2)).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-expired' });
    expect(record.restarts).toBe(0);
  });

  it('C11: nobody hears whether an acknowledgement arrived: it is sent again, and what it names stays, for its checkpoint is complete', () => {
    const record = story()
      .deafen('jobmanager-1', 'taskmanager-1', { point: 'acknowledge.sent', checkpoint: 2, vertex: 2 }, 2.5)
      .crash('taskmanager-2', 5.8)
      .reaches('acknowledge-repeated')
      .passes(keep);
    expect(checkpointOf(record, 2)?.outcome).toBe('completed');
    expect(restoresOf(record)[1]).toBe(2);
  });

  it('C11: nobody ever confirms an acknowledgement: the subtask declines what is complete, and deletes nothing of it', () => {
    const record = story({
      engine: (engine) => ({ ...engine, runtime: { ...engine.runtime, requestTimeoutUs: 0.3 * SECOND } }),
    })
      .deafen('jobmanager-1', 'taskmanager-1', { point: 'acknowledge.sent', checkpoint: 2, vertex: 2 }, 2.8)
      .crash('taskmanager-2', 6.8)
      .reaches('unconfirmed-acknowledgement-given-up')
      .reaches('decline-of-ended-checkpoint')
      .passes(keep);
    expect(checkpointOf(record, 2)?.outcome).toBe('completed');
    const declined = eventsOf(record).filter((event) => event.kind === 'decline-sent' && event.checkpointId === 2);
    expect(declined).not.toEqual([]);
    expect(restoresOf(record)[1]).toBe(2);
  });

  it('C15: with no failure tolerated a checkpoint that expires fails the job, a savepoint that expires does not', () => {
    const strict = { tolerableFailures: 0, intervalUs: 4 * SECOND };
    const checkpoint = withCheckpoints({ ...strict, timeoutUs: 0.5 * SECOND })
      .pause('taskmanager-1', 3.9, 1.2)
      .reaches('checkpoint-failures-fail-job')
      .passes();
    expect(checkpoint.restarts).toBe(1);
    const savepoint = withCheckpoints({ ...strict, savepointTimeoutUs: 0.5 * SECOND })
      .asks(SAVEPOINT, 5)
      .pause('taskmanager-1', 4.9, 1.2)
      .passes(keep);
    expect(checkpointOf(savepoint, 2)).toMatchObject({ type: 'savepoint', reason: 'checkpoint-expired' });
    expect(answers(savepoint)).toEqual(['failed']);
    expect(savepoint.restarts).toBe(0);
  });
});

/** Stories of an enumerator and its readers in the whole cluster: what is on its way when a link goes deaf or a machine dies. */
import { describe, expect, it } from 'vitest';
import { findings, liveIt, planOf, restoresOf } from '../support/lives.ts';
import { story } from './story.ts';

const SPLITS = 'split-assignment-under-faults';
const LEADER = 'jobmanager-1';

describe('splits around a checkpoint', () => {
  it('H1: an assignment of before the cut is lost: the checkpoint waits for it, and ends with the reader that missed it', () => {
    /* Within these 40 ms a range goes to a reader there; the first checkpoint begins before anyone knows that it never arrived. */
    const record = story({ scenario: SPLITS })
      .deafen(LEADER, 'taskmanager-1', 0.84, 0.04)
      .reaches('checkpoint-waits-for-operator-events')
      .reaches('operator-event-lost')
      .passes();
    expect(record.restarts).toBe(1);
  });

  it('C24: a reader whose words are not answered gives up', () => {
    story({ scenario: SPLITS })
      .deafen(LEADER, 'taskmanager-1', { point: 'triggered', checkpoint: 4 }, 2)
      .reaches('operator-event-unanswered')
      .passes();
  });

  it('C24: the leader dies between the cut of its coordinators and the barriers', () => {
    story({ scenario: SPLITS })
      .crash(LEADER, { point: 'coordinator-snapshot.taken', checkpoint: 4 })
      .shows('coordinator-snapshot-taken')
      .passes();
  });

  it('C18, K1: a TaskManager dies when a checkpoint was announced: enumerator and readers begin from the same one', () => {
    story({ scenario: SPLITS })
      .crash('taskmanager-1', { point: 'notify.received', checkpoint: 3 })
      .crash('taskmanager-2', { point: 'coordinator-snapshot.taken', checkpoint: 7 })
      .passes();
  });

  it('C18: the job begins again before there is a checkpoint: its coordinators begin from nothing, too', () => {
    const record = story({ scenario: SPLITS })
      .crash('taskmanager-1', 0.9, 0.3)
      .shows('restore-chosen')
      .passes({ keepHistory: true });
    expect(restoresOf(record).slice(0, 2)).toEqual([0, 0]);
  });

  it('K3: fewer splits than readers: idle readers change nothing, and order is judged', () => {
    const plan = planOf(SPLITS, '3');
    const job = { ...plan.job, parameters: { ...plan.job.parameters, splitRecords: 0 } };
    const topics = plan.topics.map((topic) => ({ ...topic, partitions: 2 }));
    const record = liveIt({ ...plan, job, topics });
    expect(record.verdict, findings(record)).toBe('passed');
  });

  it('K3, X48: bounded splits: readers that finished early are known as such after a restart of all, and the job ends', () => {
    for (const splitRecords of [0, 12]) {
      const plan = story({ scenario: 'bounded-splits' })
        .crash('taskmanager-1', { point: 'completed', checkpoint: 12 })
        .crash(LEADER, { point: 'completed', checkpoint: 16 })
        .plan();
      const job = { ...plan.job, parameters: { ...plan.job.parameters, splitRecords } };
      const record = liveIt({ ...plan, job }, { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      const finishedEarly = record.history.filter(
        ({ event, atUs }) => event.kind === 'task-state' && event.state === 'finished' && atUs < 12_000_000,
      );
      expect(finishedEarly.length).toBeGreaterThan(0);
      expect(record.history.some(({ event }) => event.kind === 'job-status' && event.status === 'finished')).toBe(true);
    }
  });
});

describe('where a source begins', () => {
  it('H5: at the end of what is there, and stays there though nothing was read before a machine dies', () => {
    story({ scenario: 'new-partitions' })
      .crash('taskmanager-1', 3.9)
      .crash('taskmanager-2', 3.9)
      .crash('taskmanager-3', 3.9)
      .passes();
  });

  it('FLIP-288: a partition that comes while nobody leads is read from its start', () => {
    story({ scenario: 'new-partitions' }).crash(LEADER, 8.8, 3).reaches('partition-discovered-later').passes();
  });

  it('partitions that come before the first answer begin like those of before', () => {
    story({ scenario: 'new-partitions' }).service('log-broker', 'unavailable', 0, 2).passes();
  });
});

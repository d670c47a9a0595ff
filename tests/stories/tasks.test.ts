/** Stories around subtasks: barriers, snapshots, two-phase commit, zombies (rows B1, C15, C20, F4, F12, F19, G6, K6, K7, K9, T5, T11). */
import { describe, expect, it } from 'vitest';
import { story } from './story.ts';

describe('Cluster: subtasks', () => {
  it('a TaskManager crashes while a keyed subtask aligns: the checkpoint is aborted, the job restarts from the last one (B1, C20)', () => {
    const record = story().crash('taskmanager-1', { point: 'barrier.received', checkpoint: 3, occurrence: 3 }).passes();
    expect(record.restarts).toBeGreaterThanOrEqual(1);
    expect(record.records.replayed).toBeGreaterThan(0);
  });

  it('a TaskManager crashes between pre-commit and acknowledgement: the transaction is aborted by the next attempt (K9)', () => {
    story()
      .crash('taskmanager-2', { point: 'pre-commit.done', checkpoint: 0, occurrence: 6 })
      .shows('transaction-aborted')
      .passes();
  });

  it('a TaskManager crashes after the notice and before its commit: recovery commits (K6, K7)', () => {
    story().crash('taskmanager-1', { point: 'notify.received', checkpoint: 2, vertex: 2 }).passes();
  });

  it('a TaskManager crashes when its commit is under way: committing twice is once (K7)', () => {
    story().crash('taskmanager-1', { point: 'commit.sent', checkpoint: 2 }).passes();
  });

  it('the sink store takes effect and does not answer: pre-commits and commits are repeated (K6, I6)', () => {
    story().service('sink-store', 'unknown-outcome', { point: 'notify.sent', checkpoint: 2 }, 4).passes();
  });

  it('a TaskManager sleeps longer than the heartbeat time-out and wakes as a zombie: what it says is fenced off (G6, F19)', () => {
    const record = story().pause('taskmanager-1', { point: 'snapshot.taken', checkpoint: 2 }, 12).passes();
    expect(record.restarts).toBeGreaterThanOrEqual(1);
  });

  it('a TaskManager hears nothing and still talks: it ends its subtasks, the job goes on elsewhere (F19)', () => {
    story().isolate('taskmanager-2', { point: 'barrier.sent', checkpoint: 3 }, 12).passes();
  });

  it('two TaskManagers lose each other: the subtasks at both ends of a channel fail, and with them their job (F12)', () => {
    const record = story().deafen('taskmanager-1', 'taskmanager-2', 6.1, 20).passes({ keepHistory: true });
    expect(record.restarts).toBeGreaterThanOrEqual(1);
    expect(Object.keys(record.probes)).not.toContain('taskmanager-heartbeat-timeout');
    const failures = record.history.flatMap(({ event, node }) =>
      event.kind === 'task-state' && event.state === 'failed' ? [`${event.failure} on ${node}`] : [],
    );
    expect(failures).toContain('connection-lost on taskmanager-1');
    expect(failures).toContain('connection-lost on taskmanager-2');
    expect(failures.filter((failure) => failure.endsWith('taskmanager-3'))).toEqual([]);
  });

  it('a second TaskManager crashes while the job restores: the restart restarts (F4)', () => {
    const record = story()
      .crash('taskmanager-1', { point: 'completed', checkpoint: 2 })
      .crash('taskmanager-2', { point: 'restored', occurrence: 5 })
      .passes();
    expect(record.restarts).toBeGreaterThanOrEqual(2);
  });

  it('storage is away while state is written: the checkpoint fails, the job does not (T11, C15)', () => {
    const record = story()
      .service('object-store', 'unavailable', { point: 'snapshot.taken', checkpoint: 2 }, 9)
      .passes();
    expect(record.restarts).toBe(0);
    expect(record.checkpoints.completed).toBeGreaterThanOrEqual(4);
  });

  it('a failed put is repeated within the checkpoint', () => {
    story().service('object-store', 'fail', { point: 'state-write.sent', checkpoint: 2 }, 1).passes();
  });

  it('a put takes effect and its reply is lost: it is found under its own name (T5)', () => {
    story().service('object-store', 'unknown-outcome', { point: 'state-write.sent', checkpoint: 2 }, 1).passes();
  });

  it('two TaskManagers crash at once: the job waits for slots (F4)', () => {
    story().crash('taskmanager-1', 6.1, 3).crash('taskmanager-2', 6.1, 4).passes();
  });

  it('everything crashes at once: leader, standby and all TaskManagers', () => {
    const when = { point: 'acknowledge.received', checkpoint: 3, occurrence: 4 } as const;
    const record = story()
      .crash('jobmanager-1', when, 2)
      .crash('jobmanager-2', when, 3)
      .crash('taskmanager-1', when)
      .crash('taskmanager-2', when, 2)
      .crash('taskmanager-3', when, 4)
      .passes();
    expect(record.failovers).toBeGreaterThanOrEqual(1);
  });
});

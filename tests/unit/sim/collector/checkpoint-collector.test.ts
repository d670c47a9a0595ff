/** What is known of each checkpoint and subtask (row 7.2), from hand-made histories in virtual time. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { CheckpointCollector, LEADER_REPLACED } from '../../../../sim/collector/checkpoint-collector.ts';
import { countGraph, KEYS, SmallLife } from '../judges/small-life.ts';

function collected(life: SmallLife, keeps = { subtasks: true, timeline: true }): CheckpointCollector {
  const collector = new CheckpointCollector({ vertices: countGraph([0, 1]).vertices, ...keeps });
  for (const entry of life.history) collector.observe(entry);
  return collector;
}

/** A life under its first leader, with a checkpoint that two of four tasks have acknowledged. */
function halfway(): SmallLife {
  const life = new SmallLife(KEYS);
  life.lead(1);
  for (const attempt of [1, 2, 3, 4]) {
    life.tell({
      kind: 'task-deployed',
      epoch: leaderEpoch(1),
      jobAttempt: 1,
      node: nodeId('taskmanager-1'),
      parallelism: 2,
      attempt: executionAttemptId(attempt),
      vertex: attempt > 2 ? 1 : 0,
      subtask: (attempt - 1) % 2,
    });
  }
  life.trigger(1);
  life.acknowledge(1, 1);
  life.acknowledge(1, 4);
  return life;
}

const abort = { kind: 'checkpoint-aborted', triggeredAtUs: micros(0), acknowledged: 2, required: 4 } as const;

describe('checkpoint collector: what a subtask is known for', () => {
  it('7.2: a subtask that has not acknowledged has no figures, and still its place', () => {
    const records = collected(halfway()).subtaskRecords();
    expect(records.map(({ task, subtask, metrics }) => [task, subtask, metrics?.alignmentUs])).toEqual([
      ['words -> keep', 0, 2],
      ['words -> keep', 1, undefined],
      ['count -> out', 0, undefined],
      ['count -> out', 1, 8],
    ]);
    expect(records.map(({ acknowledgedAtUs }) => acknowledgedAtUs >= 0)).toEqual([true, false, false, true]);
  });

  it('7.2: an acknowledgement that was sent and never arrived gives no figures', () => {
    const life = halfway();
    const [sent] = life.history.filter(({ event }) => event.kind === 'acknowledge-sent');
    if (sent?.event.kind === 'acknowledge-sent')
      life.tell({ ...sent.event, attempt: executionAttemptId(2), subtask: 1 });
    const collector = collected(life);
    expect(collector.subtaskRecords()[1]?.metrics).toBeUndefined();
    expect(collector.records()[0]).toMatchObject({ acknowledged: 2, stateBytes: 200 });
  });

  it.each(['duplicate', 'unknown', 'discarded'] as const)(
    '7.2: an acknowledgement that is %s does not count',
    (result) => {
      const life = halfway();
      life.acknowledge(1, 3);
      const received = life.history.at(-1)?.event;
      life.history.pop();
      if (received?.kind === 'acknowledge-received') life.tell({ ...received, result });
      expect(collected(life).records()[0]).toMatchObject({ acknowledged: 2 });
    },
  );

  it('7.2: bytes are sums, delays the slowest task, the end the latest acknowledgement that arrived', () => {
    const [record] = collected(halfway()).records();
    const triggeredAtUs = record?.triggeredAtUs ?? 0;
    expect(record).toMatchObject({
      stateBytes: 200,
      checkpointedBytes: 200,
      alignmentUsMax: 8,
      recordsInFlight: 10,
      latestAcknowledgedAtUs: triggeredAtUs + 40,
      endToEndUs: 40,
      type: 'checkpoint',
      unaligned: false,
    });
  });
});

describe('checkpoint collector: across leaders', () => {
  it('a checkpoint whose leader was replaced is failed, and what was known of it remains', () => {
    const life = halfway();
    life.lead(2);
    life.trigger(2, 2);
    const [first, second] = collected(life).records();
    expect(first).toMatchObject({ outcome: 'aborted', reason: LEADER_REPLACED, acknowledged: 2, stateBytes: 200 });
    expect(first?.endedAtUs).toBe(life.atUs - 10);
    expect(second).toMatchObject({ outcome: 'pending', epoch: 2 });
  });

  it('a checkpoint whose leader died after the pointer was written: the restore shows that it completed', () => {
    const life = halfway();
    life.acknowledge(1, 2);
    life.acknowledge(1, 3);
    life.tell({ kind: 'metadata-write-sent', checkpointId: checkpointId(1), path: 'checkpoints/job/chk-1/_metadata' });
    life.lead(2);
    life.tell({ kind: 'restore-chosen', epoch: leaderEpoch(2), jobAttempt: 1, checkpointId: checkpointId(1) });
    const collector = collected(life);
    expect(collector.records()[0]).toMatchObject({
      outcome: 'completed',
      reason: '',
      externalPath: 'checkpoints/job/chk-1',
      endToEndUs: 80,
    });
    expect(collector.restores()).toMatchObject([{ checkpointId: 1, epoch: 2 }]);
    expect(collector.timeline()).toHaveLength(4);
  });

  it('a replaced leader that was only slow: what it says of the end counts', () => {
    const life = halfway();
    life.lead(2);
    life.tell({ ...abort, epoch: leaderEpoch(1), checkpointId: checkpointId(1), reason: 'checkpoint-expired' });
    expect(collected(life).records()[0]).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-expired' });
    life.complete(1);
    expect(collected(life).records()[0]).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-expired' });
  });

  it('a savepoint ends when its leader says that it is durable; who leads next changes nothing', () => {
    const life = halfway();
    life.tell({
      kind: 'savepoint-completed',
      epoch: leaderEpoch(1),
      checkpointId: checkpointId(1),
      location: 'savepoints/savepoint-job-1',
      triggeredAtUs: micros(0),
      stateBytes: 200,
      metadataBytes: 70,
      endToEndUs: 90,
    });
    life.lead(2);
    expect(collected(life).records()[0]).toMatchObject({ outcome: 'completed', metadataBytes: 70, endToEndUs: 90 });
  });

  it('a restore from scratch is none', () => {
    const life = halfway();
    life.tell({ kind: 'restore-chosen', epoch: leaderEpoch(1), jobAttempt: 1, checkpointId: checkpointId(0) });
    expect(collected(life).restores()).toEqual([]);
  });

  it('a subsumed checkpoint is discarded', () => {
    const life = new SmallLife(KEYS);
    life.lead(1);
    life.checkpoint({ id: 1, offsets: [2, 1] });
    life.tell({ kind: 'checkpoint-subsumed', checkpointId: checkpointId(1) });
    expect(collected(life).records()[0]).toMatchObject({ outcome: 'completed', discarded: true, metadataBytes: 100 });
  });
});

describe('checkpoint collector: memory', () => {
  /** Three checkpoints, acknowledged by two of four tasks each: one aborted, one completed and subsumed, one completed. */
  function long(): SmallLife {
    const life = halfway();
    life.tell({ ...abort, epoch: leaderEpoch(1), checkpointId: checkpointId(1), reason: 'checkpoint-expired' });
    for (const id of [2, 3]) {
      life.trigger(id);
      for (const attempt of [1, 2, 3, 4]) life.acknowledge(id, attempt);
      life.complete(id);
    }
    life.tell({ kind: 'checkpoint-subsumed', checkpointId: checkpointId(2) });
    return life;
  }

  it('where no subtask is asked for, what subtasks did goes with their checkpoint, and its record stays as it is', () => {
    const all = collected(long());
    const few = collected(long(), { subtasks: false, timeline: false });
    expect(few.records()).toEqual(all.records());
    expect(few.records().map(({ outcome }) => outcome)).toEqual(['aborted', 'completed', 'completed']);
    expect(all.remembered).toBe(2 + 4 + 4);
    expect(few.remembered).toBe(4);
    expect(few.timeline()).toEqual([]);
    expect(all.timeline()).toHaveLength(8);
  });

  it('what a subtask sends when its checkpoint is over changes nothing', () => {
    const life = long();
    life.acknowledge(2, 4);
    expect(collected(life, { subtasks: false, timeline: false }).remembered).toBe(4);
    expect(collected(life).records()).toEqual(collected(life, { subtasks: false, timeline: false }).records());
  });
});

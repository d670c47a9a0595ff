/** Each anomaly of the lifecycle judge fires on a minimal wrong history; the right one beside it is silent. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { encodeLease, leaderKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import { JOB_ID, KEYS, rightLife, SmallLife, TASKS } from './small-life.ts';

const verdictsOf = (life: SmallLife): Verdict[] =>
  life.end('liveness-bound').filter(({ judge }) => judge === 'checkpoint-lifecycle');
const anomalies = (life: SmallLife): string[] => verdictsOf(life).map(({ anomaly }) => anomaly);

function started(): SmallLife {
  const life = new SmallLife(KEYS);
  life.lead(1);
  return life;
}

const abort = (life: SmallLife, id: number): number =>
  life.tell({
    kind: 'checkpoint-aborted',
    epoch: leaderEpoch(1),
    checkpointId: checkpointId(id),
    triggeredAtUs: micros(0),
    reason: 'checkpoint-expired',
    acknowledged: 1,
    required: 4,
  });
const restore = (life: SmallLife, id: number, epoch = 1): number =>
  life.tell({
    kind: 'restore-chosen',
    epoch: leaderEpoch(epoch),
    jobAttempt: epoch === 1 ? 2 : 1,
    checkpointId: checkpointId(id),
  });
const lease = (life: SmallLife, epoch: number): number => {
  const value = encodeLease({ epoch: leaderEpoch(epoch), holder: 'j', incarnation: 1, renewal: 1 });
  return life.tell({ kind: 'coordination-updated', key: leaderKey(JOB_ID), version: 1, value, by: nodeId('j') });
};
const commitSent = (life: SmallLife, id: number, transaction: string): number =>
  life.tell({
    kind: 'commit-sent',
    attempt: executionAttemptId(3),
    vertex: 1,
    subtask: 0,
    checkpointId: checkpointId(id),
    transaction,
  });

describe('checkpoint lifecycle', () => {
  it('a checkpoint of an attempt that a restart has given up becomes the newest: completed-after-restart', () => {
    const life = started();
    life.checkpoint({ id: 1, offsets: [1, 1] });
    life.trigger(2);
    restore(life, 1);
    life.checkpoint({ id: 2, offsets: [2, 2] });
    expect(anomalies(life)).toContain('completed-after-restart');
  });

  describe('a region restarts', () => {
    const deploy = (life: SmallLife, attempt: number): number =>
      life.tell({
        kind: 'task-deployed',
        attempt: executionAttemptId(attempt),
        vertex: attempt % 4 > 1 ? 1 : 0,
        subtask: attempt % 2,
        epoch: leaderEpoch(1),
        jobAttempt: 1,
        node: nodeId('taskmanager-1'),
        parallelism: 2,
      });
    /** Attempts 1 and 3 are subtask 1 of both vertices, 2 and 4 are subtask 0. */
    const restoreRegion = (life: SmallLife, id: number, subtask: number): number =>
      life.tell({
        kind: 'restore-chosen',
        epoch: leaderEpoch(1),
        jobAttempt: 1,
        checkpointId: checkpointId(id),
        subtasks: [0, 1].map((vertex) => ({ vertex, subtask })),
      });
    const deployed = (): SmallLife => {
      const life = started();
      life.tell({ kind: 'restore-chosen', epoch: leaderEpoch(1), jobAttempt: 1, checkpointId: checkpointId(0) });
      for (const attempt of TASKS) deploy(life, attempt);
      life.checkpoint({ id: 1, offsets: [1, 1] });
      return life;
    };

    it('and a checkpoint with its old attempts becomes the newest: completed-after-restart', () => {
      const life = deployed();
      life.trigger(2);
      restoreRegion(life, 1, 1);
      for (const attempt of TASKS) life.acknowledge(2, attempt);
      life.store({ id: 2, offsets: [2, 2] });
      life.point(2);
      life.complete(2);
      expect(anomalies(life)).toEqual(expect.arrayContaining(['completed-after-restart', 'pending-after-restart']));
    });

    it('and a checkpoint still waits for its old attempts: pending-after-restart; one that ended or needs others does not', () => {
      const waits = deployed();
      const triggered = waits.trigger(2);
      const at = restoreRegion(waits, 1, 1);
      expect(verdictsOf(waits)).toMatchObject([{ anomaly: 'pending-after-restart', at: [triggered, at] }]);
      const ended = deployed();
      ended.trigger(2);
      abort(ended, 2);
      ended.trigger(3, 1, [2, 4]);
      restoreRegion(ended, 1, 1);
      expect(anomalies(ended)).toEqual(['']);
    });

    it('and a subtask of another region is deployed with it: deployed-unrestored', () => {
      const right = deployed();
      restoreRegion(right, 1, 1);
      deploy(right, 5);
      deploy(right, 7);
      expect(anomalies(right)).toEqual(['']);
      const wrong = deployed();
      restoreRegion(wrong, 1, 1);
      deploy(wrong, 6);
      expect(anomalies(wrong)).toEqual(['deployed-unrestored']);
    });
  });

  it('a right life with an abort, a failover and a restore: passed', () => {
    const life = rightLife();
    life.trigger(3);
    abort(life, 3);
    lease(life, 1);
    life.lead(2);
    lease(life, 2);
    restore(life, 2, 2);
    life.checkpoint({ id: 4, offsets: [4, 4], epoch: 2 });
    commitSent(life, 4, 'out-0-7-3');
    life.commit('out-0-7-3', []);
    expect(anomalies(life)).toEqual(['']);
  });

  it.each([
    ['used twice', [1, 1], [1, 1]],
    ['falling within an epoch', [3, 2], [1, 1]],
    ['of a new leader not above the old ones', [5, 4], [1, 2]],
  ])('an id %s: id-not-rising', (_, ids, epochs) => {
    const life = started();
    life.trigger(ids[0] ?? 0, epochs[0]);
    if (epochs[1] === 2) life.lead(2);
    life.trigger(ids[1] ?? 0, epochs[1]);
    expect(anomalies(life)).toEqual(['id-not-rising']);
  });

  it('an id taken by a leader that is replaced before it triggers: late, not wrong', () => {
    const life = started();
    life.lead(2);
    life.trigger(8, 2);
    life.trigger(7, 1);
    life.trigger(9, 2);
    expect(anomalies(life)).toEqual(['']);
  });

  it('a required attempt that never acknowledged: completed-without-acknowledgement', () => {
    const life = started();
    life.trigger(1);
    for (const attempt of TASKS.slice(1)) life.acknowledge(1, attempt);
    life.store({ id: 1, offsets: [0, 0] });
    life.point(1);
    const at = life.complete(1);
    expect(verdictsOf(life)).toMatchObject([{ anomaly: 'completed-without-acknowledgement', at: [at] }]);
  });

  it.each(['metadata', 'pointer'])('completed without %s: completed-before-durable', (lacking) => {
    const life = started();
    life.trigger(1);
    for (const attempt of TASKS) life.acknowledge(1, attempt);
    if (lacking === 'pointer') life.store({ id: 1, offsets: [0, 0] });
    const at = life.complete(1);
    expect(verdictsOf(life)).toMatchObject([{ anomaly: 'completed-before-durable', at: [at] }]);
  });

  it('an acknowledgement of an attempt that is not required counts: foreign-acknowledgement', () => {
    const life = started();
    life.trigger(1);
    const received = {
      kind: 'acknowledge-received',
      attempt: executionAttemptId(9),
      checkpointId: checkpointId(1),
    } as const;
    life.tell({ ...received, result: 'unknown' });
    expect(anomalies(life)).toEqual(['']);
    life.tell({ ...received, result: 'success' });
    expect(anomalies(life)).toEqual(['foreign-acknowledgement']);
  });

  it.each([
    ['completed and aborted', (life: SmallLife) => abort(life, 2)],
    ['completed twice', (life: SmallLife) => life.complete(2)],
  ])('a checkpoint %s: ended-twice', (_, again) => {
    const life = rightLife();
    const at = again(life);
    const [verdict] = verdictsOf(life);
    expect(verdict?.anomaly).toBe('ended-twice');
    expect(verdict?.at).toContain(at);
  });

  it('completion announced, or a commit sent, before the pointer: notified-before-durable', () => {
    const life = started();
    life.trigger(1);
    life.tell({ kind: 'notify-complete-sent', epoch: leaderEpoch(1), checkpointId: checkpointId(1) });
    expect(anomalies(life)).toEqual(['notified-before-durable']);
    const sink = started();
    commitSent(sink, 1, 'out-0-3-1');
    expect(anomalies(sink)).toEqual(['notified-before-durable']);
  });

  it('a transaction committed before the pointer names its checkpoint: committed-before-durable', () => {
    const life = rightLife();
    const at = life.commit('out-0-3-3', []);
    expect(verdictsOf(life)).toMatchObject([{ anomaly: 'committed-before-durable', at: [at] }]);
  });

  it.each([
    ['an older checkpoint', 1],
    ['nothing', 0],
    ['one that is not in the pointer', 3],
  ])('%s restored: restored-not-newest', (_, id) => {
    const life = rightLife();
    const at = restore(life, id);
    expect(verdictsOf(life)).toMatchObject([{ anomaly: 'restored-not-newest', at: [at] }]);
  });

  it('a replaced leader that restores an older checkpoint: fenced, not wrong', () => {
    const life = rightLife();
    life.lead(2);
    restore(life, 1, 1);
    expect(anomalies(life)).toEqual(['']);
  });

  it('a start from scratch with an empty pointer: passed', () => {
    const life = started();
    restore(life, 0);
    expect(anomalies(life)).toEqual(['']);
  });

  it('two leaders of one epoch: epoch-reused', () => {
    const life = started();
    life.lead(1);
    expect(anomalies(life)).toEqual(['epoch-reused']);
  });

  it('lease or pointer written by a lower epoch after a higher: zombie-leader-wrote', () => {
    const life = started();
    lease(life, 2);
    lease(life, 1);
    expect(anomalies(life)).toEqual(['zombie-leader-wrote']);
    const pointer = rightLife();
    pointer.store({ id: 3, offsets: [4, 4] });
    pointer.point(3, 2);
    pointer.store({ id: 4, offsets: [4, 4] });
    pointer.point(4, 1);
    expect(anomalies(pointer)).toEqual(['zombie-leader-wrote']);
  });

  it('an actor threw: engine-invariant', () => {
    const life = started();
    const at = life.tell({ kind: 'actor-threw', fact: 'x is y', details: '{}' }, 'taskmanager-2');
    expect(verdictsOf(life)).toMatchObject([{ anomaly: 'engine-invariant', at: [at] }]);
    expect(verdictsOf(life)[0]?.message).toContain('taskmanager-2');
  });
});

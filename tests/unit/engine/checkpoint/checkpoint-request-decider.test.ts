import { describe, expect, it } from 'vitest';
import {
  CheckpointRequestDecider,
  QUEUED_MAX,
  type RequestSituation,
} from '../../../../engine/checkpoint/checkpoint-request-decider.ts';
import { type CheckpointRequest, periodicRequest } from '../../../../engine/checkpoint/checkpoint-request.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { PERIODIC_CHECKPOINT, savepointProperties } from '../../../../engine/protocol/checkpoint-properties.ts';

const FREE: RequestSituation = {
  nowUs: 1_000,
  isTriggering: false,
  pending: 0,
  cleaning: 0,
  limits: { maxConcurrent: 1, minPauseUs: 300 },
  lastCompletedUs: undefined,
};
const BUSY = { ...FREE, isTriggering: true };
const savepoint = (atUs: number, isUnaligned = false): CheckpointRequest => ({
  properties: savepointProperties('savepoint', 'canonical', isUnaligned),
  isPeriodic: false,
  atUs: micros(atUs),
});
const wished = (atUs: number): CheckpointRequest => ({
  properties: PERIODIC_CHECKPOINT,
  isPeriodic: false,
  atUs: micros(atUs),
});
const forced = (atUs: number): CheckpointRequest => ({
  ...wished(atUs),
  properties: { ...PERIODIC_CHECKPOINT, isForced: true },
});
const periodic = (atUs: number): CheckpointRequest => periodicRequest(micros(atUs));

describe('request decider', () => {
  it('C2: with nothing in the way a request is executed at once', () => {
    const request = periodic(1);
    expect(new CheckpointRequestDecider().choose(request, FREE)).toEqual({ execute: request, rejected: [] });
  });

  it('C2: savepoints first, then forced, then wished for, then periodic, then the older', () => {
    const decider = new CheckpointRequestDecider();
    const expected = [savepoint(9), savepoint(5, true), forced(8), wished(6), wished(7), periodic(1), periodic(2)];
    for (const at of [6, 5, 3, 4, 1, 2, 0]) decider.choose(expected[at] as CheckpointRequest, BUSY);
    const served = expected.map(
      () => decider.chooseQueued({ ...FREE, limits: { maxConcurrent: 1, minPauseUs: 0 } }).execute,
    );
    expect(served).toEqual(expected);
  });

  it('C2: while one is triggering, nothing is executed', () => {
    expect(new CheckpointRequestDecider().choose(savepoint(1), BUSY)).toEqual({ rejected: [] });
  });

  it('C2: at the limit of pending checkpoints only a forced request passes', () => {
    const decider = new CheckpointRequestDecider();
    const full = { ...FREE, pending: 1 };
    expect(decider.choose(wished(1), full).execute).toBeUndefined();
    const asked = savepoint(2);
    expect(decider.choose(asked, full).execute).toBe(asked);
    expect(decider.chooseQueued({ ...full, limits: { maxConcurrent: 2, minPauseUs: 300 } }).execute).toMatchObject({
      atUs: 1,
    });
  });

  it('C2: a savepoint of an unaligned job is not forced: it waits for the pending checkpoint', () => {
    const decider = new CheckpointRequestDecider();
    expect(decider.choose(savepoint(2, true), { ...FREE, pending: 1 }).execute).toBeUndefined();
  });

  it('C2: more deletions under way than concurrent checkpoints allowed push back, savepoints too', () => {
    const decider = new CheckpointRequestDecider();
    expect(decider.choose(savepoint(1), { ...FREE, cleaning: 2 }).execute).toBeUndefined();
    expect(decider.chooseQueued({ ...FREE, cleaning: 1 }).execute).toBeDefined();
  });

  it('C2, C3: a periodic request before the minimum pause has passed fails, and the timer is armed for the rest', () => {
    const request = periodic(1);
    const decision = new CheckpointRequestDecider().choose(request, { ...FREE, lastCompletedUs: 900 });
    expect(decision).toEqual({
      rejected: [{ request, reason: 'minimum-time-between-checkpoints' }],
      rearmAfterUs: 200,
    });
    expect(new CheckpointRequestDecider().choose(request, { ...FREE, lastCompletedUs: 700 }).execute).toBe(request);
  });

  it('C2: the minimum pause holds no other request back', () => {
    const early = { ...FREE, lastCompletedUs: 999 };
    for (const request of [savepoint(1), savepoint(1, true), wished(1), forced(1)])
      expect(new CheckpointRequestDecider().choose(request, early).execute).toBe(request);
  });

  it('C2: a periodic request that is too early does not stand at the head: what was queued behind it is served', () => {
    const decider = new CheckpointRequestDecider();
    decider.choose(periodic(1), BUSY);
    expect(decider.chooseQueued({ ...FREE, lastCompletedUs: 999 }).rejected).toHaveLength(1);
    expect(decider.queued).toBe(0);
  });

  it('C2: a full queue drops its tail, unless that was asked for by a person: then it refuses the new one', () => {
    expect(QUEUED_MAX).toBe(1_000);
    const decider = new CheckpointRequestDecider(2);
    const [first, second, third] = [periodic(1), periodic(2), savepoint(3)];
    decider.choose(first, BUSY);
    decider.choose(second, BUSY);
    expect(decider.choose(third, BUSY).rejected).toEqual([{ request: second, reason: 'too-many-checkpoint-requests' }]);
    decider.choose(wished(4), BUSY);
    expect(decider.queued).toBe(2);
    const late = savepoint(5);
    expect(decider.choose(late, BUSY)).toEqual({
      rejected: [{ request: late, reason: 'too-many-checkpoint-requests' }],
    });
  });

  it('C4: a stop empties the queue, savepoints too', () => {
    const decider = new CheckpointRequestDecider();
    decider.choose(periodic(1), BUSY);
    decider.choose(savepoint(2), BUSY);
    expect(decider.removeAll()).toHaveLength(2);
    expect(decider.queued).toBe(0);
  });
});

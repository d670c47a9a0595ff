import { describe, expect, it } from 'vitest';
import { CheckpointFailureManager } from '../../../../engine/checkpoint/checkpoint-failure-manager.ts';
import { CHECKPOINT_FAILURES, type CheckpointFailure } from '../../../../engine/protocol/checkpoint-failure.ts';

const REASONS = Object.keys(CHECKPOINT_FAILURES) as CheckpointFailure[];
const fails = (manager: CheckpointFailureManager, checkpointId: number | undefined, reason: CheckpointFailure) =>
  manager.failed({ checkpointId, snapshot: 'checkpoint', reason, byTask: false });
const reasonsThat = (trait: 'counted' | 'preFlight'): string[] =>
  REASONS.filter((reason) => CHECKPOINT_FAILURES[reason][trait]).sort();

describe('checkpoint failure reasons', () => {
  it('C15: the list is closed at 24', () => {
    expect(REASONS).toHaveLength(24);
  });

  it('C15: five reasons count', () => {
    expect(reasonsThat('counted')).toEqual([
      'checkpoint-async-exception',
      'checkpoint-declined',
      'checkpoint-expired',
      'finalize-checkpoint-failure',
      'io-exception',
    ]);
  });

  it('C15: six reasons lie before any task heard of the checkpoint', () => {
    expect(reasonsThat('preFlight')).toEqual([
      'blocking-output-exist',
      'io-exception',
      'minimum-time-between-checkpoints',
      'not-all-required-tasks-running',
      'periodic-scheduler-shutdown',
      'too-many-checkpoint-requests',
    ]);
  });
});

describe('checkpoint failure manager', () => {
  it('C15: the job fails when counted failures in a row are more than tolerable', () => {
    const manager = new CheckpointFailureManager(2);
    expect([1, 2, 3].map((id) => fails(manager, id, 'checkpoint-expired'))).toEqual([false, false, true]);
  });

  it.each(REASONS)('C15: %s counts as the list says', (reason) => {
    expect(fails(new CheckpointFailureManager(0), 1, reason)).toBe(CHECKPOINT_FAILURES[reason].counted);
  });

  it('C15: a success clears the counter', () => {
    const manager = new CheckpointFailureManager(1);
    fails(manager, 1, 'checkpoint-expired');
    manager.succeeded(2);
    expect(fails(manager, 3, 'checkpoint-expired')).toBe(false);
    expect(fails(manager, 4, 'checkpoint-expired')).toBe(true);
  });

  it('C15: ids up to the last success do not count any more', () => {
    const manager = new CheckpointFailureManager(0);
    manager.succeeded(5);
    manager.succeeded(3);
    expect(fails(manager, 4, 'checkpoint-expired')).toBe(false);
    expect(fails(manager, 5, 'checkpoint-expired')).toBe(false);
    expect(fails(manager, 6, 'checkpoint-expired')).toBe(true);
  });

  it('C15: after the job was failed the counter starts anew', () => {
    const manager = new CheckpointFailureManager(1);
    fails(manager, 1, 'checkpoint-expired');
    expect(fails(manager, 2, 'checkpoint-expired')).toBe(true);
    expect(fails(manager, 3, 'checkpoint-expired')).toBe(false);
  });

  it('C28: a stop that fails fails the job, and counts for nothing', () => {
    const manager = new CheckpointFailureManager(1);
    fails(manager, 1, 'checkpoint-expired');
    const stop = {
      checkpointId: 2,
      snapshot: 'suspend-savepoint',
      reason: 'checkpoint-declined-task-closing',
    } as const;
    expect(manager.failed({ ...stop, byTask: true })).toBe(true);
    expect(fails(manager, 3, 'checkpoint-expired')).toBe(true);
  });

  it('C15: what failed before the job was submitted again does not count (I5)', () => {
    const manager = new CheckpointFailureManager(1);
    fails(manager, 1, 'checkpoint-expired');
    manager.runBegins();
    expect(fails(manager, 2, 'checkpoint-expired')).toBe(false);
    expect(fails(manager, 3, 'checkpoint-expired')).toBe(true);
  });
});

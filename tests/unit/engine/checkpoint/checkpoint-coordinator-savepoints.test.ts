/** Savepoints among checkpoints: what they change (little) and what changes them (nothing). */
import { describe, expect, it } from 'vitest';
import { decodePointer } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { decodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { lateWriteUs } from '../../../../engine/storage/late-writes.ts';
import { CoordinatorBench, INTERVAL_US, metadataPath, POINTER } from '../../../support/coordinator-bench.ts';
import { configuration, id, REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';

const LATE_WRITE_US = lateWriteUs(configuration({}));
const place = (n: number): string => `savepoints/savepoint-job-${n}`;
const running = (checkpoint: object = {}): CoordinatorBench =>
  new CoordinatorBench({ timeoutUs: 20 * INTERVAL_US, savepointTimeoutUs: 20 * INTERVAL_US, ...checkpoint }).start();
const pointer = (bench: CoordinatorBench) => decodePointer(bench.coordination.valueOf(POINTER) ?? '');

describe('checkpoint coordinator: savepoints', () => {
  it('C26: it lies in a directory of its own, and the tasks are told where and how', () => {
    const bench = running().savepoint().answer();
    expect(bench.toTasks[0]?.message).toMatchObject({
      kind: 'trigger-checkpoint',
      options: {
        snapshot: 'savepoint',
        alignment: 'aligned',
        location: place(1),
        sharing: 'no-sharing',
        format: 'native',
      },
    });
    bench.acknowledgeAll(1).answer();
    const bytes = bench.storage.objects.get(`${place(1)}/_metadata`) ?? new Uint8Array();
    expect(decodeMetadata(bytes)).toMatchObject({ checkpointId: 1, snapshot: 'savepoint', format: 'native' });
  });

  it('C12: it is not added to the store, subsumes nothing, and no task is told of its completion', () => {
    const bench = running().wait(INTERVAL_US).answer().acknowledgeAll(1).answer().savepoint().answer();
    bench.acknowledgeAll(2).answer();
    expect(pointer(bench).completed.map((one) => one.id)).toEqual([1]);
    expect(bench.storage.paths()).toEqual([metadataPath(1), `${place(2)}/_metadata`]);
    expect(bench.sentTo(2)).toEqual(['notify-checkpoint-complete']);
    expect(bench.calls).toEqual(['settled', `completed ${place(2)}`]);
  });

  it('C12, A6: whoever asked is told only when it is durable, and then before anything else', () => {
    const bench = running().savepoint().answer().acknowledgeAll(1);
    expect(bench.calls).toEqual([]);
    bench.lose('storage-put');
    bench.wait(REQUEST_TIMEOUT_US);
    expect(bench.calls).toEqual([]);
    bench.wait(RETRY_US).answer();
    expect(bench.calls).toEqual([`completed ${place(1)}`]);
  });

  it('C12: it drops no older checkpoint, and no newer checkpoint drops it', () => {
    const bench = running({ maxConcurrent: 4 })
      .wait(INTERVAL_US)
      .answer()
      .savepoint()
      .answer()
      .wait(INTERVAL_US)
      .answer();
    bench.acknowledgeAll(2).answer();
    expect(bench.aborted()).toEqual([]);
    bench.savepoint().answer().wait(INTERVAL_US).answer();
    bench.acknowledgeAll(5).answer();
    expect(bench.aborted()).toEqual(['1 checkpoint-subsumed', '3 checkpoint-subsumed']);
    bench.acknowledgeAll(4).answer();
    expect(bench.calls).toEqual([`completed ${place(2)}`, 'settled', `completed ${place(4)}`]);
  });

  it('C12: its completion resets the failure counter and the clock of the minimum pause', () => {
    const bench = running({ tolerableFailures: 1, minPauseUs: INTERVAL_US }).wait(INTERVAL_US).answer();
    bench.decline(1, 2, 'checkpoint-declined');
    bench.savepoint().answer().acknowledgeAll(2).wait(500).answer();
    bench.wait(INTERVAL_US - 1).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(2);
    bench.wait(1).answer();
    bench.decline(3, 2, 'checkpoint-declined');
    expect(bench.calls).toEqual([`completed ${place(2)}`]);
  });

  it('C2: it passes the limit of pending checkpoints and the minimum pause', () => {
    const bench = running({ minPauseUs: INTERVAL_US }).wait(INTERVAL_US).answer().savepoint().answer();
    expect(bench.out.reported('checkpoint-triggered').map(({ checkpointId }) => checkpointId)).toEqual([1, 2]);
  });

  it('C2: a checkpoint that waited for it is triggered as soon as it is complete', () => {
    const bench = running().savepoint().answer().wait(INTERVAL_US).answer();
    expect(bench.sentTo(1)).toEqual(['trigger-checkpoint']);
    bench.acknowledgeAll(1).answer();
    expect(bench.calls).toEqual([`completed ${place(1)}`]);
    expect(bench.sentTo(1)).toEqual(['trigger-checkpoint', 'trigger-checkpoint']);
  });

  it('C29: it has a time-out of its own', () => {
    const bench = running({ timeoutUs: 1_000, savepointTimeoutUs: 5_000 }).savepoint().answer().wait(4_999);
    expect(bench.calls).toEqual([]);
    bench.wait(1);
    expect(bench.calls).toEqual(['failed checkpoint-expired']);
  });

  it('C15: what goes wrong with it at the JobManager never counts; what a task declines does', () => {
    const bench = running({ tolerableFailures: 0, savepointTimeoutUs: 1_000 }).savepoint().answer().wait(1_000);
    expect(bench.calls).toEqual(['failed checkpoint-expired']);
    bench.savepoint().answer();
    bench.decline(2, 2, 'checkpoint-async-exception');
    expect(bench.calls).toEqual([
      'failed checkpoint-expired',
      'failed checkpoint-async-exception',
      'too-many-failures',
    ]);
  });

  it('C15: a task that declines a savepoint the job stops with fails the job, whatever the reason and the tolerance', () => {
    const bench = running().savepoint('suspend-savepoint').answer();
    bench.decline(1, 2, 'checkpoint-declined-on-cancellation-barrier');
    expect(bench.calls).toContain('too-many-failures');
  });

  it('C13, G5: while its _metadata is unanswered it is neither aborted nor deleted: somebody might find it', () => {
    const bench = running({ savepointTimeoutUs: 3_000 }).savepoint().answer().acknowledgeAll(1);
    bench.lose('storage-put');
    bench.wait(5_000);
    bench.stop();
    expect(bench.aborted()).toEqual([]);
    bench.wait(RETRY_US).answer();
    expect(bench.calls[0]).toBe(`completed ${place(1)}`);
    expect(bench.storage.paths()).toEqual([`${place(1)}/_metadata`]);
  });

  it('C29: one that is aborted takes its files with it', () => {
    const bench = running().savepoint().answer().acknowledge(1, 1);
    bench.storage.objects.set(`${place(1)}/a`, new Uint8Array(1));
    bench.decline(1, 2, 'checkpoint-declined');
    bench.answer();
    expect(bench.storage.paths()).toEqual([]);
  });

  it('C1, C4: none is taken of a job that is ending, although the tasks that are left all run', () => {
    const bench = running();
    bench.stop();
    bench.savepoint().answer();
    expect(bench.calls).toEqual(['failed not-all-required-tasks-running']);
    expect(bench.toTasks).toEqual([]);
  });

  it('C4: a stop ends requests that wait, savepoints too', () => {
    const bench = running().savepoint();
    bench.savepoint();
    bench.stop();
    bench.answer();
    expect(bench.calls).toEqual(['failed checkpoint-coordinator-suspend', 'failed checkpoint-coordinator-suspend']);
    expect(bench.out.reported('checkpoint-triggered')).toEqual([]);
  });

  it('C28: one the job stops with is noted as the end of the run before any task is told, and drops older ones', () => {
    const bench = running().wait(INTERVAL_US).answer().savepoint('suspend-savepoint').answer();
    bench.acknowledgeAll(2).answer('storage-put');
    expect(bench.sentTo(1)).not.toContain('notify-checkpoint-complete');
    bench.answer();
    expect(pointer(bench).job?.ended).toEqual({ status: 'failed', by: 'stop', location: place(2) });
    expect(bench.aborted()).toEqual(['1 checkpoint-subsumed']);
    expect(bench.sentTo(1)).toContain('notify-checkpoint-complete');
  });

  it('C28: while one the job stops with is being decided, the job may not be restored', () => {
    const bench = running().savepoint('suspend-savepoint').answer().acknowledgeAll(1);
    bench.stop();
    expect(bench.coordinator.isSettled).toBe(false);
    bench.answer();
    expect(bench.coordinator.isSettled).toBe(true);
    expect(bench.calls).toEqual([`completed ${place(1)}`, 'settled']);
  });

  it('C7: after a restore without claim checkpoints are full until one is in the store, not until one is triggered', () => {
    const bench = running({ maxConcurrent: 2 });
    const job = { run: 2, by: 'r', floor: 0, fullFirst: true };
    bench.store.stored({ ...bench.store.pointer, job }, 1);
    bench.wait(INTERVAL_US).answer().wait(INTERVAL_US).answer();
    const sharing = (): unknown[] =>
      bench.toTasks.flatMap(({ message }) => (message.kind === 'trigger-checkpoint' ? [message.options.sharing] : []));
    expect(sharing()).toEqual(['forward', 'forward']);
    bench.acknowledgeAll(1).answer().wait(INTERVAL_US).answer();
    expect(sharing()).toEqual(['forward', 'forward', undefined]);
    expect(pointer(bench).job).toEqual({ ...job, fullFirst: false });
  });

  it('C27: a claimed snapshot is deleted when it is subsumed, and until nothing can come back; one of its user is not', () => {
    for (const owner of ['claimed', 'user'] as const) {
      const bench = running();
      const metadata = 'elsewhere/sp/_metadata';
      const restored = { id: id(1), metadata, isSavepoint: true, owner } as const;
      bench.storage.objects.set(metadata, new Uint8Array(1));
      const run = { run: 2, by: 'r', floor: 1, fullFirst: false };
      const job = owner === 'claimed' ? { ...run, claimed: ['elsewhere/sp'] } : run;
      bench.store.stored({ ...bench.store.pointer, completed: [restored], job }, 1);
      bench.wait(INTERVAL_US).answer();
      bench.decline(1, 2, 'checkpoint-declined-task-not-ready');
      bench.wait(INTERVAL_US).answer().acknowledgeAll(2).answer();
      expect(pointer(bench).completed.map((one) => one.id)).toEqual([2]);
      expect(bench.storage.paths().includes(metadata)).toBe(owner === 'user');
      if (owner === 'user') continue;
      // A write that was repeated happens again.
      bench.storage.objects.set(metadata, new Uint8Array(1));
      bench.wait(INTERVAL_US).answer().acknowledgeAll(3).answer();
      expect(bench.storage.paths()).not.toContain(metadata);
      expect(pointer(bench).job).toEqual(job);
      bench.wait(LATE_WRITE_US).answer().acknowledgeAll(4).answer();
      bench.wait(INTERVAL_US).answer().acknowledgeAll(5).answer();
      expect(pointer(bench).job).toEqual(run);
    }
  });
});

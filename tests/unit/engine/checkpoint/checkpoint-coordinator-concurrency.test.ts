/** Several pending at a time: what a completion does to the others, and which write goes first. */
import { describe, expect, it } from 'vitest';
import { CoordinatorBench, INTERVAL_US, metadataPath } from '../../../support/coordinator-bench.ts';
import { REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';

/** Checkpoints 1 to `count` are pending. */
function pending(count: number, changes: object = {}): CoordinatorBench {
  const bench = new CoordinatorBench({ maxConcurrent: count, timeoutUs: 20 * INTERVAL_US, ...changes }).start();
  for (let n = 0; n < count; n += 1) bench.wait(INTERVAL_US).answer();
  return bench;
}

const abortsOf = (bench: CoordinatorBench): unknown[] =>
  bench.toTasks.filter(({ message }) => message.kind === 'notify-checkpoint-aborted').map(({ message }) => message);

describe('checkpoint coordinator: concurrent checkpoints', () => {
  it('C2: as many as allowed are triggered, not one more', () => {
    const bench = pending(3);
    bench.wait(INTERVAL_US).answer();
    expect(bench.out.reported('checkpoint-triggered').map(({ checkpointId }) => checkpointId)).toEqual([1, 2, 3]);
  });

  it('C12: the completion of a newer one drops the older ones, and tasks are told of both', () => {
    const bench = pending(3).acknowledge(1, 1).acknowledgeAll(2).answer();
    expect(bench.completedIds()).toEqual([2]);
    expect(bench.aborted()).toEqual(['1 checkpoint-subsumed']);
    expect(abortsOf(bench)).toMatchObject([
      { checkpointId: 1, latestCompletedId: 2 },
      { checkpointId: 1, latestCompletedId: 2 },
    ]);
    bench.acknowledge(1, 2).acknowledgeAll(3).answer();
    expect(bench.completedIds()).toEqual([2, 3]);
  });

  it('C12, C20: an older one that is dropped may restart the job, which ends the others: each ends once', () => {
    const bench = pending(3);
    bench.whenEnded = (isCompleted, nowUs, out) => {
      if (!isCompleted) bench.coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    };
    bench.acknowledgeAll(3).answer();
    expect(bench.completedIds()).toEqual([3]);
    expect(bench.aborted()).toEqual(['1 checkpoint-subsumed', '2 checkpoint-coordinator-suspend']);
  });

  it('C12: an older one that completes leaves the newer ones alone', () => {
    const bench = pending(2).acknowledgeAll(1).answer();
    expect(bench.aborted()).toEqual([]);
    bench.acknowledgeAll(2).answer();
    expect(bench.completedIds()).toEqual([1, 2]);
  });

  it('C15: a subsumed checkpoint does not count as a failure', () => {
    const bench = pending(3, { tolerableFailures: 0 }).acknowledgeAll(3).answer();
    expect(bench.aborted()).toEqual(['1 checkpoint-subsumed', '2 checkpoint-subsumed']);
    expect(bench.calls).toEqual(['settled']);
  });

  it('C12, F17: two fully acknowledged at once: one pointer write at a time, both complete in order', () => {
    const bench = pending(2).acknowledgeAll(1).acknowledgeAll(2).answer('storage-put');
    expect(bench.out.reported('pointer-write-sent').map(({ checkpointId }) => checkpointId)).toEqual([1]);
    expect(bench.out.probes()).toContain('pointer-write-waits-for-another');
    bench.answer();
    expect(bench.completedIds()).toEqual([1, 2]);
    expect(bench.store.version).toBe(3);
  });

  it('C12, F17: the newer metadata is durable first: the older one is dropped while its write waits, and never stored', () => {
    const bench = pending(2).acknowledgeAll(1).acknowledgeAll(2);
    const first = bench.take('storage-put');
    bench.answer('storage-put');
    bench.reply(bench.storage.perform(first));
    expect(bench.out.reported('pointer-write-sent').map(({ checkpointId }) => checkpointId)).toEqual([2]);
    bench.answer();
    expect(bench.completedIds()).toEqual([2]);
    expect(bench.aborted()).toEqual(['1 checkpoint-subsumed']);
    expect(bench.out.reported('pointer-write-sent')).toHaveLength(1);
    expect(bench.storage.paths()).toEqual([metadataPath(2)]);
  });

  it('F17: while a pointer write is unanswered the next one waits, and goes on when it is known', () => {
    const bench = pending(2).acknowledgeAll(1).acknowledgeAll(2).answer('storage-put');
    bench.lose('coordination-compare-and-set');
    bench.wait(REQUEST_TIMEOUT_US);
    expect(bench.out.reported('pointer-write-sent')).toHaveLength(1);
    bench.wait(RETRY_US).answer();
    expect(bench.completedIds()).toEqual([1, 2]);
  });

  it('C20: a stop ends the one that waits and leaves the one that is being decided', () => {
    const bench = pending(2).acknowledgeAll(1).acknowledgeAll(2).answer('storage-put');
    bench.stop();
    expect(bench.aborted()).toEqual(['2 checkpoint-coordinator-suspend']);
    bench.answer();
    expect(bench.completedIds()).toEqual([1]);
  });

  it('C29: a waiting one can still expire, and is not stored afterwards', () => {
    const bench = pending(2, { timeoutUs: 3 * INTERVAL_US })
      .acknowledgeAll(1)
      .acknowledgeAll(2)
      .answer('storage-put');
    for (let waited = 0; waited < 3 * INTERVAL_US; waited += REQUEST_TIMEOUT_US + RETRY_US) {
      bench.lose('coordination-compare-and-set', { reach: false });
      bench.wait(REQUEST_TIMEOUT_US + RETRY_US);
    }
    expect(bench.aborted()).toContain('2 checkpoint-expired');
    bench.answer();
    expect(bench.completedIds()[0]).toBe(1);
    expect(bench.completedIds()).not.toContain(2);
  });

  it('C14: the notice of completion carries the newest subsumed id', () => {
    const bench = pending(1).acknowledgeAll(1).answer().wait(INTERVAL_US).answer().acknowledgeAll(2).answer();
    const notices = bench.toTasks
      .map(({ message }) => message)
      .filter(({ kind }) => kind === 'notify-checkpoint-complete');
    expect(notices.map((notice) => 'lastSubsumedId' in notice && notice.lastSubsumedId)).toEqual([0, 0, 1, 1]);
  });
});

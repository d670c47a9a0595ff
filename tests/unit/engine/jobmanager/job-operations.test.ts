/** What people ask of a job and are told: once, truly, and across leaders. */
import { describe, expect, it } from 'vitest';
import { micros } from '../../../../engine/foundation/time.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { INTERVAL_US } from '../../../support/coordinator-bench.ts';
import { lateWriteUs } from '../../../../engine/storage/late-writes.ts';
import { configuration, id, inlineHandle, REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';
import { OperatedBench } from '../../../support/operated-job.ts';

const SAVEPOINT = { kind: 'savepoint', format: 'native' } as const;
const STOP = { kind: 'stop-with-savepoint', drain: false, format: 'native' } as const;
const CANCEL = { kind: 'cancel' } as const;
const place = (n: number): string => `savepoints/savepoint-job-${n}`;
const resume = (location: string, claimMode: 'claim' | 'no-claim' = 'no-claim', allowNonRestored = false) =>
  ({ kind: 'resume', restore: { location, claimMode, allowNonRestored } }) as const;

/** Canceled with checkpoint 1 retained. */
function canceled(checkpoint: object = {}): OperatedBench {
  const bench = new OperatedBench(checkpoint).trigger().acknowledgeAll(1).answer() as OperatedBench;
  bench.ask('c', CANCEL).operations.executionsGone(bench.out);
  return bench.answer() as OperatedBench;
}

describe('operations: savepoints', () => {
  it('A6: in progress until it is durable, then done with its directory', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('s', SAVEPOINT).answer();
    expect(bench.told('s')).toEqual({ kind: 'in-progress' });
    bench.acknowledgeAll(1).answer();
    expect(bench.told('s')).toEqual({ kind: 'done', location: place(1) });
  });

  it('section 7.1: a request that is repeated takes one savepoint, and is told the same again', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('s', SAVEPOINT).ask('s', SAVEPOINT).answer();
    bench.acknowledgeAll(1).answer();
    bench.ask('s', SAVEPOINT).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
    expect(bench.told('s')).toEqual({ kind: 'done', location: place(1) });
  });

  it('C6: a checkpoint that was asked for is full when that was asked; it stays the job’s', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('f', { kind: 'checkpoint', checkpoint: 'full' }).answer();
    expect(bench.toTasks[0]?.message).toMatchObject({ options: { snapshot: 'checkpoint', sharing: 'forward' } });
    bench.acknowledgeAll(1).answer();
    expect(bench.told('f')).toEqual({ kind: 'done' });
  });

  it('a savepoint that fails is told with its reason', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('s', SAVEPOINT).answer();
    bench.decline(1, 2, 'checkpoint-declined');
    expect(bench.told('s')).toEqual({ kind: 'failed', reason: 'checkpoint-declined' });
  });
});

describe('operations: stop with savepoint', () => {
  it('C28: until its tasks have ended a job is not over, though it is durable how it ends: no second stop, no next run', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP).answer();
    bench.acknowledgeAll(1).answer();
    bench.ask('y', STOP).answer();
    expect(bench.told('y')).toEqual({ kind: 'failed', reason: 'not-all-required-tasks-running' });
    bench.ask('r', resume(place(1))).answer();
    expect(bench.told('r')).toEqual({ kind: 'in-progress' });
    bench.operations.jobFinished(bench.out);
    bench.answer();
    expect(bench.pointer.job).toMatchObject({ run: 1, ended: { status: 'finished', by: 'x' } });
    bench.ask('r', resume(place(1))).answer();
    bench.answer();
    expect(bench.told('r')).toEqual({ kind: 'done' });
    expect(bench.pointer.job).toMatchObject({ run: 2, by: 'r' });
  });

  it('C28: periodic checkpoints stop, the savepoint is synchronous, and when all have finished the run is over', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP).answer();
    expect(bench.toTasks[0]?.message).toMatchObject({ options: { snapshot: 'suspend-savepoint' } });
    bench
      .wait(3 * INTERVAL_US)
      .acknowledgeAll(1)
      .answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
    expect(bench.told('x')).toEqual({ kind: 'in-progress' });
    bench.operations.jobFinished(bench.out);
    bench.answer();
    expect(bench.told('x')).toEqual({ kind: 'done', location: place(1), run: 1 });
    expect(bench.pointer.job?.ended).toEqual({ status: 'finished', by: 'x', location: place(1) });
  });

  it('C28: with drain the operators finish first', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', { ...STOP, drain: true }).answer();
    expect(bench.toTasks[0]?.message).toMatchObject({ options: { snapshot: 'terminate-savepoint' } });
  });

  it('C28, A10: when the savepoint fails periodic checkpoints go on', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP);
    bench.lose('coordination-compare-and-set', { reach: false });
    bench.wait(REQUEST_TIMEOUT_US).answer();
    expect(bench.told('x')).toEqual({ kind: 'failed', reason: 'io-exception' });
    bench.wait(INTERVAL_US).answer();
    expect(bench.out.reported('checkpoint-triggered')).not.toEqual([]);
    expect(bench.operations.forbidsRestart).toBe(false);
  });

  it('C28, A10: when the job restarts meanwhile, the restart brings the checkpoints back, not the stop', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP).answer();
    bench.status = 'restarting';
    bench.stop();
    expect(bench.told('x')).toEqual({ kind: 'failed', reason: 'checkpoint-coordinator-suspend' });
    bench.wait(3 * INTERVAL_US).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
  });

  it('C28: when the savepoint is good and a task does not finish, the job fails for good and its user has the savepoint', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP).answer();
    bench.acknowledgeAll(1).answer();
    expect(bench.operations.forbidsRestart).toBe(true);
    bench.status = 'failing';
    bench.operations.executionsGone(bench.out);
    bench.answer();
    expect(bench.told('x')).toEqual({
      kind: 'failed',
      reason: 'stop-with-savepoint-stopping',
      location: place(1),
      run: 1,
    });
  });

  it('C28: the job was restarting when the savepoint became durable: it fails for good', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP).answer();
    bench.acknowledgeAll(1);
    bench.status = 'restarting';
    bench.stop();
    bench.answer();
    expect(bench.calls).toContain('failing');
  });

  it('C28: a leader that died between savepoint and end leaves a run that is over, with the savepoint', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('x', STOP).answer();
    bench.acknowledgeAll(1).answer();
    expect(bench.pointer.job?.ended).toEqual({ status: 'failed', by: 'x', location: place(1) });
  });
});

describe('operations: cancel, and what is kept', () => {
  it('C17: the run is durably over before a checkpoint is deleted', () => {
    const bench = new OperatedBench({ retention: 'no-externalized' })
      .trigger()
      .acknowledgeAll(1)
      .answer() as OperatedBench;
    bench.ask('c', CANCEL).operations.executionsGone(bench.out);
    expect(bench.told('c')).toEqual({ kind: 'in-progress' });
    expect(bench.out.all('storage-delete')).toEqual([]);
    bench.answer();
    expect(bench.pointer).toMatchObject({ completed: [], job: { ended: { status: 'canceled', by: 'c' } } });
    expect(bench.storage.paths()).toEqual([]);
    expect(bench.told('c')).toEqual({ kind: 'done', run: 1 });
  });

  it('C17: what is retained stays, and its user is told where', () => {
    const bench = canceled();
    expect(bench.told('c')).toEqual({ kind: 'done', location: 'checkpoints/job/chk-1', run: 1 });
    expect(bench.storage.paths()).toEqual(['checkpoints/job/chk-1/_metadata']);
  });

  it('C17: a write of the end that is not answered is repeated', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('c', CANCEL).operations.executionsGone(bench.out);
    bench.lose('coordination-compare-and-set');
    bench.wait(REQUEST_TIMEOUT_US + RETRY_US).answer();
    expect(bench.told('c')).toEqual({ kind: 'done', run: 1 });
  });

  it('a run that is over is canceled at once by whoever asks again', () => {
    const bench = canceled().ask('d', CANCEL);
    expect(bench.told('d')).toEqual({ kind: 'done', location: 'checkpoints/job/chk-1', run: 1 });
  });
});

describe('operations: the next run', () => {
  it('C27, C7: without claim it stays its user’s, and the first checkpoint is full', () => {
    const bench = canceled().ask('r', resume('checkpoints/job/chk-1')).answer() as OperatedBench;
    expect(bench.pointer).toMatchObject({
      completed: [{ id: 1, owner: 'user' }],
      job: { run: 2, by: 'r', floor: 1, fullFirst: true },
    });
    expect(bench.pointer.job?.ended).toBeUndefined();
    expect(bench.calls.at(-1)).toBe('resubmitted');
    expect(bench.told('r')).toEqual({ kind: 'done' });
  });

  it('C7: what was retained when a run ended is remembered by all that follow', () => {
    const bench = canceled().ask('r', resume('checkpoints/job/chk-1')).answer() as OperatedBench;
    const kept = ['checkpoints/job/chk-1/_metadata'];
    expect(bench.pointer.job?.kept).toEqual(kept);
    const retained = [{ id: id(4), metadata: 'checkpoints/job/chk-4/_metadata' }];
    bench.store.stored({ ...bench.pointer, completed: retained }, bench.store.version);
    bench.status = 'running';
    bench.ask('e', CANCEL).operations.executionsGone(bench.out);
    bench.answer();
    bench.ask('s', { kind: 'resume' }).answer();
    expect(bench.pointer.job?.kept).toEqual([...kept, 'checkpoints/job/chk-4/_metadata']);
  });

  it('C27: claimed, it is the job’s own', () => {
    const bench = canceled().ask('r', resume('checkpoints/job/chk-1', 'claim')).answer() as OperatedBench;
    expect(bench.pointer).toMatchObject({
      completed: [{ id: 1, owner: 'claimed' }],
      job: { fullFirst: false, claimed: ['checkpoints/job/chk-1'] },
    });
    expect(bench.pointer.job?.kept).toBeUndefined();
  });

  it('C27: what was claimed and is not deleted yet is the next run’s to delete, what is retained is its user’s again', () => {
    for (const isRetained of [false, true]) {
      const bench = canceled().ask('r', resume('checkpoints/job/chk-1', 'claim')).answer() as OperatedBench;
      if (!isRetained) bench.store.stored({ ...bench.pointer, completed: [] }, bench.store.version);
      bench.status = 'running';
      bench.ask('e', CANCEL).operations.executionsGone(bench.out);
      bench.answer();
      bench.ask('s', { kind: 'resume' }).answer();
      const { claimed, kept } = bench.pointer.job ?? {};
      expect(claimed).toEqual(isRetained ? undefined : ['checkpoints/job/chk-1']);
      expect(kept).toEqual(isRetained ? ['checkpoints/job/chk-1/_metadata'] : undefined);
    }
  });

  it('a request that is repeated submits one run, to the next leader too', () => {
    const bench = canceled().ask('r', resume('checkpoints/job/chk-1')).answer() as OperatedBench;
    bench.ask('r', resume('checkpoints/job/chk-1')).answer();
    expect(bench.pointer.job?.run).toBe(2);
  });

  it('two people resume the job from one snapshot while storage does not answer: each is told, one of them of a run', () => {
    const bench = canceled();
    bench.ask('r', resume('checkpoints/job/chk-1')).ask('q', resume('checkpoints/job/chk-1'));
    bench.lose('storage-get', { reach: false });
    bench.lose('storage-get', { reach: false });
    bench.wait(REQUEST_TIMEOUT_US + RETRY_US).run(REQUEST_TIMEOUT_US);
    expect([bench.told('r')?.kind, bench.told('q')?.kind]).toEqual(['done', 'failed']);
  });

  it('I4: who decided when an earlier run was over comes too late, though the job is over again and nobody remembers the request', () => {
    const chosen = { ...resume('checkpoints/job/chk-1'), after: 1 };
    const bench = canceled();
    expect(bench.told('c')).toMatchObject({ kind: 'done', run: 1 });
    bench.ask('r', chosen).answer();
    expect(bench.pointer.job?.run).toBe(2);
    bench.status = 'running';
    bench.ask('d', CANCEL).operations.executionsGone(bench.out);
    bench.answer();
    expect(bench.told('d')).toMatchObject({ kind: 'done', run: 2 });
    bench.ask('q', chosen).answer();
    expect(bench.told('q')).toEqual({ kind: 'failed', reason: 'another run of the job has begun since' });
    expect(bench.pointer.job?.run).toBe(2);
    bench.ask('s', { ...chosen, after: 2 }).answer();
    expect([bench.told('s')?.kind, bench.pointer.job?.run]).toEqual(['done', 3]);
  });

  it('I4: a leader that does not know of that run yet says nothing', () => {
    const bench = canceled()
      .ask('r', { ...resume('checkpoints/job/chk-1'), after: 2 })
      .answer() as OperatedBench;
    expect(bench.told('r')).toEqual({ kind: 'in-progress' });
    expect(bench.pointer.job?.run).toBe(1);
  });

  it('a job that is not over is not submitted again', () => {
    const bench = new OperatedBench().ask('r', resume(place(1)));
    expect(bench.told('r')).toEqual({ kind: 'failed', reason: 'the job is not over' });
  });

  it('a snapshot that is not there, or is damaged, is refused', () => {
    const bench = canceled()
      .ask('r', resume(place(7)))
      .answer() as OperatedBench;
    expect(bench.told('r')).toMatchObject({ kind: 'failed', reason: `there is no ${place(7)}/_metadata` });
    bench.storage.objects.set(`${place(7)}/_metadata`, new Uint8Array(9));
    bench.ask('q', resume(place(7))).answer();
    expect(bench.told('q')).toMatchObject({ kind: 'failed', reason: `${place(7)}/_metadata is damaged` });
  });

  it('C31: state of an operator that the job does not have is refused, unless its user gives it up', () => {
    const bench = canceled();
    const states = [{ vertex: 0, subtask: 0, handles: [inlineHandle('gone', new Uint8Array(1))] }];
    const metadata = {
      checkpointId: id(1),
      jobId: 'job',
      triggeredAtUs: micros(1),
      states,
      operators: [],
      highestParallelism: 0,
    };
    bench.storage.objects.set(`${place(1)}/_metadata`, encodeMetadata(metadata));
    bench.ask('r', resume(place(1))).answer();
    expect(bench.told('r')).toMatchObject({ kind: 'failed', reason: expect.stringContaining("'gone'") });
    bench.ask('q', resume(place(1), 'no-claim', true)).answer();
    expect(bench.told('q')).toEqual({ kind: 'done' });
  });

  it('S24: native state of another backend is refused by name, a canonical savepoint is not', () => {
    const native = {
      checkpointId: id(1),
      jobId: 'job',
      triggeredAtUs: micros(1),
      states: [],
      operators: [],
      highestParallelism: 0,
    };
    const bench = canceled();
    bench.storage.objects.set(`${place(1)}/_metadata`, encodeMetadata({ ...native, backend: 'lsm' }));
    bench.storage.objects.set(
      `${place(2)}/_metadata`,
      encodeMetadata({ ...native, checkpointId: id(2), backend: 'lsm', snapshot: 'savepoint', format: 'canonical' }),
    );
    bench.ask('r', resume(place(1))).answer();
    expect(bench.told('r')).toMatchObject({ kind: 'failed', reason: expect.stringContaining('backend lsm') });
    bench.ask('q', resume(place(2))).answer();
    expect(bench.told('q')).toEqual({ kind: 'done' });
  });

  it('S24: a run may begin with another backend, and the next one goes on with it', () => {
    const bench = canceled();
    const { restore } = resume('checkpoints/job/chk-1');
    bench.ask('r', { kind: 'resume', restore: { ...restore, backend: 'hashmap' } }).answer();
    expect(bench.told('r')).toEqual({ kind: 'done' });
    expect(bench.store.run.backend).toBe('hashmap');
  });

  it('S24: another version is run by another job master, and who asked for it is told when its tasks run', () => {
    const bench = canceled();
    const { restore } = resume('checkpoints/job/chk-1');
    const asked = { kind: 'resume', restore: { ...restore, version: 2 } } as const;
    bench.ask('r', asked).answer();
    expect([bench.store.run.version, bench.calls.at(-1), bench.told('r')?.kind]).toEqual([
      2,
      'upgraded',
      'in-progress',
    ]);
    bench.ask('r', asked).answer();
    expect(bench.told('r')?.kind).toBe('in-progress');
    bench.status = 'running';
    bench.ask('r', asked);
    expect([bench.store.run.run, bench.told('r')]).toEqual([2, { kind: 'done' }]);
  });

  it('S13: a version that fails for good is answered with why and from where, however often it is asked', () => {
    const bench = canceled();
    const { restore } = resume('checkpoints/job/chk-1');
    const asked = { kind: 'resume', restore: { ...restore, version: 1 } } as const;
    bench.ask('r', asked).answer();
    // Its first version is what the job master runs already.
    expect(bench.calls.at(-1)).toBe('resubmitted');
    bench.operations.failsBecause('operator a: state s has two forms');
    bench.operations.failsBecause('operator b, told of later');
    bench.status = 'failing';
    bench.operations.executionsGone(bench.out);
    bench.answer();
    expect(bench.pointer.job?.ended).toMatchObject({ status: 'failed', reason: 'operator a: state s has two forms' });
    const location = 'checkpoints/job/chk-1';
    const failed = { kind: 'failed', reason: 'operator a: state s has two forms', location, run: 2 };
    expect(bench.ask('r', asked).told('r')).toEqual(failed);
    expect(bench.ask('r', asked).told('r')).toEqual(failed);
  });

  it('S13: a version whose run is about to be stopped has begun, though the record says how the stop would fail', () => {
    const bench = canceled();
    const { restore } = resume('checkpoints/job/chk-1');
    const asked = { kind: 'resume', restore: { ...restore, version: 1 } } as const;
    bench.ask('r', asked).answer();
    bench.status = 'running';
    bench.start();
    bench.ask('x', STOP).answer();
    bench.acknowledgeAll(2).answer();
    expect(bench.pointer.job).toMatchObject({ run: 2, by: 'r', ended: { status: 'failed', by: 'x' } });
    bench.status = 'created';
    expect(bench.ask('r', asked).told('r'), 'not known yet').toEqual({ kind: 'in-progress' });
    bench.status = 'running';
    expect(bench.ask('r', asked).told('r')).toEqual({ kind: 'done' });
  });

  it('S24: a version that the job does not have is refused', () => {
    const { restore } = resume('checkpoints/job/chk-1');
    const bench = canceled().ask('r', { kind: 'resume', restore: { ...restore, version: 9 } });
    expect(bench.told('r')).toEqual({ kind: 'failed', reason: 'the job has no version 9' });
  });
});

describe('operations: disposal', () => {
  it('deletes every file of a savepoint, however often a reply is lost', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('s', SAVEPOINT).answer();
    bench.acknowledgeAll(1).answer();
    bench.ask('d', { kind: 'dispose-savepoint', location: place(1) });
    bench.lose('storage-get', { reach: false });
    bench.wait(REQUEST_TIMEOUT_US + RETRY_US).answer('storage-get');
    bench.lose('storage-delete');
    expect(bench.told('d')).toEqual({ kind: 'in-progress' });
    bench.run(8 * REQUEST_TIMEOUT_US);
    expect(bench.told('d')).toEqual({ kind: 'done', location: place(1) });
    expect(bench.storage.paths()).toEqual([]);
  });

  it('deletes what the metadata names though lists do not show it yet', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('s', SAVEPOINT).answer();
    bench.acknowledgeAll(1).answer();
    bench.storage.areListsBehind = true;
    bench.ask('d', { kind: 'dispose-savepoint', location: place(1) }).answer();
    bench.run(8 * REQUEST_TIMEOUT_US);
    expect(bench.told('d')).toEqual({ kind: 'done', location: place(1) });
    expect(bench.storage.paths()).toEqual([]);
  });

  it('a write that was repeated brings a file back: it is told when none can come any more', () => {
    const bench = new OperatedBench().start() as OperatedBench;
    bench.ask('s', SAVEPOINT).answer();
    bench.acknowledgeAll(1).answer();
    const late = `${place(1)}/count-0-100004.keyed`;
    bench.ask('d', { kind: 'dispose-savepoint', location: place(1) });
    bench.storage.objects.set(late, new Uint8Array(1));
    bench.answer().run(4 * REQUEST_TIMEOUT_US);
    expect([bench.told('d')?.kind, bench.storage.paths()]).toEqual(['in-progress', []]);
    bench.storage.objects.set(late, new Uint8Array(1));
    bench.run(3 * lateWriteUs(configuration()));
    expect(bench.storage.paths()).toEqual([]);
    expect(bench.told('d')).toEqual({ kind: 'done', location: place(1) });
  });

  it('refuses what the job may be restored from', () => {
    const bench = canceled().ask('r', resume('checkpoints/job/chk-1')).answer() as OperatedBench;
    bench.ask('d', { kind: 'dispose-savepoint', location: 'checkpoints/job/chk-1' });
    expect(bench.told('d')).toMatchObject({ kind: 'failed' });
  });

  it('refuses what a run is about to begin from, and begins none from what is being disposed of', () => {
    const taken = (): OperatedBench => {
      const bench = new OperatedBench().start() as OperatedBench;
      bench.ask('s', SAVEPOINT).answer();
      bench.acknowledgeAll(1).answer();
      bench.ask('c', CANCEL);
      bench.operations.executionsGone(bench.out);
      return bench.answer() as OperatedBench;
    };
    const disposal = { kind: 'dispose-savepoint', location: place(1) } as const;
    const begun = taken()
      .ask('r', resume(place(1)))
      .ask('d', disposal)
      .answer() as OperatedBench;
    expect(begun.told('d')).toEqual({ kind: 'failed', reason: 'the job may be restored from it' });
    expect(begun.told('r')).toEqual({ kind: 'done' });
    expect(begun.storage.paths()).not.toEqual([]);
    const gone = taken()
      .ask('d', disposal)
      .ask('r', resume(place(1)))
      .answer() as OperatedBench;
    expect(gone.told('r')).toEqual({ kind: 'failed', reason: `${place(1)} is being disposed of` });
    gone.run(8 * REQUEST_TIMEOUT_US);
    expect(gone.told('d')).toEqual({ kind: 'done', location: place(1) });
  });
});

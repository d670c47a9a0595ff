/** Checkpoints of a job whose subtasks end (rows C21, C23). */
import { describe, expect, it } from 'vitest';
import { attempt, REQUEST_TIMEOUT_US } from '../../../support/engine-values.ts';
import { CoordinatorBench, INTERVAL_US } from '../../../support/coordinator-bench.ts';

/** The source has finished, the other subtask runs. */
function withFinishedSource(): CoordinatorBench {
  const bench = new CoordinatorBench();
  bench.subtasks = bench.subtasks.map((one) => (one.isSource ? { ...one, isRunning: false, isFinished: true } : one));
  return bench;
}

describe('coordinator: finished subtasks', () => {
  it('C21: a finished source is not triggered, its consumer is; the metadata say who had finished', () => {
    const bench = withFinishedSource().trigger();
    expect(bench.sentTo(1)).toEqual([]);
    expect(bench.sentTo(2)).toEqual(['trigger-checkpoint']);
    expect(bench.out.probes()).toContain('inner-task-triggered');
    bench.acknowledge(1, 2).answer();
    expect(bench.completedIds()).toEqual([1]);
    expect(bench.store.metadataOf(bench.store.newest?.id as never)?.states).toMatchObject([
      { vertex: 0, finished: 'task', handles: [] },
      { vertex: 1 },
    ]);
  });

  it('C21: a subtask that ends and owes an acknowledgement: the checkpoint is aborted at once', () => {
    const bench = new CoordinatorBench().trigger().acknowledge(1, 2);
    bench.coordinator.taskFinished(attempt(2), bench.out.nowUs, bench.out);
    expect(bench.aborted()).toEqual([]);
    bench.coordinator.taskFinished(attempt(1), bench.out.nowUs, bench.out);
    expect(bench.aborted()).toEqual(['1 checkpoint-declined-task-closing']);
  });

  it('C23: the end of data triggers at once and only once', () => {
    const bench = new CoordinatorBench().start();
    bench.coordinator.triggerFinal(bench.out.nowUs, bench.out);
    bench.coordinator.triggerFinal(bench.out.nowUs, bench.out);
    bench.answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
  });

  it('C23: min-pause does not hold it up, a checkpoint under way does until it has ended', () => {
    const bench = new CoordinatorBench({ minPauseUs: 10 * INTERVAL_US }).trigger();
    bench.coordinator.triggerFinal(bench.out.nowUs, bench.out);
    expect(bench.answer().out.reported('checkpoint-triggered')).toHaveLength(1);
    bench.acknowledgeAll(1).answer();
    bench.run(REQUEST_TIMEOUT_US);
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(2);
  });

  it('C23: a final checkpoint that fails is tried again, one that completes is not', () => {
    const bench = new CoordinatorBench().start();
    bench.coordinator.triggerFinal(bench.out.nowUs, bench.out);
    bench.answer().decline(1, 1, 'checkpoint-async-exception');
    bench.run(REQUEST_TIMEOUT_US);
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(2);
    bench.acknowledgeAll(2).answer().run(REQUEST_TIMEOUT_US);
    expect(bench.completedIds()).toEqual([2]);
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(2);
  });

  it('C14: the notice of the final checkpoint is repeated to those that still run', () => {
    const bench = new CoordinatorBench().start();
    bench.coordinator.repeatFinalNotice(bench.out);
    bench.coordinator.triggerFinal(bench.out.nowUs, bench.out);
    bench.answer().acknowledgeAll(1).answer();
    bench.subtasks = bench.subtasks.map((one) => (one.isSource ? { ...one, isFinished: true } : one));
    bench.coordinator.repeatFinalNotice(bench.out);
    const notices = (of: number): string[] => bench.sentTo(of).filter((kind) => kind === 'notify-checkpoint-complete');
    expect([notices(1).length, notices(2).length]).toEqual([1, 2]);
  });

  it('what was final before a restart is not final behind it', () => {
    const bench = new CoordinatorBench().start();
    bench.coordinator.triggerFinal(bench.out.nowUs, bench.out);
    bench.stop();
    bench.answer().run(REQUEST_TIMEOUT_US);
    expect(bench.out.reported('checkpoint-triggered')).toEqual([]);
  });
});

/** How a checkpoint begins, and how it ends when it is not completed. */
import { describe, expect, it } from 'vitest';
import type { CoordinationRequest } from '../../../../engine/protocol/messages.ts';
import { CoordinatorBench, COUNTER, INTERVAL_US } from '../../../support/coordinator-bench.ts';
import { REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';

describe('checkpoint coordinator: trigger', () => {
  it('C1: only sources are triggered, with the id and the time of the trigger', () => {
    const bench = new CoordinatorBench().trigger();
    expect(bench.sentTo(1)).toEqual(['trigger-checkpoint']);
    expect(bench.sentTo(2)).toEqual([]);
    expect(bench.toTasks[0]?.message).toMatchObject({ checkpointId: 1, triggeredAtUs: bench.out.nowUs });
    expect(bench.out.reported('checkpoint-triggered')).toMatchObject([{ checkpointId: 1, tasks: [1, 2] }]);
  });

  it('C1, C8: nothing is triggered before the counter has the id', () => {
    const bench = new CoordinatorBench().start().wait(INTERVAL_US);
    expect(bench.toTasks).toEqual([]);
    bench.answer();
    expect(bench.coordination.valueOf(COUNTER)).toBe('1');
    expect(bench.sentTo(1)).toHaveLength(1);
  });

  it('C3: the first trigger comes one interval after the start, the next one an interval later', () => {
    const bench = new CoordinatorBench()
      .start()
      .wait(INTERVAL_US - 1)
      .answer();
    expect(bench.toTasks).toEqual([]);
    bench.wait(1).answer().acknowledgeAll(1).answer();
    expect(bench.completedIds()).toEqual([1]);
    bench.wait(INTERVAL_US - 1).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
    bench.wait(1).answer();
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([1, 2]);
  });

  it('C3: an interval of 0 switches checkpoints off', () => {
    const bench = new CoordinatorBench({ intervalUs: 0 }).start();
    expect(bench.out.armedTimers).toEqual([]);
  });

  it('C2: while one is pending the next waits, and begins as soon as that has ended', () => {
    const bench = new CoordinatorBench({ timeoutUs: 10 * INTERVAL_US }).trigger().wait(INTERVAL_US).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
    bench.acknowledgeAll(1).answer();
    expect(bench.completedIds()).toEqual([1]);
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([1, 2]);
  });

  it('C3: min-pause is kept from completion to the next trigger', () => {
    const bench = new CoordinatorBench({ minPauseUs: INTERVAL_US }).trigger();
    bench.wait(500).acknowledgeAll(1).answer();
    bench.wait(INTERVAL_US - 1).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
    bench.wait(1).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(2);
  });

  it('C3: a trigger armed before a stop does not fire after the next start', () => {
    const bench = new CoordinatorBench({ minPauseUs: 500 }).start().wait(INTERVAL_US - 10);
    bench.stop();
    bench.start().wait(20).answer();
    expect(bench.toTasks).toEqual([]);
  });

  it('C3: a wait for min-pause begun before a stop does not trigger after the next start', () => {
    const bench = new CoordinatorBench({ minPauseUs: 500 + INTERVAL_US }).trigger().acknowledgeAll(1).answer();
    bench.wait(INTERVAL_US).answer();
    bench.stop();
    bench.start().wait(500).answer();
    expect(bench.out.reported('checkpoint-triggered')).toHaveLength(1);
  });

  it('A7: while a subtask does not run nothing is triggered and no id is taken; the next period asks again', () => {
    const bench = new CoordinatorBench();
    const running = bench.subtasks;
    bench.subtasks = running.map((one) => ({ ...one, isRunning: one.isSource }));
    bench.trigger();
    expect(bench.toTasks).toEqual([]);
    expect(bench.out.probes()).toContain('trigger-not-all-required-tasks-running');
    expect(bench.coordination.values.has(COUNTER)).toBe(false);
    bench.subtasks = running;
    bench.wait(INTERVAL_US).answer();
    expect(bench.out.reported('checkpoint-triggered')).toMatchObject([{ checkpointId: 1 }]);
  });

  it('A7: a subtask that stops while the id is taken: the id is burnt, nothing is triggered', () => {
    const bench = new CoordinatorBench().start().wait(INTERVAL_US);
    bench.subtasks = bench.subtasks.map((one) => ({ ...one, isRunning: one.isSource }));
    bench.answer();
    expect(bench.toTasks).toEqual([]);
    expect(bench.out.probes()).toContain('trigger-after-job-stopped');
  });

  it('C4, C20: an id that arrives after the job stopped is burnt, nothing is triggered', () => {
    const bench = new CoordinatorBench().start().wait(INTERVAL_US);
    bench.stop();
    bench.answer();
    expect(bench.toTasks).toEqual([]);
    expect(bench.coordination.valueOf(COUNTER)).toBe('1');
    bench.start().run(INTERVAL_US / 2);
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([2]);
  });

  it('C8: an id whose write had no reply but took effect is burnt, the next one is used', () => {
    const bench = new CoordinatorBench().start().wait(INTERVAL_US);
    bench.lose('coordination-compare-and-set');
    bench.wait(REQUEST_TIMEOUT_US).answer();
    expect(bench.toTasks).toEqual([]);
    bench.wait(INTERVAL_US - REQUEST_TIMEOUT_US).answer();
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([2]);
  });

  it('C8: an id whose write never arrived is used by the next try', () => {
    const bench = new CoordinatorBench().start().wait(INTERVAL_US);
    bench.lose('coordination-compare-and-set', { reach: false });
    bench.wait(REQUEST_TIMEOUT_US).run(INTERVAL_US);
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([1]);
  });

  it('C8: where somebody else raised the counter the next id is taken at once, and ids go on above it', () => {
    const bench = new CoordinatorBench();
    bench.coordination.put(COUNTER, '7');
    bench.trigger().wait(INTERVAL_US).answer();
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([8, 9]);
  });

  it('C8: the counter is read until it answers', () => {
    const bench = new CoordinatorBench().start().wait(INTERVAL_US);
    bench.lose('coordination-compare-and-set');
    bench.wait(REQUEST_TIMEOUT_US);
    const get = bench.take('coordination-get') as CoordinationRequest;
    bench.reply(bench.coordination.refuse(get));
    bench.wait(RETRY_US).run(INTERVAL_US);
    expect(bench.out.reported('checkpoint-triggered').map((event) => event.checkpointId)).toEqual([2]);
  });

  it('C15: an id that could not be taken counts as a failure', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 0 }).start().wait(INTERVAL_US);
    bench.lose('coordination-compare-and-set');
    bench.wait(REQUEST_TIMEOUT_US).answer();
    expect(bench.calls).toEqual(['too-many-failures']);
  });

  it('C2: a request postponed because of deletions is asked again when they end', () => {
    const bench = new CoordinatorBench({ intervalUs: 100 }).start().wait(100).answer();
    bench.acknowledgeAll(1).answer('storage-put').answer('coordination-compare-and-set');
    bench.wait(100).answer('coordination-compare-and-set');
    bench.decline(2, 2, 'checkpoint-declined-task-not-ready');
    bench.wait(100); // two deletions under way: the request for 3 has to wait
    expect(bench.coordination.valueOf(COUNTER)).toBe('2');
    bench.answer();
    expect(bench.coordination.valueOf(COUNTER)).toBe('3');
  });
});

describe('checkpoint coordinator: abort', () => {
  it('C29: a checkpoint that was not acknowledged in time is aborted, tasks are told, its files are discarded', () => {
    const bench = new CoordinatorBench({ timeoutUs: 5_000 }).trigger().acknowledge(1, 1);
    bench.storage.objects.set('checkpoints/job/chk-1/a', new Uint8Array(1));
    bench.wait(4_999);
    expect(bench.aborted()).toEqual([]);
    bench.wait(1).answer();
    expect(bench.aborted()).toEqual(['1 checkpoint-expired']);
    expect(bench.sentTo(1)).toEqual(['trigger-checkpoint', 'notify-checkpoint-aborted']);
    expect(bench.sentTo(2)).toEqual(['notify-checkpoint-aborted']);
    expect(bench.storage.paths()).toEqual([]);
  });

  it('C10: an acknowledgement of an expired checkpoint is late, one of an id never seen is unknown; neither does anything', () => {
    const bench = new CoordinatorBench({ timeoutUs: 5_000 }).trigger().wait(5_000).answer();
    bench.acknowledge(1, 2);
    expect(bench.out.probes()).toEqual(['late-acknowledgement']);
    bench.acknowledge(77, 2);
    expect(bench.out.probes()).toEqual(['late-acknowledgement']);
    expect(bench.out.reported('acknowledge-received').map((event) => event.result)).toEqual(['unknown', 'unknown']);
    expect(bench.aborted()).toHaveLength(1);
  });

  it('C10: the last 16 expired ids are remembered', () => {
    const bench = new CoordinatorBench({ timeoutUs: 5_000 }).start();
    for (let n = 1; n <= 17; n += 1) bench.wait(INTERVAL_US).answer();
    bench.wait(5_000);
    expect(bench.aborted()).toHaveLength(17);
    bench.acknowledge(1, 2);
    expect(bench.out.probes()).toEqual([]);
    bench.acknowledge(2, 2);
    expect(bench.out.probes()).toEqual(['late-acknowledgement']);
  });

  it('C9: a decline aborts the checkpoint with its reason', () => {
    const bench = new CoordinatorBench().trigger();
    bench.decline(1, 2, 'checkpoint-async-exception');
    expect(bench.aborted()).toEqual(['1 checkpoint-async-exception']);
    expect(bench.out.armedTimers).not.toContain('after#expire/1');
  });

  it('C9, C11: a decline of an attempt that is not required, or of a checkpoint that has all, changes nothing', () => {
    const bench = new CoordinatorBench().trigger();
    bench.decline(1, 99, 'checkpoint-declined');
    bench.acknowledgeAll(1);
    bench.decline(1, 2, 'checkpoint-declined');
    bench.answer();
    bench.decline(1, 2, 'checkpoint-declined');
    expect(bench.aborted()).toEqual([]);
    expect(bench.completedIds()).toEqual([1]);
  });

  it('C15: more counted failures than tolerable fail the job; ignored ones do not', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1, timeoutUs: 5_000 }).trigger();
    bench.decline(1, 2, 'checkpoint-declined-subsumed');
    bench.wait(INTERVAL_US).answer().wait(5_000);
    expect(bench.calls).toEqual([]);
    bench
      .wait(INTERVAL_US - 5_000)
      .answer()
      .wait(5_000);
    expect(bench.aborted()).toEqual(['1 checkpoint-declined-subsumed', '2 checkpoint-expired', '3 checkpoint-expired']);
    expect(bench.calls).toEqual(['too-many-failures']);
  });

  it('C20: a stop aborts what is pending, and says nothing to tasks that end anyway', () => {
    const bench = new CoordinatorBench().trigger();
    bench.stop();
    expect(bench.aborted()).toEqual(['1 checkpoint-coordinator-suspend']);
    expect(bench.sentTo(2)).toEqual([]);
    expect(bench.coordinator.isSettled).toBe(true);
    expect(bench.acknowledgeAll(1).answer().completedIds()).toEqual([]);
  });
});

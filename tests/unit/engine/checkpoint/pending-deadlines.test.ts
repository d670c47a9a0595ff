import { describe, expect, it } from 'vitest';
import type { CheckpointConfiguration } from '../../../../engine/protocol/configuration.ts';
import { CoordinatorBench } from '../../../support/coordinator-bench.ts';
import { attempt, EPOCH, id } from '../../../support/engine-values.ts';

const ASK_US = 10_000;
const LONG_US = 100 * ASK_US;

/** A savepoint that may take long was triggered. */
const triggered = (checkpoint: Partial<CheckpointConfiguration> = {}): CoordinatorBench =>
  new CoordinatorBench(
    { savepointTimeoutUs: LONG_US, intervalUs: 2 * LONG_US, timeoutUs: LONG_US, ...checkpoint },
    { runtime: { askTimeoutUs: ASK_US } },
  )
    .start()
    .savepoint()
    .answer();

const confirm = (bench: CoordinatorBench, of: number): void => {
  bench.coordinator.triggerConfirmed(
    { kind: 'trigger-confirmed', epoch: EPOCH, attempt: attempt(1), checkpointId: id(of) },
    bench.out,
  );
};
const asked = (bench: CoordinatorBench): readonly boolean[] =>
  bench.toTasks.flatMap(({ message }) => (message.kind === 'trigger-checkpoint' ? [message.isAsked === true] : []));

describe('PendingDeadlines', () => {
  it('C1: a trigger that nobody confirms fails its checkpoint, long before that would expire, and is not counted', () => {
    const bench = triggered({ tolerableFailures: 0 }).wait(ASK_US - 1);
    expect(bench.calls).toEqual([]);
    bench.wait(1);
    expect(bench.calls).toEqual(['failed trigger-checkpoint-failure']);
    expect(bench.sentTo(2)).toEqual(['notify-checkpoint-aborted']);
  });

  it('C1: one that is confirmed leaves its checkpoint to its time-out', () => {
    const bench = triggered();
    confirm(bench, 1);
    bench.wait(LONG_US - 1);
    expect(bench.calls).toEqual([]);
    bench.wait(1);
    expect(bench.calls).toEqual(['failed checkpoint-expired']);
  });

  it('C1: a confirmation of another checkpoint says nothing of this one', () => {
    const bench = triggered();
    confirm(bench, 2);
    expect(bench.wait(ASK_US).calls).toEqual(['failed trigger-checkpoint-failure']);
  });

  it('I2: who acknowledges has heard, though the confirmation was lost', () => {
    const bench = triggered().acknowledge(1, 1).wait(ASK_US);
    expect(bench.calls).toEqual([]);
    bench.acknowledge(1, 2).answer();
    expect(bench.calls).toHaveLength(1);
    expect(bench.calls[0]).toContain('completed');
  });

  it('I1: a checkpoint that expires no later is not asked about', () => {
    expect(asked(triggered())).toEqual([true]);
    const short = triggered({ savepointTimeoutUs: ASK_US });
    expect(asked(short)).toEqual([false]);
    expect(short.wait(ASK_US).calls).toEqual(['failed checkpoint-expired']);
  });

  it('what has ended fails no more', () => {
    const bench = triggered();
    bench.stop();
    const ended = [...bench.calls];
    expect(ended).toHaveLength(1);
    expect(bench.wait(LONG_US).calls).toEqual(ended);
  });
});

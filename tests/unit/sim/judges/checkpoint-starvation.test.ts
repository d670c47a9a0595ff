/** A job that nothing disturbs is due a checkpoint; what excuses it from one is silent. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { PrioritiesPlan } from '../../../../sim/plan.ts';
import { CheckpointStarvation, leftOf } from '../../../../sim/judges/checkpoint-starvation.ts';
import { QuietStretch } from '../../../../sim/judges/quiet-stretch.ts';
import { ALIGNED } from '../../../support/engine-values.ts';
import { planOf } from '../../../support/lives.ts';

const { engine } = planOf('quickstart', '1');
const MS = 1_000;
const INTERVAL_US = 1_000 * MS;
const TIMEOUT_US = 5_000 * MS;
/** With what a trigger may wait for. */
const MOST_US = INTERVAL_US + 2 * engine.runtime.requestTimeoutUs;

class Told {
  atUs = 0;
  readonly #quiet: QuietStretch;
  readonly judge: CheckpointStarvation;
  #wasStarved = false;

  constructor(options: Partial<typeof engine.checkpoint> = {}, priorities?: PrioritiesPlan) {
    const own = { intervalUs: INTERVAL_US, timeoutUs: TIMEOUT_US, minPauseUs: 0, maxConcurrent: 1 };
    this.#quiet = new QuietStretch({ engine, ...(priorities && { priorities }) });
    const checkpoint = { ...engine.checkpoint, ...own, ...options };
    this.judge = new CheckpointStarvation({ engine: { ...engine, checkpoint } }, this.#quiet);
    this.status('running');
  }

  tell(event: HistoryEvent['event'], node = 'jm-1'): this {
    const entry = { index: 0, atUs: this.atUs, node: nodeId(node), event };
    this.#wasStarved = this.isStarved;
    this.#quiet.observe(entry);
    this.judge.observe(entry);
    return this;
  }

  status(status: 'created' | 'running' | 'restarting', epoch = 1): this {
    return this.tell({ kind: 'job-status', epoch: leaderEpoch(epoch), status, jobAttempt: 1 });
  }

  fault(kind: 'fault-effective' | 'fault-ended', fault = 'f1'): this {
    return this.tell({ kind, fault, faultKind: 'delay' });
  }

  trigger(id: number): this {
    const of = { checkpointId: checkpointId(id), epoch: leaderEpoch(1), jobAttempt: 1, tasks: [], options: ALIGNED };
    return this.tell({ kind: 'checkpoint-triggered', ...of });
  }

  abort(id: number): this {
    const of = { checkpointId: checkpointId(id), epoch: leaderEpoch(1), triggeredAtUs: micros(0) };
    return this.tell({ kind: 'checkpoint-aborted', ...of, reason: 'checkpoint-expired', acknowledged: 0, required: 1 });
  }

  task(kind: 'deployed' | 'running' | 'finished', attempt: number): this {
    const of = { attempt: executionAttemptId(attempt), vertex: 0, subtask: 0 };
    if (kind !== 'deployed') return this.tell({ kind: 'task-state', ...of, state: kind });
    return this.tell({
      kind: 'task-deployed',
      ...of,
      epoch: leaderEpoch(1),
      jobAttempt: 1,
      node: nodeId('t'),
      parallelism: 1,
    });
  }

  operation(kind: 'operation-requested' | 'operation-answered'): this {
    const of = { operation: 'stop-with-savepoint', triggerId: 'o', location: '' };
    if (kind === 'operation-requested') return this.tell({ kind, ...of }, 'client');
    return this.tell({ kind, ...of, outcome: 'failed', reason: 'r' }, 'client');
  }

  wait(us: number): this {
    this.atUs += us;
    return this;
  }

  get isStarved(): boolean {
    const stretch = this.judge.stretch(this.atUs);
    return this.#wasStarved || (stretch !== undefined && leftOf(stretch) < 0);
  }
}

describe('checkpoint starvation', () => {
  it('nothing disturbs the job for longer than its options allow: starved, and no sooner', () => {
    expect(new Told().wait(MOST_US).isStarved).toBe(false);
    expect(new Told().wait(MOST_US + 1).isStarved).toBe(true);
    expect(new Told({ minPauseUs: 2 * INTERVAL_US }).wait(MOST_US + INTERVAL_US).isStarved).toBe(false);
    expect(new Told({ intervalDuringBacklogUs: 2 * INTERVAL_US }).wait(MOST_US + INTERVAL_US).isStarved).toBe(false);
  });

  it('a job that takes none, or none while it lags, is due none', () => {
    expect(new Told({ intervalUs: 0 }).wait(100 * MOST_US).isStarved).toBe(false);
    expect(new Told({ intervalDuringBacklogUs: 0 }).wait(100 * MOST_US).isStarved).toBe(false);
  });

  it('I1: what ends a stretch comes too late to excuse it', () => {
    expect(new Told().wait(MOST_US + 1).fault('fault-effective').isStarved).toBe(true);
    expect(new Told().wait(MOST_US + 1).status('restarting').isStarved).toBe(true);
    expect(new Told().wait(MOST_US + 1).trigger(1).isStarved).toBe(true);
  });

  it('I2: a fault that is in effect excuses it, and one that has ended begins the stretch anew, a time-out later; one without effect does not', () => {
    const told = new Told()
      .wait(MOST_US)
      .fault('fault-effective')
      .wait(9 * MOST_US);
    expect(told.isStarved).toBe(false);
    expect(told.fault('fault-ended').wait(TIMEOUT_US + MOST_US).isStarved).toBe(false);
    expect(told.wait(1).isStarved).toBe(true);
    expect(new Told().wait(MOST_US).fault('fault-ended').wait(1).isStarved).toBe(true);
    expect(
      new Told()
        .fault('fault-ended')
        .fault('fault-effective')
        .wait(MOST_US + 1).isStarved,
    ).toBe(true);
  });

  it('I2: a job that restarts, a subtask that does, a leader that dies, a stop under way', () => {
    expect(new Told().status('restarting').wait(9 * MOST_US).isStarved).toBe(false);
    expect(new Told().task('deployed', 2).wait(9 * MOST_US).isStarved).toBe(false);
    expect(
      new Told()
        .task('deployed', 2)
        .task('running', 1)
        .wait(9 * MOST_US).isStarved,
    ).toBe(false);
    expect(
      new Told()
        .task('deployed', 2)
        .task('running', 2)
        .wait(MOST_US + 1).isStarved,
    ).toBe(true);
    expect(new Told().tell({ kind: 'node-crashed', incarnation: 1 }).wait(9 * MOST_US).isStarved).toBe(false);
    const lost = new Told().task('deployed', 2).task('running', 2).tell({ kind: 'node-crashed', incarnation: 1 }, 't');
    expect(lost.status('running').wait(9 * MOST_US).isStarved).toBe(false);
    lost.task('deployed', 3).task('running', 3);
    expect(lost.wait(MOST_US + 1).isStarved).toBe(true);
    const finished = new Told().task('deployed', 2).task('running', 2).task('finished', 2);
    finished.tell({ kind: 'node-crashed', incarnation: 1 }, 't');
    expect(finished.wait(MOST_US + 1).isStarved).toBe(true);
    const fewer = new Told().task('deployed', 2).tell({ kind: 'node-crashed', incarnation: 1 }, 't');
    fewer.status('created').status('running');
    expect(fewer.wait(MOST_US + 1).isStarved).toBe(true);
    const other = new Told().tell({ kind: 'leadership-acquired', epoch: leaderEpoch(2) }, 'jm-2');
    expect(other.status('running').wait(9 * MOST_US).isStarved).toBe(false);
    const stop = new Told().operation('operation-requested').wait(9 * MOST_US);
    expect(stop.isStarved).toBe(false);
    expect(stop.operation('operation-answered').wait(MOST_US + 1).isStarved).toBe(true);
  });

  it('at the limit of pending checkpoints the oldest has its time-out, too', () => {
    expect(new Told().trigger(1).wait(TIMEOUT_US + MOST_US).isStarved).toBe(false);
    expect(new Told().trigger(1).wait(TIMEOUT_US + MOST_US + 1).isStarved).toBe(true);
    expect(
      new Told()
        .trigger(1)
        .wait(1)
        .abort(1)
        .wait(MOST_US + 1).isStarved,
    ).toBe(true);
    expect(new Told({ maxConcurrent: 2 }).trigger(1).wait(MOST_US + 1).isStarved).toBe(true);
  });

  it('a file that is deleted begins the stretch anew: a trigger may wait for many, one by one', () => {
    const told = new Told();
    for (let file = 0; file < 5; file += 1)
      told.wait(MOST_US).tell({ kind: 'object-deleted', path: 'f' }, 'object-store');
    expect(told.isStarved).toBe(false);
    expect(told.wait(MOST_US + 1).isStarved).toBe(true);
  });

  it('priorities that may keep every request from its answer disturb the job until the storm ends, and a time-out longer; smaller ones do not', () => {
    const quarterUs = engine.runtime.requestTimeoutUs / 4;
    const priorities = { ranks: 64, windowUs: 0, changeSteps: [], dropUs: quarterUs };
    expect(new Told({}, priorities).wait(MOST_US + 1).isStarved).toBe(true);
    for (const slower of [
      { ...priorities, dropUs: quarterUs + 1 },
      { ...priorities, windowUs: quarterUs + 1 },
    ]) {
      const told = new Told({}, slower).wait(9 * MOST_US);
      expect(told.isStarved).toBe(false);
      told.tell({ kind: 'phase', phase: 'liveness' }).wait(TIMEOUT_US + MOST_US);
      expect(told.isStarved).toBe(false);
      expect(told.wait(1).isStarved).toBe(true);
    }
  });

  it('I3: it remembers no checkpoint that has ended, and of a subtask its attempt and its node', () => {
    const told = new Told();
    for (let id = 1; id < 100; id += 1) told.trigger(id).abort(id).task('deployed', id).task('running', id);
    expect(told.judge.remembered).toBe(2);
  });
});

/** A job under the adaptive scheduler that nothing disturbs is as wide as it can be; what excuses it is silent. */
import { describe, expect, it } from 'vitest';
import { executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { SchedulerConfiguration } from '../../../../engine/protocol/configuration.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { AdaptiveWidth } from '../../../../sim/judges/adaptive-width.ts';
import { QuietStretch } from '../../../../sim/judges/quiet-stretch.ts';
import { buildJob } from '../../../../scenarios/build-job.ts';
import { planOf } from '../../../support/lives.ts';

const plan = planOf('wider-after-cooldown', '1');
const { graph } = buildJob(plan);
const S = 1_000_000;
const ADAPTIVE = {
  mode: 'adaptive',
  minParallelism: 1,
  maxParallelism: 6,
  resourceStabilizationUs: 0,
  cooldownUs: 4 * S,
  stabilizationUs: 2 * S,
  maxDelayUs: 3 * S,
  maxCheckpointFailures: 2,
  activeCheckpoint: false,
} as const;
const { heartbeatTimeoutUs, requestTimeoutUs } = plan.engine.runtime;
const DELAY_US = 7;
const NOTICED_US = heartbeatTimeoutUs + 2 * requestTimeoutUs + DELAY_US;
const MOST_US = ADAPTIVE.cooldownUs + ADAPTIVE.stabilizationUs + ADAPTIVE.maxDelayUs + NOTICED_US;

/** Four TaskManagers of two slots, a job that may have six subtasks. */
class Told {
  atUs = 0;
  readonly #quiet = new QuietStretch(plan);
  readonly judge: AdaptiveWidth;
  #attempt = 0;
  /** What the last event brought about. */
  isForNothing = false;

  constructor(scheduler: SchedulerConfiguration = ADAPTIVE) {
    const cluster = { ...plan.cluster, taskManagers: 4, slots: 2 };
    const engine = { ...plan.engine, scheduler };
    this.judge = new AdaptiveWidth({ graph, plan: { cluster, engine }, delayUs: DELAY_US }, this.#quiet);
    for (const index of [1, 2]) this.node('node-started', `taskmanager-${String(index)}`);
    this.runs(4);
  }

  tell(event: HistoryEvent['event'], node = 'jobmanager-1'): this {
    const entry = { index: 0, atUs: this.atUs, node: nodeId(node), event };
    this.#quiet.observe(entry);
    this.isForNothing = this.judge.observe(entry);
    return this;
  }

  node(kind: 'node-started' | 'node-crashed', name: string): this {
    return this.tell({ kind, incarnation: 1 }, name);
  }

  restart(cause: 'rescale' | 'taskmanager-lost' = 'rescale'): this {
    this.tell({ kind: 'job-status', epoch: leaderEpoch(1), status: 'restarting', jobAttempt: this.#attempt });
    return this.tell({ kind: 'restart-scheduled', epoch: leaderEpoch(1), cause, delayUs: micros(0) });
  }

  runs(width: number, epoch = 1): this {
    this.#attempt += 1;
    const of = { attempt: executionAttemptId(this.#attempt), subtask: 0, epoch: leaderEpoch(epoch) };
    for (const parallelism of [1, width, 2])
      this.tell({ ...of, kind: 'task-deployed', vertex: 0, jobAttempt: this.#attempt, node: nodeId('t'), parallelism });
    return this.tell({ kind: 'job-status', epoch: leaderEpoch(epoch), status: 'running', jobAttempt: this.#attempt });
  }

  finishes(): this {
    const of = { attempt: executionAttemptId(this.#attempt), vertex: 0, subtask: 0 };
    return this.tell({ kind: 'task-state', ...of, state: 'finished' });
  }

  asks(operation: string): this {
    return this.tell({ kind: 'operation-requested', operation, triggerId: 'x', location: '' });
  }

  fault(kind: 'fault-effective' | 'fault-ended'): this {
    return this.tell({ kind, fault: 'f', faultKind: 'crash' });
  }

  wait(us: number): this {
    this.atUs += us;
    return this;
  }

  get narrow(): readonly number[] {
    const stretch = this.judge.narrow(this.atUs);
    return stretch === undefined ? [] : [stretch.width, stretch.possible];
  }
}

const wider = (scheduler?: SchedulerConfiguration): Told =>
  new Told(scheduler).node('node-started', 'taskmanager-3').wait(MOST_US);

describe('the width of an adaptive job', () => {
  it('is found narrower than possible when it may wait no longer', () => {
    expect(wider().narrow).toEqual([]);
    expect(wider().wait(1).narrow).toEqual([4, 6]);
    expect(
      wider()
        .wait(1)
        .node('node-started', 'taskmanager-4')
        .wait(MOST_US + 1).narrow,
    ).toEqual([4, 6]);
    expect(wider().wait(1).node('node-started', 'sink-store').narrow).toEqual([4, 6]);
  });

  it('is right when it is as wide as the slots, or the upper bound, allow', () => {
    expect(new Told().wait(9 * MOST_US).narrow).toEqual([]);
    const full = wider().node('node-started', 'taskmanager-4').restart().runs(6);
    expect(full.wait(9 * MOST_US).narrow).toEqual([]);
    expect(full.node('node-crashed', 'taskmanager-4').wait(9 * MOST_US).narrow).toEqual([]);
  });

  it('may wait anew behind every change, and as long as something disturbs the job', () => {
    const again = (change: (told: Told) => Told): readonly number[] => change(wider()).wait(MOST_US).narrow;
    expect(again((told) => told.node('node-started', 'taskmanager-4'))).toEqual([]);
    expect(again((told) => told.restart('taskmanager-lost').runs(4))).toEqual([]);
    expect(again((told) => told.fault('fault-effective').wait(MOST_US).fault('fault-ended'))).toEqual([]);
    expect(again((told) => told.fault('fault-effective').wait(9 * MOST_US))).toEqual([]);
    expect(again((told) => told.restart().wait(9 * MOST_US))).toEqual([]);
    expect(again((told) => told.node('node-crashed', 'jobmanager-1').wait(9 * MOST_US))).toEqual([]);
    expect(
      again((told) =>
        told
          .runs(4, 2)
          .tell({ kind: 'leadership-lost', epoch: leaderEpoch(1) })
          .wait(1),
      ),
    ).toEqual([4, 6]);
  });

  it('is not for this rule once somebody asks for another one, a subtask has finished, or with another scheduler', () => {
    expect(wider().asks('rescale').wait(MOST_US).narrow).toEqual([]);
    expect(wider().asks('cancel').wait(MOST_US).narrow).toEqual([]);
    expect(wider().asks('savepoint').wait(MOST_US).narrow).toEqual([4, 6]);
    expect(wider().finishes().wait(MOST_US).narrow).toEqual([]);
    expect(wider({ mode: 'default' }).wait(MOST_US).narrow).toEqual([]);
  });
});

describe('a restart for another width', () => {
  const quiet = (): Told => new Told().wait(NOTICED_US + 1);

  it('that gives the same one was for nothing', () => {
    expect(quiet().restart().runs(4).isForNothing).toBe(true);
    expect(quiet().restart().runs(6).isForNothing).toBe(false);
    expect(quiet().restart('taskmanager-lost').runs(4).isForNothing).toBe(false);
  });

  it('may come to nothing when the resources have changed meanwhile, or the leader has', () => {
    expect(new Told().wait(NOTICED_US).restart().runs(4).isForNothing).toBe(false);
    expect(quiet().restart().node('node-crashed', 'taskmanager-2').runs(4).isForNothing).toBe(false);
    expect(quiet().restart().runs(4, 2).isForNothing).toBe(false);
    expect(quiet().restart().fault('fault-effective').runs(4).isForNothing).toBe(false);
    expect(quiet().fault('fault-effective').restart().runs(4).isForNothing).toBe(false);
  });
});

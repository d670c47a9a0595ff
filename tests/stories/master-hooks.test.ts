/** Rows C18, C25: an outside system that hears of every checkpoint and is given back what it kept, through failovers of job and leader. */
import { describe, expect, it } from 'vitest';
import type { MasterHookSpec } from '../../engine/job/master-hook.ts';
import { keyedCount } from '../../scenarios/jobs/keyed-count.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt } from '../support/lives.ts';
import { story } from './story.ts';

/** Numbers what it is told: the state it keeps in checkpoint n says how often it had been told by then. */
class Outside implements MasterHookSpec {
  readonly identifier = 'outside';
  readonly kept = new Map<number, number>();
  readonly restored: (readonly [checkpointId: number, state: number | undefined])[] = [];
  readonly #fails: (checkpointId: number) => boolean;
  resets = 0;

  constructor(fails: (checkpointId: number) => boolean = () => false) {
    this.#fails = fails;
  }

  create(): ReturnType<MasterHookSpec['create']> {
    return {
      triggerCheckpoint: ({ checkpointId, nowUs }, out, done) => {
        if (this.#fails(checkpointId)) return done(undefined, nowUs, out);
        this.kept.set(checkpointId, this.kept.size);
        done(Uint8Array.of(this.kept.size - 1), nowUs, out);
      },
      restoreCheckpoint: (checkpointId, state) => void this.restored.push([checkpointId, state?.[0]]),
      reset: () => {
        this.resets += 1;
      },
    };
  }
}

function lived(plan: SimulationPlan, outside: Outside): RunRecord {
  const jobs = [
    {
      ...keyedCount,
      build: (input: Parameters<typeof keyedCount.build>[0]) => {
        const built = keyedCount.build(input);
        return { ...built, graph: { ...built.graph, masterHooks: [outside] } };
      },
    },
  ];
  const record = liveIt(plan, { jobs, keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

describe('C25: a master hook', () => {
  it('is reset at the start, triggered at each checkpoint, and given its state of the one that is restored', () => {
    const outside = new Outside();
    const plan = story()
      .crash('taskmanager-1', { point: 'completed', checkpoint: 3 })
      .crash('jobmanager-1', { point: 'completed', checkpoint: 6 })
      .plan();
    const { history } = lived(plan, outside);
    const triggered = history.flatMap(({ event }) =>
      event.kind === 'checkpoint-triggered' ? [event.checkpointId] : [],
    );
    const chosen = history.flatMap(({ event }) =>
      event.kind === 'restore-chosen' && event.checkpointId > 0 ? [event.checkpointId] : [],
    );
    expect([...outside.kept.keys()]).toEqual(triggered);
    expect(chosen.length).toBeGreaterThanOrEqual(2);
    expect(outside.restored).toEqual(chosen.map((checkpointId) => [checkpointId, outside.kept.get(checkpointId)]));
    expect(outside.resets).toBe(1);
  });

  it('that fails aborts its checkpoint and no other', () => {
    const { history } = lived(story().plan(), new Outside((checkpointId) => checkpointId === 2));
    const aborted = history.flatMap(({ event }) =>
      event.kind === 'checkpoint-aborted' ? [[event.checkpointId, event.reason]] : [],
    );
    expect(aborted).toEqual([[2, 'trigger-checkpoint-failure']]);
  });
});

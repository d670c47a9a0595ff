/**
 * F1, X18 for any job of up to six operators that is slower than its input: failures restart what failed and what is behind it, and what comes
 * out and what is kept is that of the input without exactly the records that their restarts have missed (decision 0123).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import { buildJob } from '../../scenarios/build-job.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { whyNotMissed } from '../../sim/judges/lossy-jobs.ts';
import { taskManagerNodes } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { lived, type SlowLife, slowLife, smallBuffers } from '../support/slow-life.ts';

function approximate({ plan, nth, faults }: SlowLife): SimulationPlan {
  const { checkpoint, runtime } = plan.engine;
  const [first = 'taskmanager-1'] = taskManagerNodes(plan.cluster);
  const trigger = { point: 'completed', occurrence: nth } as const;
  const inCall = { afterCalls: 5, recoverable: true } as const;
  const thrown: Fault = { id: 'after-it', kind: 'throw', node: nodeId(first), trigger, ...inCall };
  return {
    ...plan,
    engine: {
      ...plan.engine,
      checkpoint: { ...checkpoint, unaligned: false, alignedTimeoutUs: 0, mode: 'exactly-once' },
      runtime: { ...smallBuffers(runtime), failoverStrategy: 'approximate' },
    },
    faults: [thrown, ...faults],
  };
}

describe('any job whose failures restart no producer', () => {
  it('F1: is what its input makes without the records that its restarts have missed', () => {
    let missed = 0;
    let lives = 0;
    fc.assert(
      fc.property(slowLife, (life) => {
        const plan = approximate(life);
        const { graph, audit } = buildJob(plan, [life.job]);
        fc.pre(whyNotMissed(graph, audit) === undefined && !plan.topics.some(({ bounded }) => bounded));
        if (lived(life.job, plan, 'consumer-reconnected') > 0) missed += 1;
        lives += 1;
      }),
      {
        numRuns: Number(process.env['MISSED_LIVES'] ?? 3),
        seed: Number(process.env['MISSED_SEED'] ?? 20_261_129),
      },
    );
    expect(missed, `of ${lives} lives`).toBeGreaterThan(lives / 4);
  });
});

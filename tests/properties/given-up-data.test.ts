/**
 * X26 for any job of up to six operators that is slower than its input: a checkpoint is restored without its in-flight data under any faults, and
 * what comes out and what is kept is that of the input without exactly the records that were under way, wherever they were.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { taskManagerNodes } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { lived, type SlowLife, slowLife, smallBuffers } from '../support/slow-life.ts';

function givingUp({ plan, nth, faults }: SlowLife): SimulationPlan {
  const { checkpoint, runtime } = plan.engine;
  const withoutChannelStateOf = checkpoint.firstId + nth - 1;
  const trigger = { point: 'completed', checkpoint: withoutChannelStateOf, occurrence: 1 } as const;
  const [first = 'taskmanager-1'] = taskManagerNodes(plan.cluster);
  const crash: Fault = { id: 'after-it', kind: 'crash', node: nodeId(first), restartAfterUs: 300_000, trigger };
  return {
    ...plan,
    engine: {
      ...plan.engine,
      checkpoint: { ...checkpoint, unaligned: true, maxConcurrent: 1, withoutChannelStateOf },
      runtime: smallBuffers(runtime),
    },
    faults: [crash, ...faults],
  };
}

describe('any job whose in-flight data is given up', () => {
  it('X26: is what its input makes without the records that were under way', () => {
    let lost = 0;
    let lives = 0;
    fc.assert(
      fc.property(slowLife, (life) => {
        if (lived(life.job, givingUp(life), 'in-flight-data-given-up') > 0) lost += 1;
        lives += 1;
      }),
      {
        numRuns: Number(process.env['GIVEN_UP_LIVES'] ?? 3),
        seed: Number(process.env['GIVEN_UP_SEED'] ?? 20_261_129),
      },
    );
    expect(lost, `of ${lives} lives`).toBeGreaterThan(lives / 4);
  });
});

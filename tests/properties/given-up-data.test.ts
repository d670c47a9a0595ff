/**
 * X26 for any job of up to six operators that is slower than its input: a checkpoint is restored without its in-flight data under any faults, and
 * what comes out and what is kept is that of the input without exactly the records that were under way, wherever they were.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileOnRows,
  faultPlan,
  liveTest,
  randomJob,
  randomRows,
  rowsDataset,
  scenario,
  topology,
} from '../../cli/testing/index.ts';
import { taskManagerNodes } from '../../sim/node-names.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { findings } from '../support/lives.ts';
import { slow } from '../support/slow-job.ts';

const RECORDS = 240;
const rows = rowsDataset(randomRows(RECORDS));
const CHECKPOINTS_MOST = 3;

function givingUp(plan: SimulationPlan, nth: number, faults: readonly Fault[]): SimulationPlan {
  const { checkpoint, runtime } = plan.engine;
  const withoutChannelStateOf = checkpoint.firstId + nth;
  const trigger = { point: 'completed', checkpoint: withoutChannelStateOf, occurrence: 1 } as const;
  const [first = 'taskmanager-1'] = taskManagerNodes(plan.cluster);
  const crash: Fault = { id: 'after-it', kind: 'crash', node: nodeId(first), restartAfterUs: 300_000, trigger };
  return {
    ...plan,
    engine: {
      ...plan.engine,
      checkpoint: { ...checkpoint, unaligned: true, maxConcurrent: 1, withoutChannelStateOf },
      runtime: { ...runtime, bufferBytes: 500, exclusiveBuffersPerChannel: 1, floatingBuffersPerGate: 2 },
    },
    // A call that takes so long takes minutes on a machine that is a thousand times slower, and nobody can cancel it.
    faults: [crash, ...faults.filter(({ kind }) => kind !== 'slow-cpu')],
  };
}

describe('any job whose in-flight data is given up', () => {
  it('X26: is what its input makes without the records that were under way', () => {
    let lost = 0;
    let lives = 0;
    const anyLife = topology().chain((shape) => {
      const job = slow(randomJob(shape));
      return scenario({ job, records: RECORDS, topics: 2 }).chain((made) =>
        fc.record({
          job: fc.constant(job),
          scenario: fc.constant(made),
          nth: fc.nat(CHECKPOINTS_MOST - 1),
          faults: faultPlan(made, { minFaults: 0, maxFaults: 4 }),
          seed: fc.nat(1_000_000),
        }),
      );
    });
    fc.assert(
      fc.property(anyLife, ({ job, scenario: made, nth, faults, seed }) => {
        const plan = givingUp(compileOnRows(made, String(seed)), nth, faults);
        const { record } = liveTest(plan, { jobs: [job], loadDataset: () => rows });
        expect(record.verdict, `${JSON.stringify(plan)}\n${findings(record)}`).toBe('passed');
        lives += 1;
        if ((record.probes['in-flight-data-given-up'] ?? 0) > 0) lost += 1;
      }),
      {
        numRuns: Number(process.env['GIVEN_UP_LIVES'] ?? 3),
        seed: Number(process.env['GIVEN_UP_SEED'] ?? 20_261_129),
      },
    );
    expect(lost, `of ${lives} lives`).toBeGreaterThan(lives / 4);
  });
});

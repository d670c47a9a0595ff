/**
 * F1, X18 for any job of up to six operators that is slower than its input: failures restart what failed and what is behind it, and what comes
 * out and what is kept is that of the input without exactly the records that their restarts have missed (decision 0123).
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
import { nodeId } from '../../engine/foundation/ids.ts';
import { buildJob } from '../../scenarios/build-job.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { whyNotMissed } from '../../sim/judges/lossy-jobs.ts';
import { taskManagerNodes } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { findings } from '../support/lives.ts';
import { slow } from '../support/slow-job.ts';

const RECORDS = 240;
const rows = rowsDataset(randomRows(RECORDS));

function approximate(plan: SimulationPlan, faults: readonly Fault[], nth: number): SimulationPlan {
  const { checkpoint, runtime, ...engine } = plan.engine;
  const [node = 'taskmanager-1'] = taskManagerNodes(plan.cluster);
  const trigger = { point: 'completed', occurrence: nth } as const;
  const thrown: Fault = {
    id: 'after-it',
    kind: 'throw',
    node: nodeId(node),
    trigger,
    afterCalls: 5,
    recoverable: true,
  };
  return {
    ...plan,
    engine: {
      ...engine,
      checkpoint: { ...checkpoint, unaligned: false, alignedTimeoutUs: 0, mode: 'exactly-once' },
      runtime: {
        ...runtime,
        failoverStrategy: 'approximate',
        bufferBytes: 500,
        exclusiveBuffersPerChannel: 1,
        floatingBuffersPerGate: 2,
      },
    },
    // A call that takes so long takes minutes on a machine that is a thousand times slower, and nobody can cancel it.
    faults: [thrown, ...faults.filter(({ kind }) => kind !== 'slow-cpu')],
  };
}

describe('any job whose failures restart no producer', () => {
  it('F1: is what its input makes without the records that its restarts have missed', () => {
    let missed = 0;
    let lives = 0;
    const anyLife = topology().chain((shape) => {
      const job = slow(randomJob(shape));
      return scenario({ job, records: RECORDS, topics: 2 }).chain((made) =>
        fc.record({
          job: fc.constant(job),
          scenario: fc.constant(made),
          nth: fc.integer({ min: 1, max: 3 }),
          faults: faultPlan(made, { minFaults: 0, maxFaults: 4 }),
          seed: fc.nat(1_000_000),
        }),
      );
    });
    fc.assert(
      fc.property(anyLife, ({ job, scenario: made, nth, faults, seed }) => {
        const plan = approximate(compileOnRows(made, String(seed)), faults, nth);
        const { graph, audit } = buildJob(plan, [job]);
        fc.pre(whyNotMissed(graph, audit) === undefined && !plan.topics.some(({ bounded }) => bounded));
        const { record } = liveTest(plan, { jobs: [job], loadDataset: () => rows });
        expect(record.verdict, `${JSON.stringify(plan)}\n${findings(record)}`).toBe('passed');
        lives += 1;
        if ((record.probes['consumer-reconnected'] ?? 0) > 0) missed += 1;
      }),
      {
        numRuns: Number(process.env['MISSED_LIVES'] ?? 3),
        seed: Number(process.env['MISSED_SEED'] ?? 20_261_129),
      },
    );
    expect(missed, `of ${lives} lives`).toBeGreaterThan(lives / 4);
  });
});

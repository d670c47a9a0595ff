/** Lives of any job that is slower than its input, so that much is under way when something fails. */
import fc from 'fast-check';
import { expect } from 'vitest';
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
import type { RuntimeConfiguration } from '../../engine/protocol/configuration.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { findings } from './lives.ts';
import { slow } from './slow-job.ts';

const RECORDS = 240;
const CHECKPOINTS_MOST = 3;
const rows = rowsDataset(randomRows(RECORDS));

export interface SlowLife {
  readonly job: JobDefinition;
  readonly plan: SimulationPlan;
  /** A call that takes so long takes minutes on a machine that is a thousand times slower, and nobody can cancel it: no such fault is among them. */
  readonly faults: readonly Fault[];
  /** Behind which completed checkpoint, from 1 on, the job shall fail. */
  readonly nth: number;
}

export const slowLife: fc.Arbitrary<SlowLife> = topology().chain((shape) => {
  const job = slow(randomJob(shape));
  return scenario({ job, records: RECORDS, topics: 2 }).chain((made) =>
    fc.record({
      job: fc.constant(job),
      plan: fc.nat(1_000_000).map((seed) => compileOnRows(made, String(seed))),
      faults: faultPlan(made, { minFaults: 0, maxFaults: 4 }).map((drawn) =>
        drawn.filter(({ kind }) => kind !== 'slow-cpu'),
      ),
      nth: fc.integer({ min: 1, max: CHECKPOINTS_MOST }),
    }),
  );
});

/** Few and small: they fill, and what waits lies in them. */
export const smallBuffers = (runtime: RuntimeConfiguration): RuntimeConfiguration => ({
  ...runtime,
  bufferBytes: 500,
  exclusiveBuffersPerChannel: 1,
  floatingBuffersPerGate: 2,
});

/** Lives the plan, which must pass; how often a rare situation was met. */
export function lived(job: JobDefinition, plan: SimulationPlan, probe: string): number {
  const { record } = liveTest(plan, { jobs: [job], loadDataset: () => rows });
  expect(record.verdict, `${JSON.stringify(plan)}\n${findings(record)}`).toBe('passed');
  return record.probes[probe] ?? 0;
}

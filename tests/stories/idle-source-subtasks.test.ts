/**
 * A job is made wider than its input has partitions, and then the input ends. A forward edge ties the sources to what is behind them, so
 * they get subtasks that have nothing to read; those must end, too, or the job never finishes (Flink: NoMoreSplits).
 */
import { describe, expect, it } from 'vitest';
import { compileOnRows, liveTest, randomJob, randomRows, rowsDataset, stormScenario } from '../../cli/testing/index.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { findings } from '../support/lives.ts';

const RECORDS = 240;
const WIDE = 5;
const job = randomJob({ join: 'union', steps: ['new-chain', 'count'] });
const rows = rowsDataset(randomRows(RECORDS));

function wideBeforeTheEnd(seed: string): SimulationPlan {
  const plan = compileOnRows(stormScenario({ job, records: RECORDS, parallelism: 2, bounded: true }), seed);
  const runtime = { ...plan.engine.runtime, slotsPerTaskManager: WIDE };
  return {
    ...plan,
    cluster: { ...plan.cluster, slots: WIDE, clients: 1 },
    engine: { ...plan.engine, runtime },
    faults: [
      {
        id: 'f1',
        trigger: { atUs: 5_000_000 },
        kind: 'operation',
        command: { kind: 'rescale', parallelism: WIDE },
      },
    ],
  };
}

describe('Story: subtasks of a source without a partition', () => {
  it.each(['1', '4', '6'])('F7, C23: they end when the input is bounded, and the job finishes (seed %s)', (seed) => {
    const plan = wideBeforeTheEnd(seed);
    expect(plan.topics[0]?.partitions).toBeLessThan(WIDE);
    const { record } = liveTest(plan, { jobs: [job], loadDataset: () => rows });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.verdicts.find(({ judge }) => judge === 'progress')?.message).toContain('The job has finished');
  });
});

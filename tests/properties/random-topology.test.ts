/** Any valid job, any options, any faults: exactly-once and live. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileOnRows,
  faultPlan,
  liveTest,
  randomJob,
  randomRows,
  ROWS,
  rowsDataset,
  scenario,
  topology,
} from '../../cli/testing/index.ts';
import { findings } from '../support/lives.ts';

const RECORDS = 240;
const rows = rowsDataset(randomRows(RECORDS));

describe('any job of up to six operators', () => {
  it('with any options and any plan of up to eight faults is exactly-once and live', () => {
    let completed = 0;
    let effective = 0;
    const anyLife = topology().chain((shape) => {
      const job = randomJob(shape);
      return scenario({ job, records: RECORDS, topics: 2 }).chain((made) =>
        fc.record({
          job: fc.constant(job),
          scenario: fc.constant(made),
          faults: faultPlan(made),
          seed: fc.nat(1_000_000),
        }),
      );
    });
    fc.assert(
      fc.property(anyLife, ({ job, scenario: made, faults, seed }) => {
        const plan = { ...compileOnRows(made, String(seed)), faults };
        const { record } = liveTest(plan, {
          jobs: [job],
          loadDataset: (name) => (name === ROWS ? rows : refuse(name)),
        });
        expect(record.verdict, `${JSON.stringify(plan)}\n${findings(record)}`).toBe('passed');
        completed += record.checkpoints.completed;
        effective += Object.values(record.faults).filter((one) => one.effective > 0).length;
      }),
      {
        numRuns: Number(process.env['RANDOM_TOPOLOGIES'] ?? 40),
        seed: Number(process.env['RANDOM_TOPOLOGIES_SEED'] ?? 20_261_128),
      },
    );
    expect(completed).toBeGreaterThan(40);
    expect(effective).toBeGreaterThan(20);
  });
});

function refuse(name: string): never {
  throw new Error(`there is no data set ${name}`);
}

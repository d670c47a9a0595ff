/** Every plan in scenarios/regressions once showed a defect; each has its story there, and none may come back. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DatasetStore } from '../../cli/datasets.ts';
import { decodePlan } from '../../scenarios/index.ts';
import { datasetNeeds } from '../../scenarios/live.ts';
import { findings, liveIt } from '../support/lives.ts';

const FOLDER = new URL('../../scenarios/regressions/', import.meta.url);
const datasets = new DatasetStore();
const plans = readdirSync(FOLDER).filter((name) => name.endsWith('.plan.json'));

describe('regressions', () => {
  it('there are some', () => {
    expect(plans.length).toBeGreaterThan(0);
  });

  it.each(plans)('%s passes, each of its faults strikes, and its story is told', async (name) => {
    const decoded = decodePlan(readFileSync(new URL(name, FOLDER), 'utf8'), name);
    if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join('\n'));
    // On the rows that it was found with: on others it is another life.
    await datasets.prepare(datasetNeeds(decoded.plan));
    const record = liveIt(decoded.plan, { loadDataset: datasets.load });
    expect(record.verdict, findings(record)).toBe('passed');
    const idle = record.faultRecords.filter(({ effective }) => !effective).map(({ id }) => id);
    expect(idle, 'faults that did nothing: what the plan guards is gone, draw it anew from its story').toEqual([]);
    expect(existsSync(new URL(name.replace('.plan.json', '.md'), FOLDER)), 'its story').toBe(true);
  });
});

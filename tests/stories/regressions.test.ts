/** Every plan in scenarios/regressions once showed a defect; each has its story there, and none may come back. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodePlan } from '../../scenarios/index.ts';
import { findings, liveIt } from '../support/lives.ts';

const FOLDER = new URL('../../scenarios/regressions/', import.meta.url);
const plans = readdirSync(FOLDER).filter((name) => name.endsWith('.plan.json'));

describe('regressions', () => {
  it('there are some', () => {
    expect(plans.length).toBeGreaterThan(0);
  });

  it.each(plans)('%s passes, and its story is told', (name) => {
    const decoded = decodePlan(readFileSync(new URL(name, FOLDER), 'utf8'), name);
    if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join('\n'));
    const record = liveIt(decoded.plan);
    expect(record.verdict, findings(record)).toBe('passed');
    expect(existsSync(new URL(name.replace('.plan.json', '.md'), FOLDER)), 'its story').toBe(true);
  });
});

/** The negative control: in at-least-once mode under crashes the judge of duplicates must be seen to fire, that of loss must not. */
import { expect, it } from 'vitest';
import { judgement } from '../../scenarios/expectation.ts';
import { liveIt, planOf } from '../support/lives.ts';

it('negative-control: duplicates are reported in most lives, loss in none, and none fails for them', () => {
  let duplicated = 0;
  for (let seed = 1; seed <= 30; seed += 1) {
    const plan = planOf('negative-control', String(seed));
    const record = liveIt(plan);
    const anomalies = record.verdicts.map(({ anomaly }) => anomaly);
    expect(anomalies, `seed ${seed}`).not.toContain('output-lost');
    expect(anomalies, `seed ${seed}`).not.toContain('state-lost');
    if (anomalies.includes('output-duplicated')) duplicated += 1;
    expect(judgement(plan.expect, record).verdict, `seed ${seed}`).toBe('passed');
    expect(judgement('exactly-once', record).verdict, `seed ${seed}`).toBe(record.verdict);
  }
  expect(duplicated).toBeGreaterThanOrEqual(24);
});

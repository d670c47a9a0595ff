/**
 * The negative controls: in at-least-once mode under crashes the judge of duplicates must be seen to fire, that of loss must not; with a source
 * that cannot replay, or whose log deletes what was not read, the other way round.
 */
import { expect, it } from 'vitest';
import { judgement } from '../../scenarios/expectation.ts';
import { liveIt, planOf } from '../support/lives.ts';

it('B4: negative-control: duplicates are reported in most lives, loss in none, and none fails for them', () => {
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

it.each([
  ['socket-source', 20, 14],
  ['log-retention', 10, 9],
])('%s: losses are reported in most lives, duplicates in none, and none fails for them', (scenario, lives, most) => {
  let lost = 0;
  for (let seed = 1; seed <= lives; seed += 1) {
    const plan = planOf(scenario, String(seed));
    const record = liveIt(plan);
    const anomalies = record.verdicts.map(({ anomaly }) => anomaly);
    expect(anomalies, `seed ${seed}`).not.toContain('output-duplicated');
    expect(judgement(plan.expect, record).verdict, `seed ${seed}`).toBe('passed');
    if (!anomalies.includes('output-lost')) continue;
    lost += 1;
    expect(judgement('exactly-once', record).verdict, `seed ${seed}`).not.toBe('passed');
  }
  expect(lost).toBeGreaterThanOrEqual(most);
});

it('log-retention: by default nothing is passed over, and the job fails until it is given up', () => {
  const plan = planOf('log-retention', '1');
  const topics = plan.topics.map(({ offsetReset: _, ...topic }) => topic);
  const restart = { strategy: 'fixed-delay', attempts: 5, delayUs: 500_000 } as const;
  const record = liveIt({ ...plan, topics, engine: { ...plan.engine, restart } }, { keepHistory: true });
  const failures = record.history.flatMap(({ event }) =>
    event.kind === 'task-state' && event.state === 'failed' ? [event.failure] : [],
  );
  expect(failures).toContain('offset-out-of-range');
  // Nothing is lost that a checkpoint covers: what comes behind it was not read.
  expect(record.verdicts.map(({ anomaly }) => anomaly)).not.toContain('output-lost');
  expect(record.history.some(({ event }) => event.kind === 'job-status' && event.status === 'failed')).toBe(true);
});

it('at-most-once: who expects it does not excuse what comes twice', () => {
  const record = liveIt(planOf('negative-control', '1'));
  expect(record.verdicts.map(({ anomaly }) => anomaly)).toContain('output-duplicated');
  expect(judgement('at-most-once', record).verdict).toBe('violated');
});

/** Whether a scenario lets transactions time out that are still to be committed (row K11), and what is excused where it does. */
import { describe, expect, it } from 'vitest';
import { judgement } from '../../../scenarios/expectation.ts';
import { timeoutTrap } from '../../../scenarios/timeout-trap.ts';
import type { Verdict } from '../../../sim/judges/verdict.ts';
import { shippedScenario } from '../../support/lives.ts';

const verdict = (judge: string, outcome: Verdict['outcome'], anomaly: string): Verdict => ({
  judge,
  outcome,
  anomaly,
  message: '',
  at: [],
});

describe('the timeout trap', () => {
  it('K11: is said of the scenario that shows it, with its figures', () => {
    const { sink, engine, faults } = shippedScenario('kafka-timeout-trap');
    expect(timeoutTrap({ engine, faults, ...(sink === undefined ? {} : { sink }) })).toMatch(
      /time out after 10 s, but may be open for 32 s: .* a downtime of 20 s/,
    );
  });

  it.each(['kafka-sink', 'kafka-sink-rescale', 'kafka-sink-pooling', 'standard'])('K11: is not said of %s', (name) => {
    expect(timeoutTrap(shippedScenario(name))).toBeUndefined();
  });

  it('K11: at-most-once excuses what is missing, and nothing else', () => {
    const lost = verdict('exactly-once-output', 'violated', 'output-lost');
    const twice = verdict('exactly-once-output', 'violated', 'output-duplicated');
    const limit = verdict('progress', 'inconclusive', 'limit');
    const of = (...verdicts: Verdict[]) =>
      judgement('at-most-once', { verdicts, verdict: 'violated', signature: '' }).verdict;
    expect(of(lost, verdict('progress', 'not-live', 'output-incomplete'))).toBe('passed');
    expect(of(lost, twice)).toBe('violated');
    expect(of(lost, limit)).toBe('inconclusive');
  });
});

/** Whether a scenario lets its log delete what a job that was down still wants (row K1). */
import { describe, expect, it } from 'vitest';
import { retentionTrap } from '../../../scenarios/retention-trap.ts';
import { shippedScenario } from '../../support/lives.ts';

describe('the retention trap', () => {
  const scenario = shippedScenario('log-retention');
  const kept = (retentionUs: number, offsetReset?: 'earliest') =>
    retentionTrap({
      ...scenario,
      topics: scenario.topics.map(({ offsetReset: _, ...topic }) => ({
        ...topic,
        retentionUs,
        ...(offsetReset === undefined ? {} : { offsetReset }),
      })),
    });

  it('K1: is said of the scenario that shows it, with its figures', () => {
    expect(retentionTrap(scenario)).toMatch(
      /^'flights' keeps records for 4 s, but may be read 24 s late: .* downtime of 12 s\. What is deleted before it is read is lost;/,
    );
  });

  it('K1: says what happens without a reset', () => {
    expect(kept(4_000_000)).toMatch(/The job fails when it wants what was deleted/);
  });

  it('K1: is not said where records are kept for longer than anything lasts, or for ever', () => {
    expect(kept(24_000_000)).toBeDefined();
    expect(kept(24_000_001, 'earliest')).toBeUndefined();
    expect(retentionTrap(shippedScenario('standard'))).toBeUndefined();
  });
});

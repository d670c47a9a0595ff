/** A checkpoint whose source position is no place in its partition: a finding, not the end of the judge. */
import { describe, expect, it } from 'vitest';
import { liveIt, planOf } from '../../../support/lives.ts';

describe('consistent cut', () => {
  it('a position before the first record is told, and the life is judged to its end', () => {
    const plan = planOf('quickstart', '1');
    // The first checkpoints come before any record; this source says the one before the next.
    const topics = plan.topics.map((topic) => ({ ...topic, startUs: 5_000_000 }));
    const { verdict, verdicts } = liveIt({ ...plan, topics, variant: 'offset-inclusive' });
    expect(verdict).toBe('violated');
    const cut = verdicts.find(({ judge }) => judge === 'consistent-cut');
    // Behind the start of its partition the reference has nothing to compare with: told, and not fed.
    expect(cut?.anomaly).toBe('cut-went-back');
    expect(cut?.message).toMatch(/-1/);
  });
});

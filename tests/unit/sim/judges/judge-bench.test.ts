/** The whole bench over a right life: every judge is silent, and the goal is reached exactly when it should be. */
import { describe, expect, it } from 'vitest';
import { anomaliesOf, KEYS, rightLife, SmallLife } from './small-life.ts';

describe('the bench of judges', () => {
  it('a right life: all pass, satisfied only when everything is visible', () => {
    const life = rightLife();
    life.checkpoint({ id: 3, offsets: [4, 4] });
    expect(life.bench.isSatisfied()).toBe(false);
    life.commit('out-0-3-2', [
      ['a', 2, 4],
      ['a', 3, 3],
      ['b', 3, 5],
      ['c', 1, 7],
    ]);
    expect(life.bench.isSatisfied()).toBe(true);
    const verdicts = life.end();
    expect(anomaliesOf(verdicts)).toEqual([]);
    expect(verdicts.map(({ judge }) => judge)).toEqual([
      'exactly-once-output',
      'exactly-once-state',
      'consistent-cut',
      'checkpoint-lifecycle',
      'retention',
      'fencing',
      'finishing',
      'notifications',
      'bounds',
      'progress',
    ]);
    expect(verdicts.find(({ judge }) => judge === 'consistent-cut')?.message).toContain('3 completed');
  });

  it('an event nobody wants: no judge sees it', () => {
    const life = new SmallLife(KEYS);
    life.tell({ kind: 'node-paused' });
    life.tell({ kind: 'probe', probe: 'late-acknowledgement' });
    expect(life.end('limit').every(({ outcome }) => outcome !== 'violated')).toBe(true);
  });
});

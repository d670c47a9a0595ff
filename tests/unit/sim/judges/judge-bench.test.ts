/** The whole bench over a right life: every judge is silent, and the goal is reached exactly when it should be. */
import { describe, expect, it } from 'vitest';
import { failureSignature, isFinding, mergeVerdicts } from '../../../../sim/judges/verdict.ts';
import { anomaliesOf, COUNT_AUDIT, KEYS, REST, rightLife, SmallLife } from './small-life.ts';

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

  it('a life that a limit cut off: nobody passes, what was found stands, and only that is a finding', () => {
    const life = rightLife();
    life.commit('out-0-3-2', REST);
    const verdicts = life.end('limit');
    expect(verdicts.map(({ outcome }) => outcome)).not.toContain('passed');
    expect(verdicts.find(({ judge }) => judge === 'consistent-cut')).toMatchObject({
      outcome: 'inconclusive',
      anomaly: 'cut-short',
      message: 'Nothing wrong was seen until the life was cut off',
    });
    expect(anomaliesOf(verdicts.filter(isFinding))).toEqual(['progress/limit']);
    expect(failureSignature(verdicts, mergeVerdicts(verdicts))).toBe('progress/limit');
    life.commit('out-0-3-3', [['a', 1, 0]]);
    expect(anomaliesOf(life.end('limit').filter(isFinding))).toContain('exactly-once-output/output-duplicated');
  });

  it('state that depends on the order of records: those who did not compare it say so', () => {
    const life = new SmallLife(KEYS, { ...COUNT_AUDIT, stateIsOrderInsensitive: false });
    life.checkpoint({ id: 1, offsets: [2, 1], counted: ['a'] });
    const verdicts = life.end();
    for (const judge of ['exactly-once-state', 'consistent-cut'])
      expect(verdicts.find((verdict) => verdict.judge === judge)?.message).toMatch(/can be read.*not compared$/);
  });
});

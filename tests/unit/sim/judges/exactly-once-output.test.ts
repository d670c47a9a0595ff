/** Each anomaly of the output judge fires on a minimal wrong life and is silent on the right one. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import { COUNT_AUDIT, KEYS, REST, rightLife, SmallLife } from './small-life.ts';

const outputOf = (verdicts: readonly Verdict[]): Verdict[] =>
  verdicts.filter(({ judge }) => judge === 'exactly-once-output');
const anomalies = (verdicts: readonly Verdict[]): string[] => outputOf(verdicts).map(({ anomaly }) => anomaly);

describe('exactly-once output', () => {
  it('all records once: passed and complete', () => {
    const life = rightLife();
    expect(life.bench.output.isComplete()).toBe(false);
    life.commit('out-0-3-2', REST);
    expect(life.bench.output.isComplete()).toBe(true);
    expect(anomalies(life.end())).toEqual(['']);
  });

  it('a record missing when all should be visible: output-lost names it', () => {
    const life = rightLife();
    life.commit('out-0-3-2', REST.slice(1));
    expect(life.bench.output.isComplete()).toBe(false);
    const [verdict] = outputOf(life.end('quiescent'));
    expect(verdict?.anomaly).toBe('output-lost');
    expect(verdict?.message).toContain('record 4 (topic words, partition 0, offset 2)');
  });

  it('a record missing behind a completed checkpoint with no transaction open: lost, however the life ended', () => {
    const life = rightLife();
    life.commit('out-0-3-2', REST.slice(1));
    expect(anomalies(life.end('liveness-bound'))).toEqual(['output-lost']);
  });

  it('records that were visible and are gone: lost, though all was visible once', () => {
    const life = rightLife();
    life.commit('out-0-3-2', REST);
    const at = life.tell(
      { kind: 'output-vanished', transaction: 'out-0-3-2', producer: 'out-0', lineages: [4, 7] },
      'sink-store',
    );
    const [verdict] = outputOf(life.end());
    expect(verdict).toMatchObject({ outcome: 'violated', anomaly: 'output-lost', at: [at] });
    expect(verdict?.message).toBe(
      'record 4 (topic words, partition 0, offset 2) was visible in transaction out-0-3-2 and is gone, one of 2',
    );
  });

  it('a record missing while its transaction is open: inconclusive', () => {
    const life = rightLife();
    life.world.open = [
      { transaction: 'out-0-3-2', producer: 'out-0', producerEpoch: 3, preCommitted: true, records: 4 },
    ];
    const [verdict] = outputOf(life.end('liveness-bound'));
    expect(verdict).toMatchObject({ outcome: 'inconclusive', anomaly: 'output-incomplete' });
  });

  it('a record visible twice: output-duplicated names record, transactions and both places, and nothing else', () => {
    const life = rightLife();
    const first = life.commit('out-0-3-2', REST);
    const second = life.commit('out-0-9-3', [['c', 1, 7]]);
    const verdicts = outputOf(life.end());
    expect(verdicts).toHaveLength(1);
    expect(verdicts[0]).toMatchObject({ outcome: 'violated', anomaly: 'output-duplicated', at: [first, second] });
    expect(verdicts[0]?.message).toBe(
      'record 7 (topic words, partition 1, offset 3) of key c is visible again in transaction out-0-9-3 at 0.0004 s; it was in transaction out-0-3-2 at 0.00039 s',
    );
  });

  it('a duplicate without a transaction: named by where it was written', () => {
    const life = rightLife();
    life.commit('out-0-3-2', REST);
    life.tell(
      { kind: 'output-appended', producer: 'out-1', values: [{ key: 'c', count: 1 }], lineages: [7] },
      'sink-store',
    );
    const [verdict] = outputOf(life.end());
    expect(verdict?.anomaly).toBe('output-duplicated');
    expect(verdict?.message).toContain('again in what was written to out-1');
  });

  it.each([
    ['a filtered record', 6],
    ['a record of no input', 99],
    ['a derived record that is never made', 2 ** 30 + 4],
  ])('%s visible: output-invented', (_, lineage) => {
    const life = rightLife();
    const at = life.commit('out-0-3-2', [...REST, ['c', 2, lineage]]);
    const [verdict] = outputOf(life.end());
    expect(verdict).toMatchObject({ anomaly: 'output-invented', at: [at] });
  });

  it('output of no sink: output-invented', () => {
    const life = rightLife();
    life.commit('other-0-3-2', REST);
    expect(anomalies(life.end('liveness-bound'))[0]).toBe('output-invented');
  });

  it('the right records with another value: output-value-wrong says found and expected', () => {
    const life = rightLife();
    const at = life.commit('out-0-3-2', [...REST.slice(0, 3), ['c', 2, 7]]);
    const [verdict] = outputOf(life.end());
    expect(verdict).toMatchObject({ anomaly: 'output-value-wrong', at: [at] });
    expect(verdict?.message).toContain('as {"count":2,"key":"c"}');
    expect(verdict?.message).toContain('makes {"count":1,"key":"c"} instead');
  });

  it('counts exchanged between records of a key: the bag is the same, passed', () => {
    const life = rightLife();
    life.commit('out-0-3-2', [['a', 3, 4], ['a', 2, 3], ...REST.slice(2)]);
    expect(anomalies(life.end())).toEqual(['']);
  });

  it('another value where the audit compares lineages only: passed', () => {
    const life = new SmallLife(KEYS, { ...COUNT_AUDIT, outputValues: 'lineage' });
    life.commit(
      'out-0-3-2',
      [0, 2, 4, 1, 3, 5, 7].map((index) => ['b', 77, index] as const),
    );
    expect(anomalies(life.end())).toEqual(['']);
  });

  it('offsets of one key and partition falling: order-broken', () => {
    const life = rightLife();
    const at = life.commit('out-0-3-2', [
      ['b', 3, 5],
      ['c', 1, 7],
      ['a', 2, 4],
      ['a', 3, 3],
    ]);
    expect(anomalies(life.end())).toEqual(['']);
    const wrong = new SmallLife([['a', 'a']]);
    wrong.commit('out-0-3-1', [
      ['a', 2, 1],
      ['a', 1, 0],
    ]);
    expect(outputOf(wrong.end())).toMatchObject([{ anomaly: 'order-broken', at: [0] }]);
    expect(at).toBeGreaterThan(0);
  });
});

/** Hashes that are added up: equal bags have equal sums whatever their order, different values have different hashes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText, HashSum, TermHash } from '../../../../sim/judges/value-hash.ts';

const pair = (value: unknown): string => {
  const { low, high } = new TermHash().ofValue(value);
  return `${low}/${high}`;
};

describe('value hash', () => {
  it('equal JSON values: equal hashes and texts, whatever the order of properties', () => {
    expect(pair({ a: 1, b: [true, null] })).toBe(pair({ b: [true, null], a: 1 }));
    expect(canonicalText({ b: 1, a: { d: 1, c: 2 } })).toBe('{"a":{"c":2,"d":1},"b":1}');
  });

  it('different JSON values: different hashes', () => {
    const value = fc.jsonValue();
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(pair(a) === pair(b)).toBe(canonicalText(a) === canonicalText(b));
      }),
      { seed: 7, numRuns: 2_000 },
    );
    const close = [0, 1, -1, 0.5, '0', '', [], {}, null, true, false, [0], [[]], { a: 1 }, { a: [1] }, { a: { a: 1 } }];
    expect(new Set(close.map(pair)).size).toBe(close.length);
  });

  it('a sum: order does not matter, remove takes back, a repeated term counts', () => {
    const [one, two] = [new HashSum(), new HashSum()];
    const terms = ['x', 'y', 3].map((value) => new TermHash().ofValue(value));
    for (const term of terms) one.add(term);
    for (const term of terms.slice().reverse()) two.add(term);
    expect(one.equals(two)).toBe(true);
    for (const term of terms.slice(0, 1)) two.add(term);
    expect(one.equals(two)).toBe(false);
    for (const term of terms.slice(0, 1)) two.remove(term);
    expect(one.equals(two)).toBe(true);
  });
});

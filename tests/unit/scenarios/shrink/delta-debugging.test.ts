/** ddmin on made-up failures: which items are needed is known. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fewestOf } from '../../../../scenarios/shrink/delta-debugging.ts';
import { rounderInstants, shorterLengths, smallerNumbers } from '../../../../scenarios/shrink/smaller-numbers.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { planOf } from '../../../support/lives.ts';

const BASE = planOf('quickstart', '1');
/** The items travel in the seed. */
const planWith = (kept: readonly number[]): SimulationPlan => ({ ...BASE, seed: JSON.stringify(kept) });

/** Runs the search against a predicate over the kept items; answers what is left and how many plans were asked. */
function fewest(
  items: readonly number[],
  fails: (kept: readonly number[]) => boolean,
  maxParts?: number,
): { kept: readonly number[]; asked: number } {
  let asked = 0;
  const search = fewestOf(items, planWith, maxParts);
  let step = search.next();
  while (step.done !== true) {
    asked += step.value.length;
    const found = step.value.findIndex(({ seed }) => fails(JSON.parse(seed) as number[]));
    step = search.next(found < 0 ? undefined : found);
  }
  return { kept: step.value, asked };
}

describe('fewestOf', () => {
  it('a failure that needs nothing: no item is left, with one question', () => {
    expect(fewest([1, 2, 3, 4], () => true)).toEqual({ kept: [], asked: 1 });
  });

  it('a failure that needs everything: everything is left', () => {
    expect(fewest([1, 2, 3], (kept) => kept.length === 3).kept).toEqual([1, 2, 3]);
  });

  it('of many items that are all needed, only so many parts are asked about', () => {
    const many = Array.from({ length: 500 }, (_, item) => item);
    const { kept, asked } = fewest(many, (some) => some.length === many.length, 16);
    expect(kept).toEqual(many);
    expect(asked).toBeLessThan(70);
    expect(fewest(many, (some) => some.includes(7) && some.includes(444), 16).kept).toEqual([7, 444]);
  });

  it('any needed subset is found exactly, in order (I1)', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.boolean()),
        (items, coins) => {
          const needed = items.filter(() => coins.next().value === true);
          const { kept } = fewest(items, (some) => needed.every((item) => some.includes(item)));
          expect(kept).toEqual(needed);
        },
      ),
    );
  });

  it('where several subsets fail, what is left is 1-minimal (I1)', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99), { minLength: 2, maxLength: 20 }), fc.nat(300), (items, sum) => {
        const fails = (some: readonly number[]): boolean => some.reduce((total, item) => total + item, 0) >= sum;
        fc.pre(fails(items));
        const { kept } = fewest(items, fails);
        expect(fails(kept)).toBe(true);
        for (const item of kept) expect(fails(kept.filter((other) => other !== item))).toBe(false);
      }),
    );
  });
});

describe('numbers on the way down', () => {
  it('begin with the least, end one below, and are never the number itself', () => {
    expect(smallerNumbers(10, 1)).toEqual([1, 3, 5, 7, 8, 9]);
    expect(smallerNumbers(1, 1)).toEqual([]);
    expect(smallerNumbers(2, 1)).toEqual([1]);
  });

  it('lengths and instants become round ones', () => {
    expect(shorterLengths(1_234_567, 100_000)).toEqual([100_000, 200_000, 500_000, 1_000_000]);
    expect(rounderInstants(12_345_678)).toEqual([12_000_000, 12_300_000, 12_340_000, 12_345_000]);
    expect(rounderInstants(12_000_000)).toEqual([]);
  });
});

describe('smaller numbers', () => {
  it.each([1, 2, 37, 242, 1_000, 123_456])('%i: the boundary is found in few steps, wherever it is', (value) => {
    for (const boundary of [0, 1, Math.floor(value / 3), value - 1, value]) {
      let current = value;
      let asked = 0;
      for (;;) {
        const candidates = smallerNumbers(current, 0);
        const found = candidates.findIndex((one) => one >= boundary);
        asked += found < 0 ? candidates.length : found + 1;
        if (found < 0) break;
        current = candidates[found] ?? current;
      }
      expect(current).toBe(boundary);
      expect(asked).toBeLessThanOrEqual(200);
    }
  });
});

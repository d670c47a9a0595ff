/** Numbers on the way to the simplest one. */
import { describe, expect, it } from 'vitest';
import { leastNumber } from '../../../../scenarios/shrink/smaller-numbers.ts';

/** The least number and how many were asked for, where `isSo` says for which it is so. */
function sought(value: number, isSo: (number: number) => boolean): { readonly least: number; readonly asked: number } {
  const search = leastNumber(0, value, (number) => number);
  let asked = 0;
  let step = search.next();
  while (step.done !== true) {
    asked += step.value.length;
    const found = step.value.findIndex(isSo);
    step = search.next(found < 0 ? undefined : found);
  }
  return { least: step.value, asked };
}

describe('least number', () => {
  it.each([0, 1, 2, 3, 500, 1_018, 1_598, 1_599, 1_600])('a boundary at %i is found, in few questions', (boundary) => {
    const { least, asked } = sought(1_600, (number) => number >= boundary);
    expect(least).toBe(boundary);
    expect(asked).toBeLessThanOrEqual(18);
  });

  it('where there is no boundary it ends at a number for which it is so, and is not for the one below', () => {
    const isSo = (number: number): boolean => number === 1_600 || number % 7 === 3;
    const { least } = sought(1_600, isSo);
    expect([isSo(least), isSo(least - 1)]).toEqual([true, false]);
  });

  it('what is least already is not asked for', () => {
    expect(sought(0, () => true)).toEqual({ least: 0, asked: 0 });
  });
});

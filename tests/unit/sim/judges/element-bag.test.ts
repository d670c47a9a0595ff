/** Elements of operator state, dealt out by the three modes of redistribution (rows S5 to S7). */
import { describe, expect, it } from 'vitest';
import type { RedistributionMode } from '../../../../engine/protocol/state-handle.ts';
import { areDealtOut, bagOf, type ElementBag } from '../../../../sim/judges/element-bag.ts';

const bag = (mode: RedistributionMode, ...elements: number[]): ElementBag =>
  bagOf([{ name: 'list', mode, elements: elements.map((element) => Uint8Array.of(element)) }]);

describe('elements of operator state', () => {
  it('S5: of a split list, each given once, equal ones as often as they were held', () => {
    const split = (...elements: number[]): ElementBag => bag('split-distribute', ...elements);
    expect(areDealtOut([split(1, 1), split(2)], [split(1), split(2), split(1)])).toBe(true);
    expect(areDealtOut([split(1, 1), split(2)], [split(1), split(2), split()])).toBe(false);
    expect(areDealtOut([split(1), split(2)], [split(1), split(2, 1)])).toBe(false);
    expect(areDealtOut([split(1)], [split(1), split(3)])).toBe(false);
  });

  it('S6: of a union list, every subtask is given all', () => {
    const union = (...elements: number[]): ElementBag => bag('union', ...elements);
    expect(areDealtOut([union(1), union(1, 2)], [union(1, 1, 2), union(2, 1, 1)])).toBe(true);
    expect(areDealtOut([union(1), union(2)], [union(1, 2), union(1)])).toBe(false);
    expect(areDealtOut([union(1)], [])).toBe(false);
  });

  it('S7: of broadcast state, every subtask is given one copy', () => {
    const map = (...elements: number[]): ElementBag => bag('broadcast', ...elements);
    expect(areDealtOut([map(1, 2), map(1, 2)], [map(1, 2), map(1, 2), map(1, 2)])).toBe(true);
    expect(areDealtOut([map(1, 2), map(1, 2)], [map(1, 2), map(1)])).toBe(false);
  });

  it('lists without an element: nobody is given anything, as where a source has subtasks without a partition', () => {
    const empty = bag('union');
    expect(areDealtOut([empty, empty], [])).toBe(true);
    expect(areDealtOut([empty, empty], [bagOf([]), bagOf([])])).toBe(true);
  });
});

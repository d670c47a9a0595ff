import { describe, expect, it } from 'vitest';
import { repartitionOperatorState } from '../../../../engine/checkpoint/operator-state-repartitioner.ts';
import type { OperatorStateList, RedistributionMode, StateHandle } from '../../../../engine/protocol/state-handle.ts';
import { inlineHandle } from '../../../support/engine-values.ts';

const list = (name: string, mode: RedistributionMode, ...offsets: number[]): OperatorStateList => ({
  name,
  mode,
  offsets,
});
const handle = (lists: readonly OperatorStateList[]): StateHandle => ({
  ...inlineHandle('op', new Uint8Array([1])),
  lists,
});

/** Old subtasks' lists -> for each new subtask `name: offsets`. */
function deal(
  old: readonly (readonly OperatorStateList[])[],
  newParallelism: number,
  oldParallelism = old.length,
): string[][] {
  const states = old.map((lists, subtask) => ({ subtask, handles: [handle(lists)] }));
  return repartitionOperatorState({ states, oldParallelism, newParallelism }).map((handles) =>
    handles.flatMap(({ lists }) => (lists ?? []).map(({ name, offsets }) => `${name}: ${offsets.join(' ')}`)),
  );
}

describe('redistribution of operator state', () => {
  it('S5: at unchanged parallelism list state stays, even where it is uneven', () => {
    const uneven = [[list('a', 'split-distribute', 1, 2, 3)], [list('a', 'split-distribute')]];
    expect(deal(uneven, 2)).toEqual([['a: 1 2 3'], []]);
  });

  it('S5: equal shares in old subtask order, one more for the first', () => {
    const two = [[list('a', 'split-distribute', 1, 2, 3)], [list('a', 'split-distribute', 11, 12)]];
    expect(deal(two, 3)).toEqual([['a: 1 2'], ['a: 3', 'a: 11'], ['a: 12']]);
    expect(deal(two, 1)).toEqual([['a: 1 2 3', 'a: 11 12']]);
    expect(deal(two, 6)).toEqual([['a: 1'], ['a: 2'], ['a: 3'], ['a: 11'], ['a: 12'], []]);
  });

  it('S5: the next list starts where the larger shares of the one before ended', () => {
    const one = [
      [list('a', 'split-distribute', 1), list('b', 'split-distribute', 2), list('c', 'split-distribute', 3, 4)],
    ];
    expect(deal(one, 3)).toEqual([['a: 1', 'c: 4'], ['b: 2'], ['c: 3']]);
  });

  it('S6: every subtask gets all union state, at unchanged parallelism too', () => {
    const union = [[list('u', 'union', 1)], [list('u', 'union', 2)]];
    const all = ['u: 1', 'u: 2'];
    expect(deal(union, 2)).toEqual([all, all]);
    expect(deal(union, 3)).toEqual([all, all, all]);
    expect(deal(union, 1)).toEqual([all]);
  });

  it('S7: broadcast state goes once to each: the copy of old subtask i modulo the copies', () => {
    const copies = [[list('b', 'broadcast', 1)], [list('b', 'broadcast', 2)]];
    expect(deal(copies, 3)).toEqual([['b: 1'], ['b: 2'], ['b: 1']]);
    expect(deal(copies, 1)).toEqual([['b: 1']]);
  });

  it('S7: with a full report at unchanged parallelism broadcast state stays put; with a partial one everybody still gets a copy', () => {
    const copies = [[list('b', 'broadcast', 1)], [list('b', 'broadcast', 2)]];
    expect(deal(copies, 2)).toEqual([['b: 1'], ['b: 2']]);
    expect(deal(copies.slice(0, 1), 2, 2)).toEqual([['b: 1'], ['b: 1']]);
  });
});

import { describe, expect, it } from 'vitest';
import { operatorListState, unionListState } from '../../../../engine/state/operator-state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { differenceOfContents } from '../../../../sim/judges/operator-state-audit.ts';

const list = operatorListState('buffer', Types.string);
const union = unionListState('buffer', Types.string);

/** What lists hold once the records under way have run on, of 'a' and 'b' that are due. */
const difference = (descriptor: typeof list, found: readonly unknown[], hasEnded: boolean) =>
  differenceOfContents(
    { uid: 'count', descriptor, due: ['a', 'b'], hasEnded, merge: undefined },
    new Map([['buffer', found]]),
  );

describe('operator state behind what was under way', () => {
  it('is all of it, as long as no subtask has ended', () => {
    expect(difference(list, ['b', 'a'], false)).toBeUndefined();
    expect(difference(list, ['a'], false)).toMatchObject({
      kind: 'misses',
      message: expect.stringContaining('lacks "b"'),
    });
  });

  it('lacks what an ended subtask held in its list, and nothing of a union (row C22)', () => {
    expect(difference(list, ['a'], true)).toBeUndefined();
    expect(difference(union, ['a'], true)).toMatchObject({ kind: 'misses' });
  });

  it('never holds more than is due', () => {
    for (const hasEnded of [false, true])
      expect(difference(list, ['a', 'b', 'b'], hasEnded)).toMatchObject({ kind: 'holds-too-much' });
  });
});

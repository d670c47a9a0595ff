/** Which bugs of a base stay. */
import { describe, expect, it } from 'vitest';
import { type LivedBug, pruningOf } from '../../../../scenarios/bugs/pruning.ts';
import { comparePlanSizes } from '../../../../scenarios/shrink/plan-size.ts';
import { planOf } from '../../../support/lives.ts';

const plan = planOf('standard', '3');
const smaller = { ...plan, faults: plan.faults.slice(0, 1) };

const AGE = { runs: 0, firstSeen: '2026-01-31', hasOwnName: false };

function lived(name: string, over: Partial<LivedBug> = {}): LivedBug {
  return { name, status: 'open', signature: 'a/b', outcome: 'reproduces', isTold: false, plan, age: AGE, ...over };
}
const actions = (...bugs: LivedBug[]): string[] => pruningOf(bugs).map(({ name, action }) => `${name}: ${action}`);

describe('pruning', () => {
  it('what is gone goes, unless a person told its story: then it is fixed (I1)', () => {
    expect(actions(lived('x', { outcome: 'gone' }), lived('y', { outcome: 'gone', isTold: true }))).toEqual([
      'x: remove',
      'y: fix',
    ]);
  });

  it('of bugs with one signature the one with the smallest plan stays, whatever their order (I2)', () => {
    const [large, small] = [lived('large'), lived('small', { plan: smaller })];
    expect(actions(large, small)).toEqual(['large: remove', 'small: keep']);
    expect(actions(small, large)).toEqual(['small: keep', 'large: remove']);
    expect(pruningOf([large, small])[0]?.why).toContain('small, whose plan is smaller');
    expect(actions(lived('large', { isTold: true }), small)).toEqual(['large: keep', 'small: keep']);
  });

  it('equal plans are one bug: one of the two stays', () => {
    expect(actions(lived('x'), lived('y'))).toEqual(['x: keep', 'y: remove']);
  });

  it('of equal plans the one that was there first stays, whatever the names say', () => {
    const older = (over: Partial<LivedBug['age']>): string[] =>
      actions(lived('copy'), lived('original', { age: { ...AGE, ...over } }));
    const stays = ['copy: remove', 'original: keep'];
    expect(older({ runs: 2 })).toEqual(stays);
    expect(older({ firstSeen: '2026-01-30' })).toEqual(stays);
    expect(older({ hasOwnName: true })).toEqual(stays);
    expect(older({ firstSeen: undefined })).toEqual(['copy: keep', 'original: remove']);
    expect(pruningOf([lived('x'), lived('y')])[1]?.why).toBe(
      'it fails like x, whose plan is the same, and was there first',
    );
  });

  it('another signature, another engine or another outcome is no duplicate', () => {
    const others = [
      lived('signature', { signature: 'a/c' }),
      lived('engine', { plan: { ...smaller, variant: 'no-epoch-fencing' } }),
      lived('other', { outcome: 'fails-otherwise', plan: smaller }),
    ];
    expect(actions(lived('x'), ...others)).toEqual(['x: keep', 'signature: keep', 'engine: keep', 'other: keep']);
  });

  it('what is not known to be gone stays, and so does a fixed one (I3)', () => {
    for (const outcome of ['fails-otherwise', 'inconclusive', 'not-lived'] as const)
      expect(actions(lived('x', { outcome }))).toEqual(['x: keep']);
    for (const outcome of ['gone', 'reproduces'] as const)
      expect(actions(lived('x', { status: 'fixed', outcome }))).toEqual(['x: keep']);
  });
});

describe('plan size', () => {
  it('fewer faults first, then plainer options, then a smaller world; zero only for equal plans', () => {
    const unaligned = {
      ...smaller,
      engine: { ...plan.engine, checkpoint: { ...plan.engine.checkpoint, unaligned: true } },
    };
    const fewerRecords = { ...smaller, topics: smaller.topics.map((topic) => ({ ...topic, records: 1 })) };
    const ordered = [fewerRecords, smaller, unaligned, plan];
    for (const [index, one] of ordered.entries()) {
      for (const [at, other] of ordered.entries())
        expect(Math.sign(comparePlanSizes(one, other)), `${index} ${at}`).toBe(Math.sign(index - at));
    }
  });
});

/** Whose error it is that an operator chain throws (row F2). */
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../../../../engine/foundation/assert.ts';
import { SuppressRestarts } from '../../../../engine/job/functions.ts';
import type { ElementConsumer } from '../../../../engine/operators/element-consumer.ts';
import { FilterOperator, FlatMapOperator, MapOperator } from '../../../../engine/operators/stateless-operators.ts';
import { UserCode } from '../../../../engine/operators/user-code.ts';

const fails = (error: unknown) => () => {
  throw error;
};
const behind = (process: ElementConsumer['process']): ElementConsumer => ({ process });
const fine = behind(() => {});

/** What the chain's error means; `none` when it throws nothing. */
function failureOf(userCode: UserCode, chain: ElementConsumer): unknown {
  try {
    chain.process('a', 0, 0);
  } catch (thrown) {
    return userCode.failureOf(thrown);
  }
  return 'none';
}

describe('user code', () => {
  it.each([
    ['map', (code: UserCode) => new MapOperator(fails(new Error('user')), fine, code)],
    ['filter', (code: UserCode) => new FilterOperator(fails(new TypeError('user')), fine, code)],
    ['flatMap', (code: UserCode) => new FlatMapOperator(fails('a string'), fine, code)],
  ])('F2: what a %s function throws is the failure of its subtask', (_, chainOf) => {
    const code = new UserCode();
    expect(failureOf(code, chainOf(code))).toBe('user-function');
    expect(code.isRunning).toBe(false);
  });

  it('F2: an error that suppresses restarts is unrecoverable', () => {
    const code = new UserCode();
    expect(failureOf(code, new MapOperator(fails(new SuppressRestarts('no use')), fine, code))).toBe('unrecoverable');
  });

  it('a broken assumption of the engine is never the user’s, not even under the user’s call', () => {
    const code = new UserCode();
    const broken = fails(new InvariantViolation('a fact'));
    expect(failureOf(code, new MapOperator(broken, fine, code))).toBeUndefined();
  });

  it('what the operators behind a collector throw is not the user’s; what the function throws after it is', () => {
    const code = new UserCode();
    const collects = new FlatMapOperator(
      (value, out) => out.collect(value),
      behind(fails(new TypeError('ours'))),
      code,
    );
    expect(failureOf(code, collects)).toBeUndefined();
    const later = new UserCode();
    const throwsAfter = new FlatMapOperator(
      (value, out) => {
        out.collect(value);
        throw new Error('user');
      },
      fine,
      later,
    );
    expect(failureOf(later, throwsAfter)).toBe('user-function');
  });

  it('a user function behind another one: its error is the user’s', () => {
    const code = new UserCode();
    const inner = new MapOperator(fails(new Error('user')), fine, code);
    expect(failureOf(code, new FlatMapOperator((value, out) => out.collect(value), inner, code))).toBe('user-function');
  });

  it('engine code outside any call: not the user’s', () => {
    expect(new UserCode().failureOf(new TypeError('ours'))).toBeUndefined();
  });
});

import { expect, test } from 'vitest';
import { Choices } from '../../../../sim/kernel/choice.ts';
import { ServiceConditions } from '../../../../sim/services/service-conditions.ts';
import { ALWAYS } from './service-harness.ts';

const NEVER = { numerator: 0, denominator: 1 };
const site = () => new Choices({ rootSeed: 'conditions' }).site('service');

function conditionsWithLog(): { conditions: ServiceConditions; effective: string[] } {
  const effective: string[] = [];
  return { conditions: new ServiceConditions((fault) => effective.push(fault)), effective };
}

test('service conditions: without a condition nothing is affected', () => {
  const { conditions, effective } = conditionsWithLog();
  expect(conditions.decide(site())).toEqual({ effect: 'none', factor: 1, fault: '' });
  expect(effective).toEqual([]);
});

test('service conditions: the first that fires wins, slow ones before it multiply', () => {
  const { conditions, effective } = conditionsWithLog();
  conditions.apply('f1', { effect: 'slow', factor: 3, chance: ALWAYS });
  conditions.apply('f2', { effect: 'fail', factor: 1, chance: NEVER });
  conditions.apply('f3', { effect: 'slow', factor: 5, chance: ALWAYS });
  conditions.apply('f4', { effect: 'unknown-outcome', factor: 1, chance: ALWAYS });
  conditions.apply('f5', { effect: 'fail', factor: 1, chance: ALWAYS });
  expect(conditions.decide(site())).toEqual({ effect: 'unknown-outcome', factor: 15, fault: 'f4' });
  expect(effective).toEqual(['f1', 'f3', 'f4']);
});

test('service conditions: a request that is refused at once was not slowed', () => {
  const { conditions, effective } = conditionsWithLog();
  conditions.apply('f1', { effect: 'slow', factor: 3, chance: ALWAYS });
  conditions.apply('f2', { effect: 'unavailable', factor: 1, chance: ALWAYS });
  expect(conditions.decide(site()).effect).toBe('unavailable');
  expect(effective).toEqual(['f2']);
});

test('service conditions: an effect the request is not susceptible to is passed over', () => {
  const { conditions, effective } = conditionsWithLog();
  conditions.apply('f1', { effect: 'slow', factor: 3, chance: ALWAYS });
  conditions.apply('f2', { effect: 'fail', factor: 1, chance: ALWAYS });
  expect(conditions.decide(site(), ['fail'])).toEqual({ effect: 'fail', factor: 1, fault: 'f2' });
  expect(effective).toEqual(['f2']);
});

test('service conditions: a lifted condition affects nothing, lifting twice is harmless', () => {
  const { conditions, effective } = conditionsWithLog();
  conditions.apply('f1', { effect: 'fail', factor: 1, chance: ALWAYS });
  conditions.lift('f1');
  conditions.lift('f1');
  expect(conditions.decide(site()).effect).toBe('none');
  expect(effective).toEqual([]);
});

test('service conditions: a chance of one half affects some requests and spares some', () => {
  const { conditions } = conditionsWithLog();
  conditions.apply('f1', { effect: 'fail', factor: 1, chance: { numerator: 1, denominator: 2 } });
  const half = site();
  const failed = Array.from({ length: 200 }, () => conditions.decide(half)).filter(({ effect }) => effect === 'fail');
  expect(failed.length).toBeGreaterThan(50);
  expect(failed.length).toBeLessThan(150);
});

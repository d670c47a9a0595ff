/**
 * The strategy `crashpoints`: the cases of `tidemark crashpoints` in the order of a draw, so that a small budget has a fair sample of them and a large one
 * all. The scenario's own faults are left out. When the cases of one seed are used up, the next seed has another calm life.
 */
import { Choices } from '../../sim/kernel/choice.ts';
import { compile } from '../compile.ts';
import { calmPlan, crashCase, machinesOf, variantsOf } from '../crashpoints/crash-case.ts';
import type { Strategy } from './strategy.ts';

/** Cases lived before the next ones are made: a plan each. */
const BATCH = 32;

export const crashEverywhere: Strategy = function* search({ scenario, seedAt }) {
  for (let number = 0; ; ) {
    const seed = seedAt(number);
    const plan = calmPlan(compile(scenario, seed));
    const [calm] = yield [{ plan, gaze: 'points' }];
    number += 1;
    const points = calm?.sight?.points ?? [];
    const cases = points.flatMap((point) =>
      machinesOf(plan).flatMap((node) => variantsOf(plan).map((variant) => ({ point, node, variant }))),
    );
    const order = new Choices({ rootSeed: seed }).site('strategy/crashpoints/order').shuffle(cases);
    for (let first = 0; first < order.length; first += BATCH) {
      const some = order.slice(first, first + BATCH);
      yield some.map((one) => ({ plan: crashCase(plan, one).plan }));
      number += some.length;
    }
  }
};

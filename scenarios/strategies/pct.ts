/**
 * The strategy `pct`: what the scenario says, and beside it probabilistic concurrency testing: chains of messages draw priorities, and at d - 1 steps the
 * chain that moves falls below all others (sim/network/chain-priorities.ts).
 *
 * The number of steps, over which the changes are spread, is that of the first life. How far messages may be held back differs from life to
 * life by orders of magnitude: what a window of 400 ms reorders, one of 4 ms does not, and the other way round a long one never lets two
 * requests meet that are a millisecond apart.
 */
import { type ChoiceSite, Choices } from '../../sim/kernel/choice.ts';
import type { PrioritiesPlan, SimulationPlan } from '../../sim/plan.ts';
import { compile } from '../compile.ts';
import type { Strategy } from './strategy.ts';

const BATCH = 32;
const RANKS = 64;
/** Delay of the lowest chain, and how much longer one waits that has fallen. */
const WINDOWS_US = [4_000, 20_000, 100_000, 400_000] as const;
const DROP_FACTORS = [2, 6] as const;
/** Bugs of this many ordered steps are looked for: one change of priority fewer. */
const DEPTHS = [2, 3, 4] as const;
/** Of a life that could not be lived. */
const STEPS_GUESSED = 1_000;

export const pct: Strategy = function* search({ scenario, seedAt }) {
  const first = compile(scenario, seedAt(0));
  // Without changes its steps can be counted.
  const [counted] = yield [withPriorities(first, seedAt(0), undefined)].map((plan) => ({
    plan,
    gaze: 'steps' as const,
  }));
  const steps = counted?.sight?.steps ?? STEPS_GUESSED;
  for (let number = 1; ; number += BATCH) {
    yield Array.from({ length: BATCH }, (_, index) => {
      const seed = seedAt(number + index);
      return { plan: withPriorities(compile(scenario, seed), seed, steps) };
    });
  }
};

/** `steps`: over how many the changes are spread; undefined: there are none. */
export function withPriorities(plan: SimulationPlan, seed: string, steps: number | undefined): SimulationPlan {
  const choices = new Choices({ rootSeed: seed });
  const site = (purpose: string): ChoiceSite => choices.site(`strategy/pct/${purpose}`);
  const windowUs = site('window').pick(WINDOWS_US);
  const dropUs = windowUs * site('drop').pick(DROP_FACTORS);
  const changes = steps === undefined ? 0 : site('depth').pick(DEPTHS) - 1;
  const drawn = new Set(Array.from({ length: changes }, () => 1 + site('change').choose(Math.max(1, steps ?? 1))));
  const changeSteps = [...drawn].sort((a, b) => a - b);
  const priorities: PrioritiesPlan = { ranks: RANKS, windowUs, changeSteps, dropUs };
  return { ...plan, priorities };
}

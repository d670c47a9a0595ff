/**
 * The strategy `novelty`: half of the lives are fresh ones of the scenario, the other half children of lives that showed something new:
 * cells of the protocol or an order of events that no life before had (P's and AFL's loop, on fault lists and chance).
 *
 * I1: batches are small, so that children are of what was just seen, and of one size, so that the corpus does not depend on workers.
 */
import { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { compile } from '../compile.ts';
import { planHash } from '../plan-hash.ts';
import { Corpus, type Parent } from './corpus.ts';
import { mutated } from './plan-mutations.ts';
import type { Proposal, SearchContext, Searching, Strategy } from './strategy.ts';

const BATCH = 8;
/** Changes that cancel out, or that a brother had, are drawn again so often. */
const ATTEMPTS = 4;

export const novelty: Strategy = (context) => noveltySearch(context, new Corpus());

/** `corpus`: grows as the search goes on. */
export function* noveltySearch({ scenario, seedAt }: SearchContext, corpus: Corpus): Searching {
  const proposed = new Set<string>();
  for (let number = 0; ; number += BATCH) {
    const plans: SimulationPlan[] = [];
    for (let index = 0; index < BATCH; index += 1) {
      const seed = seedAt(number + index);
      const fresh = compile(scenario, seed);
      const parent = index % 2 === 0 ? undefined : corpus.take();
      const plan = parent === undefined ? fresh : childOf(parent, { fresh, seed, proposed });
      proposed.add(planHash(plan));
      plans.push(plan);
    }
    const observations = yield plans.map((plan): Proposal => ({ plan, gaze: 'coverage' }));
    for (const [index, plan] of plans.entries()) {
      const coverage = observations[index]?.sight?.coverage;
      if (coverage !== undefined) corpus.consider({ plan, coverage });
    }
  }
}

interface Birth {
  readonly fresh: SimulationPlan;
  readonly seed: string;
  /** Hashes of plans that need not be lived again. */
  readonly proposed: ReadonlySet<string>;
}

/** A child that nobody has seen; after some tries the fresh plan. */
function childOf({ plan, coverage }: Parent, { fresh, seed, proposed }: Birth): SimulationPlan {
  const choices = new Choices({ rootSeed: seed });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const name = `strategy/novelty/${attempt}`;
    const child = mutated(plan, { choices, name, coverage, others: fresh.faults });
    if (!proposed.has(planHash(child))) return child;
  }
  return fresh;
}

/**
 * The question that every pass of shrinking asks: which of these plans, simplest first, still fails in the same way?
 *
 * A pass is a generator: it hands out candidates and is told the lowest index that still fails so, or undefined. So passes are pure, and
 * whoever answers may live many candidates side by side; that the lowest index counts makes the outcome the same for any number of workers.
 */
import type { SimulationPlan } from '../../sim/plan.ts';

/** A pass that ends with a `Result`. Its candidates are plans, unless another kind of thing is searched. */
export type Search<Result, Candidate = SimulationPlan> = Generator<readonly Candidate[], Result, number | undefined>;

/** The first of these edits of a plan that still fails in the same way; undefined when none does. */
export function* firstOf(candidates: readonly SimulationPlan[]): Search<SimulationPlan | undefined> {
  if (candidates.length === 0) return undefined;
  const found = yield candidates;
  return found === undefined ? undefined : candidates[found];
}

/**
 * The strategy `lineage`: lineage-driven fault injection. From a good outcome it computes what that rested on, and takes it away.
 *
 * 1. A calm life commits a checkpoint; its support is a clause. 2. Each element of it alone is taken away. 3. A life that is good all the same rested on
 * something else: another clause. 4. From then on sets of two and three elements that hit every clause known are taken away, which no life known
 * could have survived. When there are none left, the next seed has another calm life.
 *
 * Molly skips step 2 where another clause is known: in a protocol that only adds facts, what has a second support cannot be broken by taking
 * away one element of the first. Restarts and rollbacks do take facts back, so here each element is tried alone.
 */
import { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { compile } from '../compile.ts';
import { calmPlan } from '../crashpoints/crash-case.ts';
import { withFaultsBehind } from '../fault-ids.ts';
import { hittingSets } from './hitting-sets.ts';
import type { Observation, Proposal, Strategy } from './strategy.ts';
import { elementName, faultAgainst, type Support, type SupportElement } from './support.ts';

/** Small: the next sets depend on what these lives rested on. */
const BATCH = 8;
const ELEMENTS_MAX = 3;
/** Clauses beyond these rarely say anything new, and the search for sets grows with each. */
const CLAUSES_MAX = 40;

export const lineage: Strategy = function* search({ scenario, seedAt }) {
  for (let number = 0; ; ) {
    const seed = seedAt(number);
    const plan = calmPlan(compile(scenario, seed));
    const clauses = new Clauses(plan);
    clauses.add(yield [{ plan, gaze: 'support' }]);
    number += 1;
    const singles = clauses.names().map((name) => [name]);
    const order = new Choices({ rootSeed: seed }).site('strategy/lineage/order').shuffle(singles);
    for (let first = 0; first < order.length; first += BATCH) {
      const some = order.slice(first, first + BATCH);
      clauses.add(yield some.map((names) => clauses.proposal(names)));
      number += some.length;
    }
    for (let sets = clauses.next(BATCH); sets.length > 0; sets = clauses.next(BATCH)) {
      clauses.add(yield sets.map((names) => clauses.proposal(names)));
      number += sets.length;
    }
  }
};

/** What lives of one plan rested on, and which sets of it were taken away. */
class Clauses {
  readonly #plan: SimulationPlan;
  readonly #clauses: (readonly string[])[] = [];
  readonly #elements = new Map<string, SupportElement>();
  readonly #tried = new Set<string>();

  constructor(plan: SimulationPlan) {
    this.#plan = plan;
  }

  /** All elements of the first clause. */
  names(): readonly string[] {
    return this.#clauses[0] ?? [];
  }

  add(observations: readonly Observation[]): void {
    for (const { sight } of observations) {
      const names = this.#note(sight?.support);
      if (names.length > 0 && this.#clauses.length < CLAUSES_MAX) this.#clauses.push(names);
    }
  }

  /** The plan in which these elements are taken away. */
  proposal(names: readonly string[]): Proposal {
    this.#tried.add(JSON.stringify(names));
    const against = names.flatMap((name) => {
      const element = this.#elements.get(name);
      const fault = element === undefined ? undefined : faultAgainst(this.#plan, element);
      return fault === undefined ? [] : [fault];
    });
    return { plan: { ...this.#plan, faults: withFaultsBehind(this.#plan.faults, against) }, gaze: 'support' };
  }

  next(count: number): readonly (readonly string[])[] {
    const isWanted = (names: readonly string[]): boolean => !this.#tried.has(JSON.stringify(names));
    return hittingSets(this.#clauses, { sizeMax: ELEMENTS_MAX, count, isWanted });
  }

  /** Names of its elements that something can be done about. */
  #note(support: Support | undefined): readonly string[] {
    const names: string[] = [];
    for (const element of support?.elements ?? []) {
      if (faultAgainst(this.#plan, element) === undefined) continue;
      const name = elementName(element);
      this.#elements.set(name, element);
      names.push(name);
    }
    return names;
  }
}

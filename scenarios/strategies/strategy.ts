/**
 * What a search strategy is: a generator that proposes plans and is told what became of them. All strategies have this one form, so that
 * they can be compared at an equal budget of events.
 *
 * Owns: the form. Does not own: living plans (whoever drives the search), what a failing life means.
 *
 * I1: what is proposed is a function of the scenario, the seeds and the observations. Observations come in the order of the proposals and a
 *     batch at a time, whatever order the lives ended in: so a search is the same for any number of workers.
 * I2: a proposal is a complete plan. A failing life of any strategy is an ordinary capsule.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import { compile } from '../compile.ts';
import type { Scenario } from '../scenario.ts';
import type { Gaze, Sight } from './sight.ts';

/** A life that a strategy wants lived. */
export interface Proposal {
  readonly plan: SimulationPlan;
  /** What shall be seen of it beside its verdict; absent: nothing. */
  readonly gaze?: Gaze;
}

/** What became of a proposal. */
export interface Observation {
  /** `judge/anomaly`; empty when it passed. */
  readonly signature: string;
  /** What it cost. */
  readonly events: number;
  /** What was asked for; absent also when the life could not be lived. */
  readonly sight?: Sight;
}

/** Endless, unless a strategy knows that it has tried everything. */
export type Searching = Generator<readonly Proposal[], void, readonly Observation[]>;

export interface SearchContext {
  readonly scenario: Scenario;
  /** The n-th seed of the search, from 0. */
  readonly seedAt: (index: number) => string;
}

export type Strategy = (context: SearchContext) => Searching;

/** Proposals of strategies that learn nothing: so many that workers seldom wait for each other. */
const BATCH = 32;

/** A strategy that makes one plan of each seed and learns nothing. */
export function eachSeed(planOf: (scenario: Scenario, seed: string) => SimulationPlan): Strategy {
  return function* search({ scenario, seedAt }) {
    for (let first = 0; ; first += BATCH)
      yield Array.from({ length: BATCH }, (_, index) => ({ plan: planOf(scenario, seedAt(first + index)) }));
  };
}

/** What the scenario draws itself: the measure that all others are held against. */
export const random: Strategy = eachSeed(compile);

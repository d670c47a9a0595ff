/** A failing plan, shrunk: drives the pure search of scenarios/shrink/ with real lives, and makes the capsule of what is left. */
import { shrink } from '../scenarios/shrink/shrinker.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { type Capsule, capsuleOf } from './capsule.ts';
import type { Life } from './life.ts';
import type { PlanLives } from './plan-lives.ts';
import { planHash } from '../scenarios/plan-hash.ts';

/** About a minute on two cores. */
export const DEFAULT_SHRINK_EVENTS = 20_000_000;

export interface ShrinkRunOptions {
  readonly plan: SimulationPlan;
  readonly signature: string;
  readonly maxEvents: number;
  readonly lives: PlanLives;
  readonly engineVersion: string;
  /** Lives the smallest plan once more, for its capsule. */
  readonly livePlan: (plan: SimulationPlan) => Promise<Life>;
}

export async function runShrinking(options: ShrinkRunOptions): Promise<Capsule> {
  const { plan, signature, maxEvents, lives, engineVersion } = options;
  const {
    plan: small,
    certificate,
    isMinimal,
    lives: lived,
    events,
  } = await lives.answer(shrink(plan, signature, { maxEvents }));
  const capsule = capsuleOf(small, await options.livePlan(small), engineVersion);
  return {
    ...capsule,
    shrunk: { from: planHash(plan), faultsBefore: plan.faults.length, lives: lived, events, isMinimal, certificate },
  };
}

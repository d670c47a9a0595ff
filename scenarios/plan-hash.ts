/** The hash of a plan: names it in reports, and two plans with equal hashes ask for the same life. 16 hexadecimal digits. */
import { combineDigests } from '../sim/kernel/digest.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { canonicalJson } from './canonical-json.ts';

export function planHash(plan: SimulationPlan): string {
  return combineDigests([canonicalJson(plan)]);
}

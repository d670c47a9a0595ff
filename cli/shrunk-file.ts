/**
 * The file of a shrunk capsule, beside the plan that it is of.
 *
 * Owns: its name, when it is written, and when one that is there is as good as shrinking again. Does not own: shrinking (plan-session.ts).
 * I1: a smaller plan of the same failure is never replaced by a larger one, which comes of a smaller budget or an interruption.
 */
import { planHash } from '../scenarios/plan-hash.ts';
import { comparePlanSizes } from '../scenarios/shrink/plan-size.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { type Capsule, decodeReplayable, type Replayable } from './capsule.ts';
import { exists, packageVersion, readText, write } from './files.ts';
import { UsageError } from './usage-error.ts';

export const shrunkFileOf = (file: string): string => `${file.replace(/\.json$/, '')}.shrunk.json`;

/** Answers whether it was written: a smaller one may be there (I1). */
export function writeShrunk(file: string, capsule: Capsule): boolean {
  const there = capsuleAt(file);
  const isSmaller =
    there !== undefined &&
    there.from?.planHash === capsule.shrunk?.from &&
    there.remembered?.engineVersion === capsule.engineVersion &&
    comparePlanSizes(there.plan, capsule.plan) < 0;
  if (!isSmaller) write(file, `${JSON.stringify(capsule, null, 2)}\n`);
  return !isSmaller;
}

/** The smallest plan of this one that an earlier call has proven and kept there. */
export function knownSmallest(file: string, plan: SimulationPlan): SimulationPlan | undefined {
  const there = capsuleAt(file);
  const isOfPlan = there?.from?.planHash === planHash(plan) && there.remembered?.engineVersion === packageVersion();
  return isOfPlan && there?.isMinimal === true ? there.plan : undefined;
}

/** What is no capsule is nothing that somebody has shrunk. */
function capsuleAt(file: string): Replayable | undefined {
  if (!exists(file)) return undefined;
  try {
    return decodeReplayable(file, readText(file));
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/**
 * Which of two plans is the smaller one: what a person would rather read, in the order in which shrinking makes a plan smaller.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import { canonicalJson } from '../canonical-json.ts';
import { choicesOf } from './choices-of-plan.ts';

/** All sites draw. */
const EVERY_SITE = Number.MAX_SAFE_INTEGER;

/** Below zero: the first is smaller. Zero only for equal plans. */
export function comparePlanSizes(first: SimulationPlan, second: SimulationPlan): number {
  const [one, other] = [measures(first), measures(second)];
  const place = one.findIndex((value, index) => value !== other[index]);
  if (place >= 0) return (one[place] ?? 0) - (other[place] ?? 0);
  const [text, otherText] = [canonicalJson(first), canonicalJson(second)];
  if (text === otherText) return 0;
  return text < otherText ? -1 : 1;
}

/** The first that differs decides. */
function measures(plan: SimulationPlan): readonly number[] {
  const { faults, cluster, job, topics, drawnSites, liveness, priorities, branches = [] } = plan;
  return [
    faults.length,
    choicesOf(plan).length,
    branches.length + (priorities === undefined ? 0 : 1 + priorities.changeSteps.length),
    job.parallelism,
    cluster.taskManagers + cluster.jobManagers + (cluster.brokers ?? 0),
    topics.reduce((sum, { records }) => sum + records, 0),
    drawnSites?.length ?? EVERY_SITE,
    liveness.stormUs,
    canonicalJson(plan).length,
  ];
}

/**
 * Which nodes must suffice after the storm (TigerBeetle's liveness mode): enough TaskManagers for the job and one JobManager at
 * least stay, drawn by chance; the others are gone for good, so that nobody's recovery hides that the rest could not.
 */
import type { NodeId } from '../engine/foundation/ids.ts';
import type { JobGraph } from '../engine/job/job-graph.ts';
import { slotsNeeded } from '../engine/job/scaled-graph.ts';
import { parallelismAskedFor } from '../engine/protocol/client-operations.ts';
import type { ChoiceSite } from './kernel/choice.ts';
import type { SimulationPlan } from './plan.ts';

export interface CoreOptions {
  readonly jobManagers: readonly NodeId[];
  readonly taskManagers: readonly NodeId[];
  readonly slots: number;
  readonly slotsNeeded: number;
}

export function drawCore(
  options: CoreOptions,
  site: ChoiceSite,
): { readonly keep: readonly NodeId[]; readonly lost: readonly NodeId[] } {
  const { jobManagers, taskManagers, slots, slotsNeeded } = options;
  const needed = Math.min(taskManagers.length, Math.ceil(slotsNeeded / slots));
  const keptTaskManagers = needed + site.choose(taskManagers.length - needed + 1);
  const keptJobManagers = 1 + site.choose(jobManagers.length);
  const keep = [
    ...site.shuffle(jobManagers).slice(0, keptJobManagers),
    ...site.shuffle(taskManagers).slice(0, keptTaskManagers),
  ];
  const kept = new Set(keep);
  return { keep, lost: [...jobManagers, ...taskManagers].filter((node) => !kept.has(node)) };
}

/**
 * A job that adapts runs with its lower bound, unless part of it may have finished: then it is restored as wide as it was (row C22). Any
 * other must find slots for the most it was ever asked to run with.
 */
export function slotsThatSuffice({ engine, faults, topics }: SimulationPlan, graph: JobGraph): number {
  const { scheduler } = engine;
  const mayFinishInPart = topics.some(({ bounded }) => bounded);
  if (scheduler.mode === 'adaptive' && !mayFinishInPart) return scheduler.minParallelism;
  return faults.reduce(
    (most, fault) => Math.max(most, fault.kind === 'operation' ? (parallelismAskedFor(fault.command) ?? 0) : 0),
    scheduler.mode === 'adaptive' ? scheduler.maxParallelism : slotsNeeded(graph.vertices),
  );
}

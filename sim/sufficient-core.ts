/**
 * Which nodes must suffice after the storm (TigerBeetle's liveness mode): enough TaskManagers for the job and one JobManager at
 * least stay, drawn by chance; the others are gone for good, so that nobody's recovery hides that the rest could not.
 */
import type { NodeId } from '../engine/foundation/ids.ts';
import type { ChoiceSite } from './kernel/choice.ts';

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

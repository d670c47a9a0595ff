/**
 * Times become logical points: "when checkpoint 3 was acknowledged by all" survives a change of the code, "at 17.204 s" does not.
 *
 * Owns: which points lie near the time at which a fault struck. Does not own: whether the failure is still the same (the shrinker asks).
 */
import { pointOf } from '../../sim/faults/checkpoint-point.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { withFault } from './fault-edits.ts';

/** Points tried for each fault: the last ones before it struck, and the first behind it. */
const POINTS_BEFORE = 8;
const POINTS_BEHIND = 2;

type PointTrigger = Extract<Fault['trigger'], { readonly point: unknown }>;

/** The plan with the trigger of one fault replaced, nearest points first; nothing when it has a point already. */
export function pointTriggers(plan: SimulationPlan, fault: Fault, history: readonly HistoryEvent[]): SimulationPlan[] {
  if ('point' in fault.trigger) return [];
  const { atUs } = fault.trigger;
  const before: PointTrigger[] = [];
  const behind: PointTrigger[] = [];
  const seen = new Set<string>();
  for (const entry of history) {
    const trigger = triggerOf(entry);
    if (trigger === undefined) continue;
    // Only the first of its kind is named by what it is alone.
    const key = JSON.stringify(trigger);
    if (seen.has(key)) continue;
    seen.add(key);
    if (entry.atUs <= atUs) before.push(trigger);
    else if (behind.length < POINTS_BEHIND) behind.push(trigger);
    else break;
  }
  const near = [...before.slice(-POINTS_BEFORE).reverse(), ...behind];
  return near.map((trigger) => withFault(plan, { ...fault, trigger }));
}

/** Simpler words for a trigger that is a point already: without subtask, vertex, checkpoint, occurrence. */
export function vaguerTriggers(plan: SimulationPlan, fault: Fault): SimulationPlan[] {
  const { trigger } = fault;
  if (!('point' in trigger)) return [];
  const { point, checkpoint, occurrence } = trigger;
  const named = checkpoint === undefined ? {} : { checkpoint };
  const candidates: PointTrigger[] = [
    { point, occurrence: 1 },
    { point, ...named, occurrence: 1 },
    { point, ...named, occurrence },
  ];
  const length = JSON.stringify(trigger).length;
  return candidates
    .filter((candidate) => JSON.stringify(candidate).length < length)
    .map((candidate) => withFault(plan, { ...fault, trigger: candidate }));
}

function triggerOf(entry: HistoryEvent): PointTrigger | undefined {
  const occurrence = pointOf(entry);
  if (occurrence === undefined || occurrence.checkpoint === 0) return undefined;
  const { point, checkpoint, vertex, subtask } = occurrence;
  return {
    point,
    checkpoint,
    ...(vertex === undefined ? {} : { vertex }),
    ...(subtask === undefined ? {} : { subtask }),
    occurrence: 1,
  };
}

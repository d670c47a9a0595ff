/**
 * Times become logical points: "when checkpoint 3 was acknowledged by all" survives a change of the code, "at 17.204 s" does not.
 *
 * Owns: which points lie near the time at which a fault struck. Does not own: whether the failure is still the same (the shrinker asks).
 */
import { faultPointOf, RECOVERY_POINTS } from '../../sim/faults/checkpoint-point.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { withFault } from './fault-edits.ts';

/** Points tried first for each fault: the last ones before it struck, and the first behind it. */
const POINTS_BEFORE = 8;
const POINTS_BEHIND = 2;
/** Then so many farther ones: of each kind the last before and the first behind. */
const POINTS_FARTHER = 24;

const RECOVERIES: ReadonlySet<string> = new Set(RECOVERY_POINTS);

type PointTrigger = Extract<Fault['trigger'], { readonly point: unknown }>;

/** The plan with the trigger of one fault replaced, nearest points first; nothing when it has a point already. */
export function pointTriggers(plan: SimulationPlan, fault: Fault, history: readonly HistoryEvent[]): SimulationPlan[] {
  if ('point' in fault.trigger) return [];
  const { atUs } = fault.trigger;
  const before: Occasion[] = [];
  const behind: Occasion[] = [];
  const seen = new Set<string>();
  const recoveries = new Map<string, number>();
  for (const entry of history) {
    const trigger = triggerOf(entry, recoveries);
    if (trigger === undefined) continue;
    // Only the first of its kind is named by what it is alone.
    const key = JSON.stringify(trigger);
    if (seen.has(key)) continue;
    seen.add(key);
    const occasion = { trigger, awayUs: Math.abs(entry.atUs - atUs), order: seen.size };
    if (entry.atUs <= atUs) before.unshift(occasion);
    else behind.push(occasion);
  }
  const near = [...before.slice(0, POINTS_BEFORE), ...behind.slice(0, POINTS_BEHIND)];
  const farther = [...nearestOfEach(before), ...nearestOfEach(behind)]
    .filter((occasion) => !near.includes(occasion))
    .sort((a, b) => a.awayUs - b.awayUs || a.order - b.order)
    .slice(0, POINTS_FARTHER);
  return [...near, ...farther].map(({ trigger }) => withFault(plan, { ...fault, trigger }));
}

/** A point of the life, and how far from the fault's time it is. */
interface Occasion {
  readonly trigger: PointTrigger;
  readonly awayUs: number;
  /** In the life. */
  readonly order: number;
}

/** Of occasions by distance, the first of each kind of point. */
function nearestOfEach(occasions: readonly Occasion[]): Occasion[] {
  const nearest = new Map<string, Occasion>();
  for (const occasion of occasions) {
    const { point } = occasion.trigger;
    if (!nearest.has(point)) nearest.set(point, occasion);
  }
  return [...nearest.values()];
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

/** `recoveries` counts the points of a recovery: they are of no checkpoint, the n-th is known by its number. */
function triggerOf(entry: HistoryEvent, recoveries: Map<string, number>): PointTrigger | undefined {
  const found = faultPointOf(entry);
  if (found === undefined) return undefined;
  const { point, checkpoint, vertex, subtask } = found;
  if (RECOVERIES.has(point)) {
    const occurrence = (recoveries.get(point) ?? 0) + 1;
    recoveries.set(point, occurrence);
    return { point, occurrence };
  }
  if (checkpoint === 0) return undefined;
  return {
    point,
    checkpoint,
    ...(vertex === undefined ? {} : { vertex }),
    ...(subtask === undefined ? {} : { subtask }),
    occurrence: 1,
  };
}

/**
 * The durability and protocol points of a checkpoint's life, as a calm life passes them: where a crash may matter (ALICE and CrashMonkey
 * enumerate the system calls of a file system; these are ours).
 *
 * Owns: finding them in a history and naming them so that a fault can strike there. Does not own: what strikes.
 */
import { CHECKPOINT_POINTS, type CheckpointPoint, faultPointOf, pointOf } from '../../sim/faults/checkpoint-point.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';

export type PointTrigger = Extract<Fault['trigger'], { readonly point: unknown }>;

export interface CrashPoint {
  readonly trigger: PointTrigger;
  /** History index in the life it was found in, and when it was passed there. */
  readonly at: number;
  readonly atUs: number;
}

/** All points of a history that are wanted, each with the occurrence that names it from the beginning of the life. */
export const crashPoints = (
  history: readonly HistoryEvent[],
  isWanted: (entry: HistoryEvent) => boolean,
): CrashPoint[] => pointsIn(history, isWanted, pointOf);

/** The same with those of a recovery: a leader is there, a restart is due, what to restore is chosen, a task is sent. */
export const recoveryPoints = (
  history: readonly HistoryEvent[],
  isWanted: (entry: HistoryEvent) => boolean,
): CrashPoint[] => pointsIn(history, isWanted, faultPointOf);

function pointsIn(
  history: readonly HistoryEvent[],
  isWanted: (entry: HistoryEvent) => boolean,
  occurrenceOf: typeof faultPointOf,
): CrashPoint[] {
  const counts = new Map<string, number>();
  const found: CrashPoint[] = [];
  for (const entry of history) {
    const passed = occurrenceOf(entry);
    if (passed === undefined) continue;
    const { point, checkpoint, vertex, subtask } = passed;
    const where = {
      point,
      ...(checkpoint === 0 ? {} : { checkpoint }),
      ...(vertex === undefined ? {} : { vertex }),
      ...(subtask === undefined ? {} : { subtask }),
    };
    const key = JSON.stringify(where);
    const occurrence = (counts.get(key) ?? 0) + 1;
    counts.set(key, occurrence);
    if (isWanted(entry)) found.push({ trigger: { ...where, occurrence }, at: entry.index, atUs: entry.atUs });
  }
  return found;
}

/** The points that these do not pass, for the report. */
export function pointsNotPassed(points: readonly CrashPoint[]): readonly CheckpointPoint[] {
  const passed = new Set<string>(points.map(({ trigger }) => trigger.point));
  return CHECKPOINT_POINTS.filter((point) => !passed.has(point));
}

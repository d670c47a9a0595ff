/** The checkpoint that stands for all of a life, and what belongs to its life. */
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import { type CrashPoint, crashPoints } from './crash-point.ts';

/** The first two checkpoints are of a job that has just begun. */
const TYPICAL_CHECKPOINT = 3;

/**
 * Whether an event belongs to the life of one of these checkpoints: it names it, or it lies between its trigger and the next one, as the
 * commit of a transaction or the deletion of an older checkpoint do; or that the job is ending. Nothing behind the storm: no fault strikes
 * there.
 */
export function during(
  checkpoints: readonly number[],
  history: readonly HistoryEvent[],
): (entry: HistoryEvent) => boolean {
  const within = new Set<number>();
  let current = 0;
  let isEnding = false;
  for (const { index, event } of history) {
    if (event.kind === 'phase' && event.phase === 'liveness') break;
    if (event.kind === 'checkpoint-triggered') current = event.checkpointId;
    if (event.kind === 'end-of-data-reached') isEnding = true;
    if (
      isEnding ||
      checkpoints.includes(current) ||
      ('checkpointId' in event && checkpoints.includes(event.checkpointId))
    )
      within.add(index);
  }
  return ({ index }) => within.has(index);
}

export function typicalCheckpoint(history: readonly HistoryEvent[]): number[] {
  const completed = history.flatMap(({ event }) => (event.kind === 'checkpoint-completed' ? [event.checkpointId] : []));
  return completed.slice(0, TYPICAL_CHECKPOINT).slice(-1);
}

/** The points of the checkpoint that stands for all, and of the end of the job. */
export const typicalPoints = (history: readonly HistoryEvent[]): CrashPoint[] =>
  crashPoints(history, during(typicalCheckpoint(history), history));

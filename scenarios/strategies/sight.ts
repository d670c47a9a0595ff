/**
 * What a strategy can be shown of a life beside its verdict: small enough to come back from a worker, made there from the history.
 *
 * Owns: the form, and who makes which part. Plain JSON.
 */
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { CrashPoint } from '../crashpoints/crash-point.ts';
import { typicalPoints } from '../crashpoints/typical-checkpoint.ts';

/** `points`: of a typical checkpoint's life and of the end of the job. */
export type Gaze = 'points';

export interface Sight {
  readonly points?: readonly CrashPoint[];
}

export function sightOf(gaze: Gaze, history: readonly HistoryEvent[]): Sight {
  switch (gaze) {
    case 'points':
      return { points: typicalPoints(history) };
    default:
      throw new RangeError(`unknown gaze ${String(gaze satisfies never)}`);
  }
}

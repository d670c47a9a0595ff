/**
 * What a strategy can be shown of a life beside its verdict: small enough to come back from a worker, made there from the history.
 *
 * Owns: the form, and who makes which part. Plain JSON.
 */
import type { RunRecord } from '../../sim/run-record.ts';
import type { CrashPoint } from '../crashpoints/crash-point.ts';
import { typicalPoints } from '../crashpoints/typical-checkpoint.ts';

/**
 * `points`: of a typical checkpoint's life and of the end of the job. `steps`: how many a life with priorities has.
 */
export type Gaze = 'points' | 'steps';

export interface Sight {
  readonly points?: readonly CrashPoint[];
  readonly steps?: number;
}

/** `record`: with its history. */
export function sightOf(gaze: Gaze, { history, prioritySteps = 0 }: RunRecord): Sight {
  switch (gaze) {
    case 'points':
      return { points: typicalPoints(history) };
    case 'steps':
      return { steps: prioritySteps };
    default:
      throw new RangeError(`unknown gaze ${String(gaze satisfies never)}`);
  }
}

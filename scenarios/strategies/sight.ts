/**
 * What a strategy can be shown of a life beside its verdict: small enough to come back from a worker, made there from the history.
 *
 * Owns: the form, and who makes which part. Plain JSON.
 */
import type { RunRecord } from '../../sim/run-record.ts';
import type { CrashPoint } from '../crashpoints/crash-point.ts';
import { typicalPoints } from '../crashpoints/typical-checkpoint.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { type Support, supportOf, TARGET_CHECKPOINT } from './support.ts';

/**
 * `points`: of a typical checkpoint's life and of the end of the job. `steps`: how many a life with priorities has.
 * `coverage`: what it has shown. `support`: what its good outcome rested on.
 */
export type Gaze = 'points' | 'steps' | 'coverage' | 'support';

export interface Sight {
  readonly points?: readonly CrashPoint[];
  readonly steps?: number;
  readonly coverage?: Coverage;
  readonly support?: Support;
}

/** `record`: with its history. */
export function sightOf(gaze: Gaze, { history, prioritySteps = 0 }: RunRecord): Sight {
  switch (gaze) {
    case 'points':
      return { points: typicalPoints(history) };
    case 'steps':
      return { steps: prioritySteps };
    case 'coverage':
      return { coverage: coverageOf(history) };
    case 'support':
      return { support: supportOf(history, TARGET_CHECKPOINT) };
    default:
      throw new RangeError(`unknown gaze ${String(gaze satisfies never)}`);
  }
}

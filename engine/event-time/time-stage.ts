/**
 * What time means to the operators of a chain that care for it: those with timers, those that make watermarks.
 *
 * Owns: the contract with the subtask (task-time.ts), which lets watermarks run through the chain head first, in slices.
 */
import type { InternalTimer } from '../state/timer-queue.ts';

/**
 * `passed`: all is done, the watermark goes on to what lies behind. `interrupted`: call again before anything else is processed.
 * `absorbed`: it ends here, the operator makes its own.
 */
export type WatermarkProgress = 'passed' | 'interrupted' | 'absorbed';

export interface TimeStage {
  /** Of its operator. */
  readonly uid: string;
  advanceWatermark(timestampUs: number, mayFire: () => boolean): WatermarkProgress;
  /** False: interrupted. */
  onProcessingTime(mayFire: () => boolean): boolean;
  /** Infinity: no timer. */
  readonly nextProcessingTimeUs: number;
  readonly currentWatermarkUs: number;
  /** All timers up to this one have fired. */
  readonly settledWatermarkUs: number;
  /** While a further watermark is interrupted: this timer and all before it have fired, too. */
  readonly firing: InternalTimer | undefined;
  /** Timers fired since the last call, to be charged. */
  takeFired(): number;
}

/**
 * Now, later, or not at all (rows C2, C3; Flink: CheckpointRequestDecider). Pure.
 */
export interface RequestSituation {
  readonly nowUs: number;
  readonly minPauseUs: number;
  /** Completion of the last checkpoint; undefined when none completed in this run. */
  readonly lastCompletedUs: number | undefined;
  readonly pending: number;
  readonly maxConcurrent: number;
  /** Checkpoints whose files are being deleted: back-pressure from deletion. */
  readonly cleaning: number;
}

export type RequestDecision =
  | { readonly kind: 'trigger' }
  /** Min-pause has not passed: ask again after this time. */
  | { readonly kind: 'wait'; readonly afterUs: number }
  /** Something is in the way; its end asks again. */
  | { readonly kind: 'postpone' };

export function decideRequest(situation: RequestSituation): RequestDecision {
  const { nowUs, minPauseUs, lastCompletedUs, pending, maxConcurrent, cleaning } = situation;
  if (pending >= maxConcurrent || cleaning > maxConcurrent) return { kind: 'postpone' };
  const earliestUs = lastCompletedUs === undefined ? nowUs : lastCompletedUs + minPauseUs;
  return nowUs < earliestUs ? { kind: 'wait', afterUs: earliestUs - nowUs } : { kind: 'trigger' };
}

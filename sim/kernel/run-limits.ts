/**
 * How far a run may go. Everything has a limit, so that a livelock ends a run instead of hanging it.
 *
 * Owns: the limits, their defaults, the decision. Does not own: counting (event-loop.ts) or the verdict; a run that
 * hits a limit is inconclusive, never passed.
 *
 * I1: a run at its limit is within it; the next step exceeds it.
 */

export interface RunLimits {
  /** Events dispatched. */
  readonly maxEvents: number;
  /** Virtual time, in microseconds since the start of the run. */
  readonly maxVirtualUs: number;
  /** Events queued and not cancelled. */
  readonly maxQueueLength: number;
}

/** Far above any life that goes well, and low enough to end a runaway within a minute or in a few hundred MB. */
export const DEFAULT_RUN_LIMITS: RunLimits = {
  // A busy life of ten minutes takes a few million.
  maxEvents: 50_000_000,
  // One day: time is cheap where nothing happens, but a life that only waits is stuck.
  maxVirtualUs: 86_400_000_000,
  // A job of 10,000 subtasks keeps some hundred thousand pending.
  maxQueueLength: 4_000_000,
};

/** Where a run stands. */
export interface RunProgress {
  /** Events dispatched, the one about to be dispatched included. */
  readonly events: number;
  /** Virtual time of that event, in microseconds. */
  readonly nowUs: number;
  /** Events queued and not cancelled. */
  readonly queueLength: number;
}

export type LimitName = 'events' | 'virtual-time' | 'queue-length';

/** The first limit that is exceeded, if any. */
export function exceeded(limits: RunLimits, progress: RunProgress): LimitName | undefined {
  if (progress.events > limits.maxEvents) return 'events';
  if (progress.nowUs > limits.maxVirtualUs) return 'virtual-time';
  if (progress.queueLength > limits.maxQueueLength) return 'queue-length';
  return undefined;
}

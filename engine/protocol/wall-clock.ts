/**
 * What the wall clock of a node shows (rows B13, G8; Flink: SystemClock.absoluteTimeMillis).
 *
 * The `nowUs` a handler is called with is the monotonic clock: it measures lengths (alignment, sync, async, interval, min-pause, every
 * timer). A wall clock is read only where a time was noted on another node, or is to be shown: start delay, what is left of an aligned
 * time-out, end-to-end duration, when an entry of state was last accessed (row S12). It is wrong by what the world says, may jump, and
 * decides about nothing but which entries have expired.
 */
import type { Micros } from '../foundation/time.ts';

/** The reading at this moment of the monotonic clock. */
export type WallClock = (nowUs: Micros) => Micros;

/** Shows the time itself. */
export const trueWallClock: WallClock = (nowUs) => nowUs;

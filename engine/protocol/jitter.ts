/**
 * By how much a delay is longer or shorter than it would be, so that many do not act in step (section 6.2; Flink: the random number in
 * ExponentialDelayRestartBackoffTimeStrategy). The engine draws nothing: as with the wall clock, whoever runs it says what comes out.
 */

/** Microseconds from -upToUs to upToUs, a whole number. */
export type Jitter = (upToUs: number) => number;

/** Leaves every delay as it is. */
export const noJitter: Jitter = () => 0;

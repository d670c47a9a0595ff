/**
 * What the next delay of an exponential restart strategy may be (FLIP-364; Flink: ExponentialDelayRestartBackoffTimeStrategy), counted from what the
 * history says and not from what the engine keeps.
 *
 * Owns the failures of one run under one leader. Does not own the finding (restart-delays.ts).
 *
 * I1: failures until a restart is due are one failure, and wait as long as is left;
 * I2: the delay before jitter grows from restart to restart, and begins anew behind a quiet time;
 * I3: memory is constant.
 */
import type { RestartConfiguration } from '../../engine/protocol/configuration.ts';

type Exponential = Extract<RestartConfiguration, { strategy: 'exponential-delay' }>;

/** What may be. */
export interface DelayRange {
  readonly leastUs: number;
  readonly mostUs: number;
  /** There is no restart left. */
  readonly isOver: boolean;
}

/** Days, and no jitter brings that below a maximum; times a multiplier it is a safe integer. */
const PLAIN_US_MAX = 1_000_000_000_000;

export class GrowingDelay {
  readonly #configuration: Exponential;
  /** Restarts in a row. */
  #row = 0;
  /** The last delay before jitter and maximum. */
  #plainUs = 0;
  #dueUs = 0;

  constructor(configuration: Exponential) {
    this.#configuration = configuration;
  }

  /** The job restarts `delayUs` after a failure at `atUs`. */
  next(atUs: number, delayUs: number): DelayRange {
    const { initialUs, maxUs, multiplier, jitter, resetThresholdUs, attemptsBeforeReset } = this.#configuration;
    if (this.#row > 0 && atUs <= this.#dueUs) {
      const leftUs = this.#dueUs - atUs;
      return { leastUs: leftUs, mostUs: leftUs, isOver: false };
    }
    const isInRow = this.#row > 0 && atUs < this.#dueUs + resetThresholdUs;
    const grownUs = Math.floor((this.#plainUs * multiplier.numerator) / multiplier.denominator);
    this.#plainUs = isInRow ? Math.min(grownUs, PLAIN_US_MAX) : initialUs;
    this.#row = isInRow ? this.#row + 1 : 1;
    this.#dueUs = atUs + delayUs;
    const spreadUs = jitter === undefined ? 0 : Math.floor((this.#plainUs * jitter.numerator) / jitter.denominator);
    const within = (us: number): number => Math.min(Math.max(us, initialUs), maxUs);
    return {
      leastUs: within(this.#plainUs - spreadUs),
      mostUs: within(this.#plainUs + spreadUs),
      isOver: attemptsBeforeReset > 0 && this.#row > attemptsBeforeReset,
    };
  }
}

/**
 * When a failed job is started again, and when no more (section 6.2; Flink: RestartBackoffTimeStrategy).
 *
 * Owns: the count of attempts. Does not own: restarting, and what jitter comes to (the world says). Integer arithmetic only.
 */
import { unreachable } from '../foundation/assert.ts';
import type { RestartConfiguration } from '../protocol/configuration.ts';
import { type Jitter, noJitter } from '../protocol/jitter.ts';

/** A delay grows no further: eleven days are longer than any maximum, and times a multiplier still a safe integer. */
const GROWN_US_MAX = 1_000_000_000_000;

export class RestartBackoff {
  readonly #configuration: RestartConfiguration;
  readonly #jitter: Jitter;
  #attempts = 0;
  #nextRestartUs = 0;
  /** Grown from failure to failure, before jitter and maximum. */
  #grownUs = 0;
  /** Times of the last failures, for a rate; at most one more than may be. */
  #failuresUs: readonly number[] = [];

  constructor(configuration: RestartConfiguration, jitter: Jitter = noJitter) {
    this.#configuration = configuration;
    this.#jitter = jitter;
  }

  /** Delay before the restart in microseconds; undefined when the job must fail for good. */
  onFailure(nowUs: number): number | undefined {
    const configuration = this.#configuration;
    switch (configuration.strategy) {
      case 'none':
        return undefined;
      case 'fixed-delay':
        this.#attempts += 1;
        return this.#attempts > configuration.attempts ? undefined : configuration.delayUs;
      case 'failure-rate':
        return this.#atRate(configuration, nowUs);
      case 'exponential-delay':
        return this.#exponential(configuration, nowUs);
      default:
        return unreachable(configuration);
    }
  }

  /** Failures until the restart are one failure (FLIP-364). Flink: ExponentialDelayRestartBackoffTimeStrategy. */
  #exponential(
    configuration: Extract<RestartConfiguration, { strategy: 'exponential-delay' }>,
    nowUs: number,
  ): number | undefined {
    if (this.#attempts > 0 && nowUs <= this.#nextRestartUs) return this.#nextRestartUs - nowUs;
    if (nowUs - this.#nextRestartUs >= configuration.resetThresholdUs) this.#attempts = 0;
    const { initialUs, maxUs, multiplier, jitter, attemptsBeforeReset } = configuration;
    const grownUs = Math.floor((this.#grownUs * multiplier.numerator) / multiplier.denominator);
    this.#grownUs = this.#attempts === 0 ? initialUs : Math.min(grownUs, GROWN_US_MAX);
    const spreadUs =
      jitter === undefined ? 0 : this.#jitter(Math.floor((this.#grownUs * jitter.numerator) / jitter.denominator));
    const delayUs = Math.min(Math.max(this.#grownUs + spreadUs, initialUs), maxUs);
    this.#attempts += 1;
    this.#nextRestartUs = nowUs + delayUs;
    return attemptsBeforeReset > 0 && this.#attempts > attemptsBeforeReset ? undefined : delayUs;
  }

  /** Flink: FailureRateRestartBackoffTimeStrategy. */
  #atRate(
    { maxFailures, intervalUs, delayUs }: Extract<RestartConfiguration, { strategy: 'failure-rate' }>,
    nowUs: number,
  ): number | undefined {
    this.#failuresUs = [...this.#failuresUs, nowUs].slice(-(maxFailures + 1));
    const oldestUs = this.#failuresUs[0] ?? nowUs;
    const isFull = this.#failuresUs.length > maxFailures;
    return isFull && nowUs - oldestUs <= intervalUs ? undefined : delayUs;
  }
}

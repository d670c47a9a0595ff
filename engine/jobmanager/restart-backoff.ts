/**
 * When a failed job is started again, and when no more (section 6.2; Flink: RestartBackoffTimeStrategy).
 *
 * Owns: the count of attempts. Does not own: restarting. Integer arithmetic only; jitter belongs to the world.
 */
import { unreachable } from '../foundation/assert.ts';
import type { RestartConfiguration } from '../protocol/configuration.ts';

export class RestartBackoff {
  readonly #configuration: RestartConfiguration;
  #attempts = 0;
  #nextRestartUs = 0;
  #delayUs = 0;
  /** Times of the last failures, for a rate; at most one more than may be. */
  #failuresUs: readonly number[] = [];

  constructor(configuration: RestartConfiguration) {
    this.#configuration = configuration;
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

  /** Failures until the restart are one failure (FLIP-364). */
  #exponential(
    configuration: Extract<RestartConfiguration, { strategy: 'exponential-delay' }>,
    nowUs: number,
  ): number | undefined {
    if (this.#attempts > 0 && nowUs <= this.#nextRestartUs) return this.#nextRestartUs - nowUs;
    if (nowUs - this.#nextRestartUs >= configuration.resetThresholdUs) this.#attempts = 0;
    const { numerator, denominator } = configuration.multiplier;
    this.#delayUs =
      this.#attempts === 0 ? configuration.initialUs : Math.floor((this.#delayUs * numerator) / denominator);
    this.#delayUs = Math.min(Math.max(this.#delayUs, configuration.initialUs), configuration.maxUs);
    this.#attempts += 1;
    this.#nextRestartUs = nowUs + this.#delayUs;
    const { attemptsBeforeReset } = configuration;
    return attemptsBeforeReset > 0 && this.#attempts > attemptsBeforeReset ? undefined : this.#delayUs;
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

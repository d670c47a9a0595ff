/**
 * What a job had left of its patience: failures that the restart strategy would still restart it after, failed checkpoints in a row that it
 * would still tolerate.
 *
 * Owns both counts, as the history tells them. Judges nothing: a job that gave up is the judge of progress' to find. Called by it.
 *
 * I1: a new leader counts from the beginning, as the engine does, and so does a run that is submitted; a restart that nobody failed for counts as none;
 * I2: with exponential delays there is no end to be near, unless the configuration sets one, and that is not followed here.
 */
import { CHECKPOINT_FAILURES } from '../../engine/protocol/checkpoint-failure.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { RestartCause } from '../../engine/protocol/engine-events.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { Margins } from './margins.ts';

/** Restarts that nobody failed for (I1). */
export const NO_FAILURE: ReadonlySet<RestartCause> = new Set<RestartCause>(['rescale', 'leader-change']);

export class RemainingTries {
  readonly #restart: EngineConfiguration['restart'];
  readonly #tolerable: number;
  readonly #margins: Margins | undefined;
  #epoch = 0;
  /** Times of the last failures of this leader: all that count. */
  #failuresUs: number[] = [];
  #failedCheckpoints = 0;

  constructor({ restart, checkpoint }: EngineConfiguration, margins: Margins | undefined) {
    this.#restart = restart;
    this.#tolerable = checkpoint.tolerableFailures;
    this.#margins = margins;
  }

  observe({ event, index, atUs }: HistoryEvent): void {
    if (event.kind === 'job-submitted') {
      this.#failuresUs = [];
      this.#failedCheckpoints = 0;
    } else if (event.kind === 'checkpoint-completed') this.#failedCheckpoints = 0;
    else if (event.kind === 'checkpoint-aborted') {
      if (!CHECKPOINT_FAILURES[event.reason].counted) return;
      this.#failedCheckpoints += 1;
      this.#margins?.near('progress/failed-checkpoints-left', this.#tolerable - this.#failedCheckpoints, index);
    } else if (event.kind === 'restart-scheduled' && !NO_FAILURE.has(event.cause)) {
      if (event.epoch !== this.#epoch) this.#failuresUs = [];
      this.#epoch = event.epoch;
      this.#onFailure(index, atUs);
    }
  }

  #onFailure(index: number, atUs: number): void {
    const restart = this.#restart;
    const most =
      restart.strategy === 'fixed-delay'
        ? restart.attempts
        : restart.strategy === 'failure-rate'
          ? restart.maxFailures
          : 0;
    if (most === 0) return;
    const sinceUs = restart.strategy === 'failure-rate' ? atUs - restart.intervalUs : 0;
    this.#failuresUs = [...this.#failuresUs.filter((failedUs) => failedUs >= sinceUs), atUs].slice(-most);
    this.#margins?.near('progress/restart-attempts-left', most - this.#failuresUs.length, index);
  }
}

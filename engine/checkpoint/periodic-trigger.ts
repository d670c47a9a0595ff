/**
 * The timer of periodic checkpoints (rows C3, C5; Flink: CheckpointCoordinator.ScheduledTrigger).
 *
 * Owns: when the next request is made. Does not own: whether it is granted (the request decider).
 * Invariants: I1 fixed rate: each firing plans the next one from the planned time, never into the past; I2 what was planned before a
 * stop never fires after it; I3 the base period is at least the minimum pause.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';

const TRIGGER = 'checkpoint-trigger';

export interface PeriodicTriggerOptions {
  readonly configuration: Pick<
    CheckpointConfiguration,
    'intervalUs' | 'intervalDuringBacklogUs' | 'minPauseUs' | 'timeoutUs'
  >;
  readonly parts: Pick<EngineParts, 'periodUs'>;
  /** Row C5: while a source lags far behind, checkpoints are dear and gain little. */
  readonly isProcessingBacklog: () => boolean;
  readonly fire: (nowUs: Micros, out: Out) => void;
}

export class PeriodicTrigger {
  readonly #options: PeriodicTriggerOptions;
  readonly #fire: (nowUs: Micros, out: Out) => void;
  readonly #later = new DelayedCalls();
  #nextUs = 0;
  #isActive = false;
  #startedBefore = false;

  constructor(options: PeriodicTriggerOptions) {
    this.#options = options;
    this.#fire = options.fire;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** First trigger after the interval, after a restart after min-pause (row C3, without the random part). */
  start(nowUs: Micros, out: Out): void {
    const { intervalUs, minPauseUs } = this.#options.configuration;
    if (intervalUs === 0) return;
    this.#isActive = true;
    this.rearm(nowUs, this.#startedBefore ? minPauseUs : intervalUs, out);
    this.#startedBefore = true;
  }

  stop(out: Out): void {
    this.#isActive = false;
    this.#later.cancel(TRIGGER, out);
  }

  /** The next firing comes after this time instead; later ones an interval apart. */
  rearm(nowUs: Micros, afterUs: number, out: Out): void {
    if (!this.#isActive) return;
    this.#nextUs = nowUs + afterUs;
    this.#arm(nowUs, out);
  }

  /** Row C5: only ever earlier; a longer interval is kept from the next firing on. */
  intervalChanged(nowUs: Micros, out: Out): void {
    const intervalUs = this.#intervalUs;
    if (intervalUs !== 0 && nowUs + intervalUs < this.#nextUs) this.rearm(nowUs, intervalUs, out);
  }

  /** I3; 0: none until that changes. */
  get #intervalUs(): number {
    const { configuration, isProcessingBacklog, parts } = this.#options;
    const { intervalUs: regularUs, intervalDuringBacklogUs = regularUs } = configuration;
    const intervalUs = isProcessingBacklog() ? intervalDuringBacklogUs : regularUs;
    return intervalUs === 0 ? 0 : parts.periodUs({ ...configuration, intervalUs });
  }

  /** Stands still until it is rearmed. */
  pause(out: Out): void {
    this.#later.cancel(TRIGGER, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #arm(nowUs: Micros, out: Out): void {
    this.#later.after(Math.max(0, this.#nextUs - nowUs), TRIGGER, out, (firedUs, firedOut) => {
      const intervalUs = this.#intervalUs;
      if (intervalUs === 0) {
        // Row C5: rests until the interval is one again.
        this.#nextUs = Number.POSITIVE_INFINITY;
        return;
      }
      this.#nextUs = Math.max(this.#nextUs + intervalUs, firedUs);
      this.#arm(firedUs, firedOut);
      this.#fire(firedUs, firedOut);
    });
  }
}

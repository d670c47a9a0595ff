/**
 * Whether restarts behind failures keep what their strategy says: how many there may be, how long each has to wait, and that it waits so long (row F4;
 * Flink: RestartBackoffTimeStrategy).
 *
 * Owns the newest restart of each subtask, and the times of the last ones of a leader. Called by the judge of bounds, whose findings it makes.
 *
 * I1: the newest failure of a subtask decides; what the leader before had scheduled binds nobody, nor does what a run that is over had;
 * I2: a new leader counts from the beginning, and so does a run that is submitted; a change of parallelism or of the leader is no failure;
 * I3: memory is bounded by the subtasks, and by the failures that count.
 */
import type { RestartConfiguration } from '../../engine/protocol/configuration.ts';
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import type { Findings } from './findings.ts';
import { type DelayRange, GrowingDelay } from './growing-delay.ts';
import { NO_FAILURE } from './remaining-tries.ts';
import { secondsText } from './seconds-text.ts';

export const RESTART_KINDS = ['restart-scheduled', 'task-deployed', 'job-submitted', 'leadership-acquired'] as const;

/** More attempts than these are as good as any number. */
const ATTEMPTS_COUNTED = 1_000;

export class RestartDelays {
  static readonly anomalies =
    'deployed-too-soon: a subtask is deployed again before the delay of its restart is over. restarted-beyond-attempts: the job restarts though its ' +
    'restart strategy has no restart left. delay-not-as-configured: a restart has another delay than its strategy may give it. ';
  readonly #configuration: RestartConfiguration;
  readonly #findings: Findings;
  #epoch = 0;
  /** From when the whole job may be deployed. */
  #allUs = 0;
  /** By vertex and subtask, where they restart alone. */
  readonly #dueUs = new Map<string, number>();
  /** Times of the last failures of this leader: as many as may be restarted after. */
  #failuresUs: readonly number[] = [];
  #growing: GrowingDelay | undefined;

  constructor(configuration: RestartConfiguration, findings: Findings) {
    this.#configuration = configuration;
    this.#findings = findings;
    this.#countAnew();
  }

  observe({ event, index, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'restart-scheduled':
        return this.#onRestart(event, index, atUs);
      case 'leadership-acquired':
        if (event.epoch > this.#epoch) this.#countAnew();
        this.#epoch = Math.max(this.#epoch, event.epoch);
        return this.#schedule(undefined, 0);
      case 'job-submitted':
        this.#countAnew();
        return this.#schedule(undefined, 0);
      case 'task-deployed':
        return this.#judgeDeployed(event, index, atUs);
      default:
    }
  }

  get remembered(): number {
    return this.#dueUs.size + this.#failuresUs.length;
  }

  #onRestart({ epoch, cause, delayUs, subtasks }: EventOf<'restart-scheduled'>, at: number, atUs: number): void {
    this.#schedule(subtasks, atUs + delayUs);
    if (epoch !== this.#epoch || NO_FAILURE.has(cause)) return;
    const growing = this.#growing?.next(atUs, delayUs);
    if (!this.#mayDelay(delayUs, growing))
      this.#findings.violated('delay-not-as-configured', [at], () => {
        return `A restart waits ${secondsText(delayUs)}, with the strategy ${JSON.stringify(this.#configuration)}`;
      });
    if (!this.#mayRestart(atUs) || growing?.isOver === true)
      this.#findings.violated('restarted-beyond-attempts', [at], () => {
        return `The job restarts once more, with the strategy ${JSON.stringify(this.#configuration)}`;
      });
  }

  #countAnew(): void {
    this.#failuresUs = [];
    if (this.#configuration.strategy === 'exponential-delay') this.#growing = new GrowingDelay(this.#configuration);
  }

  #mayDelay(delayUs: number, growing: DelayRange | undefined): boolean {
    const configuration = this.#configuration;
    switch (configuration.strategy) {
      case 'none':
        return false;
      case 'exponential-delay':
        return growing !== undefined && delayUs >= growing.leastUs && delayUs <= growing.mostUs;
      default:
        return delayUs === configuration.delayUs;
    }
  }

  #mayRestart(atUs: number): boolean {
    const configuration = this.#configuration;
    if (configuration.strategy !== 'fixed-delay' && configuration.strategy !== 'failure-rate') return true;
    const most = configuration.strategy === 'fixed-delay' ? configuration.attempts : configuration.maxFailures;
    if (most > ATTEMPTS_COUNTED) return true;
    const before = this.#failuresUs;
    this.#failuresUs = [...before, atUs].slice(before.length + 1 > most ? 1 : 0);
    if (before.length < most) return true;
    const [oldestUs] = before;
    return (
      configuration.strategy === 'failure-rate' && oldestUs !== undefined && atUs - oldestUs > configuration.intervalUs
    );
  }

  #judgeDeployed({ vertex, subtask, attempt }: EventOf<'task-deployed'>, at: number, atUs: number): void {
    const tooSoonUs = (this.#dueUs.get(`${vertex}/${subtask}`) ?? this.#allUs) - atUs;
    if (tooSoonUs <= 0) return;
    this.#findings.violated('deployed-too-soon', [at], () => {
      return `Attempt ${String(attempt)} is deployed ${secondsText(tooSoonUs)} before the delay of its restart is over`;
    });
  }

  #schedule(
    subtasks: readonly { readonly vertex: number; readonly subtask: number }[] | undefined,
    dueUs: number,
  ): void {
    if (subtasks !== undefined) {
      for (const { vertex, subtask } of subtasks) this.#dueUs.set(`${vertex}/${subtask}`, dueUs);
      return;
    }
    this.#allUs = dueUs;
    this.#dueUs.clear();
  }
}

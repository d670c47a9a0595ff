/**
 * When subtasks may be deployed again after a failure: the delay of their restart is to be waited for (row F4; Flink: RestartBackoffTimeStrategy).
 *
 * Owns the newest restart of each subtask. Does not own the finding (bounds.ts).
 *
 * I1: the newest failure of a subtask decides; what the leader before had scheduled binds nobody, nor does what a run that is over had;
 * I2: memory is bounded by the subtasks.
 */
import type { HistoryEvent } from '../history/history-event.ts';

export class RestartDelays {
  /** From when the whole job may be deployed. */
  #allUs = 0;
  /** By vertex and subtask, where they restart alone. */
  readonly #dueUs = new Map<string, number>();

  /** So many microseconds too soon is this deployment; 0: it is none, or in time. */
  observe({ event, atUs }: HistoryEvent): number {
    switch (event.kind) {
      case 'restart-scheduled':
        this.#schedule(event.subtasks, atUs + event.delayUs);
        return 0;
      case 'leadership-acquired':
      case 'job-submitted':
        this.#schedule(undefined, 0);
        return 0;
      case 'task-deployed':
        return Math.max(0, (this.#dueUs.get(`${event.vertex}/${event.subtask}`) ?? this.#allUs) - atUs);
      default:
        return 0;
    }
  }

  get remembered(): number {
    return this.#dueUs.size;
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

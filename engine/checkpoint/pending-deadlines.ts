/**
 * Until when a pending checkpoint may wait: for everybody, until it expires (row C29; Flink: CheckpointCanceller), and for those it was triggered at,
 * until they should have said that they heard (row C1; Flink: CheckpointCoordinator.triggerTasks, whose calls fail after `pekko.ask.timeout`).
 * Without their barriers it would wait to the end, and where the job is to stop with it, that is how long those stand still that did hear.
 *
 * Owns: the timers, who has not answered. Does not own: what a deadline leads to (the coordinator).
 * Invariants:
 *   I1 a checkpoint that expires before its triggers count as lost is not asked about, and nobody answers: it would tell nobody anything;
 *   I2 who acknowledges has heard, whatever became of the answer;
 *   I3 while the write that decides it is unanswered a checkpoint passes no deadline (row F17).
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { CheckpointLimits, EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { TriggerCheckpoint } from '../protocol/messages.ts';
import { probe } from '../protocol/probes.ts';
import type { PendingCheckpoint } from './pending-checkpoint.ts';

export type MissedDeadline = 'checkpoint-expired' | 'trigger-checkpoint-failure';
type Missed = (pending: PendingCheckpoint, reason: MissedDeadline, nowUs: Micros, out: Out) => void;

export interface PendingDeadlinesOptions {
  readonly configuration: Pick<EngineConfiguration, 'runtime'>;
  readonly limits: Pick<CheckpointLimits, 'timeoutUs' | 'savepointTimeoutUs'>;
  readonly parts: Pick<EngineParts, 'lostTrigger'>;
}

export class PendingDeadlines {
  readonly #options: PendingDeadlinesOptions;
  readonly #missed: Missed;
  readonly #later = new DelayedCalls();
  readonly #silent = new Map<CheckpointId, Set<ExecutionAttemptId>>();

  constructor(options: PendingDeadlinesOptions, missed: Missed) {
    this.#options = options;
    this.#missed = missed;
  }

  begin(pending: PendingCheckpoint, out: Out): void {
    this.#later.after(this.#timeoutUsOf(pending), `expire/${pending.checkpointId}`, out, (nowUs, lateOut) => {
      if (pending.isBeingDecided) return probe(lateOut, 'expiry-while-being-decided');
      this.#missed(pending, 'checkpoint-expired', nowUs, lateOut);
    });
  }

  /** It is triggered at these now. Answers what else the trigger says (I1). */
  triggered(
    pending: PendingCheckpoint,
    attempts: readonly ExecutionAttemptId[],
    out: Out,
  ): Pick<TriggerCheckpoint, 'isAsked'> {
    const { parts, configuration } = this.#options;
    const { askTimeoutUs = Number.POSITIVE_INFINITY } = configuration.runtime;
    if (this.#timeoutUsOf(pending) <= askTimeoutUs || parts.lostTrigger === 'unnoticed') return {};
    const { checkpointId: id } = pending;
    this.#silent.set(id, new Set(attempts));
    this.#later.after(askTimeoutUs, `ask/${id}`, out, (nowUs, lateOut) => {
      if (pending.isBeingDecided) return;
      probe(lateOut, 'trigger-unconfirmed');
      this.#missed(pending, 'trigger-checkpoint-failure', nowUs, lateOut);
    });
    return { isAsked: true };
  }

  /** I2. */
  heardFrom(id: CheckpointId, attempt: ExecutionAttemptId, out: Out): void {
    const silent = this.#silent.get(id);
    if (silent?.delete(attempt) === true && silent.size === 0) this.#forgetTriggers(id, out);
  }

  /** The checkpoint has ended, or its outcome is up to a write. */
  end(id: CheckpointId, out: Out): void {
    this.#later.cancel(`expire/${id}`, out);
    this.#forgetTriggers(id, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #forgetTriggers(id: CheckpointId, out: Out): void {
    if (this.#silent.delete(id)) this.#later.cancel(`ask/${id}`, out);
  }

  #timeoutUsOf({ isSavepoint }: PendingCheckpoint): number {
    const { savepointTimeoutUs, timeoutUs } = this.#options.limits;
    return isSavepoint ? savepointTimeoutUs : timeoutUs;
  }
}

/**
 * The life of checkpoints: request, id, trigger, acknowledge, store, complete or abort, notify (rows C1, C3, C4, C8-C16, C20,
 * C29; Flink: CheckpointCoordinator, which is one large class; here deciders, pending checkpoint, store and cleaner are apart).
 *
 * Owns: pending checkpoints and the periodic scheduler of one leader. Does not own: executions (the host), ids (the counter), the
 * durable writes (the finalizer), deletion (the cleaner).
 * Invariants:
 *   I1 an id is taken from the durable counter before anything is triggered with it (G7);
 *   I2 complete = every acknowledgement of this attempt, then durable metadata, then durable pointer, then notification (G1);
 *   I3 while the pointer write is unanswered the checkpoint is neither completed nor discarded (row F17);
 *   I4 every checkpoint that was triggered ends once: completed or aborted.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import { type CheckpointedCoordinators, NO_COORDINATORS } from '../coordination/checkpointed-coordinators.ts';
import { assert } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { CheckpointOptions } from '../protocol/checkpoint-options.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { AcknowledgeCheckpoint, DeclineCheckpoint, EngineMessage, StorageReply } from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import { CheckpointCleaner } from './checkpoint-cleaner.ts';
import { CheckpointFailureManager } from './checkpoint-failure-manager.ts';
import { CheckpointFinalizer, type FinalizerHost, type StoredCheckpoint } from './checkpoint-finalizer.ts';
import { CheckpointIdCounter } from './checkpoint-id-counter.ts';
import { type CheckpointedSubtask, type CheckpointPlan, planCheckpoint } from './checkpoint-plan.ts';
import { decideRequest } from './checkpoint-request-decider.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import { PendingCheckpoint, type SubtaskOfAttempt } from './pending-checkpoint.ts';

export interface CoordinatorHost {
  readonly jobAttempt: number;
  subtasks(): readonly CheckpointedSubtask[];
  /** Any attempt this leader ever deployed. */
  subtaskOf(attempt: ExecutionAttemptId): SubtaskOfAttempt | undefined;
  sendToTask(attempt: ExecutionAttemptId, message: EngineMessage, out: Out): void;
  tooManyFailures(nowUs: Micros, out: Out): void;
  /** Another leader moved the pointer. */
  superseded(nowUs: Micros, out: Out): void;
  /** A checkpoint of the running job has completed, or was given up. */
  checkpointEnded(isCompleted: boolean, nowUs: Micros, out: Out): void;
  /** How wide the job is deployed: part of `_metadata` (rows S3, C31). */
  deployedScale(): Pick<CheckpointMetadata, 'operators' | 'highestParallelism'>;
  /** No pointer write is unanswered any more. */
  settled(nowUs: Micros, out: Out): void;
}

export interface CoordinatorOptions {
  readonly jobId: string;
  readonly graph: Pick<JobGraph, 'edges'>;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly host: CoordinatorHost;
  readonly storage: RequestClient<StorageReply>;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  /** Operator coordinators of the job; default: none. */
  readonly coordinators?: CheckpointedCoordinators;
  /** Last id ever used and the version of the counter that says so. */
  readonly counter: { readonly value: number; readonly version: number };
}

const TRIGGER = 'checkpoint-trigger';
/** Flink: recentExpiredCheckpoints. */
const EXPIRED_REMEMBERED = 16;

export class CheckpointCoordinator {
  readonly #options: CoordinatorOptions;
  readonly #pending = new Map<CheckpointId, PendingCheckpoint>();
  readonly #failures: CheckpointFailureManager;
  readonly #cleaner: CheckpointCleaner;
  readonly #later = new DelayedCalls();
  #expired: CheckpointId[] = [];
  readonly #counter: CheckpointIdCounter;
  readonly #finalizer: CheckpointFinalizer;
  readonly #coordinators: CheckpointedCoordinators;
  #nextTriggerUs = 0;
  #lastCompletedUs: number | undefined;
  /** Changes with every start and stop: what was begun under another one is void (row C3). */
  #generation = 0;
  #isActive = false;
  #triggering = false;
  #postponed = false;
  #startedBefore = false;
  /** Whether all subtasks wait for a checkpoint taken after the end of data (row C23). */
  #final: 'none' | 'due' | 'complete' = 'none';

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#coordinators = options.coordinators ?? NO_COORDINATORS;
    const { jobId, coordination, configuration } = options;
    this.#counter = new CheckpointIdCounter({
      jobId,
      coordination,
      requestTimeoutUs: configuration.runtime.requestTimeoutUs,
      last: options.counter,
    });
    this.#finalizer = new CheckpointFinalizer({ ...options, host: this.#finalizerHost() });
    this.#failures = new CheckpointFailureManager(configuration.checkpoint.tolerableFailures);
    const root = `${configuration.checkpoint.directory}/${jobId}/`;
    this.#cleaner = new CheckpointCleaner(options.storage, root, (nowUs, out) => this.#askAgain(nowUs, out));
  }

  /** False while a pointer write is unanswered: then it is not known what the newest checkpoint is. */
  get isSettled(): boolean {
    for (const pending of this.#pending.values()) if (pending.phase === 'storing-pointer') return false;
    return true;
  }

  /** Row C4: all subtasks run. First trigger after the interval, after a restart after min-pause (row C3, without the random part). */
  start(nowUs: Micros, out: Out): void {
    const { intervalUs, minPauseUs } = this.#options.configuration.checkpoint;
    if (intervalUs === 0) return;
    this.#generation += 1;
    this.#isActive = true;
    this.#postponed = false;
    this.#nextTriggerUs = nowUs + (this.#startedBefore ? minPauseUs : intervalUs);
    this.#startedBefore = true;
    this.#armTrigger(nowUs, out);
  }

  /** Row C20: the job leaves RUNNING. Only a checkpoint whose pointer write is unanswered lives on until that is known. */
  stop(reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    this.#generation += 1;
    this.#isActive = false;
    this.#postponed = false;
    this.#final = 'none';
    this.#later.cancel(TRIGGER, out);
    this.#later.cancel('min-pause', out);
    this.#later.cancel('final', out);
    if (this.#options.parts.pendingAtRestart === 'keep') return;
    for (const pending of [...this.#pending.values()]) {
      if (pending.phase !== 'storing-pointer') this.#abort(pending, reason, nowUs, out);
    }
  }

  /** Beside the periodic ones: somebody needs a checkpoint soon (row C30). Min-pause and the like hold for it, too. */
  triggerNow(nowUs: Micros, out: Out): void {
    if (this.#options.configuration.checkpoint.intervalUs > 0) this.#request(nowUs, out);
  }

  /**
   * Row C20: some subtasks restart while the others go on, and so does the scheduler. Checkpoints that were begun with the attempts that end
   * now must not complete, but one whose pointer write is unanswered (I3): the restart waits until that is known (`isSettled`).
   */
  abortPending(ended: ReadonlySet<ExecutionAttemptId>, nowUs: Micros, out: Out): void {
    this.#final = 'none';
    this.#later.cancel('final', out);
    for (const pending of [...this.#pending.values()]) {
      if (pending.phase === 'storing-pointer') continue;
      const owes = pending.owesAny(ended);
      if (this.#options.parts.abortsAtRegionFailover({ owes })) this.#abort(pending, 'job-failover-region', nowUs, out);
    }
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#counter.handleTimer(timer, nowUs, out) ||
      this.#finalizer.handleTimer(timer, nowUs, out)
    );
  }

  acknowledge(message: AcknowledgeCheckpoint, nowUs: Micros, out: Out): void {
    const { host, parts } = this.#options;
    const pending = this.#pending.get(message.checkpointId);
    const result = pending?.acknowledge(message, host.subtaskOf(message.attempt), nowUs) ?? 'unknown';
    out.report({ kind: 'acknowledge-received', checkpointId: message.checkpointId, attempt: message.attempt, result });
    if (pending === undefined) {
      if (this.#expired.includes(message.checkpointId)) out.report({ kind: 'probe', probe: 'late-acknowledgement' });
      return;
    }
    if (result !== 'success' || !pending.isFullyAcknowledged) return;
    out.report({ kind: 'all-acknowledged', checkpointId: pending.checkpointId });
    if (parts.notifyComplete === 'when-acknowledged') this.#notifyComplete(pending, out);
    pending.phase = 'writing-metadata';
    const { triggeredAtUs } = pending;
    const metadata = {
      checkpointId: pending.checkpointId,
      jobId: this.#options.jobId,
      triggeredAtUs,
      states: pending.states(),
      ...(pending.coordinators.length === 0 ? {} : { coordinators: pending.coordinators }),
      ...host.deployedScale(),
    };
    this.#finalizer.finalize(metadata, out);
  }

  decline(message: DeclineCheckpoint, nowUs: Micros, out: Out): void {
    const { checkpointId: id, attempt, reason } = message;
    out.report({ kind: 'decline-received', checkpointId: id, attempt, reason });
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.phase !== 'collecting' || !pending.required.includes(attempt)) return;
    this.#abort(pending, reason, nowUs, out);
  }

  /** Row C21: it ended without a part in these checkpoints and will never acknowledge them. */
  taskFinished(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.awaits(attempt)) this.#abort(pending, 'checkpoint-declined-task-closing', nowUs, out);
    }
  }

  /**
   * Row C23: all subtasks have reached the end of data and wait for a checkpoint. Differs from Flink, which triggers once: one that fails
   * is tried again, and its completion is told until nobody waits for it (decision 0016).
   */
  triggerFinal(out: Out): void {
    if (!this.#isActive || this.#final !== 'none') return;
    this.#final = 'due';
    this.#requestFinal(out);
  }

  /** The final checkpoint is complete, but a subtask that still runs may not have heard of it. */
  repeatFinalNotice(out: Out): void {
    const id = this.#options.store.newest?.id;
    if (this.#final !== 'complete' || id === undefined) return;
    const { host, epoch } = this.#options;
    for (const { attempt, isFinished } of host.subtasks()) {
      if (isFinished) continue;
      host.sendToTask(attempt, { kind: 'notify-checkpoint-complete', epoch, attempt, checkpointId: id }, out);
    }
  }

  /** Deletes what the pointer does not name (row C16); after the job has ended nothing else asks for it. */
  sweep(out: Out): void {
    if (this.#cleaner.cleaning === 0) this.#cleaner.sweep(this.#options.store.pointer, out);
  }

  /* ---- request and trigger ---- */

  /** Asked for by the end of data, so the minimum pause does not hold it up; a checkpoint under way does, and its end asks again. */
  #requestFinal(out: Out): void {
    if (!this.#isActive || this.#final !== 'due') return;
    if (this.#triggering || this.#pending.size >= this.#options.configuration.checkpoint.maxConcurrent) return;
    out.report({ kind: 'probe', probe: 'final-checkpoint-requested' });
    this.#takeId(out);
  }

  #armTrigger(nowUs: Micros, out: Out): void {
    this.#later.after(Math.max(0, this.#nextTriggerUs - nowUs), TRIGGER, out, (firedUs, firedOut) => {
      const { intervalUs } = this.#options.configuration.checkpoint;
      this.#nextTriggerUs = Math.max(this.#nextTriggerUs + intervalUs, firedUs);
      this.#armTrigger(firedUs, firedOut);
      this.#request(firedUs, firedOut);
    });
  }

  #request(nowUs: Micros, out: Out): void {
    if (!this.#isActive) return;
    if (this.#triggering) {
      this.#postponed = true;
      return;
    }
    if (!this.#options.parts.mayTrigger(this.#options.host.subtasks())) {
      // Flink: NOT_ALL_REQUIRED_TASKS_RUNNING. No id is taken, and the next period asks again.
      out.report({ kind: 'probe', probe: 'trigger-not-all-required-tasks-running' });
      this.#postponed = false;
      return;
    }
    const { minPauseUs, maxConcurrent } = this.#options.configuration.checkpoint;
    const decision = decideRequest({
      nowUs,
      minPauseUs,
      lastCompletedUs: this.#lastCompletedUs,
      pending: this.#pending.size,
      maxConcurrent,
      cleaning: this.#cleaner.cleaning,
    });
    this.#postponed = decision.kind === 'postpone';
    if (decision.kind === 'wait') {
      this.#later.after(decision.afterUs, 'min-pause', out, (lateUs, lateOut) => this.#request(lateUs, lateOut));
    }
    if (decision.kind === 'trigger') this.#takeId(out);
  }

  #takeId(out: Out): void {
    this.#triggering = true;
    const generation = this.#generation;
    this.#counter.take(out, (taken, nowUs, takenOut) => {
      this.#triggering = false;
      if (taken.kind === 'taken') return this.#trigger(taken.checkpointId, generation, nowUs, takenOut);
      if (generation !== this.#generation) return;
      if (this.#failures.failed(taken.checkpointId, 'io-exception'))
        this.#options.host.tooManyFailures(nowUs, takenOut);
      else this.#askAgain(nowUs, takenOut);
    });
  }

  #trigger(id: CheckpointId, generation: number, nowUs: Micros, out: Out): void {
    const { host, epoch, configuration, parts, graph } = this.#options;
    const subtasks = host.subtasks();
    const plan = planCheckpoint(graph, subtasks, parts);
    if (generation !== this.#generation || !this.#isActive || plan === undefined) {
      out.report({ kind: 'probe', probe: 'trigger-after-job-stopped' });
      return;
    }
    const pending = new PendingCheckpoint({
      checkpointId: id,
      triggeredAtUs: nowUs,
      subtasks: plan.waitFor,
      finished: plan.finished,
      accepts: parts.acceptsAcknowledgement,
    });
    const options = optionsOf(configuration.checkpoint);
    this.#pending.set(id, pending);
    pending.isFinal = this.#final === 'due';
    this.#later.after(configuration.checkpoint.timeoutUs, `expire/${id}`, out, (lateUs, lateOut) =>
      this.#expire(pending, lateUs, lateOut),
    );
    out.report({
      kind: 'checkpoint-triggered',
      checkpointId: id,
      epoch,
      jobAttempt: host.jobAttempt,
      tasks: pending.required,
      options,
    });
    this.#triggering = true;
    pending.phase = 'triggering';
    this.#coordinators.checkpoint({ checkpointId: id, nowUs }, out, (states, doneUs, doneOut) => {
      if (this.#pending.get(id) !== pending) return;
      if (states === undefined) return this.#abort(pending, 'trigger-checkpoint-failure', doneUs, doneOut);
      this.#triggering = false;
      pending.phase = 'collecting';
      pending.coordinators = states;
      this.#triggerTasks(pending, plan, doneOut);
    });
  }

  /** Row C24: not before every event of the coordinators' time before the cut is acknowledged, so that no trigger overtakes one. */
  #triggerTasks(pending: PendingCheckpoint, plan: CheckpointPlan, out: Out): void {
    const { host, epoch, configuration } = this.#options;
    const { checkpointId: id, triggeredAtUs } = pending;
    const options = optionsOf(configuration.checkpoint);
    if (plan.trigger.some(({ isSource }) => !isSource)) out.report({ kind: 'probe', probe: 'inner-task-triggered' });
    for (const { attempt } of plan.trigger) {
      host.sendToTask(
        attempt,
        { kind: 'trigger-checkpoint', epoch, attempt, checkpointId: id, triggeredAtUs, options },
        out,
      );
    }
  }

  /** Row C29. */
  #expire(pending: PendingCheckpoint, nowUs: Micros, out: Out): void {
    if (this.#pending.get(pending.checkpointId) !== pending || pending.phase === 'storing-pointer') return;
    this.#expired = [...this.#expired, pending.checkpointId].slice(-EXPIRED_REMEMBERED);
    this.#abort(pending, 'checkpoint-expired', nowUs, out);
  }

  /* ---- end ---- */

  #finalizerHost(): FinalizerHost {
    return {
      isCurrent: (id) => this.#pending.has(id),
      metadataStored: (id, out) => {
        this.#pendingOf(id).phase = 'storing-pointer';
        this.#later.cancel(`expire/${id}`, out);
        const { parts, store, epoch } = this.#options;
        if (parts.subsume === 'before-pointer')
          this.#cleaner.sweep(store.pointerWith({ id, metadata: '' }, epoch), out);
      },
      stored: (id, stored, nowUs, out) => this.#complete(this.#pendingOf(id), stored, nowUs, out),
      failed: (id, nowUs, out) => this.#abort(this.#pendingOf(id), 'finalize-checkpoint-failure', nowUs, out),
      superseded: (nowUs, out) => this.#options.host.superseded(nowUs, out),
    };
  }

  #pendingOf(id: CheckpointId): PendingCheckpoint {
    const pending = this.#pending.get(id);
    assert(pending !== undefined, 'a checkpoint is finalized while it is pending', { id });
    return pending;
  }

  /** Row C12. */
  #complete(pending: PendingCheckpoint, stored: StoredCheckpoint, nowUs: Micros, out: Out): void {
    const { store, epoch, host, parts } = this.#options;
    const id = pending.checkpointId;
    const dropped = store.stored(stored.pointer, stored.version);
    this.#failures.succeeded(id);
    this.#lastCompletedUs = nowUs;
    this.#pending.delete(id);
    if (pending.isFinal && this.#final === 'due') this.#final = 'complete';
    out.report({
      kind: 'checkpoint-completed',
      checkpointId: id,
      epoch,
      triggeredAtUs: pending.triggeredAtUs,
      stateBytes: pending.stateBytes,
      metadataBytes: stored.metadataBytes,
      endToEndUs: pending.lastAcknowledgedUs - pending.triggeredAtUs,
    });
    for (const checkpoint of dropped) out.report({ kind: 'checkpoint-subsumed', checkpointId: checkpoint.id });
    if (parts.notifyComplete === 'when-durable') this.#notifyComplete(pending, out);
    this.#coordinators.notifyComplete(id, out);
    this.#cleaner.sweep(stored.pointer, out);
    host.settled(nowUs, out);
    this.#askAgain(nowUs, out);
    if (this.#isActive) host.checkpointEnded(true, nowUs, out);
  }

  #notifyComplete(pending: PendingCheckpoint, out: Out): void {
    const { host, epoch } = this.#options;
    const id = pending.checkpointId;
    out.report({ kind: 'notify-complete-sent', checkpointId: id, epoch });
    for (const attempt of pending.required) {
      host.sendToTask(attempt, { kind: 'notify-checkpoint-complete', epoch, attempt, checkpointId: id }, out);
    }
  }

  #abort(pending: PendingCheckpoint, reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    const { host, epoch } = this.#options;
    const id = pending.checkpointId;
    this.#pending.delete(id);
    this.#later.cancel(`expire/${id}`, out);
    this.#finalizer.forget(id, out);
    out.report({
      kind: 'checkpoint-aborted',
      checkpointId: id,
      epoch,
      triggeredAtUs: pending.triggeredAtUs,
      reason,
      acknowledged: pending.acknowledged,
      required: pending.required.length,
    });
    if (pending.phase === 'triggering') {
      this.#triggering = false;
      this.#coordinators.abortCurrentTriggering(out);
    }
    this.#coordinators.notifyAborted(id, out);
    this.#cleaner.discard(id, out);
    if (this.#isActive) {
      for (const attempt of pending.required) {
        host.sendToTask(attempt, { kind: 'notify-checkpoint-aborted', epoch, attempt, checkpointId: id }, out);
      }
    }
    if (this.#failures.failed(id, reason)) return host.tooManyFailures(nowUs, out);
    this.#askAgain(nowUs, out);
    if (this.#isActive) host.checkpointEnded(false, nowUs, out);
  }

  /** The abort and completion paths both serve a request that had to wait (A4 in bugs.md). */
  #askAgain(nowUs: Micros, out: Out): void {
    if (this.#final === 'due') {
      const delayUs = retryDelayUs(this.#options.configuration.runtime.requestTimeoutUs);
      this.#later.after(delayUs, 'final', out, (_lateUs, lateOut) => this.#requestFinal(lateOut));
    } else if (this.#postponed) this.#request(nowUs, out);
  }
}

/** How a periodic checkpoint is taken. */
function optionsOf(configuration: EngineConfiguration['checkpoint']): CheckpointOptions {
  const { mode, unaligned, alignedTimeoutUs } = configuration;
  if (mode !== 'exactly-once') return { snapshot: 'checkpoint', alignment: 'at-least-once', alignedTimeoutUs: 0 };
  if (!unaligned) return { snapshot: 'checkpoint', alignment: 'aligned', alignedTimeoutUs: 0 };
  return { snapshot: 'checkpoint', alignment: alignedTimeoutUs > 0 ? 'aligned' : 'unaligned', alignedTimeoutUs };
}

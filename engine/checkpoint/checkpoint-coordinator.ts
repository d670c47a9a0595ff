/**
 * The life of checkpoints and savepoints: request, id, trigger, acknowledge, store, complete or abort, notify (rows C1, C3, C4, C8-C16,
 * C20, C29; Flink: CheckpointCoordinator, which is one large class; here deciders, timer, pending checkpoint, store and cleaner are apart).
 *
 * Owns: pending checkpoints of one leader. Does not own: executions (the host), which request is next (the decider), ids (the counter),
 * the durable writes (the finalizer), deletion (the cleaner).
 * Invariants:
 *   I1 an id is taken from the durable counter before anything is triggered with it (G7);
 *   I2 complete = every acknowledgement of this attempt, then durable metadata, then durable pointer, then notification (G1);
 *   I3 while the write that decides is unanswered the checkpoint is neither completed nor discarded (row F17);
 *   I4 every checkpoint that was triggered ends once: completed or aborted; so does every request;
 *   I5 a checkpoint that completes ends every older pending one but savepoints; a savepoint ends none, unless the job stops with it.
 */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import { type CheckpointedCoordinators, NO_COORDINATORS } from '../coordination/checkpointed-coordinators.ts';
import { assert } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { isSavepoint, type SnapshotType } from '../protocol/checkpoint-options.ts';
import type { AcknowledgeCheckpoint, DeclineCheckpoint, TriggerConfirmed } from '../protocol/messages.ts';
import { CheckpointFiles } from './checkpoint-files.ts';
import { CheckpointFailureManager } from './checkpoint-failure-manager.ts';
import { CheckpointFinalizer, type FinalizerHost, type StoredCheckpoint } from './checkpoint-finalizer.ts';
import { CheckpointIdCounter } from './checkpoint-id-counter.ts';
import { CheckpointNotices } from './checkpoint-notices.ts';
import { type CheckpointPlan, planCheckpoint } from './checkpoint-plan.ts';
import { type CheckpointRequest, periodicRequest, type RequestEnd } from './checkpoint-request.ts';
import { CheckpointRequests, type RequestsHost, type TriggerRefusal } from './checkpoint-requests.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { FinalCheckpoint } from './final-checkpoint.ts';
import { lacksUnionOfFinished } from './finished-state.ts';
import { LateAcknowledgements } from './late-acknowledgements.ts';
import { MasterHooks } from './master-hooks.ts';
import { snapshotMasterSide } from './master-side-snapshot.ts';
import { PendingCheckpoint } from './pending-checkpoint.ts';
import { PendingDeadlines } from './pending-deadlines.ts';
import { PeriodicTrigger } from './periodic-trigger.ts';
import { locationOf, snapshotOptions } from './snapshot-options.ts';
import { probe, sometimes } from '../protocol/probes.ts';
import type { CheckpointLimits } from '../parts.ts';

export class CheckpointCoordinator {
  readonly #options: CoordinatorOptions;
  readonly #pending = new Map<CheckpointId, PendingCheckpoint>();
  readonly #requests: CheckpointRequests;
  readonly #periodic: PeriodicTrigger;
  readonly failures: CheckpointFailureManager;
  readonly files: CheckpointFiles;
  readonly #deadlines: PendingDeadlines;
  readonly #late = new LateAcknowledgements();
  readonly #counter: CheckpointIdCounter;
  readonly #finalizer: CheckpointFinalizer;
  readonly #notices: CheckpointNotices;
  readonly #coordinators: CheckpointedCoordinators;
  readonly #hooks: MasterHooks;
  readonly #final: FinalCheckpoint;
  #lastCompletedUs: number | undefined;
  /** Newest checkpoint that was subsumed; 0: none. */
  #lastSubsumedId = 0;
  /** Changes with every start and stop: what was begun under another one is void (row C3). */
  #generation = 0;
  /** Row C28: the savepoint the job stops with, when it is durable. */
  #stoppedWith: CheckpointId | undefined;
  #isStopping = false;
  /** From `start` to `stop`: all tasks are there, and want to be told. */
  #jobRuns = false;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    const { jobId, coordination, configuration } = options;
    const limits = options.parts.checkpointLimits(configuration.checkpoint);
    this.#counter = new CheckpointIdCounter({
      jobId,
      coordination,
      requestTimeoutUs: configuration.runtime.requestTimeoutUs,
      firstId: configuration.checkpoint.firstId,
      last: options.counter,
    });
    this.#requests = new CheckpointRequests(this.#counter, this.#requestsHost(limits));
    this.#periodic = new PeriodicTrigger({
      ...{ configuration: configuration.checkpoint, parts: options.parts },
      isProcessingBacklog: () => this.#coordinators.isProcessingBacklog,
      fire: (nowUs, out) => this.request(periodicRequest(nowUs), nowUs, out),
    });
    this.#finalizer = new CheckpointFinalizer({ ...options, host: this.#finalizerHost() });
    const merges = configuration.checkpoint.fileMerging !== undefined;
    this.#notices = new CheckpointNotices({
      epoch: options.epoch,
      send: (attempt, message, out) => options.host.sendToTask(attempt, message, out),
      oldestRetainedId: () => (merges ? options.store.pointer.completed[0]?.id : undefined),
    });
    this.#coordinators = options.coordinators ?? NO_COORDINATORS;
    this.#hooks = options.hooks ?? new MasterHooks();
    this.#final = new FinalCheckpoint(retryDelayUs(configuration.runtime.requestTimeoutUs), (request, nowUs, out) =>
      this.request(request, nowUs, out),
    );
    this.#deadlines = new PendingDeadlines({ ...options, limits }, (...missed) => this.#abort(...missed));
    this.failures = new CheckpointFailureManager(limits.tolerableFailures, options.parts);
    this.files = new CheckpointFiles({ ...options, cleaned: (nowUs, out) => this.#requests.askAgain(nowUs, out) });
  }

  /** Last id that was taken. */
  get lastId(): number {
    return this.#counter.last;
  }

  /** False while a write is unanswered that decides what the job may be restored from, or whether it may be restored at all. */
  get isSettled(): boolean {
    for (const pending of this.#pending.values())
      if (pending.isBeingDecided && (!pending.isSavepoint || pending.isSynchronous)) return false;
    return true;
  }

  /** Row C4: all subtasks run. */
  start(nowUs: Micros, out: Out): void {
    this.#generation += 1;
    this.#jobRuns = true;
    this.#stoppedWith = undefined;
    this.#isStopping = false;
    this.#periodic.start(nowUs, out);
  }

  /** Row C20: the job leaves RUNNING. Only what is being decided lives on until that is known. */
  stop(reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    this.#jobRuns = false;
    this.#generation += 1;
    this.#periodic.stop(out);
    this.#final.forget(out);
    if (this.#options.parts.pendingAtRestart === 'abort') this.#abortAll(reason, nowUs, out);
  }

  /** Row C28: a stop-with-savepoint begins. The tasks run on, so they are told what was aborted. */
  stopScheduler(nowUs: Micros, out: Out): void {
    this.#isStopping = true;
    this.#generation += 1;
    this.#periodic.stop(out);
    this.#final.forget(out);
    this.#abortAll('checkpoint-coordinator-suspend', nowUs, out);
  }

  /** Row C5: a source began to lag, or caught up. */
  backlogChanged(nowUs: Micros, out: Out): void {
    this.#periodic.intervalChanged(nowUs, out);
  }

  /** Beside the periodic ones: somebody needs a checkpoint soon (row C30); no minimum pause holds it up (row C2). */
  triggerNow(nowUs: Micros, out: Out): void {
    if (this.#options.configuration.checkpoint.intervalUs === 0) return;
    this.request({ ...periodicRequest(nowUs), isPeriodic: false }, nowUs, out);
  }

  /**
   * Row C20: some subtasks restart while the others go on, and so does the scheduler. Checkpoints that were begun with the attempts that end
   * now must not complete, but those that are being decided (I3): the restart waits until that is known (`isSettled`).
   */
  abortPending(ended: ReadonlySet<ExecutionAttemptId>, nowUs: Micros, out: Out): void {
    this.#final.forget(out);
    for (const pending of [...this.#pending.values()]) {
      if (this.#pending.get(pending.checkpointId) !== pending || pending.isBeingDecided) continue;
      const owes = pending.owesAny(ended);
      if (this.#options.parts.abortsAtRegionFailover({ owes })) this.#abort(pending, 'job-failover-region', nowUs, out);
    }
  }

  /** Row C21: it ended without a part in these checkpoints and will never acknowledge them. */
  taskFinished(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.awaits(attempt)) this.#abort(pending, 'checkpoint-declined-task-closing', nowUs, out);
    }
  }

  /** Row C23: all subtasks have reached the end of data and wait for a checkpoint. */
  triggerFinal(nowUs: Micros, out: Out): void {
    if (this.#periodic.isActive) this.#final.due(nowUs, out);
  }

  /** What subtasks wait for to end is complete, but one that still runs may not have heard of it (rows C23, C28). */
  repeatFinalNotice(out: Out): void {
    const id = this.#stoppedWith ?? (this.#final.isComplete ? this.#options.store.newest?.id : undefined);
    if (id === undefined || !this.#jobRuns) return;
    const running = this.#options.host.subtasks().filter(({ isFinished }) => !isFinished);
    this.#notices.repeated(id, running, this.#lastSubsumedId, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#deadlines.handleTimer(timer, nowUs, out) ||
      this.#periodic.handleTimer(timer, nowUs, out) ||
      this.#counter.handleTimer(timer, nowUs, out) ||
      this.#final.handleTimer(timer, nowUs, out) ||
      this.#finalizer.handleTimer(timer, nowUs, out)
    );
  }

  /** Row C1: the trigger arrived. */
  triggerConfirmed({ checkpointId, attempt }: TriggerConfirmed, out: Out): void {
    this.#deadlines.heardFrom(checkpointId, attempt, out);
  }

  acknowledge(message: AcknowledgeCheckpoint, nowUs: Micros, out: Out): void {
    const { host, parts, wallClock } = this.#options;
    this.#deadlines.heardFrom(message.checkpointId, message.attempt, out);
    const handles = this.files.shared.register(message, out);
    const pending = this.#pending.get(message.checkpointId);
    // The task hears which checkpoint is the newest, and builds the next one on that.
    if (handles === undefined && pending?.awaits(message.attempt) === true)
      return this.#abort(pending, 'finalize-checkpoint-failure', nowUs, out);
    if (handles === undefined) return;
    const result =
      pending?.acknowledge({ ...message, handles }, host.subtaskOf(message.attempt), wallClock(nowUs)) ?? 'unknown';
    out.report({ kind: 'acknowledge-received', checkpointId: message.checkpointId, attempt: message.attempt, result });
    sometimes(result === 'duplicate', out, 'duplicate-acknowledgement');
    if (pending === undefined) return this.#late.came(message, out);
    if (result !== 'success' || !pending.isFullyAcknowledged) return;
    const metadata = pending.metadata(this.#options.jobId, host.deployedScale());
    if (parts.unionOfFinished === 'declined' && lacksUnionOfFinished(this.#options.graph, metadata.states))
      return this.#abort(pending, 'checkpoint-declined-task-closing', nowUs, out);
    out.report({ kind: 'all-acknowledged', checkpointId: pending.checkpointId });
    if (parts.notifyComplete === 'when-acknowledged') this.#notices.complete(pending, this.#lastSubsumedId, out);
    pending.phase = 'writing-metadata';
    const { location } = pending;
    const by = pending.request.stopsJobFor;
    // What a new leader finds until the job has stopped: over, and not to be restarted from an older checkpoint (decision 0017).
    const end = by === undefined ? undefined : ({ status: 'failed', by, location } as const);
    this.#finalizer.finalize(metadata, location, end, out);
  }

  decline(message: DeclineCheckpoint, nowUs: Micros, out: Out): void {
    const { checkpointId: id, attempt, reason } = message;
    out.report({ kind: 'decline-received', checkpointId: id, attempt, reason });
    const pending = this.#pending.get(id);
    if (pending?.phase === 'collecting' && pending.required.includes(attempt))
      return this.#abort(pending, reason, nowUs, out, attempt);
    probe(out, 'decline-of-ended-checkpoint');
    if (this.#options.parts.staleDecline === 'counted')
      this.#failed({ checkpointId: undefined, snapshot: 'checkpoint', reason }, nowUs, out);
  }

  /* ---- request and trigger ---- */

  /** Row C2: from the periodic timer, or from a person. */
  request(request: CheckpointRequest, nowUs: Micros, out: Out): void {
    this.#requests.add(request, nowUs, out);
    if (this.#requests.queued > 0 && this.#options.parts.timerAtLimit === 'until-completion') this.#periodic.pause(out);
  }

  #requestsHost(limits: CheckpointLimits): RequestsHost {
    return {
      generation: () => this.#generation,
      situation: (nowUs) => ({
        nowUs,
        pending: this.#pending.size,
        cleaning: this.files.cleaning,
        limits,
        lastCompletedUs: this.#lastCompletedUs,
      }),
      refusalOf: (request) => this.#refusalOf(request),
      rejected: (request, reason, nowUs, out) => {
        request.ended?.({ kind: 'failed', reason }, nowUs, out);
        this.#failed({ checkpointId: undefined, snapshot: request.properties.snapshot, reason }, nowUs, out);
      },
      rearm: (nowUs, afterUs, out) => this.#periodic.rearm(nowUs, afterUs, out),
      trigger: (id, request, nowUs, out) => this.#trigger(id, request, nowUs, out),
    };
  }

  /** Row C1: checked when the request is chosen, and again when it has its id. */
  #refusalOf(request: CheckpointRequest): TriggerRefusal | undefined {
    // Row C28: behind the barrier of a stop no task can take another, and one that has stopped has not finished.
    if (this.#isStopping && request.stopsJobFor === undefined) return 'checkpoint-coordinator-suspend';
    if (request.isPeriodic && !this.#periodic.isActive) return 'periodic-scheduler-shutdown';
    // A job that is ending has lost some of its tasks: those that are left may all run, and are not the whole.
    return this.#jobRuns && this.#plan() !== undefined ? undefined : 'not-all-required-tasks-running';
  }

  #plan(): CheckpointPlan | undefined {
    const { graph, host, parts } = this.#options;
    return planCheckpoint(graph, host.subtasks(), parts);
  }

  #trigger(id: CheckpointId, request: CheckpointRequest, nowUs: Micros, out: Out): void {
    const { configuration, parts, jobId } = this.#options;
    const isOfUser = isSavepoint(request.properties.snapshot);
    const plan = this.#plan();
    assert(plan !== undefined, 'a checkpoint is triggered while the job can take one', { id });
    const pending = new PendingCheckpoint({
      checkpointId: id,
      triggeredAtUs: this.#options.wallClock(nowUs),
      request,
      location: locationOf({ id, jobId, isSavepoint: isOfUser }, configuration.checkpoint),
      subtasks: plan.waitFor,
      finished: plan.finished,
      accepts: parts.acceptsAcknowledgement,
    });
    sometimes(isOfUser && this.#pending.size > 0, out, 'savepoint-beside-checkpoint');
    this.#pending.set(id, pending);
    this.#deadlines.begin(pending, out);
    this.#begin(pending, plan, nowUs, out);
  }

  /** Rows C24, C25: the JobManager's own part comes first. */
  #begin(pending: PendingCheckpoint, plan: CheckpointPlan, nowUs: Micros, out: Out): void {
    const { host, epoch, configuration, store, parts } = this.#options;
    const { checkpointId: id, location, isSavepoint: isOfUser } = pending;
    const { properties } = pending.request;
    // Row C7: after a restore without claim nothing of the restored snapshot may be reused, until an own checkpoint is in the store.
    const sharing = !isOfUser && parts.isForcedFull({ ...store.run, id }) ? 'forward' : properties.sharing;
    sometimes(sharing !== properties.sharing, out, 'full-checkpoint-forced');
    const options = snapshotOptions({ ...properties, sharing }, location, configuration.checkpoint);
    out.report({
      kind: 'checkpoint-triggered',
      checkpointId: id,
      epoch,
      jobAttempt: host.jobAttempt,
      tasks: pending.required,
      options,
      ...(isOfUser ? { savepoint: location } : {}),
    });
    this.#requests.isTriggering = true;
    pending.phase = 'triggering';
    const isCurrent = (): boolean => this.#pending.get(id) === pending;
    const at = { checkpointId: id, nowUs };
    const side = { coordinators: this.#coordinators, hooks: this.#hooks, at, isCurrent };
    snapshotMasterSide(side, out, (state, doneUs, doneOut) => {
      if (state === undefined) return this.#abort(pending, 'trigger-checkpoint-failure', doneUs, doneOut);
      pending.masterSide = state;
      this.#requests.isTriggering = false;
      pending.phase = 'collecting';
      // Not before every event of the coordinators' time before the cut is acknowledged, so that no trigger overtakes one.
      if (plan.trigger.some(({ isSource }) => !isSource)) probe(doneOut, 'inner-task-triggered');
      const triggered = plan.trigger.map(({ attempt }) => attempt);
      const how = { options, ...this.#deadlines.triggered(pending, triggered, doneOut) };
      this.#notices.triggered(pending, triggered, how, doneOut);
      this.#requests.askAgain(doneUs, doneOut);
    });
  }

  /* ---- end ---- */

  #finalizerHost(): FinalizerHost {
    return {
      isCurrent: (id) => this.#pending.has(id),
      storing: (id, out) => this.#storing(this.#pendingOf(id), out),
      stored: (id, stored, nowUs, out) => this.#complete(this.#pendingOf(id), stored, nowUs, out),
      savepointStored: (id, bytes, nowUs, out) => this.#completeSavepoint(this.#pendingOf(id), bytes, nowUs, out),
      failed: (id, nowUs, out) => this.#abort(this.#pendingOf(id), 'finalize-checkpoint-failure', nowUs, out),
      superseded: (nowUs, out) => this.#options.host.superseded(nowUs, out),
    };
  }

  #storing(pending: PendingCheckpoint, out: Out): void {
    const { parts, store, epoch } = this.#options;
    const { checkpointId: id, isSavepoint: isOfUser } = pending;
    pending.phase = 'storing-pointer';
    this.#deadlines.end(id, out);
    if (parts.subsume === 'before-pointer' && !isOfUser)
      this.files.sweepEarly(store.pointerWith({ id, metadata: '' }, epoch), out);
  }

  #pendingOf(id: CheckpointId): PendingCheckpoint {
    const pending = this.#pending.get(id);
    assert(pending !== undefined, 'a checkpoint is finalized while it is pending', { id });
    return pending;
  }

  /** Row C12. */
  #complete(pending: PendingCheckpoint, stored: StoredCheckpoint, nowUs: Micros, out: Out): void {
    const { store, parts, epoch } = this.#options;
    const dropped = store.stored(stored.pointer, stored.version);
    out.report({ kind: 'checkpoint-completed', epoch, metadataBytes: stored.metadataBytes, ...pending.figures });
    for (const checkpoint of dropped) out.report({ kind: 'checkpoint-subsumed', checkpointId: checkpoint.id });
    this.#lastSubsumedId = dropped.at(-1)?.id ?? this.#lastSubsumedId;
    const { checkpointId, location } = pending;
    this.#end(pending, { kind: 'completed', checkpointId, location }, nowUs, out);
    this.#dropOlder(pending, nowUs, out);
    if (parts.notifyComplete === 'when-durable') this.#notices.complete(pending, this.#lastSubsumedId, out);
    this.#coordinators.notifyComplete(pending.checkpointId, out);
    if (parts.timerAtLimit === 'until-completion')
      this.#periodic.rearm(nowUs, this.#options.configuration.checkpoint.intervalUs, out);
    this.files.completed({ dropped, required: pending.required }, nowUs, out);
    this.#options.host.settled(nowUs, out);
    this.#requests.askAgain(nowUs, out);
    if (this.#jobRuns) this.#options.host.checkpointEnded(true, nowUs, out);
  }

  /** Row C12: not in the store, subsumes nothing, tells no task; but one the job stops with commits the sinks, so it does tell. */
  #completeSavepoint(pending: PendingCheckpoint, metadataBytes: number, nowUs: Micros, out: Out): void {
    const { checkpointId, location, isSynchronous } = pending;
    out.report({
      kind: 'savepoint-completed',
      location,
      epoch: this.#options.epoch,
      metadataBytes,
      ...pending.figures,
    });
    this.#end(pending, { kind: 'completed', checkpointId, location }, nowUs, out);
    if (this.#options.parts.completedSavepoint === 'subsumes') this.files.shared.subsumeBelow(checkpointId, out);
    if (isSynchronous) {
      this.#stoppedWith = checkpointId;
      this.#coordinators.notifyComplete(checkpointId, out);
      this.#dropOlder(pending, nowUs, out);
      this.#notices.complete(pending, this.#lastSubsumedId, out);
    }
    if (isSynchronous || !this.#jobRuns) this.#options.host.settled(nowUs, out);
    this.#requests.askAgain(nowUs, out);
  }

  /** A completion resets the failure counter and the min-pause clock, a savepoint's too. */
  #end(pending: PendingCheckpoint, end: RequestEnd, nowUs: Micros, out: Out): void {
    const id = pending.checkpointId;
    this.failures.succeeded(id);
    this.#lastCompletedUs = nowUs;
    this.#pending.delete(id);
    this.#deadlines.end(id, out);
    pending.request.ended?.(end, nowUs, out);
  }

  /** I5. The sweep that follows a completion removes their files. */
  #dropOlder(newer: PendingCheckpoint, nowUs: Micros, out: Out): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.checkpointId > newer.checkpointId || pending.isSavepoint || pending.isBeingDecided) continue;
      probe(out, 'older-pending-subsumed');
      this.#abort(pending, 'checkpoint-subsumed', nowUs, out);
    }
  }

  #abortAll(reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    this.#requests.rejectAll(reason, nowUs, out);
    for (const pending of [...this.#pending.values()])
      if (!pending.isBeingDecided) this.#abort(pending, reason, nowUs, out);
  }

  // biome-ignore lint/complexity/useMaxParams: now and out are the world
  #abort(
    pending: PendingCheckpoint,
    reason: CheckpointFailure,
    nowUs: Micros,
    out: Out,
    blamed?: ExecutionAttemptId,
  ): void {
    const { epoch } = this.#options;
    const id = pending.checkpointId;
    // Who hears of one that failed may restart the job, which ends all the others.
    if (!this.#pending.delete(id)) return;
    this.#deadlines.end(id, out);
    if (reason === 'checkpoint-expired') this.#late.expired(id);
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
      this.#requests.isTriggering = false;
      this.#coordinators.abortCurrentTriggering(out);
    }
    this.#coordinators.notifyAborted(id, out);
    this.files.aborted(pending, out);
    if (this.#jobRuns) this.#notices.aborted(pending, this.#options.store.newest?.id ?? 0, out);
    const { snapshot } = pending.request.properties;
    pending.request.ended?.({ kind: 'failed', reason }, nowUs, out);
    const hasFailedJob = this.#failed({ checkpointId: id, snapshot, reason }, nowUs, out, blamed);
    if (!hasFailedJob && this.#options.parts.timerAtLimit === 'runs-on') this.#requests.askAgain(nowUs, out);
    if (this.#jobRuns && !hasFailedJob) this.#options.host.checkpointEnded(false, nowUs, out);
  }

  /** Row C15. True when the job is failed for it. */
  #failed(
    failure: { checkpointId: number | undefined; snapshot: SnapshotType; reason: CheckpointFailure },
    nowUs: Micros,
    out: Out,
    blamed?: ExecutionAttemptId,
  ): boolean {
    if (!this.failures.failed({ ...failure, byTask: blamed !== undefined })) return false;
    probe(out, 'checkpoint-failures-fail-job');
    this.#options.host.tooManyFailures(nowUs, out, blamed);
    return true;
  }
}

/**
 * Runs the one job for one leader epoch: slots, deployment, failure, restart, restore (rows C4, C18, C20, F4, F19; Flink: JobMaster,
 * DefaultScheduler with whole-job restart).
 *
 * Owns: executions and job status. Does not own: leadership (job-manager), checkpoints (checkpoint-coordinator).
 * Invariants:
 *   I1 a new attempt is deployed only when every execution of the old one has ended or its TaskManager counts as lost;
 *   I2 it restores the newest checkpoint the durable pointer names, read after no pointer write is unanswered (row C19);
 *   I3 what an earlier attempt still says changes nothing (row G6).
 */
import {
  CheckpointCoordinator,
  type CheckpointedSubtask,
  type CoordinatorHost,
} from '../checkpoint/checkpoint-coordinator.ts';
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import type { SubtaskOfAttempt } from '../checkpoint/pending-checkpoint.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import {
  ATTEMPTS_PER_EPOCH,
  checkpointId,
  type ExecutionAttemptId,
  type LeaderEpoch,
  MAIN_MAILBOX,
  type NodeId,
  taskMailbox,
} from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineEvent, JobStatus } from '../protocol/engine-events.ts';
import type {
  AcknowledgeCheckpoint,
  CoordinationReply,
  EngineMessage,
  StorageReply,
  TaskManagerMessage,
} from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { TaskEnvironment } from '../taskmanager/task-environment.ts';
import { JobOperations, type OperatedJob } from './job-operations.ts';
import { JobRecord } from './job-record.ts';
import { type Execution, ExecutionGraph, slotsNeeded } from './execution-graph.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { RestoreReader } from './restore-reader.ts';
import { deploymentOf } from './task-deployments.ts';
import { assignSlots, TaskManagerRegistry } from './task-manager-registry.ts';

export type RestartCause = Extract<EngineEvent, { kind: 'restart-scheduled' }>['cause'];

export interface JobMasterOptions {
  readonly environment: TaskEnvironment;
  readonly epoch: LeaderEpoch;
  readonly storage: RequestClient<StorageReply>;
  readonly coordination: RequestClient<CoordinationReply>;
  readonly store: CompletedCheckpointStore;
  readonly counter: { readonly value: number; readonly version: number };
  /** How many there are in all. */
  readonly taskManagers: number;
  readonly superseded: (nowUs: Micros, out: Out) => void;
}

/** Heartbeats in a row that may miss an execution before it counts as gone: one may have been under way already. */
const MISSED_HEARTBEATS_MAX = 2;

export class JobMaster implements CoordinatorHost, OperatedJob {
  readonly #options: JobMasterOptions;
  readonly #registry = new TaskManagerRegistry();
  readonly #coordinator: CheckpointCoordinator;
  readonly operations: JobOperations;
  readonly #backoff: RestartBackoff;
  readonly #restore: RestoreReader;
  readonly #later = new DelayedCalls();
  readonly #everDeployed = new Map<ExecutionAttemptId, SubtaskOfAttempt>();
  #executions: ExecutionGraph | undefined;
  #status: JobStatus = 'created';
  #jobAttempt = 0;
  #nextAttempt: number;
  #restartAtUs = 0;
  /** When there were first enough slots. */
  #enoughSinceUs: number | undefined;
  /** What the current executions were restored from. */
  #restoredFrom: CheckpointMetadata | undefined;

  constructor(options: JobMasterOptions) {
    this.#options = options;
    this.#nextAttempt = options.epoch * ATTEMPTS_PER_EPOCH;
    this.#backoff = new RestartBackoff(options.environment.configuration.restart);
    this.#restore = new RestoreReader({
      parts: options.environment.parts,
      store: options.store,
      storage: options.storage,
      requestTimeoutUs: options.environment.configuration.runtime.requestTimeoutUs,
      ready: (nowUs, out) => this.#tryDeploy(nowUs, out),
    });
    this.#coordinator = new CheckpointCoordinator({
      jobId: options.environment.graph.jobId,
      epoch: options.epoch,
      configuration: options.environment.configuration,
      parts: options.environment.parts,
      host: this,
      storage: options.storage,
      coordination: options.coordination,
      store: options.store,
      counter: options.counter,
    });
    this.operations = this.#operations(options);
  }

  #operations({ environment, epoch, store, storage, coordination, superseded }: JobMasterOptions): JobOperations {
    const { jobId } = environment.graph;
    const { requestTimeoutUs } = environment.configuration.runtime;
    const record = new JobRecord({ jobId, coordination, requestTimeoutUs, store, superseded });
    return new JobOperations({ environment, epoch, job: this, coordinator: this.#coordinator, store, storage, record });
  }

  get status(): JobStatus {
    return this.#status;
  }

  get jobAttempt(): number {
    return this.#jobAttempt;
  }

  start(out: Out): void {
    const { ended } = this.#options.store.run;
    this.#moveTo(ended?.status ?? 'created', out);
    if (ended !== undefined) this.operations.recovered(out);
  }

  /* ---- OperatedJob ---- */

  cancel(nowUs: Micros, out: Out): void {
    this.#endWith('canceling', nowUs, out);
  }

  failForGood(nowUs: Micros, out: Out): void {
    this.#endWith('failed', nowUs, out);
  }

  ended(status: JobStatus, out: Out): void {
    if (this.#status !== status) this.#moveTo(status, out);
  }

  resubmitted(nowUs: Micros, out: Out): void {
    this.#restore.forget();
    this.#restartAtUs = nowUs;
    this.#moveTo('restarting', out);
    this.#tryDeploy(nowUs, out);
  }

  /** The tasks end and are not started again. */
  #endWith(status: 'canceling' | 'failed', nowUs: Micros, out: Out): void {
    this.#later.cancel('deployment', out);
    this.#moveTo(status, out);
    this.#coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    this.#restore.forget();
    this.#cancelAll(out);
    this.#tryEnd(out);
  }

  #tryEnd(out: Out): void {
    if (this.#status !== 'canceling' && this.#status !== 'failed') return;
    if (this.#executions?.isEmpty !== false && this.#coordinator.isSettled) this.operations.executionsGone(out);
  }

  /** Called at every heartbeat interval. */
  heartbeat(nowUs: Micros, out: Out): void {
    const { heartbeatTimeoutUs } = this.#options.environment.configuration.runtime;
    if (this.#registry.removeSilent(nowUs - heartbeatTimeoutUs).length > 0) {
      out.report({ kind: 'probe', probe: 'taskmanager-heartbeat-timeout' });
    }
    this.#endOnUnregistered(nowUs, out);
    if (this.#status !== 'created' && this.#status !== 'running') this.#cancelAll(out);
    this.#tryDeploy(nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#restore.handleTimer(timer, nowUs, out) ||
      this.operations.handleTimer(timer, nowUs, out) ||
      this.#coordinator.handleTimer(timer, nowUs, out)
    );
  }

  handle(message: TaskManagerMessage, from: NodeId, nowUs: Micros, out: Out): void {
    switch (message.kind) {
      case 'heartbeat-response':
        return this.#heartbeatResponse(message, from, nowUs, out);
      case 'task-state':
        return this.#taskState(message, from, nowUs, out);
      case 'acknowledge-checkpoint':
        this.#confirm(message, from, out);
        return this.#coordinator.acknowledge(message, nowUs, out);
      case 'decline-checkpoint':
        return this.#coordinator.decline(message, nowUs, out);
      default:
        throw new RangeError(`unknown message ${String(message satisfies never)}`);
    }
  }

  /* ---- CoordinatorHost ---- */

  subtasks(): readonly CheckpointedSubtask[] {
    return (this.#executions?.all() ?? []).map(({ attempt, vertex, subtask, isSource, state }) => ({
      attempt,
      vertex,
      subtask,
      isSource,
      isRunning: state === 'running',
    }));
  }

  subtaskOf(attempt: ExecutionAttemptId): SubtaskOfAttempt | undefined {
    return this.#everDeployed.get(attempt);
  }

  sendToTask(attempt: ExecutionAttemptId, message: EngineMessage, out: Out): void {
    const execution = this.#executions?.of(attempt);
    if (execution !== undefined)
      out.send({ node: execution.node, mailbox: taskMailbox(attempt), via: 'datagram' }, message);
  }

  tooManyFailures(nowUs: Micros, out: Out, blamed?: ExecutionAttemptId): void {
    if (blamed !== undefined && this.#executions?.of(blamed) === undefined) return;
    this.#failJob('checkpoint-failures', nowUs, out);
  }

  superseded(nowUs: Micros, out: Out): void {
    this.#options.superseded(nowUs, out);
  }

  settled(nowUs: Micros, out: Out): void {
    this.#restore.forget();
    this.#tryDeploy(nowUs, out);
    this.#tryEnd(out);
  }

  /* ---- what TaskManagers say ---- */

  #heartbeatResponse(
    message: Extract<TaskManagerMessage, { kind: 'heartbeat-response' }>,
    from: NodeId,
    nowUs: Micros,
    out: Out,
  ): void {
    const listed = new Map(message.executions.map(({ attempt, state }) => [attempt, state]));
    const { incarnation, slots } = message;
    const before = this.#registry.of(from);
    if (before !== undefined && before.incarnation > incarnation) return;
    this.#registry.heard({ node: from, incarnation, slots, heardUs: nowUs, executions: listed });
    this.#cancelUnknown(listed, from, out);
    for (const execution of this.#executions?.on(from) ?? [])
      this.#reconcile(execution, { incarnation, listed }, nowUs, out);
    this.#tryDeploy(nowUs, out);
  }

  /** Row F19 and a lost report: the list is the truth, the messages only make it quick. */
  #reconcile(
    execution: Execution,
    found: { readonly incarnation: number; readonly listed: ReadonlyMap<ExecutionAttemptId, Execution['state']> },
    nowUs: Micros,
    out: Out,
  ): void {
    if (execution.incarnation !== found.incarnation) return this.#executionGone(execution, nowUs, out);
    const state = found.listed.get(execution.attempt);
    if (state === undefined) {
      execution.missed += 1;
      if (execution.state === 'deploying' && this.#status === 'created') return this.#sendDeployment(execution, out);
      if (execution.missed >= MISSED_HEARTBEATS_MAX) this.#executionGone(execution, nowUs, out);
      return;
    }
    execution.missed = 0;
    if (state === 'failed') this.#failJob('connection-lost', nowUs, out);
    else if (state === 'running' && execution.state !== 'running') this.#running(execution, nowUs, out);
  }

  #cancelUnknown(listed: ReadonlyMap<ExecutionAttemptId, unknown>, node: NodeId, out: Out): void {
    for (const attempt of listed.keys())
      if (this.#executions?.of(attempt) === undefined) this.#cancel(attempt, node, out);
  }

  /** Row C11: it arrived; what it is worth the task need not know. */
  #confirm({ attempt, checkpointId }: AcknowledgeCheckpoint, node: NodeId, out: Out): void {
    const confirmed = { kind: 'acknowledge-confirmed', epoch: this.#options.epoch, attempt, checkpointId } as const;
    out.send({ node, mailbox: taskMailbox(attempt), via: 'datagram' }, confirmed);
  }

  #taskState(
    message: Extract<TaskManagerMessage, { kind: 'task-state' }>,
    from: NodeId,
    nowUs: Micros,
    out: Out,
  ): void {
    this.#registry.forgetBefore(from, message.incarnation);
    this.#endOnUnregistered(nowUs, out);
    const execution = this.#executions?.of(message.attempt);
    if (execution === undefined) {
      out.report({ kind: 'message-discarded', message: 'task-state', why: 'of an attempt that is not current' });
      return;
    }
    if (message.state === 'running') this.#running(execution, nowUs, out);
    if (message.state === 'failed') this.#failJob(message.failure ?? 'user-function', nowUs, out);
    if (message.state === 'canceled') this.#executionGone(execution, nowUs, out);
  }

  #running(execution: Execution, nowUs: Micros, out: Out): void {
    if (execution.state === 'running' || this.#status !== 'created') return;
    execution.state = 'running';
    if (this.#executions?.allRunning !== true) return;
    this.#later.cancel('deployment', out);
    this.#moveTo('running', out);
    this.#coordinator.start(nowUs, out);
  }

  #executionGone(execution: Execution, nowUs: Micros, out: Out): void {
    if (this.#executions?.of(execution.attempt) !== execution) return;
    this.#executions.remove(execution.attempt);
    this.#tryEnd(out);
    if (this.#status === 'restarting') this.#tryDeploy(nowUs, out);
    else this.#failJob('taskmanager-lost', nowUs, out);
  }

  /** A TaskManager that is silent, or whose former process is gone, runs nothing of ours any more. */
  #endOnUnregistered(nowUs: Micros, out: Out): void {
    for (const execution of this.#executions?.all() ?? []) {
      if (this.#registry.of(execution.node) === undefined) this.#executionGone(execution, nowUs, out);
    }
  }

  /* ---- restart ---- */

  #failJob(cause: RestartCause, nowUs: Micros, out: Out): void {
    if (this.#status !== 'created' && this.#status !== 'running') return;
    this.#later.cancel('deployment', out);
    const delayUs = this.operations.forbidsRestart ? undefined : this.#backoff.onFailure(nowUs);
    if (delayUs === undefined) return this.#endWith('failed', nowUs, out);
    this.#moveTo('restarting', out);
    this.#coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    this.#cancelAll(out);
    out.report({ kind: 'restart-scheduled', epoch: this.#options.epoch, cause, delayUs: delayUs as Micros });
    this.#restartAtUs = nowUs + delayUs;
    this.#restore.forget();
    this.#later.after(delayUs, 'restart', out, (lateUs, lateOut) => this.#tryDeploy(lateUs, lateOut));
  }

  #cancelAll(out: Out): void {
    for (const { attempt, node } of this.#executions?.all() ?? []) this.#cancel(attempt, node, out);
  }

  #cancel(attempt: ExecutionAttemptId, node: NodeId, out: Out): void {
    out.send(
      { node, mailbox: MAIN_MAILBOX, via: 'datagram' },
      { kind: 'cancel-task', epoch: this.#options.epoch, attempt },
    );
  }

  /** Row F4: everything ended, delay over, pointer known, metadata read, slots there: then deploy. */
  #tryDeploy(nowUs: Micros, out: Out): void {
    const mayStart = this.#status === 'restarting' || (this.#status === 'created' && this.#executions === undefined);
    if (!mayStart || nowUs < this.#restartAtUs || !this.#coordinator.isSettled) return;
    if (this.#executions !== undefined && !this.#executions.isEmpty) return;
    const { environment } = this.#options;
    const slots = assignSlots(this.#registry.sorted(), slotsNeeded(environment.graph.vertices));
    if (slots === undefined || this.#waitsForMore(nowUs, out)) return;
    const restore = this.#restore.choose(out);
    if (restore === undefined) return;
    this.#deploy(slots, restore.metadata, out);
  }

  /**
   * A new leader gives every TaskManager one heartbeat interval to answer before it places the job (Flink:
   * resource-stabilization-timeout), so that the first two do not get everything.
   */
  #waitsForMore(nowUs: Micros, out: Out): boolean {
    const { environment, taskManagers } = this.#options;
    if (this.#jobAttempt > 0 || this.#registry.size >= taskManagers) return false;
    const { heartbeatIntervalUs } = environment.configuration.runtime;
    if (this.#enoughSinceUs === undefined) {
      this.#enoughSinceUs = nowUs;
      this.#later.after(heartbeatIntervalUs, 'stabilize', out, (lateUs, lateOut) => this.#tryDeploy(lateUs, lateOut));
    }
    return nowUs - this.#enoughSinceUs < heartbeatIntervalUs;
  }

  #deploy(
    slots: NonNullable<ReturnType<typeof assignSlots>>,
    metadata: CheckpointMetadata | undefined,
    out: Out,
  ): void {
    const { environment, epoch } = this.#options;
    const { graph, configuration } = environment;
    this.#jobAttempt += 1;
    this.#restore.forget();
    const executions = new ExecutionGraph({ graph, slots, firstAttempt: this.#nextAttempt });
    this.#executions = executions;
    this.#moveTo('created', out);
    out.report({
      kind: 'restore-chosen',
      epoch,
      jobAttempt: this.#jobAttempt,
      checkpointId: metadata?.checkpointId ?? checkpointId(0),
    });
    this.#restoredFrom = metadata;
    for (const execution of executions.all()) {
      const { attempt, vertex, subtask, node } = execution;
      this.#nextAttempt = attempt + 1;
      this.#everDeployed.set(attempt, { attempt, vertex, subtask });
      this.#sendDeployment(execution, out);
      out.report({ kind: 'task-deployed', attempt, vertex, subtask, epoch, jobAttempt: this.#jobAttempt, node });
    }
    assert(this.#nextAttempt < (epoch + 1) * ATTEMPTS_PER_EPOCH, 'attempt ids of an epoch stay in its range');
    this.#later.after(configuration.runtime.deploymentTimeoutUs, 'deployment', out, (nowUs, lateOut) =>
      this.#failJob('deployment-timeout', nowUs, lateOut),
    );
  }

  /** Repeated while the TaskManager does not list the attempt: the message may have been lost; one too many changes nothing. */
  #sendDeployment(execution: Execution, out: Out): void {
    const { environment, epoch } = this.#options;
    const { node, incarnation } = execution;
    const executions = this.#executions;
    assert(executions !== undefined, 'what is deployed is part of the execution graph');
    const job = { graph: environment.graph, executions, restored: this.#restoredFrom };
    const deployment = deploymentOf(execution, job);
    out.send({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }, { kind: 'deploy-task', epoch, incarnation, deployment });
  }

  #moveTo(status: JobStatus, out: Out): void {
    this.#status = status;
    out.report({ kind: 'job-status', epoch: this.#options.epoch, status, jobAttempt: this.#jobAttempt });
  }
}

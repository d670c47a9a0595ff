/**
 * Runs the one job for one leader epoch: slots, deployment, failure, restart, restore (rows C4, C18, C20, F1-F5, F19; Flink: JobMaster,
 * DefaultScheduler).
 *
 * Owns: executions and job status. Does not own: leadership (job-manager), checkpoints (checkpoint-coordinator), what a failure means
 * (failure-handler), which restart is overtaken (pending-restarts), who gets which slot (slot-pool), how wide the job is (job-scaling).
 * Invariants:
 *   I1 a subtask is deployed anew only when its last attempt has ended or its TaskManager counts as lost, and with it those of all
 *      subtasks that restart with it;
 *   I2 what restarts restores the newest checkpoint the durable pointer names, read after no pointer write is unanswered (row C19): a
 *      checkpoint whose pointer write was under way when a region failed was acknowledged by all, so it is a cut the region may
 *      restart from, and must, if it became durable; every other pending one is aborted at the failure;
 *   I3 what an earlier attempt still says changes nothing (row G6);
 *   I4 the parallelism changes only where the whole job is deployed anew; a region restarts into the plan of its deployment.
 */
import { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts';
import type { CheckpointedSubtask } from '../checkpoint/checkpoint-plan.ts';
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import type { CoordinatorHost } from '../checkpoint/coordinator-host.ts';
import { finishedStateProblem } from '../checkpoint/finished-state.ts';
import type { SubtaskOfAttempt } from '../checkpoint/pending-checkpoint.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import { OperatorCoordinators } from '../coordination/operator-coordinators.ts';
import { assert } from '../foundation/assert.ts';
import {
  ATTEMPTS_PER_EPOCH,
  checkpointId,
  type ExecutionAttemptId,
  type LeaderEpoch,
  type NodeId,
  taskMailbox,
} from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import { operatorScales, slotsNeeded } from '../job/scaled-graph.ts';
import type { EndedRun } from '../protocol/job-result.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { Out } from '../protocol/actor.ts';
import type { ClientOperation } from '../protocol/client-operations.ts';
import type { EngineEvent, JobStatus, RestartCause } from '../protocol/engine-events.ts';
import type {
  AcknowledgeCheckpoint,
  EngineMessage,
  OperatorEventMessage,
  StorageReply,
  TaskManagerMessage,
} from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { TaskEnvironment } from '../taskmanager/task-environment.ts';
import { EndOfDataListener } from './end-of-data-listener.ts';
import { type Execution, ExecutionGraph } from './execution-graph.ts';
import { FailureHandler } from './failure-handler.ts';
import { reconcile } from './heartbeat-reconciliation.ts';
import { JobOperations, type OperatedJob } from './job-operations.ts';
import { JobRecord } from './job-record.ts';
import { type DeploymentPlan, JobScaling } from './job-scaling.ts';
import { PendingRestarts } from './pending-restarts.ts';
import { type ExecutionVertexId, PipelinedRegions } from './pipelined-regions.ts';
import { RestoreReader } from './restore-reader.ts';
import { type Places, SlotPool } from './slot-pool.ts';
import { TaskDeployments } from './task-deployments.ts';
import { TaskGateway } from './task-gateway.ts';

export interface JobMasterOptions {
  readonly environment: TaskEnvironment;
  readonly epoch: LeaderEpoch;
  readonly storage: RequestClient<StorageReply>;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  readonly counter: { readonly value: number; readonly version: number };
  /** How many there are in all. */
  readonly taskManagers: number;
  readonly superseded: (nowUs: Micros, out: Out) => void;
  /** The run is over, and that is durable (row F18). */
  readonly ended: (run: EndedRun, out: Out) => void;
}

type HeartbeatResponse = Extract<TaskManagerMessage, { kind: 'heartbeat-response' }>;
type TaskStateMessage = Extract<TaskManagerMessage, { kind: 'task-state' }>;
/** Nothing that happens to a task changes these. */
const ENDING: ReadonlySet<JobStatus> = new Set([
  'restarting',
  'canceling',
  'canceled',
  'failing',
  'failed',
  'finished',
]);

/** What is deployed, until the whole job is deployed anew. */
interface DeployedJob {
  readonly plan: DeploymentPlan;
  readonly regions: PipelinedRegions;
  readonly executions: ExecutionGraph;
  readonly deployments: TaskDeployments;
}

export class JobMaster implements CoordinatorHost, OperatedJob {
  readonly #options: JobMasterOptions;
  readonly #slots: SlotPool;
  readonly #gateway: TaskGateway;
  readonly #coordinator: CheckpointCoordinator;
  readonly operations: JobOperations;
  readonly #operatorCoordinators: OperatorCoordinators;
  readonly #failures: FailureHandler;
  readonly #restarts = new PendingRestarts();
  readonly #restore: RestoreReader;
  readonly #scaling: JobScaling;
  readonly #endOfDataListener: EndOfDataListener;
  readonly #later = new DelayedCalls();
  readonly #everDeployed = new Map<ExecutionAttemptId, SubtaskOfAttempt>();
  #job: DeployedJob | undefined;
  #status: JobStatus = 'created';
  #jobAttempt = 0;
  #nextAttempt: number;
  /** Of the whole job. */
  #restartAtUs = 0;
  /** When there were first enough slots. */
  #enoughSinceUs: number | undefined;

  constructor(options: JobMasterOptions) {
    const { environment, epoch, store, storage } = options;
    const { configuration, graph, parts } = environment;
    this.#options = options;
    this.#nextAttempt = epoch * ATTEMPTS_PER_EPOCH;
    this.#slots = new SlotPool(configuration.runtime.blocklist);
    this.#gateway = new TaskGateway(epoch);
    this.#failures = new FailureHandler(configuration, parts);
    this.#restore = new RestoreReader({
      parts,
      store,
      storage,
      requestTimeoutUs: configuration.runtime.requestTimeoutUs,
      ready: (nowUs, out) => this.#tryDeploy(nowUs, out),
    });
    this.#scaling = new JobScaling({
      graph,
      epoch,
      configuration,
      registers: options.coordination,
      host: {
        slots: (nowUs) => this.#slots.count(this.#executions, nowUs),
        tryDeploy: (nowUs, out) => this.#tryDeploy(nowUs, out),
        restartForRescale: (nowUs, out) => this.#restartForRescale(nowUs, out),
        triggerCheckpoint: (nowUs, out) => this.#coordinator.triggerNow(nowUs, out),
        superseded: options.superseded,
      },
    });
    this.#endOfDataListener = new EndOfDataListener(parts.endOfDataAtRestart);
    this.#operatorCoordinators = new OperatorCoordinators({
      graph,
      parts,
      epoch,
      timeoutUs: configuration.runtime.requestTimeoutUs,
      sendToTask: (attempt, message, out) => this.sendToTask(attempt, message, out),
      failTask: (attempt, nowUs, out) => {
        const execution = this.#executions?.of(attempt);
        if (execution !== undefined) this.#failed(execution, 'operator-event-lost', nowUs, out);
      },
    });
    this.#coordinator = new CheckpointCoordinator({
      jobId: graph.jobId,
      graph,
      epoch,
      configuration,
      parts,
      host: this,
      storage,
      coordination: options.coordination,
      store,
      counter: options.counter,
      coordinators: this.#operatorCoordinators,
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

  get isWhole(): boolean {
    return this.#status === 'running' && this.#executions?.allRunningOrFinished === true;
  }

  get jobAttempt(): number {
    return this.#jobAttempt;
  }

  get #executions(): ExecutionGraph | undefined {
    return this.#job?.executions;
  }

  start(out: Out): void {
    const { ended } = this.#options.store.run;
    this.#moveTo(ended?.status ?? 'created', out);
    this.#scaling.start(out);
    if (ended !== undefined) this.operations.recovered(out);
  }

  /** A client asks for another parallelism; `answered` when that is durable. */
  rescale(
    operation: Extract<ClientOperation, { kind: 'rescale' }>,
    out: Out,
    answered: (nowUs: Micros, out: Out) => void,
  ): void {
    this.#scaling.rescale(operation, out, answered);
  }

  /* ---- OperatedJob ---- */

  cancel(nowUs: Micros, out: Out): void {
    this.#endWith('canceling', nowUs, out);
  }

  failForGood(nowUs: Micros, out: Out): void {
    this.#endWith('failing', nowUs, out);
  }

  ended(run: EndedRun, out: Out): void {
    this.#job = undefined;
    this.#scaling.stopped(out);
    if (this.#status !== run.ended.status) this.#moveTo(run.ended.status, out);
    this.#options.ended(run, out);
  }

  resubmitted(nowUs: Micros, out: Out): void {
    this.#restore.forget();
    this.#restartAtUs = nowUs;
    this.#moveTo('restarting', out);
    this.#tryDeploy(nowUs, out);
  }

  /** Called at every heartbeat interval. */
  heartbeat(nowUs: Micros, out: Out): void {
    const { heartbeatTimeoutUs } = this.#options.environment.configuration.runtime;
    if (this.#slots.registry.removeSilent(nowUs - heartbeatTimeoutUs).length > 0) {
      out.report({ kind: 'probe', probe: 'taskmanager-heartbeat-timeout' });
    }
    this.#endOnUnregistered(nowUs, out);
    this.#scaling.resourcesChanged(nowUs, out);
    for (const { attempt, node, state } of this.#executions?.all() ?? []) {
      if (state === 'canceling') this.#gateway.cancel(attempt, node, out);
    }
    this.#coordinator.repeatFinalNotice(out);
    this.#tryDeploy(nowUs, out);
    this.#tryConclude(out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#restore.handleTimer(timer, nowUs, out) ||
      this.#scaling.handleTimer(timer, nowUs, out) ||
      this.operations.handleTimer(timer, nowUs, out) ||
      this.#coordinator.handleTimer(timer, nowUs, out) ||
      this.#operatorCoordinators.handleTimer(timer, nowUs, out)
    );
  }

  handle(message: TaskManagerMessage, from: NodeId, nowUs: Micros, out: Out): void {
    switch (message.kind) {
      case 'heartbeat-response':
        return this.#heartbeatResponse(message, from, nowUs, out);
      case 'task-state':
        return this.#taskState(message, from, nowUs, out);
      case 'end-of-data':
        return this.#endOfData(message.attempt, nowUs, out);
      case 'acknowledge-checkpoint':
        this.#confirm(message, from, out);
        return this.#coordinator.acknowledge(message, nowUs, out);
      case 'decline-checkpoint':
        return this.#coordinator.decline(message, nowUs, out);
      default:
        throw new RangeError(`unknown message ${String(message satisfies never)}`);
    }
  }

  /** Row C24. What an attempt says that is not current, or that is being cancelled, is neither handled nor acknowledged. */
  operatorEvent(message: OperatorEventMessage, nowUs: Micros, out: Out): void {
    const execution = this.#executions?.of(message.attempt);
    if (execution !== undefined && execution.state !== 'canceling')
      return this.#operatorCoordinators.receive(execution, message, nowUs, out);
    out.report({ kind: 'message-discarded', message: message.kind, why: 'of an attempt that is not current' });
  }

  /* ---- CoordinatorHost ---- */

  /** Those that have ended and wait to be deployed anew are among them, and do not run (A7 in bugs.md). */
  subtasks(): readonly CheckpointedSubtask[] {
    return (this.#executions?.current() ?? []).map(({ attempt, vertex, subtask, isSource, state }) => ({
      attempt,
      vertex,
      subtask,
      isSource,
      isRunning: state === 'running',
      isFinished: state === 'finished',
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
    this.#fail({ failed: this.#executions?.current() ?? [], cause: 'checkpoint-failures', isGlobal: true }, nowUs, out);
  }

  superseded(nowUs: Micros, out: Out): void {
    this.#options.superseded(nowUs, out);
  }

  checkpointEnded(isCompleted: boolean, nowUs: Micros, out: Out): void {
    this.#scaling.checkpointEnded(isCompleted, nowUs, out);
  }

  deployedScale(): Pick<CheckpointMetadata, 'operators' | 'highestParallelism'> {
    assert(this.#job !== undefined, 'a checkpoint is taken of a job that was deployed');
    const { graph, highestParallelism } = this.#job.plan;
    return { operators: operatorScales(graph), highestParallelism };
  }

  settled(nowUs: Micros, out: Out): void {
    this.#restore.forget();
    this.#tryDeploy(nowUs, out);
    this.#tryConclude(out);
  }

  /* ---- what TaskManagers say ---- */

  #heartbeatResponse(message: HeartbeatResponse, from: NodeId, nowUs: Micros, out: Out): void {
    const listed = new Map(message.executions.map((execution) => [execution.attempt, execution]));
    const { incarnation, slots } = message;
    const { registry } = this.#slots;
    const before = registry.of(from);
    if (before !== undefined && before.incarnation > incarnation) return;
    registry.heard({ node: from, incarnation, slots, heardUs: nowUs, executions: listed });
    for (const attempt of listed.keys())
      if (this.#executions?.of(attempt) === undefined) this.#gateway.cancel(attempt, from, out);
    const gone: Execution[] = [];
    const failed: Execution[] = [];
    for (const execution of this.#executions?.on(from) ?? []) {
      switch (reconcile(execution, { incarnation, listed })) {
        case 'missing':
          this.#sendDeployment(execution, out);
          break;
        case 'gone':
          gone.push(execution);
          break;
        case 'failed':
          failed.push(execution);
          break;
        case 'runs':
          this.#progressed(execution, 'running', nowUs, out);
          break;
        case 'finished':
          this.#progressed(execution, 'finished', nowUs, out);
          break;
        default:
      }
    }
    this.#lost(gone, nowUs, out);
    for (const execution of failed)
      this.#failed(execution, listed.get(execution.attempt)?.failure ?? 'user-function', nowUs, out);
    for (const { attempt, endOfData } of message.executions)
      if (endOfData === true) this.#endOfData(attempt, nowUs, out);
    this.#scaling.resourcesChanged(nowUs, out);
    this.#tryDeploy(nowUs, out);
  }

  /** Row C11: it arrived; what it is worth the task need not know. */
  #confirm({ attempt, checkpointId: id }: AcknowledgeCheckpoint, node: NodeId, out: Out): void {
    const confirmed = { kind: 'acknowledge-confirmed', epoch: this.#options.epoch, attempt, checkpointId: id } as const;
    out.send({ node, mailbox: taskMailbox(attempt), via: 'datagram' }, confirmed);
  }

  #taskState(message: TaskStateMessage, from: NodeId, nowUs: Micros, out: Out): void {
    this.#slots.registry.forgetBefore(from, message.incarnation);
    this.#endOnUnregistered(nowUs, out);
    if (message.state === 'canceled') this.#slots.registry.ended(from, message.attempt);
    const execution = this.#executions?.of(message.attempt);
    if (execution === undefined) {
      out.report({ kind: 'message-discarded', message: 'task-state', why: 'of an attempt that is not current' });
      if (message.state === 'canceled') this.#tryDeploy(nowUs, out);
      return;
    }
    if (message.state === 'running' || message.state === 'finished')
      this.#progressed(execution, message.state, nowUs, out);
    if (message.state === 'failed') this.#failed(execution, message.failure ?? 'user-function', nowUs, out);
    if (message.state === 'canceled') this.#lost([execution], nowUs, out);
  }

  /** Row C4: checkpoints begin when every subtask runs or has finished. A report of `running` may come late. */
  #progressed(execution: Execution, state: 'running' | 'finished', nowUs: Micros, out: Out): void {
    if (execution.state === state || execution.state === 'canceling' || execution.state === 'finished') return;
    execution.state = state;
    if (state === 'running') this.#operatorCoordinators.attemptReady(execution, nowUs, out);
    if (this.#executions?.allRunningOrFinished === true) {
      if (this.#status === 'running') out.report({ kind: 'probe', probe: 'region-recovered' });
      else {
        this.#moveTo('running', out);
        this.#coordinator.start(nowUs, out);
        this.#scaling.running(nowUs, out);
      }
    }
    if (state !== 'finished') return;
    this.#coordinator.taskFinished(execution.attempt, nowUs, out);
    if (this.#executions?.allFinished !== true) return;
    this.#moveTo('finished', out);
    this.#scaling.stopped(out);
    this.#coordinator.stop('checkpoint-coordinator-shutdown', nowUs, out);
    this.#tryConclude(out);
  }

  /** Row C23: when all have reached the end of data, a checkpoint is taken at once. */
  #endOfData(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void {
    const execution = this.#executions?.of(attempt);
    if (execution === undefined || this.#status !== 'running') return;
    const all = this.#executions?.current() ?? [];
    if (this.#endOfDataListener.endOfData(execution, all)) this.#coordinator.triggerFinal(nowUs, out);
  }

  /**
   * Row F18: all have finished, or ended otherwise, and no write is unanswered that decides about a checkpoint. What TaskManagers still
   * list is released by their next heartbeat.
   */
  #tryConclude(out: Out): void {
    if (!this.#coordinator.isSettled) return;
    if (this.#status === 'finished' && this.#executions !== undefined) return this.operations.jobFinished(out);
    const isEnding = this.#status === 'canceling' || this.#status === 'failing';
    if (isEnding && this.#executions?.isEmpty !== false) this.operations.executionsGone(out);
  }

  #failed(execution: Execution, cause: RestartCause, nowUs: Micros, out: Out): void {
    if (execution.state === 'canceling') return;
    this.#fail({ failed: [execution], cause, isGlobal: false }, nowUs, out);
  }

  /** A TaskManager that is silent, or whose former process is gone, runs nothing of ours any more. */
  #endOnUnregistered(nowUs: Micros, out: Out): void {
    const { registry } = this.#slots;
    const gone = (this.#executions?.all() ?? []).filter(({ node }) => registry.of(node) === undefined);
    this.#lost(gone, nowUs, out);
  }

  /**
   * They have ended. Those that nobody cancelled failed, together: the regions of all of them restart. What has finished needs its
   * TaskManager no more.
   */
  #lost(gone: readonly Execution[], nowUs: Micros, out: Out): void {
    const executions = gone.filter(({ state }) => state !== 'finished');
    if (executions.length === 0) return;
    const failed = executions.filter(({ state }) => state !== 'canceling');
    for (const { attempt } of executions) this.#executions?.remove(attempt);
    for (const node of new Set(failed.map((execution) => execution.node))) {
      if (this.#slots.failed(node, nowUs)) out.report({ kind: 'probe', probe: 'node-blocked' });
    }
    if (failed.length > 0) this.#fail({ failed, cause: 'taskmanager-lost', isGlobal: false }, nowUs, out);
    this.#tryDeploy(nowUs, out);
    this.#tryConclude(out);
  }

  /* ---- restart ---- */

  #fail(
    failure: {
      readonly failed: readonly ExecutionVertexId[];
      readonly cause: RestartCause;
      readonly isGlobal: boolean;
    },
    nowUs: Micros,
    out: Out,
  ): void {
    if (ENDING.has(this.#status)) return;
    if (this.operations.forbidsRestart) return this.failForGood(nowUs, out);
    const job = this.#job;
    assert(job !== undefined, 'what fails was deployed');
    const handling = this.#failures.handle(failure, job.regions, nowUs);
    if (handling.kind === 'fail-job') return this.failForGood(nowUs, out);
    const { scope, subtasks, delayUs } = handling;
    if (scope === 'job') return this.#restartAll(failure.cause, delayUs, nowUs, out);
    this.#restore.forget();
    const ending = subtasks.map((subtask) => job.executions.at(subtask));
    this.#restarts.schedule(subtasks, nowUs + delayUs);
    this.#reportRestart({ cause: failure.cause, delayUs: micros(delayUs), subtasks }, out);
    this.#cancel(ending, nowUs, out);
    this.#coordinator.abortPending(new Set(ending.map(({ attempt }) => attempt)), nowUs, out);
    this.#deployAfter(delayUs, nowUs, out);
  }

  /** Row F7: as after a failure, but nobody failed: no delay, and the restart strategy does not count it. */
  #restartForRescale(nowUs: Micros, out: Out): void {
    const mayRestart = this.#status === 'created' || this.#status === 'running';
    if (mayRestart && this.#job !== undefined) this.#restartAll('rescale', 0, nowUs, out);
  }

  #restartAll(cause: RestartCause, delayUs: number, nowUs: Micros, out: Out): void {
    this.#restore.forget();
    this.#moveTo('restarting', out);
    this.#scaling.stopped(out);
    this.#restarts.overtakeAll();
    this.#restartAtUs = nowUs + delayUs;
    this.#coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    this.#reportRestart({ cause, delayUs: micros(delayUs) }, out);
    this.#cancel(this.#executions?.current() ?? [], nowUs, out);
    this.#deployAfter(delayUs, nowUs, out);
  }

  #deployAfter(delayUs: number, nowUs: Micros, out: Out): void {
    this.#later.after(delayUs, `restart/${nowUs + delayUs}`, out, (lateUs, lateOut) =>
      this.#tryDeploy(lateUs, lateOut),
    );
  }

  #reportRestart(
    restart: Pick<Extract<EngineEvent, { kind: 'restart-scheduled' }>, 'cause' | 'delayUs' | 'subtasks'>,
    out: Out,
  ): void {
    out.report({ kind: 'restart-scheduled', epoch: this.#options.epoch, ...restart });
  }

  /** The tasks end and are not started again. */
  #endWith(status: 'canceling' | 'failing', nowUs: Micros, out: Out): void {
    this.#moveTo(status, out);
    this.#scaling.stopped(out);
    this.#restarts.overtakeAll();
    this.#coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    this.#restore.forget();
    this.#cancel(this.#executions?.current() ?? [], nowUs, out);
    this.#tryConclude(out);
  }

  #cancel(executions: readonly Execution[], nowUs: Micros, out: Out): void {
    for (const execution of executions) {
      this.#operatorCoordinators.attemptFailed(execution, nowUs, out);
      if (execution.state === 'canceled') continue;
      execution.state = 'canceling';
      this.#gateway.cancel(execution.attempt, execution.node, out);
    }
  }

  /** Row F4: what is to restart has ended, its delay is over, the pointer is known, metadata read, slots there: then deploy. */
  #tryDeploy(nowUs: Micros, out: Out): void {
    if (!this.#coordinator.isSettled) return;
    if (this.#status === 'created' || this.#status === 'running') this.#tryRedeploy(nowUs, out);
    const mayStart = this.#status === 'restarting' || (this.#status === 'created' && this.#executions === undefined);
    if (!mayStart || nowUs < this.#restartAtUs) return;
    if (this.#executions !== undefined && !this.#executions.isEmpty) return;
    const plan = this.#scaling.plan(nowUs, out);
    if (plan === undefined) return;
    const indices = Array.from({ length: slotsNeeded(plan.graph.vertices) }, (_, index) => index);
    const slots = this.#slots.place(indices, this.#executions, nowUs);
    if (slots === undefined || this.#waitsForMore(nowUs, out)) return;
    const restore = this.#restore.choose(out);
    if (restore === undefined) return;
    const fitted = this.#scaling.fitted(plan, restore.metadata);
    if (fitted !== undefined) return this.#deploy(fitted, slots, restore.metadata, out);
    out.report({ kind: 'probe', probe: 'restore-refused' });
    this.failForGood(nowUs, out);
  }

  /** The restarts of single regions, each on its own. */
  #tryRedeploy(nowUs: Micros, out: Out): void {
    const job = this.#job;
    if (job === undefined || this.#restarts.isEmpty) return;
    for (const subtasks of this.#restarts.due(nowUs)) {
      if (subtasks.some((subtask) => job.executions.at(subtask).state !== 'canceled')) continue;
      const indices = [...new Set(subtasks.map(({ subtask }) => subtask))];
      const slots = this.#slots.place(indices, job.executions, nowUs);
      if (slots === undefined) continue;
      const restore = this.#restore.choose(out);
      if (restore === undefined) return;
      this.#redeploy({ subtasks, slots, metadata: restore.metadata, job }, out);
    }
  }

  /**
   * A new leader gives every TaskManager one heartbeat interval to answer before it places the job (Flink:
   * resource-stabilization-timeout), so that the first two do not get everything.
   */
  #waitsForMore(nowUs: Micros, out: Out): boolean {
    const { environment, taskManagers } = this.#options;
    if (this.#scaling.isAdaptive || this.#jobAttempt > 0 || this.#slots.registry.size >= taskManagers) return false;
    const { heartbeatIntervalUs } = environment.configuration.runtime;
    if (this.#enoughSinceUs === undefined) {
      this.#enoughSinceUs = nowUs;
      this.#later.after(heartbeatIntervalUs, 'stabilize', out, (lateUs, lateOut) => this.#tryDeploy(lateUs, lateOut));
    }
    return nowUs - this.#enoughSinceUs < heartbeatIntervalUs;
  }

  #deploy(plan: DeploymentPlan, slots: Places, metadata: CheckpointMetadata | undefined, out: Out): void {
    const { environment, epoch } = this.#options;
    const { graph, scale } = plan;
    this.#jobAttempt += 1;
    this.#restore.forget();
    this.#scaling.deployed(plan);
    const executions = new ExecutionGraph({ graph, slots, firstAttempt: this.#nextAttempt, restored: metadata });
    const deployments = new TaskDeployments({ graph, scale, executions, parts: environment.parts });
    this.#job = { plan, regions: new PipelinedRegions(graph), executions, deployments };
    this.#moveTo('created', out);
    const chosen = metadata?.checkpointId ?? checkpointId(0);
    out.report({ kind: 'restore-chosen', epoch, jobAttempt: this.#jobAttempt, checkpointId: chosen });
    this.#operatorCoordinators.deployedAs(graph);
    this.#operatorCoordinators.resetToCheckpoint(metadata, out);
    this.#endOfDataListener.deployed();
    const problem = metadata === undefined ? undefined : finishedStateProblem(graph, metadata);
    assert(problem === undefined, 'a checkpoint says without contradiction who had finished', { problem });
    this.#started(executions.all(), out);
  }

  /** Row C18 (a): only what restarts is restored; the others go on with what they have. */
  #redeploy(
    restart: {
      readonly subtasks: readonly ExecutionVertexId[];
      readonly slots: Places;
      readonly metadata: CheckpointMetadata | undefined;
      readonly job: DeployedJob;
    },
    out: Out,
  ): void {
    const { subtasks, slots, metadata, job } = restart;
    this.#restore.forget();
    this.#restarts.done(subtasks);
    const deployment = { slots, firstAttempt: this.#nextAttempt, restored: metadata };
    const deployed = job.executions.deploy(subtasks, deployment);
    const restored = metadata?.checkpointId ?? checkpointId(0);
    for (const subtask of subtasks) this.#operatorCoordinators.subtaskReset(subtask, restored, out);
    out.report({
      kind: 'restore-chosen',
      epoch: this.#options.epoch,
      jobAttempt: this.#jobAttempt,
      checkpointId: restored,
      subtasks: subtasks.map(({ vertex, subtask }) => ({ vertex, subtask })),
    });
    this.#started(deployed, out);
  }

  #started(deployed: readonly Execution[], out: Out): void {
    const { environment, epoch } = this.#options;
    const { jobAttempt } = this;
    const firstAttempt = this.#nextAttempt;
    for (const execution of deployed) {
      const { attempt, vertex, subtask, node } = execution;
      this.#nextAttempt = attempt + 1;
      this.#everDeployed.set(attempt, { attempt, vertex, subtask });
      this.#sendDeployment(execution, out);
      const parallelism = this.#job?.plan.graph.vertices[vertex]?.parallelism ?? 0;
      out.report({ kind: 'task-deployed', attempt, vertex, subtask, epoch, jobAttempt, node, parallelism });
    }
    assert(this.#nextAttempt < (epoch + 1) * ATTEMPTS_PER_EPOCH, 'attempt ids of an epoch stay in its range');
    const { deploymentTimeoutUs } = environment.configuration.runtime;
    this.#later.after(deploymentTimeoutUs, `deployment/${firstAttempt}`, out, (nowUs, lateOut) => {
      const late = deployed.filter(({ state }) => state === 'deploying');
      if (late.length > 0) this.#fail({ failed: late, cause: 'deployment-timeout', isGlobal: false }, nowUs, lateOut);
    });
  }

  #sendDeployment(execution: Execution, out: Out): void {
    assert(this.#job !== undefined, 'what is deployed is part of the deployed job');
    this.#gateway.deploy(execution, this.#job.deployments, out);
  }

  #moveTo(status: JobStatus, out: Out): void {
    this.#status = status;
    out.report({ kind: 'job-status', epoch: this.#options.epoch, status, jobAttempt: this.#jobAttempt });
  }
}

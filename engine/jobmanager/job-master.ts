/**
 * Runs the one job for one leader epoch: its status, and what a failure, a wish or progress makes of it (rows C4, C18, C20, F1-F5, F19;
 * Flink: JobMaster, SchedulerBase).
 *
 * Owns: job status, cancelling, restart procedure. Does not own: leadership (job-manager), what is deployed and when (job-deployment), what
 * TaskManagers' reports mean (task-reports), checkpoints (checkpoint-coordinator), what a failure means (failure-handler), how wide the job
 * is (job-scaling).
 * Invariants:
 *   I1 what restarts restores the newest checkpoint the durable pointer names, read after no pointer write is unanswered (row C19): a
 *      checkpoint whose pointer write was under way when a region failed was acknowledged by all, so it is a cut the region may
 *      restart from, and must, if it became durable; every other pending one is aborted at the failure;
 *   I2 a job that ends, or restarts as a whole, is changed by nothing that happens to its tasks.
 */
import { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts';
import type { CheckpointedSubtask } from '../checkpoint/checkpoint-plan.ts';
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { type MasterHooks, masterHooksOf } from '../checkpoint/master-hooks.ts';
import type { CoordinatorHost } from '../checkpoint/coordinator-host.ts';
import type { SubtaskOfAttempt } from '../checkpoint/pending-checkpoint.ts';
import { OperatorCoordinators } from '../coordination/operator-coordinators.ts';
import { assert } from '../foundation/assert.ts';
import { type ExecutionAttemptId, type LeaderEpoch, taskMailbox } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import { operatorScales } from '../job/scaled-graph.ts';
import type { EndedRun } from '../protocol/job-result.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { MasterHookHost } from '../job/master-hook.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { ClientOperation } from '../protocol/client-operations.ts';
import type { EngineEvent, JobStatus, RestartCause } from '../protocol/engine-events.ts';
import type { EngineMessage, OperatorEventMessage, TaskManagerMessage } from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { TaskEnvironment } from '../taskmanager/task-environment.ts';
import { EndOfDataListener } from './end-of-data-listener.ts';
import type { Execution, ExecutionGraph } from './execution-graph.ts';
import { FailureHandler } from './failure-handler.ts';
import { JobDeployment } from './job-deployment.ts';
import { JobOperations, type OperatedJob } from './job-operations.ts';
import { JobRecord } from './job-record.ts';
import type { JobVersionsOfLeader } from './job-versions.ts';
import { JobScaling } from './job-scaling.ts';
import type { ExecutionVertexId } from './pipelined-regions.ts';
import { SlotPool } from './slot-pool.ts';
import { TaskGateway } from './task-gateway.ts';
import { TaskReports, type WhyTasksFail } from './task-reports.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { sometimes } from '../protocol/probes.ts';

export interface JobMasterOptions {
  readonly environment: TaskEnvironment;
  readonly epoch: LeaderEpoch;
  readonly storage: CheckpointStorage;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  readonly counter: { readonly value: number; readonly version: number };
  /** How many there are in all. */
  readonly taskManagers: number;
  readonly hookHost: MasterHookHost;
  readonly superseded: (nowUs: Micros, out: Out) => void;
  readonly versions: JobVersionsOfLeader;
  /** The run is over, and that is durable (row F18). */
  readonly ended: (run: EndedRun, out: Out) => void;
}

/** Nothing that happens to a task changes these. */
const ENDING: ReadonlySet<JobStatus> = new Set([
  'restarting',
  'canceling',
  'canceled',
  'failing',
  'failed',
  'finished',
]);

export class JobMaster implements CoordinatorHost, OperatedJob {
  readonly #options: JobMasterOptions;
  readonly #slots: SlotPool;
  readonly #gateway: TaskGateway;
  readonly #coordinator: CheckpointCoordinator;
  readonly operations: JobOperations;
  readonly operatorCoordinators: OperatorCoordinators;
  readonly hooks: MasterHooks;
  readonly #failures: FailureHandler;
  readonly #deployment: JobDeployment;
  readonly #reports: TaskReports;
  readonly #scaling: JobScaling;
  readonly #endOfDataListener: EndOfDataListener;
  #status: JobStatus = 'created';

  constructor(options: JobMasterOptions) {
    const { environment, epoch, store, storage } = options;
    const { configuration, graph, parts } = environment;
    const job = { graph, epoch, parts };
    this.#options = options;
    this.#slots = new SlotPool(configuration, parts);
    this.#gateway = new TaskGateway(epoch);
    this.#failures = new FailureHandler(configuration, parts, environment.jitter);
    this.#scaling = new JobScaling({
      graph,
      epoch,
      configuration,
      registers: options.coordination,
      parts,
      host: {
        slots: (nowUs) => this.#slots.count(this.#executions, nowUs),
        tryDeploy: (nowUs, out) => this.#deployment.tryDeploy(nowUs, out),
        restartForRescale: (nowUs, out) => this.#restartForRescale(nowUs, out),
        triggerCheckpoint: (nowUs, out) => this.#coordinator.triggerNow(nowUs, out),
        superseded: options.superseded,
      },
    });
    this.#endOfDataListener = new EndOfDataListener(parts.endOfDataAtRestart);
    this.operatorCoordinators = new OperatorCoordinators({
      ...job,
      host: options.hookHost,
      sendToTask: (attempt, message, out) => this.sendToTask(attempt, message, out),
      failTask: (attempt, nowUs, out) => {
        const execution = this.#executions?.of(attempt);
        if (execution !== undefined) this.#failed([execution], { cause: 'operator-event-lost' }, nowUs, out);
      },
      backlogChanged: (nowUs, out) => this.#coordinator.backlogChanged(nowUs, out),
    });
    this.hooks = masterHooksOf(graph.masterHooks ?? [], options.hookHost, parts.failedHook);
    this.#coordinator = new CheckpointCoordinator({
      hooks: this.hooks,
      jobId: graph.jobId,
      ...job,
      configuration,
      host: this,
      storage,
      coordination: options.coordination,
      store,
      counter: options.counter,
      wallClock: environment.wallClock,
      coordinators: this.operatorCoordinators,
    });
    this.#deployment = this.#newDeployment(options);
    this.#reports = this.#newReports();
    this.operations = this.#newOperations(options);
  }

  #newDeployment({ environment, epoch, store, storage, taskManagers }: JobMasterOptions): JobDeployment {
    return new JobDeployment({
      count: this.#options.versions.count,
      environment,
      epoch,
      store,
      storage,
      taskManagers,
      slots: this.#slots,
      gateway: this.#gateway,
      scaling: this.#scaling,
      coordinators: this.operatorCoordinators,
      hooks: this.hooks,
      host: {
        status: () => this.#status,
        isSettled: () => this.#coordinator.isSettled,
        deployed: (out) => {
          this.#moveTo('created', out);
          this.#endOfDataListener.deployed();
        },
        refused: (nowUs, out) => this.failForGood(nowUs, out),
        late: (executions, nowUs, out) => this.#failed(executions, { cause: 'deployment-timeout' }, nowUs, out),
      },
    });
  }

  #newReports(): TaskReports {
    return new TaskReports(this.#slots, this.#gateway, {
      executions: () => this.#executions,
      deployAgain: (execution, out) => this.#deployment.send(execution, out),
      progressed: (execution, state, nowUs, out) => this.#progressed(execution, state, nowUs, out),
      endOfData: (attempt, nowUs, out) => this.#endOfData(attempt, nowUs, out),
      failed: (executions, why, nowUs, out) => this.#failed(executions, why, nowUs, out),
      resourcesChanged: (nowUs, out) => this.#scaling.resourcesChanged(nowUs, out),
      tryDeploy: (nowUs, out) => this.#deployment.tryDeploy(nowUs, out),
      tryConclude: (out) => this.#tryConclude(out),
    });
  }

  #newOperations({ environment, store, coordination, superseded }: JobMasterOptions): JobOperations {
    const { requestTimeoutUs } = environment.configuration.runtime;
    const record = new JobRecord({ jobId: environment.graph.jobId, coordination, requestTimeoutUs, store, superseded });
    return new JobOperations({ ...this.#options, record, job: this, coordinator: this.#coordinator });
  }

  get status(): JobStatus {
    return this.#status;
  }

  get isWhole(): boolean {
    return this.#status === 'running' && this.#executions?.allRunningOrFinished === true;
  }

  get jobAttempt(): number {
    return this.#deployment.jobAttempt;
  }

  get #executions(): ExecutionGraph | undefined {
    return this.#deployment.executions;
  }

  start(out: Out): void {
    this.#moveTo(this.#options.store.run.ended?.status ?? 'created', out);
    this.#scaling.start(out);
    this.operations.recovered(out);
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
    this.#deployment.ended();
    this.#scaling.stopped(out);
    if (this.#status !== run.ended.status) this.#moveTo(run.ended.status, out);
    this.#options.ended(run, out);
  }

  resubmitted(nowUs: Micros, out: Out): void {
    this.#failures.runBegins();
    this.#deployment.scheduleJob(nowUs);
    this.#moveTo('restarting', out);
    this.#deployment.tryDeploy(nowUs, out);
  }

  /** Called at every heartbeat interval. */
  heartbeat(nowUs: Micros, out: Out): void {
    const { heartbeatTimeoutUs } = this.#options.environment.configuration.runtime;
    this.#reports.removeSilent(nowUs - heartbeatTimeoutUs, nowUs, out);
    this.#scaling.resourcesChanged(nowUs, out);
    for (const { attempt, node, state } of this.#executions?.all() ?? []) {
      if (state === 'canceling') this.#gateway.cancel(attempt, node, out);
    }
    this.#coordinator.repeatFinalNotice(out);
    this.#deployment.tryDeploy(nowUs, out);
    this.#tryConclude(out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#deployment.handleTimer(timer, nowUs, out) ||
      this.#scaling.handleTimer(timer, nowUs, out) ||
      this.operations.handleTimer(timer, nowUs, out) ||
      this.#coordinator.handleTimer(timer, nowUs, out) ||
      this.operatorCoordinators.handleTimer(timer, nowUs, out) ||
      this.hooks.handleTimer(timer, nowUs, out)
    );
  }

  handle(message: TaskManagerMessage, from: Target, nowUs: Micros, out: Out): void {
    switch (message.kind) {
      case 'heartbeat-response':
        return this.#reports.heartbeatResponse(message, from.node, nowUs, out);
      case 'task-state':
        return this.#reports.taskState(message, from.node, nowUs, out);
      case 'end-of-data':
        return this.#endOfData(message.attempt, nowUs, out);
      case 'trigger-confirmed':
        return this.#coordinator.triggerConfirmed(message, out);
      case 'acknowledge-checkpoint':
        this.#gateway.confirm(message, from, out);
        return this.#coordinator.acknowledge(message, nowUs, out);
      case 'decline-checkpoint':
        this.#gateway.confirm(message, from, out);
        return this.#coordinator.decline(message, nowUs, out);
      default:
        throw new RangeError(`unknown message ${String(message satisfies never)}`);
    }
  }

  /** Row C24. What an attempt says that is not current, or that is being cancelled, is neither handled nor acknowledged. */
  operatorEvent(message: OperatorEventMessage, nowUs: Micros, out: Out): void {
    const execution = this.#executions?.of(message.attempt);
    if (execution !== undefined && execution.state !== 'canceling')
      return this.operatorCoordinators.receive(execution, message, nowUs, out);
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
    return this.#deployment.subtaskOf(attempt);
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

  deployedScale(): Pick<CheckpointMetadata, 'operators' | 'highestParallelism' | 'backend'> {
    const { job } = this.#deployment;
    assert(job !== undefined, 'a checkpoint is taken of a job that was deployed');
    const { graph, highestParallelism } = job.plan;
    const { store, environment } = this.#options;
    const backend = store.run.backend ?? environment.configuration.checkpoint.backend;
    return { operators: operatorScales(graph), highestParallelism, backend };
  }

  settled(nowUs: Micros, out: Out): void {
    this.#deployment.chooseAnew();
    this.#deployment.tryDeploy(nowUs, out);
    this.#tryConclude(out);
  }

  /* ---- what TaskManagers say ---- */

  /** Row C4: checkpoints begin when every subtask runs or has finished. A report of `running` may come late. */
  #progressed(execution: Execution, state: 'running' | 'finished', nowUs: Micros, out: Out): void {
    if (execution.state === state || execution.state === 'canceling' || execution.state === 'finished') return;
    execution.state = state;
    if (state === 'running') this.operatorCoordinators.attemptReady(execution, nowUs, out);
    if (this.#executions?.allRunningOrFinished === true) {
      sometimes(this.#status === 'running', out, 'region-recovered');
      if (this.#status !== 'running') {
        this.#moveTo('running', out);
        this.#coordinator.start(nowUs, out);
        this.#scaling.running(nowUs, out);
      }
    }
    if (state !== 'finished') return this.#triggerFinalIfDue(nowUs, out);
    this.operatorCoordinators.attemptFinished(execution, nowUs, out);
    this.#coordinator.taskFinished(execution.attempt, nowUs, out);
    if (this.#executions?.allFinished !== true) return this.#triggerFinalIfDue(nowUs, out);
    this.#moveTo('finished', out);
    this.#scaling.stopped(out);
    this.#coordinator.stop('checkpoint-coordinator-shutdown', nowUs, out);
    this.#tryConclude(out);
  }

  /** Row C23: when all have reached the end of data, a checkpoint is taken at once. */
  #endOfData(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void {
    const execution = this.#executions?.of(attempt);
    if (execution === undefined) return;
    this.#endOfDataListener.endOfData(execution);
    this.#triggerFinalIfDue(nowUs, out);
  }

  #triggerFinalIfDue(nowUs: Micros, out: Out): void {
    if (this.#status !== 'running') return;
    const all = this.#executions?.current() ?? [];
    if (this.#endOfDataListener.isReachedByAll(all)) this.#coordinator.triggerFinal(nowUs, out);
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

  /** What is being cancelled does not fail, and what has finished has heard all that concerned it. */
  #failed(executions: readonly Execution[], why: WhyTasksFail, nowUs: Micros, out: Out): void {
    const failed = executions.filter(({ state }) => state !== 'canceling' && state !== 'finished');
    if (failed.length > 0) this.#fail({ ...why, failed, isGlobal: false }, nowUs, out);
  }

  /* ---- restart ---- */

  #fail(
    failure: WhyTasksFail & { readonly failed: readonly ExecutionVertexId[]; readonly isGlobal: boolean },
    nowUs: Micros,
    out: Out,
  ): void {
    if (ENDING.has(this.#status)) return;
    if (this.operations.forbidsRestart) return this.#failBecause(failure, nowUs, out);
    const { job } = this.#deployment;
    assert(job !== undefined, 'what fails was deployed');
    const failed = this.#deployment.concernedBy(failure.failed);
    const handling = this.#failures.handle({ ...failure, failed }, job.regions, nowUs);
    if (handling.kind === 'fail-job') return this.#failBecause(failure, nowUs, out);
    const { scope, subtasks, delayUs } = handling;
    if (scope === 'job') return this.#restartAll(failure.cause, delayUs, nowUs, out);
    const ending = subtasks.map((subtask) => job.executions.at(subtask));
    this.#deployment.scheduleSubtasks(subtasks, nowUs + delayUs, out);
    this.#reportRestart({ cause: failure.cause, delayUs: micros(delayUs), subtasks }, out);
    this.#cancel(ending, nowUs, out);
    this.#coordinator.abortPending(new Set(ending.map(({ attempt }) => attempt)), nowUs, out);
    this.#deployment.deployAfter(delayUs, nowUs, out);
  }

  /** Only what ends the job is told: what a restart mended is of no concern. */
  #failBecause({ reason }: WhyTasksFail, nowUs: Micros, out: Out): void {
    if (reason !== undefined) this.operations.failsBecause(reason);
    this.failForGood(nowUs, out);
  }

  /** Row F7: as after a failure, but nobody failed: no delay, and the restart strategy does not count it. */
  /** Not while it finishes with a durable savepoint: what is older must not be restored any more. The next run will be as wide as asked. */
  #restartForRescale(nowUs: Micros, out: Out): void {
    if (ENDING.has(this.#status) || this.operations.forbidsRestart || this.#deployment.job === undefined) return;
    this.#restartAll('rescale', 0, nowUs, out);
  }

  #restartAll(cause: RestartCause, delayUs: number, nowUs: Micros, out: Out): void {
    this.#deployment.scheduleJob(nowUs + delayUs);
    this.#moveTo('restarting', out);
    this.#scaling.stopped(out);
    this.#coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    this.#reportRestart({ cause, delayUs: micros(delayUs) }, out);
    this.#cancel(this.#executions?.current() ?? [], nowUs, out);
    this.#deployment.deployAfter(delayUs, nowUs, out);
  }

  #reportRestart(
    restart: Pick<Extract<EngineEvent, { kind: 'restart-scheduled' }>, 'cause' | 'delayUs' | 'subtasks'>,
    out: Out,
  ): void {
    out.report({ kind: 'restart-scheduled', epoch: this.#options.epoch, ...restart });
  }

  /** The tasks end and are not started again. */
  #endWith(status: 'canceling' | 'failing', nowUs: Micros, out: Out): void {
    sometimes(status === 'failing', out, 'job-failed-for-good');
    this.#moveTo(status, out);
    this.#scaling.stopped(out);
    this.#deployment.unschedule();
    this.#coordinator.stop('checkpoint-coordinator-suspend', nowUs, out);
    this.#cancel(this.#executions?.current() ?? [], nowUs, out);
    this.#tryConclude(out);
  }

  #cancel(executions: readonly Execution[], nowUs: Micros, out: Out): void {
    for (const execution of executions) {
      this.operatorCoordinators.attemptFailed(execution, nowUs, out);
      if (execution.state === 'canceled') continue;
      execution.state = 'canceling';
      this.#gateway.cancel(execution.attempt, execution.node, out);
    }
  }

  #moveTo(status: JobStatus, out: Out): void {
    this.#status = status;
    out.report({ kind: 'job-status', epoch: this.#options.epoch, status, jobAttempt: this.jobAttempt });
  }
}

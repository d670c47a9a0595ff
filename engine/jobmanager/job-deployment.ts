/**
 * When the job, or a part of it, is deployed, and as what (rows C18, F4, F5; Flink: DefaultScheduler.restartTasks, DefaultExecutionDeployer).
 *
 * Owns: what is deployed now, attempt ids, restarts that wait for their time, the choice of what is restored. Does not own: job status and
 * whether to restart at all (the job master), which restart is overtaken (pending-restarts), who gets which slot (slot-pool), how wide the
 * job is (job-scaling).
 * Invariants:
 *   I1 a subtask is deployed anew only when its last attempt has ended or its TaskManager counts as lost, and with it those of all
 *      subtasks that restart with it;
 *   I2 nothing is deployed while a write is unanswered that decides about a checkpoint (row C19);
 *   I3 the parallelism changes only where the whole job is deployed anew; a region restarts into the plan of its deployment.
 */
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { finishedStateProblem } from '../checkpoint/finished-state.ts';
import type { SubtaskOfAttempt } from '../checkpoint/pending-checkpoint.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { MasterHooks } from '../checkpoint/master-hooks.ts';
import type { OperatorCoordinators } from '../coordination/operator-coordinators.ts';
import { assert } from '../foundation/assert.ts';
import { ATTEMPTS_PER_EPOCH, checkpointId, type ExecutionAttemptId, type LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { JobGraph } from '../job/job-graph.ts';
import { operatorScales, slotsNeeded } from '../job/scaled-graph.ts';
import type { Out } from '../protocol/actor.ts';
import type { JobStatus } from '../protocol/engine-events.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { StateHandle } from '../protocol/state-handle.ts';
import type { TaskEnvironment } from '../taskmanager/task-environment.ts';
import { type Execution, ExecutionGraph } from './execution-graph.ts';
import type { DeploymentPlan, JobScaling } from './job-scaling.ts';
import type { DeploymentCount } from './job-versions.ts';
import { PendingRestarts } from './pending-restarts.ts';
import { type ExecutionVertexId, PipelinedRegions } from './pipelined-regions.ts';
import { RestoreReader } from './restore-reader.ts';
import type { Places, SlotPool } from './slot-pool.ts';
import { TaskDeployments } from './task-deployments.ts';
import type { TaskGateway } from './task-gateway.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { probe, sometimes } from '../protocol/probes.ts';

/** What a deployment asks of the job master. */
export interface DeploymentHost {
  status(): JobStatus;
  /** False while a write is unanswered that decides what the job may be restored from. */
  isSettled(): boolean;
  /** The whole job was deployed anew. */
  deployed(out: Out): void;
  /** What there is to restore does not fit the job. */
  refused(nowUs: Micros, out: Out): void;
  /** They did not begin to run in time. */
  late(executions: readonly Execution[], nowUs: Micros, out: Out): void;
}

export interface JobDeploymentOptions {
  readonly environment: TaskEnvironment;
  readonly epoch: LeaderEpoch;
  readonly store: CompletedCheckpointStore;
  readonly storage: CheckpointStorage;
  /** How many there are in all. */
  readonly taskManagers: number;
  readonly slots: SlotPool;
  readonly gateway: TaskGateway;
  readonly scaling: JobScaling;
  readonly coordinators: OperatorCoordinators;
  readonly hooks: MasterHooks;
  readonly host: DeploymentHost;
  /** Of the leader. */
  readonly count: DeploymentCount;
}

/** What is deployed, until the whole job is deployed anew. */
export interface DeployedJob {
  readonly plan: DeploymentPlan;
  readonly regions: PipelinedRegions;
  readonly executions: ExecutionGraph;
  readonly deployments: TaskDeployments;
}

/** Of a subtask that was stopped and is not started again yet. */
const RESTARTING: ReadonlySet<Execution['state']> = new Set<Execution['state']>(['canceling', 'canceled']);

export class JobDeployment {
  readonly #options: JobDeploymentOptions;
  readonly #restarts = new PendingRestarts();
  readonly #restore: RestoreReader;
  readonly #later = new DelayedCalls();
  readonly #everDeployed = new Map<ExecutionAttemptId, SubtaskOfAttempt>();
  #job: DeployedJob | undefined;
  readonly #count: DeploymentCount;
  /** What they are to failures (row F1). */
  readonly #edges: 'pipelined' | 'approximate';
  /** Of the whole job. */
  #restartAtUs = 0;
  /** When there were first enough slots. */
  #enoughSinceUs: number | undefined;

  constructor(options: JobDeploymentOptions) {
    const { environment, store, storage } = options;
    this.#options = options;
    this.#count = options.count;
    const { failoverStrategy } = environment.configuration.runtime;
    this.#edges = failoverStrategy === 'approximate' ? 'approximate' : 'pipelined';
    this.#restore = new RestoreReader({
      parts: environment.parts,
      store,
      storage,
      requestTimeoutUs: environment.configuration.runtime.requestTimeoutUs,
      ready: (nowUs, out) => this.tryDeploy(nowUs, out),
    });
  }

  get job(): DeployedJob | undefined {
    return this.#job;
  }

  get executions(): ExecutionGraph | undefined {
    return this.#job?.executions;
  }

  /** How often the whole job was deployed. */
  get jobAttempt(): number {
    return this.#count.jobAttempt;
  }

  /** Any attempt this leader ever deployed. */
  subtaskOf(attempt: ExecutionAttemptId): SubtaskOfAttempt | undefined {
    return this.#everDeployed.get(attempt);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#restore.handleTimer(timer, nowUs, out);
  }

  /* ---- what is to be deployed, and when ---- */

  /**
   * What a failure concerns. Regions that read from each other must not be deployed one by one, a consumer before its producer: where there
   * are such, whatever waits for its restart is part of the failure.
   */
  concernedBy(failed: readonly ExecutionVertexId[]): readonly ExecutionVertexId[] {
    if (this.#edges === 'pipelined') return failed;
    return [...failed, ...(this.executions?.current() ?? []).filter(({ state }) => RESTARTING.has(state))];
  }

  /** These subtasks restart, not before `atUs`. */
  scheduleSubtasks(subtasks: readonly ExecutionVertexId[], atUs: number, out: Out): void {
    const isRestarting = (subtask: ExecutionVertexId): boolean =>
      RESTARTING.has(this.#job?.executions.at(subtask).state ?? 'running');
    sometimes(subtasks.some(isRestarting), out, 'failure-while-region-restarts');
    this.#restore.forget();
    this.#restarts.schedule(subtasks, atUs);
  }

  /** The whole job restarts, not before `atUs`. */
  scheduleJob(atUs: number): void {
    this.unschedule();
    this.#restartAtUs = atUs;
  }

  #isDelayed(nowUs: Micros): boolean {
    return nowUs < this.#restartAtUs && this.#options.environment.parts.restartDelay === 'waited-for';
  }

  /** No restart that waits takes place. */
  unschedule(): void {
    this.#restore.forget();
    this.#restarts.overtakeAll();
  }

  /** What is restored may have changed: it is chosen anew. */
  chooseAnew(): void {
    this.#restore.forget();
  }

  /** The run is over: nothing is deployed any more. */
  ended(): void {
    this.#job = undefined;
  }

  deployAfter(delayUs: number, nowUs: Micros, out: Out): void {
    this.#later.after(delayUs, `restart/${nowUs + delayUs}`, out, (lateUs, lateOut) => this.tryDeploy(lateUs, lateOut));
  }

  /** Repeated while the TaskManager does not list it: the message may have been lost. */
  send(execution: Execution, out: Out): void {
    assert(this.#job !== undefined, 'what is deployed is part of the deployed job');
    this.#options.gateway.deploy(execution, this.#job.deployments, out);
  }

  /** Row F4: what is to restart has ended, its delay is over, the pointer is known, metadata read, slots there: then deploy. */
  tryDeploy(nowUs: Micros, out: Out): void {
    const { host, scaling, store } = this.#options;
    if (!host.isSettled())
      return sometimes(
        host.status() === 'restarting' || !this.#restarts.isEmpty,
        out,
        'restart-waits-for-pointer-write',
      );
    if (host.status() === 'created' || host.status() === 'running') this.#tryRedeploy(nowUs, out);
    const mayStart = host.status() === 'restarting' || (host.status() === 'created' && this.#job === undefined);
    if (!mayStart || this.#isDelayed(nowUs)) return;
    if (this.executions !== undefined && !this.executions.isEmpty) return;
    const plan = scaling.plan(nowUs, out);
    if (plan === undefined) return;
    const slots = this.#placesFor(plan, nowUs);
    if (slots === undefined || this.#waitsForMore(nowUs, out)) return;
    const restore = this.#restore.choose(out);
    if (restore === undefined) return;
    const fitted = scaling.fitted(plan, restore.metadata, store.run.allowNonRestored === true);
    if (fitted === undefined) {
      probe(out, 'restore-refused');
      return host.refused(nowUs, out);
    }
    const isAsPlanned = slotsNeeded(fitted.graph.vertices) === slotsNeeded(plan.graph.vertices);
    const places = isAsPlanned ? slots : this.#placesFor(fitted, nowUs);
    sometimes(!isAsPlanned, out, 'rescale-waits-for-the-finished');
    if (places !== undefined) this.#deploy(fitted, places, restore.metadata, out);
  }

  #placesFor({ graph }: DeploymentPlan, nowUs: Micros): Places | undefined {
    const indices = Array.from({ length: slotsNeeded(graph.vertices) }, (_, index) => index);
    return this.#options.slots.place(indices, this.executions, nowUs);
  }

  /** The restarts of single regions, each on its own. */
  #tryRedeploy(nowUs: Micros, out: Out): void {
    const job = this.#job;
    if (job === undefined || this.#restarts.isEmpty) return;
    for (const subtasks of this.#restarts.due(nowUs)) {
      if (subtasks.some((subtask) => job.executions.at(subtask).state !== 'canceled')) continue;
      const indices = [...new Set(subtasks.map(({ subtask }) => subtask))];
      const slots = this.#options.slots.place(indices, job.executions, nowUs);
      if (slots === undefined) {
        probe(out, 'restart-waits-for-slots');
        continue;
      }
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
    const { environment, taskManagers, scaling, slots } = this.#options;
    if (scaling.isAdaptive || this.#count.jobAttempt > 0 || slots.registry.size >= taskManagers) return false;
    const { heartbeatIntervalUs } = environment.configuration.runtime;
    if (this.#enoughSinceUs === undefined) {
      this.#enoughSinceUs = nowUs;
      this.#later.after(heartbeatIntervalUs, 'stabilize', out, (lateUs, lateOut) => this.tryDeploy(lateUs, lateOut));
    }
    return nowUs - this.#enoughSinceUs < heartbeatIntervalUs;
  }

  /* ---- deploying ---- */

  #deploy(plan: DeploymentPlan, slots: Places, metadata: CheckpointMetadata | undefined, out: Out): void {
    const { environment, epoch, scaling, coordinators, host } = this.#options;
    const { graph, scale } = plan;
    this.#count.jobAttempt += 1;
    this.#restore.forget();
    scaling.deployed(plan);
    const executions = new ExecutionGraph({ graph, slots, firstAttempt: this.#count.nextAttempt, restored: metadata });
    const deployments = new TaskDeployments({
      graph,
      scale,
      executions,
      parts: environment.parts,
      withoutChannelStateOf: environment.configuration.checkpoint.withoutChannelStateOf,
      backend: this.#options.store.run.backend,
      version: this.#options.store.run.version,
      fileMerging: this.#options.store.run.fileMerging,
    });
    this.#job = { plan, regions: new PipelinedRegions(graph, this.#edges), executions, deployments };
    host.deployed(out);
    const chosen = metadata?.checkpointId ?? checkpointId(0);
    this.#reportRescaled(graph, metadata, out);
    this.#reportGivenUp(metadata, out);
    out.report({ kind: 'restore-chosen', epoch, jobAttempt: this.#count.jobAttempt, checkpointId: chosen });
    coordinators.deployedAs(graph);
    coordinators.resetToCheckpoint(metadata, out);
    this.#options.hooks.restore(metadata, out);
    const problem = metadata === undefined ? undefined : finishedStateProblem(graph, metadata);
    assert(problem === undefined, 'a checkpoint says without contradiction who had finished', { problem });
    this.#started(executions.all(), out);
  }

  #reportRescaled(graph: JobGraph, metadata: CheckpointMetadata | undefined, out: Out): void {
    if (metadata === undefined || !isRescaled(graph, metadata)) return;
    probe(out, 'restored-at-other-parallelism');
    const handles = metadata.states.flatMap((state) => state.handles);
    sometimes(
      handles.some(({ segments }) => segments !== undefined),
      out,
      'segments-clipped-at-restore',
    );
  }

  /** Row X26. */
  #reportGivenUp(metadata: CheckpointMetadata | undefined, out: Out): void {
    const { withoutChannelStateOf } = this.#options.environment.configuration.checkpoint;
    if (metadata === undefined || metadata.checkpointId !== withoutChannelStateOf) return;
    const isOfChannels = ({ channels }: StateHandle): boolean => channels !== undefined;
    const hasInFlight = metadata.states.some(({ handles }) => handles.some(isOfChannels));
    sometimes(hasInFlight, out, 'in-flight-data-given-up');
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
    const deployment = { slots, firstAttempt: this.#count.nextAttempt, restored: metadata };
    const deployed = job.executions.deploy(subtasks, deployment);
    const restored = metadata?.checkpointId ?? checkpointId(0);
    this.#reportGivenUp(metadata, out);
    for (const subtask of subtasks) this.#options.coordinators.subtaskReset(subtask, restored, out);
    const { hooks, environment } = this.#options;
    if (metadata !== undefined && environment.parts.hooksAtRegionRestart === 'called') hooks.restore(metadata, out);
    out.report({
      kind: 'restore-chosen',
      epoch: this.#options.epoch,
      jobAttempt: this.#count.jobAttempt,
      checkpointId: restored,
      subtasks: subtasks.map(({ vertex, subtask }) => ({ vertex, subtask })),
    });
    this.#started(deployed, out);
  }

  #started(deployed: readonly Execution[], out: Out): void {
    const { environment, epoch, host } = this.#options;
    const { jobAttempt } = this;
    const firstAttempt = this.#count.nextAttempt;
    for (const execution of deployed) {
      const { attempt, vertex, subtask, node } = execution;
      this.#count.nextAttempt = attempt + 1;
      this.#everDeployed.set(attempt, { attempt, vertex, subtask });
      this.send(execution, out);
      const parallelism = this.#job?.plan.graph.vertices[vertex]?.parallelism ?? 0;
      out.report({ kind: 'task-deployed', attempt, vertex, subtask, epoch, jobAttempt, node, parallelism });
    }
    assert(this.#count.nextAttempt < (epoch + 1) * ATTEMPTS_PER_EPOCH, 'attempt ids of an epoch stay in its range');
    const { deploymentTimeoutUs } = environment.configuration.runtime;
    this.#later.after(deploymentTimeoutUs, `deployment/${firstAttempt}`, out, (nowUs, lateOut) => {
      const late = deployed.filter(({ state }) => state === 'deploying');
      if (late.length === 0) return;
      probe(lateOut, 'deployment-timed-out');
      host.late(late, nowUs, lateOut);
    });
  }
}

/** Some operator ran with another parallelism when the snapshot was taken. */
function isRescaled(graph: JobGraph, metadata: CheckpointMetadata): boolean {
  const before = new Map(metadata.operators.map(({ uid, parallelism }) => [uid, parallelism]));
  return operatorScales(graph).some(({ uid, parallelism }) => (before.get(uid) ?? parallelism) !== parallelism);
}

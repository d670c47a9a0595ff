/**
 * With which parallelism the job is deployed, and when it is redeployed with another one (rows F5, F6, F7, C30; Flink:
 * DefaultScheduler, AdaptiveScheduler with WaitingForResources and Executing).
 *
 * Owns: requirements, the phase of the transition, the parallelism of the current deployment. Does not own: executions, restart and
 * restore (the host), which slots there are (slot-pool).
 * Invariants:
 *   I1 nothing is deployed before the requirements are claimed under this leader's epoch;
 *   I2 default mode: exactly the upper bound, as soon as there are slots for it. A change of requirements restarts the job at once;
 *   I3 adaptive mode: between the bounds, by the slots there are; while the job runs, the transition manager says when;
 *   I4 a rescale is a restart from the newest checkpoint.
 */
import { isFinishedInPart } from '../checkpoint/finished-state.ts';
import { fitToState } from '../checkpoint/restore-compatibility.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { JobGraph } from '../job/job-graph.ts';
import { deployedGraph, operatorsOf, scaleOf, slotsNeeded, withParallelism } from '../job/scaled-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { JobScale, ResourceRequirements } from '../protocol/job-scale.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import { RequirementsStore } from './requirements-store.ts';
import {
  firstPhase,
  nextPhase,
  type TransitionInput,
  type TransitionPhase,
  type TransitionTiming,
  wakesAtUs,
} from './state-transition-manager.ts';
import { probe } from '../protocol/probes.ts';

/** What scaling asks of the job master. */
export interface ScalingHost {
  /** How many a deployment could use. */
  slots(nowUs: Micros): number;
  /** A deployment may be possible now. */
  tryDeploy(nowUs: Micros, out: Out): void;
  /** Restarts the job from its newest checkpoint; nothing if it is restarting anyway. */
  restartForRescale(nowUs: Micros, out: Out): void;
  /** A checkpoint now, so that a rescale has less to replay (FLINK-36753). */
  triggerCheckpoint(nowUs: Micros, out: Out): void;
  superseded(nowUs: Micros, out: Out): void;
}

export interface JobScalingOptions {
  readonly graph: JobGraph;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly registers: NamedRegisters;
  readonly parts: Pick<EngineParts, 'lateRescale' | 'changeInCooldown' | 'isWorthRescaling'>;
  readonly host: ScalingHost;
}

/** What to deploy. */
export interface DeploymentPlan {
  readonly parallelism: number;
  readonly graph: JobGraph;
  /** Undefined: as the job was written. */
  readonly scale: JobScale | undefined;
  readonly highestParallelism: number;
}

export class JobScaling {
  readonly #options: JobScalingOptions;
  readonly #requirements: RequirementsStore;
  readonly #later = new DelayedCalls();
  /** What was deployed last; 0: nothing yet. */
  #parallelism = 0;
  #isRunning = false;
  #phase: TransitionPhase = { kind: 'idling' };
  /** Slots when they were last looked at. */
  #slots = 0;
  #failedCheckpoints = 0;

  constructor(options: JobScalingOptions) {
    this.#options = options;
    const { graph, epoch, configuration, registers, parts, host } = options;
    this.#requirements = new RequirementsStore({
      jobId: graph.jobId,
      epoch,
      initial: initialRequirements(graph, configuration),
      registers,
      lateRescale: parts.lateRescale,
      retryUs: retryDelayUs(configuration.runtime.requestTimeoutUs),
      claimed: (nowUs, out) => host.tryDeploy(nowUs, out),
      superseded: (nowUs, out) => host.superseded(nowUs, out),
    });
  }

  get isAdaptive(): boolean {
    return this.#options.configuration.scheduler.mode === 'adaptive';
  }

  start(out: Out): void {
    this.#requirements.claim(out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#requirements.handleTimer(timer, nowUs, out);
  }

  /** Asked when all else is ready for a deployment; undefined: not yet. `host.tryDeploy` is called when to ask again. */
  plan(nowUs: Micros, out: Out): DeploymentPlan | undefined {
    const requirements = this.#requirements.current;
    if (requirements === undefined) return undefined;
    const { graph, host } = this.#options;
    let parallelism = requirements.upper;
    if (this.isAdaptive) {
      this.#slots = host.slots(nowUs);
      if (this.#slots < requirements.lower) this.#phase = { kind: 'idling' };
      this.#step('change', nowUs, out);
      if (this.#phase.kind !== 'transitioning') return undefined;
      parallelism = Math.min(requirements.upper, this.#slots);
    }
    const scaled = withParallelism(graph, parallelism);
    const { highestParallelism } = requirements;
    return { parallelism, graph: scaled, scale: scaleOf(scaled, graph, highestParallelism), highestParallelism };
  }

  /**
   * The plan with the key groups that the restored state has; undefined when the state cannot be restored (rows S3, C31). Where a vertex had
   * finished in part the job is as wide as it was (row C22): the parallelism that was asked for waits for a restart that can give it.
   */
  fitted(
    plan: DeploymentPlan,
    restored: CheckpointMetadata | undefined,
    allowNonRestoredState: boolean,
  ): DeploymentPlan | undefined {
    if (restored === undefined) return plan;
    let fitted = fitToState({ graph: plan.graph, restored, allowNonRestoredState });
    if (fitted.kind === 'refused') return undefined;
    if (isFinishedInPart(fitted.graph, restored))
      fitted = fitToState({ graph: asItWas(fitted.graph, restored), restored, allowNonRestoredState });
    if (fitted.kind === 'refused') return undefined;
    const highestParallelism = Math.max(plan.highestParallelism, restored.highestParallelism);
    const scale = scaleOf(fitted.graph, this.#options.graph, highestParallelism);
    return { ...plan, graph: fitted.graph, scale, highestParallelism };
  }

  /** The whole job is deployed by this plan. */
  deployed({ parallelism }: DeploymentPlan): void {
    this.#parallelism = parallelism;
  }

  /** Every subtask runs. */
  running(nowUs: Micros, out: Out): void {
    this.#isRunning = true;
    this.#failedCheckpoints = 0;
    this.#phase = firstPhase(nowUs, this.#timing());
    this.#slots = this.#options.host.slots(nowUs);
    this.#step('change', nowUs, out);
  }

  /** The job leaves RUNNING, or its deployment is given up. */
  stopped(out: Out): void {
    this.#isRunning = false;
    this.#phase = { kind: 'idling' };
    this.#later.clear(out);
  }

  /** TaskManagers may have come or gone. */
  resourcesChanged(nowUs: Micros, out: Out): void {
    if (!this.#isRunning || !this.isAdaptive) return;
    const slots = this.#options.host.slots(nowUs);
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.#step('change', nowUs, out);
  }

  /** Row F7: a completed checkpoint is a good moment; so many failures in a row say that none will come. */
  checkpointEnded(isCompleted: boolean, nowUs: Micros, out: Out): void {
    const { scheduler } = this.#options.configuration;
    if (!this.#isRunning || scheduler.mode !== 'adaptive') return;
    this.#failedCheckpoints = isCompleted ? 0 : this.#failedCheckpoints + 1;
    if (!isCompleted && this.#failedCheckpoints < scheduler.maxCheckpointFailures) return;
    if (!isCompleted) probe(out, 'rescale-after-failed-checkpoints');
    this.#failedCheckpoints = 0;
    this.#step('trigger', nowUs, out);
  }

  /** `answered` is called when the change is durable. A request of the past is answered, too, and changes nothing. */
  rescale(
    request: { readonly requestId: number; readonly parallelism: number },
    out: Out,
    answered: (nowUs: Micros, out: Out) => void,
  ): void {
    const { requestId, parallelism } = request;
    const { scheduler } = this.#options.configuration;
    const lower = scheduler.mode === 'adaptive' ? Math.min(scheduler.minParallelism, parallelism) : parallelism;
    this.#requirements.change(requestId, { lower, upper: parallelism }, out, (nowUs, changedOut) => {
      answered(nowUs, changedOut);
      this.#requirementsChanged(nowUs, changedOut);
    });
  }

  #requirementsChanged(nowUs: Micros, out: Out): void {
    const { host } = this.#options;
    if (!this.isAdaptive && this.#parallelism !== 0 && this.#parallelism !== this.#requirements.current?.upper) {
      return host.restartForRescale(nowUs, out);
    }
    if (this.#isRunning) this.#step('change', nowUs, out);
    else host.tryDeploy(nowUs, out);
  }

  #step(input: TransitionInput, nowUs: Micros, out: Out): void {
    const { scheduler } = this.#options.configuration;
    const requirements = this.#requirements.current;
    if (scheduler.mode !== 'adaptive' || requirements === undefined) return;
    const timing = this.#timing();
    const before = this.#phase;
    const facts = { nowUs, ...this.#resources(requirements) };
    this.#phase = nextPhase(before, input, facts, timing);
    if (this.#phase === before) return;
    this.#armWake(timing, nowUs, out);
    if (!this.#isRunning) return;
    probe(out, `scaling-${this.#phase.kind}`);
    if (this.#phase.kind === 'transitioning') return this.#options.host.restartForRescale(nowUs, out);
    const wantsCheckpoint =
      this.#phase.kind === 'stabilized' || (this.#phase.kind === 'stabilizing' && facts.desired && input === 'change');
    if (scheduler.activeCheckpoint && wantsCheckpoint) this.#options.host.triggerCheckpoint(nowUs, out);
  }

  #resources({ lower, upper }: ResourceRequirements): { readonly sufficient: boolean; readonly desired: boolean } {
    const { parts } = this.#options;
    const possible = Math.min(upper, this.#slots);
    const at = { possible, parallelism: this.#parallelism, slots: this.#slots };
    const isWorthIt = !this.#isRunning || parts.isWorthRescaling(at);
    const isForgotten = this.#phase.kind === 'cooldown' && parts.changeInCooldown === 'forgotten';
    const sufficient = possible >= lower && isWorthIt && !isForgotten;
    return { sufficient, desired: sufficient && this.#slots >= upper };
  }

  #armWake(timing: TransitionTiming, nowUs: Micros, out: Out): void {
    const atUs = wakesAtUs(this.#phase, timing);
    if (atUs === undefined) return this.#later.cancel('scaling', out);
    this.#later.after(Math.max(0, atUs - nowUs), 'scaling', out, (dueUs, dueOut) => {
      if (this.#isRunning) this.#step('time', dueUs, dueOut);
      else this.#options.host.tryDeploy(dueUs, dueOut);
    });
  }

  #timing(): TransitionTiming {
    const { scheduler } = this.#options.configuration;
    if (scheduler.mode !== 'adaptive') return NO_WAIT;
    const { cooldownUs, stabilizationUs, maxDelayUs } = scheduler;
    return this.#isRunning
      ? { cooldownUs, stabilizationUs, maxDelayUs }
      : { ...NO_WAIT, stabilizationUs: scheduler.resourceStabilizationUs };
  }
}

const NO_WAIT: TransitionTiming = { cooldownUs: 0, stabilizationUs: 0, maxDelayUs: 0 };

function initialRequirements(graph: JobGraph, { scheduler }: EngineConfiguration): ResourceRequirements {
  if (scheduler.mode === 'adaptive') return { lower: scheduler.minParallelism, upper: scheduler.maxParallelism };
  const width = Math.max(1, slotsNeeded(graph.vertices));
  return { lower: width, upper: width };
}

/** As wide as the job was that took the checkpoint; what it did not have stays as it is planned. */
function asItWas(graph: JobGraph, { operators }: CheckpointMetadata): JobGraph {
  const vertices = graph.vertices.map((vertex) => {
    const known = operators.find(({ uid }) => operatorsOf(vertex).includes(uid));
    return { parallelism: known?.parallelism ?? vertex.parallelism, maxParallelism: vertex.maxParallelism };
  });
  return deployedGraph(graph, { vertices });
}

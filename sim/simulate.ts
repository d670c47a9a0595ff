/**
 * Plan -> run record: one life, from start over storm and liveness phase to the verdict.
 *
 * Owns: the phases and when the life ends. Does not own: anything that happens in it.
 * Invariants:
 *   I1 the record is a function of plan, job and parts; two calls give the same digest;
 *   I2 judges and history only watch: they change when a life ends, never what happens in it;
 *   I3 a life that hits a limit is inconclusive, never passed.
 */
import { type NodeId, nodeId } from '../engine/foundation/ids.ts';
import { resultKey } from '../engine/protocol/job-result.ts';
import type { EngineParts } from '../engine/parts.ts';
import { trueWallClock } from '../engine/protocol/wall-clock.ts';
import { BarrierHashes } from './cluster/barrier-hashes.ts';
import { EngineRestorer } from './cluster/snapshot-restorer.ts';
import { servicesOf, World } from './cluster/world.ts';
import { RunCollector } from './collector/run-collector.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import { faultLabel } from './faults/fault.ts';
import { strangerOf } from './faults/fault-nodes.ts';
import { History } from './history/history.ts';
import type { HistoryEvent } from './history/history-event.ts';
import type { DurableState, EndOfLife } from './judges/judge.ts';
import { JudgeBench } from './judges/judge-bench.ts';
import { StaleAlignments } from './judges/stale-alignments.ts';
import { expiringStates } from './judges/unstamped-state.ts';
import { mergeVerdicts, failureSignature, type Verdict } from './judges/verdict.ts';
import { Choices } from './kernel/choice.ts';
import { Digest } from './kernel/digest.ts';
import { EventLoop, type StopReason } from './kernel/event-loop.ts';
import { allNodes } from './node-names.ts';
import { type BrokerRules, standardBrokerRules } from './services/kafka/broker-rules.ts';
import { profileNamed } from './node/hardware-profile.ts';
import { fireEvent, type ScheduledEvent } from './node/scheduled-event.ts';
import type { BranchPlan, SimulationPlan } from './plan.ts';
import type { PreparedJob } from './prepared-job.ts';
import type { FaultRecord, RunRecord } from './run-record.ts';
import { drawCore, slotsThatSuffice } from './sufficient-core.ts';

export interface SimulationInputs {
  readonly job: PreparedJob;
  readonly parts: EngineParts;
  /** Of the Kafka-like cluster. Default: the right ones. */
  readonly brokerRules?: BrokerRules;
  readonly planHash: string;
}

export interface SimulationOptions {
  /** Keep every event in the record: memory grows with the life. */
  readonly keepHistory: boolean;
  /** Without judges a life is only measured: nobody can say that all is well, so it runs to the liveness bound. */
  readonly judges: boolean;
  /** Put each subtask's part in each checkpoint into the record. */
  readonly subtasks?: boolean;
  /** Shown the durable state when the life has ended. */
  readonly inspect?: (durable: DurableState) => void;
  /** Behind this event of the history, chance takes another course. */
  readonly branch?: Branch;
  /** Shown the choices before the first of them is made; they are complete when the life has ended. */
  readonly watchChoices?: (choices: Choices) => void;
  /** Keep what sites draw (`Choices.takenChoices`). */
  readonly recordChoices?: boolean;
}

/** A life that is as its plan says up to an event, and then another one. */
export type Branch = BranchPlan;

const WORLD: NodeId = nodeId('world');
/** Events after which the liveness condition may have become true. */
const SATISFYING: ReadonlySet<string> = new Set([
  'checkpoint-completed',
  'transaction-committed',
  'object-deleted',
  'job-status',
  'operation-answered',
]);

/** Throws `RangeError` when a fault of the plan names a node that the cluster does not have. */
export function simulate(plan: SimulationPlan, inputs: SimulationInputs, options: SimulationOptions): RunRecord {
  const stranger = strangerOf(plan.faults, allNodes(plan.cluster));
  if (stranger !== undefined)
    throw new RangeError(`fault ${stranger.fault} names the node '${stranger.node}', which the cluster does not have`);
  return new Life(plan, inputs, options).run(options.inspect);
}

class Life {
  readonly #plan: SimulationPlan;
  readonly #inputs: SimulationInputs;
  readonly #loop: EventLoop<ScheduledEvent>;
  readonly #history: History;
  readonly #world: World;
  readonly #injector: FaultInjector;
  readonly #collector: RunCollector;
  readonly #bench: JudgeBench | undefined;
  readonly #choices: Choices;
  readonly #keepsLadder: boolean;
  readonly #keepsSubtasks: boolean;
  readonly #resultKey: string;
  #isStormOver = false;
  #mayBeSatisfied = false;
  #ended: EndOfLife['cause'] | undefined;

  constructor(plan: SimulationPlan, inputs: SimulationInputs, options: SimulationOptions) {
    this.#plan = plan;
    this.#keepsLadder = options.keepHistory;
    this.#keepsSubtasks = options.subtasks === true;
    this.#inputs = inputs;
    this.#resultKey = resultKey(inputs.job.graph.jobId);
    const { job, parts } = inputs;
    this.#loop = new EventLoop({ limits: plan.limits, digest: new Digest() });
    this.#choices = new Choices({
      rootSeed: plan.seed,
      ...(plan.drawnSites === undefined ? {} : { drawnSites: plan.drawnSites }),
      ...(plan.fixedChoices === undefined ? {} : { fixedChoices: plan.fixedChoices }),
      ...(options.recordChoices === true ? { mode: 'record' } : {}),
    });
    options.watchChoices?.(this.#choices);
    this.#history = new History({ keep: options.keepHistory, clock: this.#loop });
    const alignments = new StaleAlignments(() => this.#history.length);
    const versions = [...(job.versions?.values() ?? [job])].map(({ graph }) => graph);
    const atBarrier = options.judges ? new BarrierHashes(expiringStates(...versions)) : undefined;
    this.#world = new World({
      plan,
      job,
      parts,
      brokerRules: inputs.brokerRules ?? standardBrokerRules,
      loop: this.#loop,
      choices: this.#choices,
      history: this.#history,
      profile: profileNamed(plan.cluster.profile),
      observer:
        atBarrier === undefined
          ? undefined
          : {
              atBarrier: (moment, keyed) => atBarrier.atBarrier(moment, keyed),
              passedOver: (moment, aligning) => alignments.passedOver(moment, aligning),
            },
      onEffective: (fault) => this.#injector.markEffective(fault),
    });
    this.#injector = new FaultInjector({
      faults: plan.faults,
      loop: this.#loop,
      history: this.#history,
      cluster: this.#world.cluster,
      services: this.#world.conditions,
      userCode: this.#world.userCode,
      losePower: (node) => this.#world.losePower(node),
      clocks: this.#world.clocks,
    });
    this.#collector = new RunCollector({
      graph: job.graph,
      readableAtUs: (index) => job.content.readableAtUs(index),
      subtasks: this.#keepsSubtasks,
      timeline: plan.engine.checkpoint.timelineLogging,
    });
    this.#history.observe((entry) => this.#collector.observe(entry));
    this.#bench =
      atBarrier === undefined
        ? undefined
        : new JudgeBench({
            job: job.judged,
            durable: this.#world.durable,
            plan,
            audit: { atBarrier, restorer: restorerOf(plan, inputs) },
            alignments,
          });
    const bench = this.#bench;
    if (bench !== undefined) {
      this.#history.observe((entry) => bench.observe(entry));
      this.#world.cluster.network.watchTraffic(bench);
    }
    this.#history.observe((entry) => this.#watch(entry));
    const { branches = [] } = plan;
    // Where somebody branches off a life, its plan has a say only in what was before.
    const until = options.branch?.afterEvent ?? Number.POSITIVE_INFINITY;
    for (const branch of branches) if (branch.afterEvent < until) this.#branchOff(branch);
    if (options.branch !== undefined) this.#branchOff(options.branch);
  }

  run(inspect: SimulationOptions['inspect']): RunRecord {
    const { liveness } = this.#plan;
    this.#history.record(WORLD, { kind: 'phase', phase: 'storm' });
    this.#loop.schedule(liveness.stormUs, { fire: () => this.#endStorm() });
    this.#loop.schedule(liveness.stormUs + liveness.withinUs, { fire: () => this.#end('liveness-bound') });
    this.#world.cluster.startAll();
    const stopped = this.#loop.run(fireEvent, () => this.#isOver());
    const cause = this.#ended ?? (this.#world.cluster.hasActorThrown ? 'actor-threw' : causeOf(stopped));
    this.#history.record(WORLD, { kind: 'phase', phase: 'end' });
    const end: EndOfLife = { atUs: this.#loop.nowUs, cause, historyLength: this.#history.length };
    inspect?.(this.#world.durable);
    return this.#record(this.#bench?.finish(end) ?? []);
  }

  #branchOff({ afterEvent, rootSeed, sites }: Branch): void {
    if (afterEvent < 0) this.#choices.drawAnew(rootSeed, sites);
    this.#history.observe(({ index }) => {
      if (index === afterEvent) this.#choices.drawAnew(rootSeed, sites);
    });
  }

  #watch(entry: HistoryEvent): void {
    const { event } = entry;
    if (SATISFYING.has(event.kind)) this.#mayBeSatisfied = true;
    if (event.kind === 'coordination-updated' && event.key === this.#resultKey) this.#mayBeSatisfied = true;
    // Where somebody operates the job, it may be started again.
    const mayComeBack = (this.#plan.cluster.clients ?? 0) > 0;
    if (event.kind === 'job-status' && event.status === 'failed' && !mayComeBack) this.#end('job-failed');
  }

  #isOver(): boolean {
    if (this.#ended !== undefined || this.#world.cluster.hasActorThrown) return true;
    if (!this.#isStormOver || !this.#mayBeSatisfied) return false;
    this.#mayBeSatisfied = false;
    if (this.#bench?.isSatisfied() === true) this.#end('liveness-reached');
    return this.#ended !== undefined;
  }

  #end(cause: EndOfLife['cause']): void {
    this.#ended ??= cause;
  }

  #endStorm(): void {
    this.#isStormOver = true;
    // A bounded job may have finished before.
    this.#mayBeSatisfied = true;
    const { jobManagers, taskManagers } = this.#world;
    const core = drawCore(
      {
        jobManagers,
        taskManagers,
        slots: this.#plan.cluster.slots,
        slotsNeeded: slotsThatSuffice(this.#plan, this.#inputs.job.graph),
      },
      this.#choices.site('sufficient-core'),
    );
    this.#history.record(WORLD, { kind: 'phase', phase: 'liveness' });
    this.#injector.endStorm(core);
  }

  #record(verdicts: readonly Verdict[]): RunRecord {
    const verdict = mergeVerdicts(verdicts);
    const { totalRecords } = this.#inputs.job.content;
    const figures = this.#collector.figures({ in: totalRecords, replayed: this.#world.replayed });
    const faultRecords = this.#injector
      .records()
      .map((one): FaultRecord => (figures.faultsInFlight.has(one.id) ? { ...one, inFlight: true } : one));
    return {
      scenario: this.#plan.scenario,
      seed: this.#plan.seed,
      planHash: this.#inputs.planHash,
      digest: this.#loop.digest.value(),
      rungs: this.#keepsLadder || verdict !== 'passed' ? this.#loop.digest.rungs() : [],
      verdict,
      verdicts,
      signature: failureSignature(verdicts, verdict),
      virtualUs: this.#loop.nowUs,
      events: this.#loop.events,
      records: figures.records,
      checkpoints: figures.checkpoints,
      faults: countFaults(this.#plan, faultRecords),
      restarts: figures.restarts,
      failovers: figures.failovers,
      latency: figures.latency,
      checkpointRecords: figures.checkpointRecords,
      subtaskRecords: this.#keepsSubtasks ? this.#collector.subtaskRecords() : [],
      restoreRecords: figures.restoreRecords,
      faultRecords,
      timeline: this.#plan.engine.checkpoint.timelineLogging ? figures.timeline : [],
      probes: figures.probes,
      margins: this.#bench?.margins() ?? {},
      ...(this.#plan.priorities === undefined ? {} : { prioritySteps: this.#world.cluster.network.prioritySteps }),
      history: this.#history.entries(),
    };
  }
}

function restorerOf(plan: SimulationPlan, { job, parts }: SimulationInputs): EngineRestorer {
  return new EngineRestorer({
    graph: job.graph,
    configuration: plan.engine,
    parts,
    services: servicesOf(plan),
    wallClock: trueWallClock,
  });
}

function causeOf(stopped: StopReason): EndOfLife['cause'] {
  return stopped === 'empty' ? 'quiescent' : 'limit';
}

function countFaults(plan: SimulationPlan, records: readonly FaultRecord[]): RunRecord['faults'] {
  const counts: Record<string, { planned: number; effective: number }> = {};
  const effective = new Set(records.filter((record) => record.effective).map(({ id }) => id));
  for (const fault of plan.faults) {
    const label = faultLabel(fault);
    const count = counts[label] ?? { planned: 0, effective: 0 };
    count.planned += 1;
    if (effective.has(fault.id)) count.effective += 1;
    counts[label] = count;
  }
  return counts;
}

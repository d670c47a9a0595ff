/**
 * All judges of one life: built together, fed from one history, asked together at the end.
 *
 * Owns who sees which event, and what the judges share (one index of the input, one expectation, one reader of checkpoints,
 * one reference that follows the cuts). Called by the simulation for each history event.
 *
 * I1: an event that no judge wants costs one look-up.
 * I2: each judge gives at least one verdict, and of a life that a limit cut off none says that it passed.
 * I3: judges see an event in a fixed order: output first, progress last, so that progress asks about what was just seen.
 */
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import { sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { MailboxId } from '../../engine/foundation/ids.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import { Bounds } from './bounds.ts';
import { mayRefuseIds } from './checkpoint-limits.ts';
import { CheckpointLifecycle } from './checkpoint-lifecycle.ts';
import { CheckpointReader } from './checkpoint-reader.ts';
import { ConservedOutput } from './conserved-output.ts';
import { ConsistentCut } from './consistent-cut.ts';
import { CutAudit } from './cut-audit.ts';
import { currentResult } from './current-result.ts';
import { DueOutput } from './due-output.ts';
import { ExactlyOnceOutput, type ExactlyOnceOutputOptions } from './exactly-once-output.ts';
import { ExactlyOnceState } from './exactly-once-state.ts';
import { ExpectedOutput } from './expected-output.ts';
import { FileTrail } from './file-trail.ts';
import { Fencing } from './fencing.ts';
import { FiredTimersLog } from './fired-timers.ts';
import { Finishing } from './finishing.ts';
import { GivenUpData, type GivenUpDataOptions } from './given-up-data.ts';
import type { JobAudit } from './job-audit.ts';
import { type DurableState, type EndOfLife, isCutOff, type Judge } from './judge.ts';
import type { LostRecords } from './lost-records.ts';
import { type Margin, Margins } from './margins.ts';
import { MissedRecords } from './missed-records.ts';
import { Ledgers } from './ledgers.ts';
import { Notifications } from './notifications.ts';
import { Progress } from './progress.ts';
import { claimsAskedFor, Requests } from './requests.ts';
import { Savepoints } from './savepoints.ts';
import { RecordTrail } from './record-trail.ts';
import { ReferenceCourse } from './reference-course.ts';
import { RestoreAudit, type RestoreAuditOptions } from './restore-audit.ts';
import { RestoredTime } from './restored-time.ts';
import { Retention } from './retention.ts';
import { clockErrorUs, StateExpiry } from './state-expiry.ts';
import { TableOutput } from './table-output.ts';
import { type Cut, InputIndex, type JudgedInput } from './reference-run.ts';
import { type CurrentCourse, type JobVersions, RunHistory, type SnapshotCut } from './run-history.ts';
import { expiringStates } from './unstamped-state.ts';
import { Upgrades } from './upgrades.ts';
import type { StaleAlignments } from './stale-alignments.ts';
import { cutShort, type Verdict } from './verdict.ts';

/** What depends on job and input only. Lives that share both may share it; a sweep then folds the reference output once. */
export interface JudgedJob {
  readonly graph: JobGraph;
  readonly audit: JobAudit;
  readonly index: InputIndex;
  readonly expected: ExpectedOutput;
  /** Row S24; absent: nobody upgrades it. */
  readonly versions?: JobVersions;
}

export function judgedJob(graph: JobGraph, audit: JobAudit, input: JudgedInput): JudgedJob {
  const index = new InputIndex(input);
  const versions: JobVersions = new Map([[FIRST_VERSION, { graph, audit }]]);
  const along = new ReferenceCourse({ versions, index });
  const course = { first: FIRST_VERSION, stations: [] };
  return { graph, audit, index, expected: new ExpectedOutput({ versions, audit, index, along, course }) };
}

/** Of a job that nobody upgrades. */
const FIRST_VERSION = 1;

export interface JudgeBenchOptions {
  readonly job: JudgedJob;
  readonly durable: DurableState;
  readonly plan: SimulationPlan;
  /** What the restore audit needs of the engine; absent: nothing is restored (histories that are made by hand). */
  readonly audit?: Pick<RestoreAuditOptions, 'restorer' | 'atBarrier'>;
  /** Is shown what subtasks wait for. */
  readonly alignments?: StaleAlignments;
}

type EventKind = HistoryEvent['event']['kind'];
type Wired = Judge & { readonly kinds: readonly EventKind[] };

export class JudgeBench {
  readonly judges: readonly Judge[];
  readonly output: ExactlyOnceOutput | ConservedOutput | TableOutput;
  readonly #compared: ExactlyOnceOutput;
  readonly #bounds: Bounds;
  readonly #fencing: Fencing;
  readonly #progress: Progress;
  /** Where somebody operates the job. */
  readonly #history: RunHistory | undefined;
  readonly #restoredTime: RestoredTime | undefined;
  /** Where the job is configured so. */
  readonly #givenUp: GivenUpData | undefined;
  readonly #missed: MissedRecords | undefined;
  readonly #due: DueOutput;
  readonly #margins = new Margins();
  readonly #byKind = new Map<EventKind, Pick<Judge, 'observe'>[]>();

  constructor({ job, durable, plan, audit: restore, alignments }: JudgeBenchOptions) {
    const { graph, audit, index, expected } = job;
    const { jobId } = graph;
    const isCheckpointing = plan.engine.checkpoint.intervalUs > 0;
    const versions = job.versions ?? new Map([[FIRST_VERSION, job]]);
    const isOperated = (plan.cluster.clients ?? 0) > 0;
    const changed = (course: CurrentCourse): void => this.#due.follow(course);
    const { reader, history, graphOf, expiring } = sourcesOf({ job, versions, durable, isOperated, changed });
    this.#history = history;
    const fired: { fired?: FiredTimersLog } = graph.usesEventTime === true ? { fired: new FiredTimersLog() } : {};
    const along = new ReferenceCourse({ versions, index, ...fired });
    const lose = (lost: LostRecords): void => this.#due.lose(lost);
    this.#givenUp = givenUpOf(plan, { graph, reader, changed: lose });
    this.#missed = missedOf(plan, lose);
    const leftOut = this.#missed ?? this.#givenUp;
    const newCuts = (): CutAudit => new CutAudit({ graph, audit, index, history, along, leftOut });
    const cuts = newCuts();
    this.#restoredTime = restoredTimeOf(job, reader);
    this.#due = new DueOutput({
      ...{ expected, versions, audit, index, along, restored: this.#restoredTime },
      changed: (due, course) => this.#expect(due, course),
    });
    const hasFinished = (): boolean => currentResult(durable, jobId) !== undefined;
    const settled = (): Settled => settledBy(reader, { index, durable, hasFinished });
    const trail = new RecordTrail(index, (lineage) => durable.abortedRecord(lineage));
    const files = new FileTrail();
    for (const one of [trail, files]) for (const kind of one.kinds) this.#wire(kind, one);
    const compared = new ExactlyOnceOutput({ expected, audit, index, settled, trail });
    this.#compared = compared;
    this.output = outputOf(plan, { job, compared, hasFinished, trail, ...fired });
    const margins = this.#margins;
    const common = { jobId, reader, margins };
    const isOver = (): boolean => this.#progress.isRemembered();
    const retention = new Retention({ ...common, durable, isOver, files, listDelayUs: plan.storage.listDelayUs });
    const handedOut = (): readonly string[] => retention.handedOut();
    // Output that is complete does not say so: rows that were written before a failure are there, though the job has yet to read on to where it
    // had been, and of input without an end the last records close no window.
    const isInputCovered = (): boolean => {
      const { cut } = settled();
      return index.input.every(({ values }, slot) => cut[slot] === values.length);
    };
    const covered = isCheckpointing ? { isInputCovered } : {};
    this.#progress = new Progress({ graph, plan, durable, output: this.output, retention, margins, ...covered });
    const state = { graphOf, reader, expiring, files };
    this.#bounds = new Bounds({ graph, engine: plan.engine, margins, mayRefuseIds: mayRefuseIds(plan) });
    this.#fencing = new Fencing({ jobId, plan, margins });
    const judges: readonly Wired[] = [
      this.output,
      new ExactlyOnceState({ ...common, cuts, audit, isCheckpointing, hasEnded: hasFinished }),
      new ConsistentCut({ ...common, cuts, audit, index, induced: inducedPartitions(graph), trail, ...fired }),
      new CheckpointLifecycle({
        jobId,
        isCheckpointing,
        timeoutUs: plan.engine.checkpoint.timeoutUs,
        retention: plan.engine.checkpoint,
        margins,
        kinds: { configuration: plan.engine.checkpoint, graphOf },
        ...(alignments === undefined ? {} : { alignments }),
      }),
      retention,
      ...[this.#fencing, new Finishing({ graph, isCheckpointing, margins }), new Notifications(margins), this.#bounds],
      ...(isOperated ? [new Savepoints({ reader, cuts: newCuts(), audit, margins })] : []),
      ...judgesOfRuns(plan, { jobId, history, versions, margins }),
      ...this.#judgesOfJob(plan, { audit, reader, restore: restore && { ...state, handedOut, ...restore } }),
      this.#progress,
    ];
    this.judges = judges;
    for (const judge of judges) for (const kind of judge.kinds) this.#wire(kind, judge);
  }

  /** What only some jobs have. */
  #judgesOfJob(
    plan: SimulationPlan,
    {
      audit,
      reader,
      restore,
    }: { audit: JobAudit; reader: CheckpointReader; restore: Omit<RestoreAuditOptions, 'margins'> | undefined },
  ): readonly Wired[] {
    const margins = this.#margins;
    return [
      ...(restore === undefined ? [] : [new RestoreAudit({ ...restore, margins })]),
      ...(audit.expires === undefined ? [] : [new StateExpiry(audit.expires, margins, clockErrorUs(plan))]),
      ...(audit.ledgers === undefined ? [] : [new Ledgers(audit.ledgers, reader, margins)]),
    ];
  }

  #expect(due: ExpectedOutput, { endsAt }: CurrentCourse): void {
    this.#compared.expect(due);
    if (this.output instanceof TableOutput) this.output.expect(due);
    if (this.output instanceof ConservedOutput) this.output.endAt(endsAt);
    this.#progress.drained(endsAt !== undefined);
  }

  observe(entry: HistoryEvent): void {
    if (entry.event.kind === this.#history?.kind) this.#history.observe(entry);
    if (entry.event.kind === this.#restoredTime?.kind) this.#restoredTime.observe(entry);
    this.#givenUp?.observe(entry);
    this.#missed?.observe(entry);
    const judges = this.#byKind.get(entry.event.kind);
    if (judges === undefined) return;
    for (const judge of judges) judge.observe(entry);
  }

  /** Is to be shown the traffic of the cluster. */
  sent(to: MailboxId, message: EngineMessage): void {
    this.#bounds.sent(to, message);
    this.#fencing.sent(to, message);
    this.#missed?.sent(to, message);
  }

  /** Whether the life may end well; ask after `checkpoint-completed`, `transaction-committed` and `object-deleted`. */
  isSatisfied(): boolean {
    this.#missed?.bringUpToDate();
    if (!this.output.isComplete()) this.#due.settle();
    return this.#progress.satisfied();
  }

  finish(end: EndOfLife): Verdict[] {
    this.#missed?.bringUpToDate();
    if (!this.output.isComplete()) this.#due.settle();
    const verdicts = this.judges.flatMap((judge) => judge.finish(end));
    return isCutOff(end) ? verdicts.map(cutShort) : verdicts;
  }

  /** How near the life came; complete when it has ended. */
  margins(): Readonly<Record<string, Margin>> {
    return this.#margins.all();
  }

  #wire(kind: EventKind, judge: Pick<Judge, 'observe'>): void {
    const judges = this.#byKind.get(kind);
    if (judges === undefined) this.#byKind.set(kind, [judge]);
    else judges.push(judge);
  }
}

type Settled = ReturnType<ExactlyOnceOutputOptions['settled']>;

/** What the newest checkpoint covers. */
function settledBy(
  reader: CheckpointReader,
  {
    index,
    durable,
    hasFinished,
  }: Pick<JudgedJob, 'index'> & Pick<OutputOptions, 'hasFinished'> & Pick<JudgeBenchOptions, 'durable'>,
): Settled {
  const newest = reader.newest();
  const contents = newest === undefined ? undefined : reader.contents(newest);
  const cut = contents?.kind === 'read' ? contents.value.cut : new Int32Array(index.input.length);
  const underWay = contents?.kind === 'read' ? contents.value.inFlight : [];
  const inFlight = new Set(underWay.map(({ lineage }) => sourceIndexOf(lineage)));
  return { cut, inFlight, openTransactions: durable.openTransactions().length, hasFinished: hasFinished() };
}

/** Row C25. */
function inducedPartitions({ vertices }: JobGraph): readonly number[] {
  return vertices.flatMap(({ source }) => (source?.induced === true ? source.partitions : []));
}

/** What judges read of the life's checkpoints, and what the job has come through, where somebody operates it. */
function sourcesOf({ job, versions, durable, isOperated, changed }: SourcesOptions): Sources {
  const { graph, index } = job;
  if (!isOperated)
    return {
      reader: new CheckpointReader({ graph, index, durable }),
      history: undefined,
      graphOf: () => graph,
      expiring: expiringStates(graph),
    };
  const graphs = [...versions.values()].map((version) => version.graph);
  const graphOf = (checkpoint: number): JobGraph => history.versionOf(history.of(checkpoint).version).graph;
  const reader = new CheckpointReader({ graph, index, durable, versions: { graphs, of: graphOf } });
  const snapshotOf = ({ metadata }: { readonly metadata: string }): SnapshotCut | undefined => {
    const known = reader.metadata(metadata);
    if (known.kind === 'unreadable') return undefined;
    const contents = reader.contents({ id: known.value.checkpointId, metadata });
    if (contents.kind === 'unreadable') return undefined;
    return { cut: contents.value.cut, isDrained: known.value.snapshot === 'terminate-savepoint' };
  };
  const history = new RunHistory({ jobId: graph.jobId, versions, snapshotOf, changed });
  return { reader, history, graphOf, expiring: expiringStates(...graphs) };
}

interface SourcesOptions {
  readonly job: JudgedJob;
  readonly versions: JobVersions;
  readonly durable: DurableState;
  readonly isOperated: boolean;
  readonly changed: (course: CurrentCourse) => void;
}

interface Sources {
  readonly reader: CheckpointReader;
  readonly history: RunHistory | undefined;
  /** Of the version of the job that took a checkpoint. */
  readonly graphOf: (checkpoint: number) => JobGraph;
  readonly expiring: RestoreAuditOptions['expiring'];
}

interface RunsOptions extends Pick<Sources, 'history'> {
  readonly jobId: string;
  readonly versions: JobVersions;
  readonly margins: Margins;
}

/** What clients ask for, and versions of the job (row S24). */
function judgesOfRuns(
  { engine: { restart, scheduler }, faults }: SimulationPlan,
  { jobId, history, versions, margins }: RunsOptions,
): (Requests | Upgrades)[] {
  if (history === undefined) return [];
  const graph = (): JobGraph => history.versionOf(history.current().version).graph;
  const claims = claimsAskedFor(faults);
  const requests = new Requests({ jobId, isAdaptive: scheduler.mode === 'adaptive', graph, claims, margins });
  if (versions.size === 1) return [requests];
  const restartsWithoutEnd = restart.strategy === 'exponential-delay' && restart.attemptsBeforeReset === 0;
  return [requests, new Upgrades({ jobId, history, restartsWithoutEnd })];
}

interface OutputOptions {
  readonly job: JudgedJob;
  readonly compared: ExactlyOnceOutput;
  readonly hasFinished: () => boolean;
  readonly trail: RecordTrail;
  readonly fired?: FiredTimersLog;
}

/** Who judges what is visible: by records, by rows of a table, or by what it accounts for. */
function outputOf(
  plan: SimulationPlan,
  { job, compared, hasFinished, trail, fired }: OutputOptions,
): ExactlyOnceOutput | ConservedOutput | TableOutput {
  const { graph, audit, index, expected } = job;
  if (plan.sink?.kind === 'upsert')
    return new TableOutput({ expected, audit, version: plan.sink.version, hasFinished, index, trail });
  const { conserves } = audit;
  if (conserves === undefined) return compared;
  return new ConservedOutput({ conserves, index, hasFinished, trail, ...(fired && { windows: { graph, fired } }) });
}

/** Row X26. */
function givenUpOf(
  plan: SimulationPlan,
  options: Pick<GivenUpDataOptions, 'graph' | 'reader' | 'changed'>,
): GivenUpData | undefined {
  const checkpointId = plan.engine.checkpoint.withoutChannelStateOf;
  return checkpointId === undefined ? undefined : new GivenUpData({ ...options, checkpointId });
}

/** Row F1. */
function missedOf(plan: SimulationPlan, changed: (lost: LostRecords) => void): MissedRecords | undefined {
  return plan.engine.runtime.failoverStrategy === 'approximate' ? new MissedRecords(changed) : undefined;
}

/** Only where timers wait for input that does not end. */
function restoredTimeOf({ graph, index }: JudgedJob, reader: CheckpointReader): RestoredTime | undefined {
  if (graph.usesEventTime !== true || index.input.every(({ bounded }) => bounded)) return undefined;
  const cutOf = (id: number): Cut | undefined => {
    const checkpoint = reader.retained().find((retained) => retained.id === id);
    const contents = checkpoint && reader.contents(checkpoint);
    return contents?.kind === 'read' ? contents.value.cut : undefined;
  };
  return new RestoredTime({ graph, index, cutOf });
}

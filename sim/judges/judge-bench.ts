/**
 * All judges of one life: built together, fed from one history, asked together at the end.
 *
 * Owns who sees which event, and what the judges share (one index of the input, one expectation, one reader of checkpoints,
 * one reference that follows the cuts). Called by the simulation for each history event.
 *
 * I1: an event that no judge wants costs one look-up.
 * I2: each judge gives at least one verdict.
 * I3: judges see an event in a fixed order: output first, progress last, so that progress asks about what was just seen.
 */
import { sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { RetainedCheckpoint } from '../../engine/protocol/checkpoint-pointer.ts';
import { resultKey } from '../../engine/protocol/job-result.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import { CheckpointLifecycle } from './checkpoint-lifecycle.ts';
import { CheckpointReader } from './checkpoint-reader.ts';
import { ConservedOutput } from './conserved-output.ts';
import { ConsistentCut } from './consistent-cut.ts';
import { CutAudit } from './cut-audit.ts';
import { DrainWatch } from './drain-watch.ts';
import { ExactlyOnceOutput, type ExactlyOnceOutputOptions } from './exactly-once-output.ts';
import { ExactlyOnceState } from './exactly-once-state.ts';
import { ExpectedOutput } from './expected-output.ts';
import { Fencing } from './fencing.ts';
import { FiredTimersLog } from './fired-timers.ts';
import { Finishing } from './finishing.ts';
import type { JobAudit } from './job-audit.ts';
import type { DurableState, EndOfLife, Judge } from './judge.ts';
import { Notifications } from './notifications.ts';
import { Progress } from './progress.ts';
import { Savepoints } from './savepoints.ts';
import { RestoreAudit, type RestoreAuditOptions } from './restore-audit.ts';
import { Retention } from './retention.ts';
import { StateExpiry } from './state-expiry.ts';
import { TableOutput } from './table-output.ts';
import { type Cut, InputIndex, type JudgedInput } from './reference-run.ts';
import type { Verdict } from './verdict.ts';
import { type JobVersions, VersionHistory } from './version-history.ts';

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
  return { graph, audit, index, expected: new ExpectedOutput({ graph, audit, index }) };
}

export interface JudgeBenchOptions {
  readonly job: JudgedJob;
  readonly durable: DurableState;
  readonly plan: SimulationPlan;
  /** What the restore audit needs of the engine; absent: nothing is restored (histories that are made by hand). */
  readonly audit?: Pick<RestoreAuditOptions, 'restorer' | 'atBarrier'>;
}

type EventKind = HistoryEvent['event']['kind'];
type Wired = Judge & { readonly kinds: readonly EventKind[] };

export class JudgeBench {
  readonly judges: readonly Judge[];
  readonly output: ExactlyOnceOutput | ConservedOutput | TableOutput;
  readonly #compared: ExactlyOnceOutput;
  readonly #progress: Progress;
  /** Where somebody operates the job. */
  readonly #drainWatch: DrainWatch | undefined;
  readonly #history: VersionHistory | undefined;
  readonly #byKind = new Map<EventKind, Judge[]>();

  constructor({ job, durable, plan, audit: restore }: JudgeBenchOptions) {
    const { graph, audit, index, expected } = job;
    const { jobId } = graph;
    const isCheckpointing = plan.engine.checkpoint.intervalUs > 0;
    const { reader, history, graphOf } = readerOf(job, durable);
    this.#history = history;
    const fired = graph.usesEventTime === true ? { fired: new FiredTimersLog() } : {};
    const cuts = new CutAudit({ graph, audit, index, history, ...fired });
    const hasFinished = (): boolean => durable.coordination(resultKey(jobId)) !== undefined;
    const settled = (): ReturnType<ExactlyOnceOutputOptions['settled']> => {
      const newest = reader.newest();
      const contents = newest === undefined ? undefined : reader.contents(newest);
      const cut = contents?.kind === 'read' ? contents.value.cut : new Int32Array(index.input.length);
      const underWay = contents?.kind === 'read' ? contents.value.inFlight : [];
      const inFlight = new Set(underWay.map(({ lineage }) => sourceIndexOf(lineage)));
      return { cut, inFlight, openTransactions: durable.openTransactions().length, hasFinished: hasFinished() };
    };
    const { conserves } = audit;
    const compared = new ExactlyOnceOutput({ expected, audit, index, settled });
    this.#compared = compared;
    if (plan.sink?.kind === 'upsert') {
      const { version } = plan.sink;
      this.output = new TableOutput({ expected, audit, version, hasFinished });
    } else this.output = conserves === undefined ? compared : new ConservedOutput({ conserves, index, hasFinished });
    const isOver = (): boolean => this.#progress.isRemembered();
    const retention = new Retention({ jobId, reader, durable, isOver });
    this.#progress = new Progress({ graph, plan, durable, output: this.output, retention });
    const operated = (plan.cluster.clients ?? 0) > 0;
    this.#drainWatch = operated ? this.#newDrainWatch(job, reader) : undefined;
    const judges: readonly Wired[] = [
      this.output,
      new ExactlyOnceState({ jobId, reader, cuts, audit, index, isCheckpointing, hasEnded: hasFinished }),
      new ConsistentCut({ reader, cuts, audit, index, induced: inducedPartitions(graph), ...fired }),
      new CheckpointLifecycle({ jobId, isCheckpointing }),
      retention,
      new Fencing({ jobId, plan }),
      new Finishing({ graph, isCheckpointing }),
      new Notifications(),
      ...(operated
        ? [new Savepoints({ reader, cuts: new CutAudit({ graph, audit, index, history, ...fired }), audit })]
        : []),
      ...(restore === undefined
        ? []
        : [new RestoreAudit({ graphOf, reader, handedOut: () => retention.handedOut(), ...restore })]),
      ...(audit.expires === undefined ? [] : [new StateExpiry(audit.expires)]),
      this.#progress,
    ];
    this.judges = judges;
    for (const judge of judges) for (const kind of judge.kinds) this.#wire(kind, judge);
  }

  #newDrainWatch({ graph, audit, index, expected }: JudgedJob, reader: CheckpointReader): DrainWatch {
    return new DrainWatch({
      jobId: graph.jobId,
      reader,
      changed: (drained) => {
        const due = drained === undefined ? expected : new ExpectedOutput({ graph, audit, index, drained });
        this.#compared.expect(due);
        if (this.output instanceof TableOutput) this.output.expect(due);
        this.#progress.drained(drained?.endsAt !== undefined);
      },
    });
  }

  observe(entry: HistoryEvent): void {
    if (entry.event.kind === this.#history?.kind) this.#history.observe(entry);
    if (entry.event.kind === this.#drainWatch?.kind) this.#drainWatch.observe(entry);
    const judges = this.#byKind.get(entry.event.kind);
    if (judges === undefined) return;
    for (const judge of judges) judge.observe(entry);
  }

  /** Whether the life may end well; ask after `checkpoint-completed`, `transaction-committed` and `object-deleted`. */
  isSatisfied(): boolean {
    return this.#progress.satisfied();
  }

  finish(end: EndOfLife): Verdict[] {
    return this.judges.flatMap((judge) => judge.finish(end));
  }

  #wire(kind: EventKind, judge: Judge): void {
    const judges = this.#byKind.get(kind);
    if (judges === undefined) this.#byKind.set(kind, [judge]);
    else judges.push(judge);
  }
}

/** Row C25. */
function inducedPartitions({ vertices }: JobGraph): readonly number[] {
  return vertices.flatMap(({ source }) => (source?.induced === true ? source.partitions : []));
}

/** A reader of checkpoints of all versions of the job; which version took one it is told by their history. */
function readerOf({ graph, index, versions }: JudgedJob, durable: DurableState): VersionedReader {
  if (versions === undefined)
    return { reader: new CheckpointReader({ graph, index, durable }), history: undefined, graphOf: () => graph };
  const graphs = [...versions.values()].map((version) => version.graph);
  const graphOf = (checkpoint: number): JobGraph => history.versionOf(history.of(checkpoint).version).graph;
  const reader = new CheckpointReader({ graph, index, durable, versions: { graphs, of: graphOf } });
  const cutOf = (checkpoint: RetainedCheckpoint): Cut | undefined => {
    const contents = reader.contents(checkpoint);
    return contents.kind === 'read' ? contents.value.cut : undefined;
  };
  const history = new VersionHistory({ jobId: graph.jobId, versions, cutOf });
  return { reader, history, graphOf };
}

interface VersionedReader {
  readonly reader: CheckpointReader;
  readonly history: VersionHistory | undefined;
  /** Of the version of the job that took a checkpoint. */
  readonly graphOf: (checkpoint: number) => JobGraph;
}

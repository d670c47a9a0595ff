/**
 * Which run of the job took which checkpoint, and what its state has come through: upgrades (row S24) and drains (row C28).
 *
 * Owns: the runs, as the durable record names them: each has a version, and begins from a snapshot that an earlier run took, or from nothing.
 * A savepoint that the job stops with is in that record before anything of it is committed (decision 0017).
 * Does not own: what an upgrade or a drain does to state and output (reference-course.ts). Shown each event before any judge.
 *
 * I1: a checkpoint belongs to the latest run that began below its id: ids rise over runs (row C8);
 * I2: what a run has come through is what the run has whose snapshot it began from, and one station more if that snapshot was drained or
 *     the version is another; runs with nothing new share the same list;
 * I3: of runs that follow each other and have come through the same, the first says all there is to say of their checkpoints. So memory grows
 *     with upgrades and drains, as the reference has to, and with no other run.
 */
import { metadataIn } from '../../engine/protocol/savepoint-paths.ts';
import { assert } from '../../engine/foundation/assert.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import {
  decodePointer,
  type JobRun,
  pointerKey,
  type RetainedCheckpoint,
} from '../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { JobAudit } from './job-audit.ts';
import type { Cut } from './reference-run.ts';

export interface JobVersion {
  readonly graph: JobGraph;
  readonly audit: JobAudit;
}

/** By number; the one that the life begins with comes first. */
export type JobVersions = ReadonlyMap<number, JobVersion>;

/** A snapshot behind which the job went on in another way than if it had been restored after a failure. */
export interface Station {
  readonly checkpointId: number;
  readonly at: Cut;
  /** Its input counted as ended: all timers have fired, and operators have done their last work. */
  readonly isDrained: boolean;
  /** Version that took it. */
  readonly from: number;
  /** Version that began from it. */
  readonly to: number;
}

export interface Course {
  /** The version that its state began with. */
  readonly first: number;
  /** Oldest first. */
  readonly stations: readonly Station[];
}

/** Of the newest run. `endsAt`: the cut it is drained to; no record behind it counts unless somebody starts the job again. */
export interface CurrentCourse extends Course {
  readonly endsAt?: Cut;
}

/** A snapshot as the judges need it here. */
export interface SnapshotCut {
  readonly cut: Cut;
  readonly isDrained: boolean;
}

export interface RunHistoryOptions {
  readonly jobId: string;
  readonly versions: JobVersions;
  /** Undefined: it cannot be read. */
  readonly snapshotOf: (snapshot: Pick<RetainedCheckpoint, 'metadata'>) => SnapshotCut | undefined;
  readonly changed: (course: CurrentCourse) => void;
}

/** A submission of the job. */
export interface Run extends Course {
  readonly run: number;
  /** Ids of its checkpoints are above this one. */
  readonly floor: number;
  readonly version: number;
  /** The version that took what it began from; absent: it began from nothing. */
  readonly from?: number;
}

export class RunHistory {
  readonly kind = 'coordination-updated';
  readonly #options: RunHistoryOptions;
  readonly #key: string;
  readonly #runs: Run[];
  /** Where the newest run was stopped with a savepoint; empty: it goes on. */
  #endedWith = '';

  constructor(options: RunHistoryOptions) {
    this.#options = options;
    this.#key = pointerKey(options.jobId);
    const [first] = options.versions.keys();
    assert(first !== undefined, 'a job has a version');
    this.#runs = [{ run: 1, floor: 0, version: first, first, stations: [] }];
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind !== 'coordination-updated' || event.key !== this.#key) return;
    const { job, completed } = decodePointer(event.value);
    if (job === undefined) return;
    if (job.run > this.#newest.run) this.#onRun(job, completed[0]);
    if (job.ended?.location !== undefined && job.ended.location !== this.#endedWith) this.#onEnded(job.ended.location);
  }

  /** Of the run that took the checkpoint; the list of stations is the same object for all runs that share it. */
  of(checkpoint: number): Course & { readonly version: number } {
    return this.#runs.findLast(({ floor }) => floor < checkpoint) ?? this.#oldest;
  }

  /** The newest. */
  current(): Run {
    return this.#newest;
  }

  versionOf(number: number): JobVersion {
    const version = this.#options.versions.get(number);
    assert(version !== undefined, 'a version that was submitted is one of the job', { number });
    return version;
  }

  get #newest(): Run {
    return this.#runs.at(-1) ?? this.#oldest;
  }

  get #oldest(): Run {
    const [oldest] = this.#runs;
    assert(oldest !== undefined, 'a job has a run');
    return oldest;
  }

  #onRun({ run, floor, version = this.#newest.version }: JobRun, restored: RetainedCheckpoint | undefined): void {
    const before = this.#newest;
    const wasEnded = this.#endedWith !== '';
    this.#endedWith = '';
    const from = restored === undefined ? {} : { from: this.of(restored.id).version };
    const next = { run, floor, version, ...from, ...this.#courseFrom(restored, version) };
    if (saysTheSame(before, this.#runs.at(-2))) this.#runs.pop();
    this.#runs.push(next);
    if (wasEnded || this.#newest.stations !== before.stations) this.#options.changed(this.#newest);
  }

  /** Entries of memory. */
  get remembered(): number {
    return this.#runs.reduce((sum, { stations }) => sum + 1 + stations.length, 0);
  }

  /** I2. */
  #courseFrom(restored: RetainedCheckpoint | undefined, version: number): Course {
    const snapshot = restored && this.#options.snapshotOf(restored);
    if (restored === undefined || snapshot === undefined) return { first: version, stations: [] };
    const { version: from, first, stations } = this.of(restored.id);
    const { isDrained, cut } = snapshot;
    if (from === version && !isDrained) return { first, stations };
    const station = { checkpointId: restored.id, at: cut.slice(), isDrained, from, to: version };
    return { first, stations: [...stations, station] };
  }

  #onEnded(location: string): void {
    const snapshot = this.#options.snapshotOf({ metadata: metadataIn(location) });
    if (snapshot?.isDrained !== true) return;
    this.#endedWith = location;
    this.#options.changed({ ...this.#newest, endsAt: snapshot.cut.slice() });
  }
}

/** I3. Of checkpoints; not of the run itself, which only the newest is asked for. */
const saysTheSame = ({ version, first, stations }: Run, before: Run | undefined): boolean =>
  before?.version === version &&
  before.first === first &&
  (before.stations === stations || before.stations.length + stations.length === 0);

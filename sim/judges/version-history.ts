/**
 * Which version of the job took which checkpoint, and through which upgrades its state has come (row S24).
 *
 * Owns: the runs, as the durable record names them: each has a version, and begins from a snapshot that an earlier run took, or from nothing.
 * Does not own: what an upgrade does to state (upgraded-reference.ts). Shown each event before any judge.
 *
 * I1: a checkpoint belongs to the latest run that began below its id: ids rise over runs (row C8);
 * I2: the upgrades of a run are those of the run whose snapshot it began from, and its own if the version is another.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { decodePointer, pointerKey, type RetainedCheckpoint } from '../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { JobAudit } from './job-audit.ts';
import type { Cut } from './reference-run.ts';

export interface JobVersion {
  readonly graph: JobGraph;
  readonly audit: JobAudit;
}

/** By number; the one that the life begins with comes first. */
export type JobVersions = ReadonlyMap<number, JobVersion>;

export interface Upgrade {
  readonly from: number;
  readonly to: number;
  /** Of the snapshot that the new version began from. */
  readonly at: Cut;
}

export interface VersionHistoryOptions {
  readonly jobId: string;
  readonly versions: JobVersions;
  /** Undefined: it cannot be read. */
  readonly cutOf: (checkpoint: RetainedCheckpoint) => Cut | undefined;
}

interface Run {
  readonly run: number;
  readonly floor: number;
  readonly version: number;
  /** The version that its state began with. */
  readonly first: number;
  readonly upgrades: readonly Upgrade[];
}

export class VersionHistory {
  readonly kind = 'coordination-updated';
  readonly #options: VersionHistoryOptions;
  readonly #key: string;
  readonly #runs: Run[];

  constructor(options: VersionHistoryOptions) {
    this.#options = options;
    this.#key = pointerKey(options.jobId);
    const [first] = options.versions.keys();
    assert(first !== undefined, 'a job has a version');
    this.#runs = [{ run: 1, floor: 0, version: first, first, upgrades: [] }];
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind !== 'coordination-updated' || event.key !== this.#key) return;
    const { job, completed } = decodePointer(event.value);
    const newest = this.#runs.at(-1);
    if (job === undefined || newest === undefined || job.run <= newest.run) return;
    const version = job.version ?? newest.version;
    const base = completed[0] && this.of(completed[0].id);
    const cut = completed[0] && this.#options.cutOf(completed[0]);
    const begun = { run: job.run, floor: job.floor, version };
    if (base === undefined || cut === undefined) this.#runs.push({ ...begun, first: version, upgrades: [] });
    else if (base.version === version) this.#runs.push({ ...base, ...begun });
    else {
      const upgrades = [...base.upgrades, { from: base.version, to: version, at: cut.slice() }];
      this.#runs.push({ ...begun, first: base.first, upgrades });
    }
  }

  /** Of the run that took the checkpoint; the same object for all of a run. */
  of(checkpoint: number): Pick<Run, 'version' | 'first' | 'upgrades'> {
    const run = this.#runs.findLast(({ floor }) => floor < checkpoint) ?? this.#runs[0];
    assert(run !== undefined, 'a checkpoint belongs to a run', { checkpoint });
    return run;
  }

  versionOf(number: number): JobVersion {
    const version = this.#options.versions.get(number);
    assert(version !== undefined, 'a version that was submitted is one of the job', { number });
    return version;
  }
}

/**
 * When a job is drained: a stop with savepoint after which its input counts as ended (row C28); and when it goes on from that savepoint.
 *
 * Owns: noticing it, from the durable record of the run, which names the savepoint before anything of it is committed (decision 0017).
 * Does not own: what follows from it for output and progress. Shown each event before any judge.
 *
 * I1: operators finish at the first drain and at no later one: the savepoint says that they have, and so do all checkpoints behind it.
 * I2: a run that is restored from another snapshot was never drained.
 */
import { decodePointer, type JobRun, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { directoryOfMetadata } from '../../engine/protocol/savepoint-paths.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import type { Drained } from './expected-output.ts';
import type { Cut } from './reference-run.ts';

export interface DrainWatchOptions {
  readonly jobId: string;
  readonly reader: CheckpointReader;
  /** Undefined: not drained. */
  readonly changed: (drained: Drained | undefined) => void;
}

interface DrainedRun extends Drained {
  readonly run: number;
  /** Of its savepoint. */
  readonly location: string;
}

export class DrainWatch {
  readonly kind = 'coordination-updated';
  readonly #options: DrainWatchOptions;
  readonly #key: string;
  #drained: DrainedRun | undefined;

  constructor(options: DrainWatchOptions) {
    this.#options = options;
    this.#key = pointerKey(options.jobId);
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind !== 'coordination-updated' || event.key !== this.#key) return;
    const { job, completed } = decodePointer(event.value);
    if (job === undefined) return;
    if (job.ended === undefined) this.#onRun(job, completed[0]?.metadata);
    else if (job.ended.location !== undefined) this.#onEnded(job.run, job.ended.location);
  }

  #onEnded(run: number, location: string): void {
    if (this.#drained?.run === run && this.#drained.location === location) return;
    const cut = this.#cutOfDrain(location);
    if (cut === undefined) return;
    this.#changedTo({ finishedAt: this.#drained?.finishedAt ?? cut, endsAt: cut, run, location });
  }

  #onRun({ run }: JobRun, restored: string | undefined): void {
    const drained = this.#drained;
    if (drained?.endsAt === undefined || run === drained.run) return;
    const isFromIt = restored !== undefined && directoryOfMetadata(restored) === drained.location;
    const { finishedAt, location } = drained;
    this.#changedTo(isFromIt ? { finishedAt, run, location } : undefined);
  }

  #changedTo(drained: DrainedRun | undefined): void {
    this.#drained = drained;
    this.#options.changed(drained);
  }

  /** Where a savepoint that the job was drained with has cut it; undefined: it is none. */
  #cutOfDrain(location: string): Cut | undefined {
    const { reader } = this.#options;
    const path = `${location}/_metadata`;
    const metadata = reader.metadata(path);
    if (metadata.kind === 'unreadable' || metadata.value.snapshot !== 'terminate-savepoint') return undefined;
    const contents = reader.contents({ id: metadata.value.checkpointId, metadata: path });
    return contents.kind === 'unreadable' ? undefined : contents.value.cut;
  }
}

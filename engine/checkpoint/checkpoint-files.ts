/**
 * The files of checkpoints, as one leader sees them: what becomes of them when a checkpoint completes, is dropped, aborted, or the run ends
 * (rows C9, C16, G5).
 *
 * Owns: who is told of which event, the cleaner or the shared state. Does not own: the deletions, the registry.
 */
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { type CheckpointPointer, droppedClaims, type RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import { directoryOfMetadata } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { lateWriteUs } from '../storage/late-writes.ts';
import { CheckpointCleaner } from './checkpoint-cleaner.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import type { PendingCheckpoint } from './pending-checkpoint.ts';
import { SharedState } from './shared-state.ts';

export interface CheckpointFilesOptions {
  readonly jobId: string;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly storage: CheckpointStorage;
  readonly store: CompletedCheckpointStore;
  /** A deletion has ended: a checkpoint may have waited for it (row C2). */
  readonly cleaned: (nowUs: Micros, out: Out) => void;
}

export class CheckpointFiles {
  readonly #options: CheckpointFilesOptions;
  readonly #cleaner: CheckpointCleaner;
  /** By directory of a claimed snapshot: since when this leader has deleted what lies in it. */
  readonly #discardedFromUs = new Map<string, Micros>();
  readonly shared: SharedState;

  constructor(options: CheckpointFilesOptions) {
    const { jobId, configuration, parts, storage, store, cleaned } = options;
    const { directory, incremental, backend, changelog, fileMerging } = configuration.checkpoint;
    const isIncremental = (): boolean =>
      changelog !== undefined || (incremental && ((store.run.backend ?? backend) === 'lsm' || store.run.floor > 0));
    const root = `${directory}/${jobId}/`;
    this.#options = options;
    this.#cleaner = new CheckpointCleaner(storage, root, cleaned, parts);
    this.shared = new SharedState({
      parts,
      store,
      root,
      storage,
      cleaner: this.#cleaner,
      isIncremental,
      merges: fileMerging !== undefined,
    });
  }

  /** Deletions under way. */
  get cleaning(): number {
    return this.#cleaner.cleaning;
  }

  /** Row C16: the pointer was moved by a checkpoint that these were to acknowledge, and dropped others. */
  completed(
    { dropped, required }: { dropped: readonly RetainedCheckpoint[]; required: readonly number[] },
    nowUs: Micros,
    out: Out,
  ): void {
    this.#sweep(dropped, out);
    this.shared.sweep(this.#options.store.pointer, new Set(required), out);
    this.#discardClaimed(nowUs, out);
  }

  /** The run is over; `lastId`: the last it took. */
  runEnded(dropped: readonly RetainedCheckpoint[], lastId: number, out: Out): void {
    this.#sweep(dropped, out, lastId);
    this.shared.runEnded(this.#options.store.pointer, lastId, out);
  }

  #sweep(dropped: readonly RetainedCheckpoint[], out: Out, endsWith?: number): void {
    const { parts, store } = this.#options;
    const { pointer } = store;
    for (const { owner, metadata } of dropped)
      if (owner === 'claimed' || (owner === 'user' && parts.unclaimedSnapshot !== 'left-alone'))
        this.#cleaner.discardSnapshot(directoryOfMetadata(metadata), out);
    this.#cleaner.sweep(pointer, out, endsWith);
  }

  /** A write that was repeated may bring back what was deleted, so this goes on until none can come (decision 0115). */
  #discardClaimed(nowUs: Micros, out: Out): void {
    const { store, configuration } = this.#options;
    for (const directory of droppedClaims(store.run, store.pointer.completed)) {
      const sinceUs = this.#discardedFromUs.get(directory) ?? nowUs;
      this.#discardedFromUs.set(directory, sinceUs);
      const isQuiet = nowUs >= sinceUs + lateWriteUs(configuration);
      this.#cleaner.discardSnapshot(directory, out, () => {
        if (isQuiet) store.claimIsGone(directory);
      });
    }
  }

  /** With `subsume: before-pointer`: of a pointer that is not written yet. */
  sweepEarly(pointer: CheckpointPointer, out: Out): void {
    this.#cleaner.sweep(pointer, out);
  }

  aborted({ location, handles }: PendingCheckpoint, out: Out): void {
    this.#cleaner.discard(location, out);
    if (this.#options.parts.abortedFiles === 'discarded') this.shared.discard(handles, out);
  }
}

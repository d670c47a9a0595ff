/**
 * The files that the checkpoints of one leader have in common: who registers them, who deletes them, when (rows C9, C16, C27, S16, G5;
 * decision 0061).
 *
 * Owns: the registry. Does not own: the deletions (the cleaner makes them), what is retained (the store).
 * Invariants:
 *   I1 the files of an acknowledgement are registered before anybody asks whether its checkpoint is still pending (row C9);
 *   I2 the registry of a new leader is made of the metadata of every retained checkpoint (row F16): what none of them uses, no later
 *      checkpoint can use, because what stands for it is refused;
 *   I3 a merged file (row S19) goes when it is not registered and the subtask it was opened for had ended before the newest checkpoint was
 *      triggered: nothing that may still be acknowledged lies in it. Until then it belongs to its TaskManager (decision 0096);
 *   I4 a file goes when it is not registered and its checkpoint is below the newest that the durable pointer names; whether or not anybody
 *      ever acknowledged it. Of files of earlier runs those stay that a checkpoint is made of which one of them kept, unless it was claimed.
 *      What is listed is held against what the run knew that asked for the list: when it comes, the next run may have begun from another
 *      snapshot, and does not know what the one before kept, or has claimed some of it.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineParts } from '../parts.ts';
import { creatorOf, isMerged, isShared, openerOf } from '../protocol/checkpoint-paths.ts';
import { type CheckpointPointer, FIRST_RUN } from '../protocol/checkpoint-pointer.ts';
import type { AcknowledgeCheckpoint } from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { SegmentHandle, StateHandle } from '../protocol/state-handle.ts';
import type { CheckpointCleaner } from './checkpoint-cleaner.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { readNamedFiles } from './named-files.ts';
import { SharedStateRegistry } from './shared-state-registry.ts';
import { probe } from '../protocol/probes.ts';

export interface SharedStateOptions {
  readonly parts: EngineParts;
  readonly store: CompletedCheckpointStore;
  /** `<dir>/<job>/`. */
  readonly root: string;
  readonly storage: Pick<CheckpointStorage, 'read'>;
  readonly cleaner: Pick<CheckpointCleaner, 'deleteFiles' | 'sweepShared'>;
  /** Checkpoints of this run may have files in common: there is something to sweep. */
  readonly isIncremental: () => boolean;
  /** Row S19. */
  readonly merges: boolean;
}

export class SharedState {
  readonly #options: SharedStateOptions;
  #registry: SharedStateRegistry;
  /** Files of checkpoints that earlier runs kept; undefined: not known yet. */
  #ofEarlierRuns: ReadonlySet<string> | undefined;

  constructor(options: SharedStateOptions) {
    this.#options = options;
    this.#registry = this.#rebuilt();
  }

  /** Another run has begun, from what the store holds now. */
  runBegins(): void {
    this.#registry = this.#rebuilt();
    this.#ofEarlierRuns = undefined;
  }

  /** I1. The handles with every placeholder replaced; undefined: one of them stands for a file that is gone. */
  register(message: AcknowledgeCheckpoint, out: Out): readonly StateHandle[] | undefined {
    const { handles, checkpointId, attempt, reserved = [] } = message;
    const hasFiles = handles.some(({ segments, offset }) => segments !== undefined || offset !== undefined);
    if (reserved.length === 0 && !hasFiles) return handles;
    if (this.#options.parts.sharedRegistration === 'after-store') this.#registry = this.#rebuilt();
    if (this.#options.parts.reservedFiles === 'registered')
      for (const file of reserved) this.#registry.register(file, checkpointId);
    const resolved: StateHandle[] = [];
    for (const handle of handles) {
      const own = handle.offset === undefined ? [] : [fileOf(handle)];
      const segments = this.#registerAll(handle.segments ?? [], checkpointId);
      if (segments === undefined || this.#registerAll(own, checkpointId) === undefined) {
        out.report({ kind: 'acknowledge-received', checkpointId, attempt, result: 'discarded' });
        probe(out, 'placeholder-of-missing-file');
        return undefined;
      }
      resolved.push(handle.segments === undefined ? handle : { ...handle, segments });
    }
    return resolved;
  }

  /** The pointer was moved: what is below it may go. `running`: whom the newest checkpoint was triggered for. */
  sweep(pointer: CheckpointPointer, running: ReadonlySet<number>, out: Out): void {
    const [lowest] = pointer.completed;
    if (lowest !== undefined) this.#unregister(lowest.id, out);
    const newest = pointer.completed.at(-1)?.id ?? 0;
    const { parts } = this.#options;
    const registry = this.#registry;
    const isOfTask = (path: string): boolean =>
      isMerged(path) && (parts.mergedFilesOfTheDead === 'left' || running.has(openerOf(path)));
    this.#sweepFiles(pointer, newest - 1, (path) => registry.isInUse(path) || isOfTask(path), out);
  }

  /** The run is over, with this as the last id it took: only what is retained is in use. */
  runEnded(pointer: CheckpointPointer, lastId: number, out: Out): void {
    const registry = this.#rebuilt();
    this.#registry = registry;
    this.#sweepFiles(pointer, lastId, (path) => registry.isInUse(path), out);
  }

  /** With `completedSavepoint: subsumes`. */
  subsumeBelow(checkpointId: CheckpointId, out: Out): void {
    this.#options.cleaner.deleteFiles(this.#registry.unregisterUnused(checkpointId), out);
  }

  /** With `abortedFiles: discarded`. */
  discard(handles: readonly StateHandle[], out: Out): void {
    this.#options.cleaner.deleteFiles(
      sharedFilesOf(handles).map(({ path }) => path),
      out,
    );
  }

  #registerAll(segments: readonly SegmentHandle[], checkpointId: CheckpointId): SegmentHandle[] | undefined {
    const { parts } = this.#options;
    const registered: SegmentHandle[] = [];
    for (const segment of segments) {
      // What a savepoint is made of is its user's.
      if (!isShared(segment.path)) {
        registered.push(segment);
        continue;
      }
      const usedBy = parts.sharedRegistration === 'at-acknowledgement' ? checkpointId : 0;
      const registration = this.#registry.register(segment, usedBy);
      if (registration.kind === 'registered') registered.push(registration.file);
      else if (parts.unknownPlaceholder === 'fails-checkpoint') return undefined;
      else registered.push(fileOf(segment));
    }
    return registered;
  }

  /** What is to be deleted the sweep finds. */
  #unregister(lowestRetainedId: CheckpointId, out: Out): void {
    const unused = this.#registry.unregisterUnused(lowestRetainedId);
    const { parts, cleaner } = this.#options;
    if (parts.sharedGarbage !== 'swept') cleaner.deleteFiles(unused, out);
  }

  #sweepFiles(pointer: CheckpointPointer, lastId: number, isInUse: (path: string) => boolean, out: Out): void {
    const { parts, isIncremental, merges, cleaner } = this.#options;
    if (parts.sharedGarbage !== 'swept') return;
    const { floor } = pointer.job ?? FIRST_RUN;
    const ofEarlierRuns = this.#ofEarlierRuns;
    const isKept = (path: string): boolean => ofEarlierRuns?.has(path) !== false;
    const isGarbage = (path: string): boolean =>
      creatorOf(path) <= lastId && !isInUse(path) && (creatorOf(path) > floor || !isKept(path));
    const areSought = parts.leftOfEarlierRuns === 'swept' && floor > 0 && (isIncremental() || merges);
    if (areSought) this.#findKept(pointer, out);
    if (isIncremental()) cleaner.sweepShared('shared', isGarbage, out);
    if (merges) cleaner.sweepShared('taskowned', isGarbage, out);
  }

  /** I4. Until it is known what earlier runs kept, all that they wrote is theirs. */
  #findKept({ job, completed }: CheckpointPointer, out: Out): void {
    const { store, parts } = this.#options;
    const isRemembered = parts.notClaimedFiles === 'remembered' || completed.some(({ owner }) => owner === 'user');
    const { run } = store.run;
    if (this.#ofEarlierRuns !== undefined) return;
    readNamedFiles(isRemembered ? (job?.kept ?? []) : [], this.#options, out, (named) => {
      if (store.run.run === run) this.#ofEarlierRuns = named;
    });
  }

  /** I2. */
  #rebuilt(): SharedStateRegistry {
    const { store, parts } = this.#options;
    const registry = new SharedStateRegistry(store.run.floor, parts.mergedFileUse);
    for (const { id } of store.pointer.completed) {
      const metadata = store.metadataOf(id);
      if (metadata !== undefined) registerMetadata(registry, metadata);
    }
    return registry;
  }
}

function registerMetadata(registry: SharedStateRegistry, { states, checkpointId }: CheckpointMetadata): void {
  for (const { handles } of states) for (const file of sharedFilesOf(handles)) registry.register(file, checkpointId);
}

const sharedFilesOf = (handles: readonly StateHandle[]): SegmentHandle[] =>
  handles.flatMap((handle) => [handle, ...(handle.segments ?? [])].filter(({ path }) => isShared(path)).map(fileOf));

/** Where it lies, and no more. */
const fileOf = ({ path, offset, bytes, checksum }: SegmentHandle): SegmentHandle => ({
  path,
  ...(offset === undefined ? {} : { offset }),
  bytes,
  checksum,
});

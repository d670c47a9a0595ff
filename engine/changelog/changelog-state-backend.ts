/**
 * A backend whose changes are logged as they are made, over a backend of any kind (row S20, FLIP-158; Flink: ChangelogKeyedStateBackend).
 *
 * A checkpoint is the newest materialised snapshot of the backend below and the stretches of the log since. So what it still has to write
 * is the end of the log, however large the state is. Savepoints are those of the backend below.
 *
 * Owns: which snapshot is below the log, where the log is cut. Does not own: the state (the backend below), where files lie and when a
 * snapshot is due (the subtask). Differs from Flink: what is logged is the row that lies in the state afterwards, not the operation; so
 * a change that is replayed twice does no harm. A restored snapshot is built on only as it is: a subtask with other key groups, other
 * forms of its states or a savepoint below it begins with a snapshot of its own.
 * Invariants:
 *   I1 snapshot and log are of one moment: the log is cut where a snapshot is taken, and the number of the next change divides them;
 *   I2 a snapshot takes the place of the one before when it is durable, not before; an older one never does;
 *   I3 behind a full checkpoint nothing older is used again (row C7, C27).
 */
import type { StateKey } from '../foundation/stable-hash.ts';
import { isShared } from '../protocol/checkpoint-paths.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';
import { toCanonical } from '../state/canonical-savepoint.ts';
import { compressed } from '../state/compressed-state-file.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from '../state/keyed-state.ts';
import type {
  EntryVisitor,
  KeyedStateBackend,
  KeyedStateSnapshot,
  LoggedChanges,
  NativeSegment,
  RestoredSegment,
  StateChangeListener,
  TellingBackend,
} from '../state/keyed-state-backend.ts';
import type { StateMetaInfo } from '../state/keyed-state-file.ts';
import type { StateHandleOfKind } from '../state/keyed-state-handles.ts';
import type { LoggedSnapshot, LoggedState, LogPiece, Materialization } from '../state/logged-state.ts';
import type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueStateDescriptor,
} from '../state/state-descriptor.ts';
import type { TimerQueue } from '../state/timer-queue.ts';
import { sameSnapshot } from '../state/type-serializer.ts';
import {
  type ChangelogManifest,
  decodeChangelogManifest,
  encodeChangelogManifest,
  isChangelogManifest,
} from './changelog-manifest.ts';
import { restoreLogged } from './replay.ts';
import { StateChangeLog } from './state-change-log.ts';

export interface ChangelogOptions {
  /** A stretch of the log of this size is cut and written at once (Flink: dstl.dfs.preemptive-persist-threshold). */
  readonly fullBytes: number;
  /** Whether a snapshot below the log is made of the files of a backend that has any. */
  readonly incremental: boolean;
  readonly compression: CheckpointConfiguration['compression'];
  /** What the number of the next change makes the end of a snapshot; see EngineParts. */
  materializedTo(next: number): number;
}

/** What is below the log. */
interface Snapshot {
  /** Number of the first change that is not in it. */
  readonly upTo: number;
  readonly pieces: readonly LogPiece[];
}

/** The state was empty when the log began. */
const NOTHING: Snapshot = { upTo: 0, pieces: [] };

export class ChangelogStateBackend implements KeyedStateBackend, LoggedState {
  readonly #options: ChangelogOptions;
  readonly #backend: TellingBackend;
  readonly #log: StateChangeLog;
  /** Undefined: nothing that the log could be read after; the next checkpoint makes it. */
  #below: Snapshot | undefined = NOTHING;
  /** Materialisations taken; numbers their files. */
  #taken = 0;
  /** Of materialisations up to this one none becomes the snapshot below (I2, I3). */
  #outdated = 0;
  readonly #numbers = new Map<Materialization, number>();

  /** `open`: makes the backend below. */
  constructor(options: ChangelogOptions, open: (changes: StateChangeListener) => TellingBackend) {
    this.#options = options;
    this.#log = new StateChangeLog(() => this.#backend.header(), options.fullBytes);
    this.#backend = open(this.#log);
  }

  get changelog(): LoggedState {
    return this;
  }

  get keyCount(): number {
    return this.#backend.keyCount;
  }

  get estimatedBytes(): number {
    return this.#backend.estimatedBytes;
  }

  setCurrentKey(key: StateKey): void {
    this.#backend.setCurrentKey(key);
  }

  get currentKey(): StateKey {
    return this.#backend.currentKey;
  }

  get registered(): readonly string[] {
    return this.#backend.registered;
  }

  keys(): readonly StateKey[] {
    return this.#backend.keys();
  }

  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T>;
  getState<T>(descriptor: ListStateDescriptor<T>): ListState<T>;
  getState<K extends StateKey, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>;
  getState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>;
  getState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>;
  getState(descriptor: StateDescriptor): StateHandleOfKind {
    const before = this.#formOf(descriptor.name);
    const state = this.#backend.getState(descriptor as ValueStateDescriptor<unknown>);
    if (before !== undefined) this.#compareForms(before);
    return state;
  }

  visitEntries(visit: EntryVisitor): void {
    this.#backend.visitEntries(visit);
  }

  cleanUp(state: string, entries: number): void {
    this.#backend.cleanUp?.(state, entries);
  }

  getTimers(name: string): TimerQueue {
    return this.#backend.getTimers(name);
  }

  /** Of the state as a whole, for savepoints. */
  snapshot(): KeyedStateSnapshot {
    this.#backend.settle();
    return this.#backend.snapshot();
  }

  restore(bytes: Uint8Array, segments: readonly RestoredSegment[] = [], changes?: LoggedChanges): void {
    const isFirst = this.#below === NOTHING && this.#log.next === 0;
    this.#below = undefined;
    if (!isChangelogManifest(bytes)) return this.#backend.restore(bytes, segments, changes);
    const manifest = decodeChangelogManifest(bytes);
    restoreLogged(this.#backend, manifest, segments);
    if (isFirst) this.#goOnFrom(manifest, segments);
  }

  dispose(): void {
    this.#backend.dispose();
  }

  takeLoggedBytes(): number {
    return this.#log.takeLoggedBytes();
  }

  get hasFull(): boolean {
    return this.#log.hasFull;
  }

  takeFull(): readonly LogPiece[] {
    return this.#log.takeFull();
  }

  checkpoint(isFull: boolean): LoggedSnapshot {
    this.#backend.settle();
    this.#log.cut();
    if (isFull) {
      this.#below = undefined;
      this.#outdated = this.#taken;
    }
    const materialization = this.#below === undefined ? this.#take() : undefined;
    const { upTo, pieces } = materialization ?? this.#below ?? NOTHING;
    const log = this.#log.stretches.filter(({ to }) => to > upTo);
    const manifest = encodeChangelogManifest({
      ...this.#backend.header(),
      materializedTo: upTo,
      snapshotFiles: pieces.length,
      log,
    });
    return { manifest, pieces: [...pieces, ...log.map(({ piece }) => piece)], materialization };
  }

  materialize(): Materialization | undefined {
    this.#backend.settle();
    if (this.#below !== undefined && this.#below.upTo >= this.#log.next) return undefined;
    return this.#take();
  }

  /** I2, I3. */
  materialized(materialization: Materialization): void {
    const number = this.#numbers.get(materialization) ?? 0;
    this.#numbers.delete(materialization);
    if (number <= this.#outdated) return;
    this.#outdated = number;
    this.#below = materialization;
    this.#log.truncate(materialization.upTo);
  }

  livePieces(): readonly string[] {
    const below = [...(this.#below?.pieces ?? []), ...[...this.#numbers.keys()].flatMap(({ pieces }) => pieces)];
    return [...below, ...this.#log.stretches.map(({ piece }) => piece)].map(({ id }) => id);
  }

  /** I1. */
  #take(): Materialization {
    this.#log.cut();
    this.#taken += 1;
    const upTo = this.#options.materializedTo(this.#log.next);
    const { estimatedBytes } = this.#backend;
    const snapshot = this.#backend.snapshot();
    const pieces = this.#piecesOf(snapshot, estimatedBytes);
    const materialization = { upTo, pieces, release: () => this.#release(materialization, snapshot) };
    this.#numbers.set(materialization, this.#taken);
    return materialization;
  }

  #release(materialization: Materialization, snapshot: KeyedStateSnapshot): void {
    this.#numbers.delete(materialization);
    snapshot.release();
  }

  #piecesOf(snapshot: KeyedStateSnapshot, estimatedBytes: number): readonly LogPiece[] {
    const id = `base-${this.#taken}`;
    const { incremental, compression } = this.#options;
    const { files } = snapshot;
    if (files !== undefined && incremental) {
      const main = { id, estimatedBytes: 0, entryCount: 0, bytes: once(() => files.manifest()), origin: undefined };
      return [main, ...files.segments.map(pieceOfSegment)];
    }
    const bytes = once(() => {
      // What a backend that has files of its own writes as one file is canonical (Flink: RocksFullSnapshotStrategy).
      const file = files === undefined ? snapshot.write() : toCanonical(snapshot.write());
      return compression === 'none' ? file : compressed(file);
    });
    return [{ id, estimatedBytes, entryCount: snapshot.entryCount, bytes, origin: undefined }];
  }

  /** The restored checkpoint is built on if it is this subtask's, as it is, and its files may be shared. */
  #goOnFrom(manifest: ChangelogManifest, files: readonly RestoredSegment[]): void {
    const { keyGroups: own } = this.#backend.header();
    const { keyGroups, materializedTo, snapshotFiles, log } = manifest;
    const isOwn = keyGroups.start === own.start && keyGroups.end === own.end;
    if (!isOwn || !files.every(({ handle }) => isShared(handle.path))) return;
    const handles = files.map(({ handle }) => handle);
    const pieces = handles.slice(0, snapshotFiles).map((origin, index) => {
      const bytes = once(() => files[index]?.bytes ?? new Uint8Array(0));
      return { id: `restored-${index}`, estimatedBytes: 0, entryCount: 0, bytes, origin };
    });
    this.#below = { upTo: materializedTo, pieces };
    this.#log.restored(log, handles.slice(snapshotFiles), materializedTo);
  }

  /** A state that goes on in another form (row S13) is logged in that one: what is below the log does not fit any more. */
  #compareForms(before: StateMetaInfo): void {
    const present = this.#formOf(before.name);
    if (present !== undefined && sameSnapshot(present.serializer, before.serializer)) return;
    this.#below = undefined;
    this.#outdated = this.#taken;
  }

  #formOf(name: string): StateMetaInfo | undefined {
    return this.#backend.header().states.find((state) => state.name === name);
  }
}

/** Read at once: a checkpoint that was begun may ask for it when the snapshot was given back. */
function pieceOfSegment(segment: NativeSegment): LogPiece {
  const { id, length, origin } = segment;
  const bytes = segment.read();
  return {
    id: `segment-${id}`,
    estimatedBytes: length,
    entryCount: 0,
    bytes: () => bytes,
    origin: origin !== undefined && isShared(origin.handle.path) ? origin.handle : undefined,
  };
}

function once(make: () => Uint8Array): () => Uint8Array {
  let made: Uint8Array | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

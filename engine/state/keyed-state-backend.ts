/**
 * The contract between a keyed operator and the thing that stores its state (Flink: KeyedStateBackend).
 *
 * Owns the two phases of a snapshot: `snapshot()` is the synchronous part, short and independent of the size of the
 * state; `write()` is the asynchronous part, which may come much later and yields the state of the synchronous moment.
 *
 * I1: state is read and written only after a current key was set, and only for keys of the own key groups.
 * I2: write() yields the same bytes whenever it is called before release().
 */

import type { StateKey } from '../foundation/stable-hash.ts';
import type { KeyGroupRange } from '../job/key-groups.ts';
import type { ByteString } from '../lsm/row-key.ts';
import type { Row } from '../lsm/segment-file.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './keyed-state.ts';
import type { KeyedStateHeader, StateMetaInfo } from './keyed-state-file.ts';
import type { LoggedState } from './logged-state.ts';
import type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from './state-descriptor.ts';
import type { TimerQueue } from './timer-queue.ts';

/** An entry as its function sees it: of a list state the whole list, of a map state the whole map. */
export type EntryVisitor = (state: string, keyGroup: number, key: StateKey, content: unknown) => void;

/** State of one subtask of a keyed operator. */
export interface KeyedStateBackend {
  /** Entries of all states: a key with two states counts twice (Flink: numKeyValueStateEntries). */
  readonly keyCount: number;
  /** Size of the state: as bytes of a file, extrapolated from a sample of entries, or the bytes of the files it lies in. */
  readonly estimatedBytes: number;
  setCurrentKey(key: StateKey): void;
  readonly currentKey: StateKey;
  /** Names of the states that a function has registered, and of timers. */
  readonly registered: readonly string[];
  /** Keys that have an entry in some state a function has registered, each once. */
  keys(): readonly StateKey[];
  /** Registers a state, or finds it again; throws `IncompatibleState` if what was restored of it cannot be read so. */
  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T>;
  getState<T>(descriptor: ListStateDescriptor<T>): ListState<T>;
  getState<K extends StateKey, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>;
  getState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>;
  getState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>;
  /**
   * Shows an auditor every entry of the states that are registered, timers too, as they are now. It changes nothing, what the next snapshot
   * costs included; the visitor neither changes nor keeps what it sees.
   */
  visitEntries(visit: EntryVisitor): void;
  /** Looks at the next entries of a state and drops what has expired (row S12). Absent: the backend finds it by itself. */
  cleanUp?(state: string, entries: number): void;
  /** The timers of this name, made or found again; part of every snapshot (row S11). */
  getTimers(name: string): TimerQueue;
  /** The synchronous part of a snapshot. */
  snapshot(): KeyedStateSnapshot;
  /**
   * Adds the own key groups of a file, canonical or of this backend; `segments`: what its manifest lists, in that order; `changes`: what
   * came after it. After a rescale it is called once per overlapping file.
   */
  restore(bytes: Uint8Array, segments?: readonly RestoredSegment[], changes?: LoggedChanges): void;
  /** Forgets all state. Snapshots taken before can still be written and released. */
  dispose(): void;
  /** Checkpoints are made of logged changes (row S20). Absent: they are not. */
  readonly changelog?: LoggedState;
}

/** A backend that tells of every change. */
export interface TellingBackend extends KeyedStateBackend {
  /** What a snapshot taken now says of itself. */
  header(): KeyedStateHeader;
  /** What the user changed in place since he got it becomes a change. */
  settle(): void;
}

/**
 * Is told of each change, as the row that lies in the state from then on (row-key.ts), in order. Undefined: the row is gone, or of a
 * map, where the user key is empty, all rows of the key.
 */
export interface StateChangeListener {
  changed(row: ByteString, value: Uint8Array | undefined): void;
}

/** Changes since a snapshot, in order. */
export interface LoggedChanges {
  /** Of every state that is changed, the form its values have. */
  readonly states: readonly StateMetaInfo[];
  readonly rows: readonly Row[];
}

/** The state of a backend at one moment. */
export interface KeyedStateSnapshot {
  /** Entries of all states. */
  readonly entryCount: number;
  /** The asynchronous part: the bytes of a keyed state file. */
  write(): Uint8Array;
  /** Gives back what was kept for this snapshot; a second release does nothing. */
  release(): void;
  /** The same state as files of the backend's own, most of which earlier snapshots had, too. Absent: it has none. */
  readonly files?: NativeFiles;
}

/** A snapshot as the backend itself has it on its node (row S17). */
export interface NativeFiles {
  readonly segments: readonly NativeSegment[];
  /** Always new. */
  manifest(): Uint8Array;
}

/** A file that never changes. */
export interface NativeSegment {
  /** The same file has the same number in every snapshot of this backend. */
  readonly id: number;
  /** In bytes. */
  readonly length: number;
  /** From the disk of the node, until the snapshot is released; throws `DamagedSegment` where it is not what was written. */
  read(): Uint8Array;
  /** It is, as it is, a file of the snapshot that the backend was restored from. */
  readonly origin: Pick<RestoredSegment, 'handle'> | undefined;
}

export interface RestoredSegment {
  readonly handle: SegmentHandle;
  readonly bytes: Uint8Array;
}

/** A backend and whose state it holds. */
export interface KeyedOperatorState {
  readonly operator: string;
  readonly backend: KeyedStateBackend;
  readonly keyGroups: KeyGroupRange;
}

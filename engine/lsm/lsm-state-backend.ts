/**
 * The backend that holds keyed state as bytes in a log-structured store on the node (Flink: RocksDBKeyedStateBackend).
 *
 * Owns: the store, the current key, what states there are. A snapshot is the list of segments at its moment and a manifest; which of them
 * have to be written is for the checkpoint to know (uploaded-segments.ts).
 *
 * I1: only keys of the own key groups are stored; a restored segment that holds others is clipped, for good: a key left in it would be
 *     back after the next rescale (row S18);
 * I2: stored bytes are read only by a compatible serializer;
 * I3: each key group is restored from at most one snapshot, and all of them before a state is registered;
 * I4: taking a snapshot costs one flush and a list: it does not depend on the size of the state.
 */
import { assert } from '../foundation/assert.ts';
import { ByteReader } from '../foundation/byte-reader.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import { type KeyGroupRange, keyGroupOf } from '../job/key-groups.ts';
import { changedFile } from '../changelog/changed-file.ts';
import { RecordedRows } from '../changelog/recorded-rows.ts';
import { fromCanonical, isCanonical } from '../state/canonical-savepoint.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from '../state/keyed-state.ts';
import type {
  EntryVisitor,
  KeyedStateSnapshot,
  LoggedChanges,
  RestoredSegment,
  StateChangeListener,
  TellingBackend,
} from '../state/keyed-state-backend.ts';
import {
  decodeKeyedStateFile,
  type KeyedStateHeader,
  locateKeyedStateEntries,
  type StateMetaInfo,
} from '../state/keyed-state-file.ts';
import { createStateHandle, type StateHandleOfKind, UserMapSerializer } from '../state/keyed-state-handles.ts';
import { currentGroup, type KeyContext } from '../state/state-table.ts';
import type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueStateDescriptor,
} from '../state/state-descriptor.ts';
import { TIMERS_KIND } from '../state/state-descriptor.ts';
import { refuseOtherKeys, resolveStoredState } from '../state/stored-state.ts';
import { HeapTimerQueue, keyTimersSerializer, type TimerQueue } from '../state/timer-queue.ts';
import type { Stamped } from '../state/time-to-live.ts';
import { IncompatibleState, sameSnapshot, type TypeSerializer } from '../state/type-serializer.ts';
import { CurrentValues, decodeWhole } from './current-values.ts';
import { isWithin, keyedStateFileOf, takeApart } from './keyed-rows.ts';
import {
  type DeletedRows,
  type IsObsolete,
  LogStructuredStore,
  type StoredSegment,
  type StoreWork,
  visibleRows,
} from './log-structured-store.ts';
import { decodeManifest, encodeManifest, isManifest } from './manifest-file.ts';
import {
  type ByteString,
  groupPrefix,
  keyGroupOfRow,
  lengthPrefixed,
  type RowPlace,
  readRowPlace,
  toByteString,
  toBytes,
} from './row-key.ts';
import { type PresentState, type RowConversion, rowConversion } from './row-conversion.ts';
import { type CurrentRow, RowMapState, RowTable } from './row-state.ts';
import { RowTimers } from './row-timers.ts';
import { directoryInMemory, type WorkingDirectory } from './segment-directory.ts';
import { type Row, Segment } from './segment-file.ts';

export interface LsmStateBackendOptions {
  readonly keySerializer: TypeSerializer<StateKey>;
  readonly keyGroups: KeyGroupRange;
  readonly maxParallelism: number;
  /** Uid of the operator, for messages. */
  readonly operator?: string;
  /** Where the store counts what it does. */
  readonly work?: StoreWork;
  /** Where its segments lie, a directory of its own; absent: in memory. */
  readonly directory?: WorkingDirectory;
  /** Size at which the memtable becomes a segment. */
  readonly memtableBytes?: number;
  /** What becomes of a restored segment with rows of other key groups (I1). */
  readonly foreignRows?: 'clipped' | 'kept';
  /** See StoreOptions. */
  readonly deletedRows?: DeletedRows;
  /** See StateBackendOptions. */
  readonly valuesInHand?: 'in-snapshot' | 'left-out';
  /** Absent: nobody wants to know of changes. */
  readonly changes?: StateChangeListener;
}

export class LsmStateBackend implements TellingBackend {
  readonly #options: LsmStateBackendOptions;
  readonly #store: LogStructuredStore<Pick<RestoredSegment, 'handle'>>;
  /** The store, where what is done to it is told of. */
  readonly #rows: Pick<LogStructuredStore<unknown>, 'get' | 'put' | 'delete' | 'scan'>;
  readonly #states = new Map<string, StateMetaInfo>();
  /** By name: what a function has declared. */
  readonly #registered = new Map<string, PresentState>();
  readonly #restoredKeyGroups = new Set<number>();
  readonly #timers = new Map<string, HeapTimerQueue>();
  readonly #values: CurrentValues;
  readonly #context: KeyContext = { key: '', group: -1 };
  /** Some state has a time to live. */
  #expires = false;
  /** The current key as its rows have it. */
  #keyPart: ByteString = '';

  constructor(options: LsmStateBackendOptions) {
    const { keyGroups, maxParallelism, memtableBytes, deletedRows } = options;
    assert(keyGroups.start >= 0 && keyGroups.start <= keyGroups.end, 'a key-group range is not empty', { keyGroups });
    assert(keyGroups.end < maxParallelism, 'a key group is below the maximum parallelism', { keyGroups });
    this.#options = options;
    const work = options.work ?? { blockReads: 0, diskBytes: 0 };
    const directory = options.directory ?? directoryInMemory();
    const isObsolete: IsObsolete = (row, value) => this.#hasExpired(row, value);
    this.#store = new LogStructuredStore({ work, directory, memtableBytes, isObsolete, deletedRows });
    this.#rows = options.changes === undefined ? this.#store : new RecordedRows(this.#store, options.changes);
    this.#values = new CurrentValues(this.#rows);
  }

  get keyCount(): number {
    this.#values.settle();
    return this.#keysOf(() => true).length;
  }

  get estimatedBytes(): number {
    return this.#store.bytes;
  }

  setCurrentKey(key: StateKey): void {
    const context = this.#context;
    if (key === context.key && context.group >= 0) return;
    const { maxParallelism, keyGroups, keySerializer } = this.#options;
    const keyGroup = keyGroupOf(key, maxParallelism);
    if (keyGroup < keyGroups.start || keyGroup > keyGroups.end)
      assert(false, 'I1: the current key belongs to the own key groups', { key, keyGroup, keyGroups });
    this.#values.settle();
    context.key = key;
    context.group = keyGroup - keyGroups.start;
    this.#keyPart = lengthPrefixed((out) => keySerializer.serialize(key, out));
  }

  get currentKey(): StateKey {
    return this.#context.key;
  }

  getTimers(name: string): TimerQueue {
    const opened = this.#timers.get(name);
    if (opened !== undefined) return opened;
    const meta: StateMetaInfo = { name, kind: TIMERS_KIND, serializer: keyTimersSerializer.snapshot };
    const known = this.#states.get(name);
    const declared = { kind: meta.kind, serializer: keyTimersSerializer };
    if (known !== undefined) resolveStoredState(known, declared, this.#options.operator);
    this.#states.set(name, meta);
    const { keyGroups, keySerializer } = this.#options;
    const table = new RowTimers({ name, store: this.#rows, keySerializer, firstKeyGroup: keyGroups.start });
    const groupCount = keyGroups.end - keyGroups.start + 1;
    const place = { context: this.#context, firstKeyGroup: keyGroups.start, groupCount };
    const queue = new HeapTimerQueue({ table, ...place });
    this.#timers.set(name, queue);
    return queue;
  }

  get registered(): readonly string[] {
    return [...this.#registered.keys(), ...this.#timers.keys()];
  }

  keys(): readonly StateKey[] {
    this.#values.settle();
    return [...new Set(this.#keysOf((state) => this.#registered.has(state)))];
  }

  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T>;
  getState<T>(descriptor: ListStateDescriptor<T>): ListState<T>;
  getState<K extends StateKey, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>;
  getState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>;
  getState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>;
  getState(descriptor: StateDescriptor): StateHandleOfKind {
    if (descriptor.kind !== 'map')
      return createStateHandle(descriptor, this.#context, (opened, type) => {
        return new RowTable(this.#rowOf(opened, type), this.#values, type);
      });
    const { keyType, valueType } = descriptor;
    const row = this.#rowOf(descriptor, new UserMapSerializer(keyType, valueType));
    return new RowMapState({ row, values: this.#values, store: this.#rows, keyType, valueType });
  }

  /** What it reads is not the job's work. */
  visitEntries(visit: EntryVisitor): void {
    this.#values.settle();
    const { work } = this.#options;
    const before = { ...work };
    for (const [name, { descriptor, serializer }] of this.#registered) {
      if (descriptor.kind === 'map') this.#visitMaps(descriptor, visit);
      else this.#visitRows(name, serializer, visit);
    }
    for (const name of this.#timers.keys()) this.#visitRows(name, keyTimersSerializer, visit);
    if (work !== undefined) Object.assign(work, before);
  }

  #visitRows(name: string, serializer: TypeSerializer<unknown>, visit: EntryVisitor): void {
    this.#scan(name, (keyGroup, key, value) =>
      visit(name, keyGroup, key, serializer.deserialize(new ByteReader(value))),
    );
  }

  #visitMaps({ name, keyType, valueType }: MapStateDescriptor<StateKey, unknown>, visit: EntryVisitor): void {
    const groups = new Map<number, Map<StateKey, Map<StateKey, unknown>>>();
    this.#scan(name, (keyGroup, key, value, userKey) => {
      const ofGroup = groups.get(keyGroup) ?? new Map<StateKey, Map<StateKey, unknown>>();
      groups.set(keyGroup, ofGroup);
      const map = ofGroup.get(key) ?? new Map<StateKey, unknown>();
      ofGroup.set(key, map);
      map.set(keyType.deserialize(new ByteReader(userKey)), valueType.deserialize(new ByteReader(value)));
    });
    for (const [keyGroup, maps] of groups) for (const [key, map] of maps) visit(name, keyGroup, key, map);
  }

  #scan(state: string, visit: (keyGroup: number, key: StateKey, value: Uint8Array, userKey: Uint8Array) => void): void {
    const { keyGroups, keySerializer } = this.#options;
    for (let keyGroup = keyGroups.start; keyGroup <= keyGroups.end; keyGroup += 1) {
      for (const [row, value] of this.#store.scan(groupPrefix(keyGroup, state))) {
        const { key, userKey } = placeOf(row);
        visit(keyGroup, keySerializer.deserialize(new ByteReader(key)), value, userKey);
      }
    }
  }

  settle(): void {
    this.#values.settle();
  }

  /** I4. */
  snapshot(): KeyedStateSnapshot {
    if (this.#options.valuesInHand !== 'left-out') this.#values.settle();
    this.#store.flush();
    let segments = this.#store.hold();
    const header = this.header();
    return {
      entryCount: segments.reduce((sum, { segment }) => sum + segment.rowCount, 0),
      write: () => keyedStateFileOf(header, visibleRows(segments)),
      release: () => {
        this.#store.giveBack(segments);
        segments = [];
      },
      files: {
        segments: segments.map(({ id, segment, origin }) => {
          return { id, length: segment.length, read: () => segment.read(), origin };
        }),
        manifest: () => encodeManifest({ ...header, segments: segments.map(listed) }),
      },
    };
  }

  restore(bytes: Uint8Array, segments: readonly RestoredSegment[] = [], changes?: LoggedChanges): void {
    const { size } = this.#registered;
    assert(size === 0 && this.#timers.size === 0, 'I3: a backend is restored before a state is registered');
    if (isManifest(bytes)) {
      this.#restoreSegments(bytes, segments);
      if (changes !== undefined) this.#replay(changes);
    } else {
      const file = isCanonical(bytes) ? fromCanonical(bytes) : bytes;
      // A map lies whole in a file: what came after is put into it before it is taken apart.
      this.#restoreFile(changes === undefined ? file : changedFile(file, changes));
    }
  }

  dispose(): void {
    this.#store.close();
    this.#registered.clear();
    this.#states.clear();
    this.#timers.clear();
    this.#context.group = -1;
  }

  header(): KeyedStateHeader {
    const { keySerializer, maxParallelism, keyGroups } = this.#options;
    const states = [...this.#states.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { keySerializer: keySerializer.snapshot, maxParallelism, keyGroups, states };
  }

  /** Registers the state; gives its row of the current key. */
  #rowOf<T>(descriptor: StateDescriptor, serializer: TypeSerializer<T>): CurrentRow {
    const meta = { name: descriptor.name, kind: descriptor.kind, serializer: serializer.snapshot };
    const known = this.#states.get(meta.name);
    const present = { descriptor, serializer };
    if (!this.#registered.has(meta.name)) {
      const conversion = known && rowConversion(known, present, this.#options.operator);
      if (conversion !== undefined) this.#convert(meta.name, conversion);
      // A row of the earlier form, overwritten but not merged away, would be taken for one of the present form.
      if (conversion !== undefined && descriptor.expiry !== undefined) this.#store.compactFully();
      this.#registered.set(meta.name, present);
      this.#expires ||= descriptor.expiry !== undefined;
      if (known !== undefined) this.#takeMapsApart(descriptor);
    } else {
      const isSame = known?.kind === meta.kind && sameSnapshot(known.serializer, meta.serializer);
      assert(isSame, 'a name is registered as one state', { state: meta.name });
    }
    this.#states.set(meta.name, meta);
    const prefixes = new Map<number, ByteString>();
    return () => {
      const group = currentGroup(this.#context);
      let prefix = prefixes.get(group);
      if (prefix === undefined) {
        prefix = groupPrefix(group + this.#options.keyGroups.start, meta.name);
        prefixes.set(group, prefix);
      }
      return prefix + this.#keyPart;
    };
  }

  /** Row S12: what has expired goes when segments are merged (Flink: RocksDbTtlCompactFiltersManager). */
  #hasExpired(row: ByteString, value: Uint8Array): boolean {
    if (!this.#expires) return false;
    const { state, userKey } = placeOf(row);
    const { descriptor, serializer } = this.#registered.get(state) ?? {};
    const { expiry } = descriptor ?? {};
    if (descriptor === undefined || serializer === undefined || expiry === undefined) return false;
    const nowUs = expiry.nowUs();
    if (descriptor.kind === 'map' && userKey.length > 0)
      return expiry.hasExpired(decodeWhole(value, descriptor.valueType) as Stamped<unknown>, nowUs);
    return expiry.unexpired(decodeWhole(value, serializer), nowUs) === undefined;
  }

  /** Row S13. */
  #convert(state: string, conversion: RowConversion): void {
    const { start, end } = this.#options.keyGroups;
    for (let keyGroup = start; keyGroup <= end; keyGroup += 1) {
      for (const [row, value] of this.#store.scan(groupPrefix(keyGroup, state)))
        this.#store.put(row, conversion(value, placeOf(row).userKey.length > 0));
    }
  }

  /** Maps that came whole from a file (I1 of keyed-rows.ts). */
  #takeMapsApart(descriptor: StateDescriptor): void {
    if (descriptor.kind !== 'map') return;
    const { start, end } = this.#options.keyGroups;
    for (let keyGroup = start; keyGroup <= end; keyGroup += 1) {
      const prefix = groupPrefix(keyGroup, descriptor.name);
      for (const [row, value] of this.#store.scan(prefix)) {
        if (placeOf(row).userKey.length > 0) continue;
        this.#rows.delete(row);
        for (const entry of takeApart(value, descriptor))
          this.#rows.put(row + toByteString(entry.userKey), entry.value);
      }
    }
  }

  #restoreSegments(bytes: Uint8Array, files: readonly RestoredSegment[]): void {
    const manifest = decodeManifest(bytes);
    this.#admit(manifest);
    assert(manifest.segments.length === files.length, 'a snapshot is restored with all of its segments');
    manifest.segments.forEach(({ level }, index) => {
      const file = files[index];
      if (file !== undefined) this.#restoreSegment(level, file);
    });
  }

  /** The rows are this backend's own, from the log. */
  #replay({ states, rows }: LoggedChanges): void {
    this.#learn(states);
    for (const [row, value] of rows) {
      if (!isWithin(row, this.#options.keyGroups)) continue;
      if (value === undefined) this.#store.delete(row);
      else this.#store.put(row, value);
    }
  }

  #restoreSegment(level: number, file: RestoredSegment): void {
    const segment = new Segment(file.bytes);
    const { keyGroups, foreignRows } = this.#options;
    const isOwn = isWithin(segment.minKey, keyGroups) && isWithin(segment.maxKey, keyGroups);
    if (isOwn || foreignRows === 'kept') {
      const { handle } = file;
      return this.#store.restoreSegment(level, file.bytes, { handle });
    }
    if (keyGroupOfRow(segment.maxKey) < keyGroups.start || keyGroupOfRow(segment.minKey) > keyGroups.end) return;
    const rows: Row[] = [];
    segment.scan('', (key, value) => {
      if (isWithin(key, keyGroups)) rows.push([key, value]);
    });
    this.#store.restoreRows(level, rows);
  }

  #restoreFile(bytes: Uint8Array): void {
    this.#admit(decodeKeyedStateFile(bytes));
    const prefixes = new Map<string, ByteString>();
    const { keyGroups } = this.#options;
    locateKeyedStateEntries(bytes, (state, keyGroup, { keyStart, keyEnd, valueStart, valueEnd }) => {
      if (keyGroup < keyGroups.start || keyGroup > keyGroups.end) return;
      const id = `${keyGroup}/${state}`;
      const prefix = prefixes.get(id) ?? groupPrefix(keyGroup, state);
      prefixes.set(id, prefix);
      const key = bytes.subarray(keyStart, keyEnd);
      const row = prefix + lengthPrefixed((out) => out.writeBytes(key));
      this.#store.put(row, bytes.slice(valueStart, valueEnd));
    });
  }

  /** I2, I3. */
  #admit(snapshot: KeyedStateHeader): void {
    const { maxParallelism, keySerializer, keyGroups } = this.#options;
    if (snapshot.maxParallelism !== maxParallelism)
      throw new IncompatibleState(
        `the state was written with maximum parallelism ${String(snapshot.maxParallelism)}, the job has ${String(maxParallelism)}`,
      );
    refuseOtherKeys(snapshot.keySerializer, keySerializer.snapshot, this.#options.operator);
    this.#learn(snapshot.states);
    const first = Math.max(snapshot.keyGroups.start, keyGroups.start);
    const last = Math.min(snapshot.keyGroups.end, keyGroups.end);
    for (let keyGroup = first; keyGroup <= last; keyGroup += 1) {
      assert(!this.#restoredKeyGroups.has(keyGroup), 'I3: a key group is restored from one snapshot', { keyGroup });
      this.#restoredKeyGroups.add(keyGroup);
    }
  }

  /** I2. */
  #learn(states: readonly StateMetaInfo[]): void {
    for (const meta of states) {
      const known = this.#states.get(meta.name);
      const isSame =
        known === undefined || (known.kind === meta.kind && sameSnapshot(known.serializer, meta.serializer));
      if (!isSame) throw new IncompatibleState(`state '${meta.name}' has two forms in one checkpoint`);
      this.#states.set(meta.name, meta);
    }
  }

  /** The key of each entry, once per state. */
  #keysOf(isCounted: (state: string) => boolean): StateKey[] {
    const found = new Map<ByteString, Uint8Array>();
    for (const [row] of this.#store.scan('')) {
      const { state, key, userKey } = placeOf(row);
      if (isCounted(state)) found.set(row.slice(0, row.length - userKey.length), key);
    }
    const { keySerializer } = this.#options;
    return [...found.values()].map((key) => keySerializer.deserialize(new ByteReader(key)));
  }
}

const placeOf = (row: ByteString): RowPlace => readRowPlace(new ByteReader(toBytes(row)), row.length);

const listed = ({ level, segment }: StoredSegment<unknown>): { level: number; bytes: number } => ({
  level,
  bytes: segment.length,
});

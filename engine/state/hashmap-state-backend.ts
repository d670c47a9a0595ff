/**
 * The backend that holds keyed state as objects in memory (Flink: HashMapStateBackend, HeapKeyedStateBackend).
 *
 * Owns a copy-on-write table per registered state, the current key, and what was restored for states that no function
 * has registered yet. That is kept as bytes, and written into snapshots as it came, so that a state registered late, or
 * not at all in this run, is not lost.
 *
 * I1: only keys of the own key-group range are stored; restore clips a file to it (row S8).
 * I2: stored bytes are read only by a compatible serializer.
 * I3: each key group is restored from at most one file, and all of them before a function registers any state (Flink: a
 *     keyed backend is built with what it restores).
 * I4: states are written in the order of their names, so that a file does not depend on the order of registration.
 * I5: a name is one state: a job that declares it as two is refused before it runs (job-graph-generator.ts).
 */

import { assert } from '../foundation/assert.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import { isManifest } from '../lsm/manifest-file.ts';
import { type KeyGroupRange, keyGroupOf, MAX_PARALLELISM_UPPER_BOUND } from '../job/key-groups.ts';
import { CopyOnWriteMap } from './copy-on-write-map.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './keyed-state.ts';
import { changedFile } from '../changelog/changed-file.ts';
import { RecordedStates } from '../changelog/recorded-states.ts';
import type {
  EntryVisitor,
  KeyedStateSnapshot,
  LoggedChanges,
  RestoredSegment,
  StateChangeListener,
  TellingBackend,
} from './keyed-state-backend.ts';
import {
  decodeKeyedStateFile,
  encodeKeyedStateFile,
  type KeyedStateFile,
  type KeyedStateHeader,
  type StateMetaInfo,
  type StateSection,
} from './keyed-state-file.ts';
import { createStateHandle, type StateHandleOfKind } from './keyed-state-handles.ts';
import type { KeyContext, OpenTable } from './state-table.ts';
import type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueStateDescriptor,
} from './state-descriptor.ts';
import { TIMERS_KIND } from './state-descriptor.ts';
import { readerOf } from './schema-compatibility.ts';
import { type SnapshotPart, snapshotUnclaimed, type UnclaimedState } from './unclaimed-state.ts';
import { refuseOtherKeys, resolveStoredState } from './stored-state.ts';
import type { Expiry, MayExpire } from './time-to-live.ts';
import { HeapTimerQueue, keyTimersSerializer, type TimerQueue } from './timer-queue.ts';
import {
  describeSerializer,
  IncompatibleState,
  type Read,
  sameSnapshot,
  type TypeSerializer,
} from './type-serializer.ts';

/** What a backend is made for. */
export interface HashMapStateBackendOptions {
  readonly keySerializer: TypeSerializer<StateKey>;
  /** The key groups of the subtask. */
  readonly keyGroups: KeyGroupRange;
  /** Number of key groups of the operator. */
  readonly maxParallelism: number;
  /** Uid of the operator, for messages. */
  readonly operator?: string;
  /** Absent: nobody wants to know of changes. */
  readonly changes?: StateChangeListener;
}

/** A state that a function has registered. */
interface RegisteredState {
  /** Its serializer describes what is written next; a restored form may have had it reconfigured. */
  readonly meta: StateMetaInfo;
  /** As the function declared it. */
  readonly declared: StateMetaInfo;
  readonly serializer: TypeSerializer<unknown>;
  readonly table: CopyOnWriteMap<StateKey, unknown>;
  /** Present where entries expire (row S12). */
  readonly expiry: Expiry | undefined;
}

/** Entries per state that are measured to estimate its size. */
const SAMPLE_ENTRIES = 64;
/** Samples are written here, to be measured. */
const scratch = new ByteWriter();

export class HashMapStateBackend implements TellingBackend {
  readonly #operator: string | undefined;
  readonly #keySerializer: TypeSerializer<StateKey>;
  readonly #readKey: Read<StateKey> = (input) => this.#keySerializer.deserialize(input);
  readonly #keyGroups: KeyGroupRange;
  readonly #maxParallelism: number;
  readonly #context: KeyContext = { key: '', group: -1 };
  readonly #registered = new Map<string, RegisteredState>();
  readonly #unclaimed = new Map<string, UnclaimedState>();
  readonly #restoredKeyGroups = new Set<number>();
  readonly #timers = new Map<string, HeapTimerQueue>();
  readonly #recorded: RecordedStates | undefined;

  constructor({ keySerializer, keyGroups, maxParallelism, operator, changes }: HashMapStateBackendOptions) {
    assert(
      maxParallelism >= 1 && maxParallelism <= MAX_PARALLELISM_UPPER_BOUND,
      'a maximum parallelism is within the upper bound',
      { maxParallelism },
    );
    assert(keyGroups.start >= 0 && keyGroups.start <= keyGroups.end, 'a key-group range is not empty', { keyGroups });
    assert(keyGroups.end < maxParallelism, 'a key group is below the maximum parallelism', {
      keyGroups,
      maxParallelism,
    });
    this.#operator = operator;
    this.#keySerializer = keySerializer;
    this.#keyGroups = keyGroups;
    this.#maxParallelism = maxParallelism;
    if (changes !== undefined) {
      const { start: firstKeyGroup } = keyGroups;
      this.#recorded = new RecordedStates({ changes, keySerializer, firstKeyGroup, context: this.#context });
    }
  }

  get keyCount(): number {
    let count = 0;
    for (const { table } of this.#registered.values()) count += table.size;
    for (const { entryCount } of this.#unclaimed.values()) count += entryCount;
    return count;
  }

  get estimatedBytes(): number {
    let bytes = 0;
    for (const state of this.#registered.values()) bytes += this.#estimateBytes(state);
    for (const { sections } of this.#unclaimed.values()) {
      for (const { section } of sections.values()) bytes += section.end - section.start;
    }
    return bytes;
  }

  setCurrentKey(key: StateKey): void {
    const context = this.#context;
    if (key === context.key && context.group >= 0) return;
    const keyGroup = keyGroupOf(key, this.#maxParallelism);
    if (keyGroup < this.#keyGroups.start || keyGroup > this.#keyGroups.end) {
      assert(false, 'I1: the current key belongs to the own key groups', { key, keyGroup, keyGroups: this.#keyGroups });
    }
    this.#recorded?.settle();
    context.key = key;
    context.group = keyGroup - this.#keyGroups.start;
  }

  get currentKey(): StateKey {
    return this.#context.key;
  }

  get registered(): readonly string[] {
    return [...this.#registered.keys()];
  }

  keys(): readonly StateKey[] {
    const keys = new Set<StateKey>();
    for (const { meta, table } of this.#registered.values()) {
      if (meta.kind === TIMERS_KIND) continue;
      for (let group = 0; group <= this.#keyGroups.end - this.#keyGroups.start; group++) {
        table.forEachUpTo(group, Number.POSITIVE_INFINITY, (key) => keys.add(key));
      }
    }
    return [...keys];
  }

  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T>;
  getState<T>(descriptor: ListStateDescriptor<T>): ListState<T>;
  getState<K extends StateKey, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>;
  getState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>;
  getState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>;
  getState(descriptor: StateDescriptor): StateHandleOfKind {
    const open: OpenTable = (opened, serializer) => this.#table(opened, serializer);
    if (this.#recorded === undefined) return createStateHandle(descriptor, this.#context, open);
    return this.#recorded.handle(descriptor, open, (name) => this.#typeOf(name));
  }

  visitEntries(visit: EntryVisitor): void {
    const { start, end } = this.#keyGroups;
    for (const { meta, table } of this.#registered.values()) {
      let keyGroup = start;
      const visitEntry = (key: StateKey, content: unknown): void => visit(meta.name, keyGroup, key, content);
      for (; keyGroup <= end; keyGroup++) table.forEachUpTo(keyGroup - start, Number.POSITIVE_INFINITY, visitEntry);
    }
  }

  cleanUp(state: string, entries: number): void {
    const { table, expiry } = this.#registered.get(state) ?? {};
    if (table === undefined || expiry === undefined) return;
    const nowUs = expiry.nowUs();
    table.sweep(entries, (value) => expiry.unexpired(value, nowUs));
  }

  getTimers(name: string): TimerQueue {
    const known = this.#timers.get(name);
    if (known !== undefined) return known;
    const own = this.#table({ name, kind: TIMERS_KIND }, keyTimersSerializer);
    const table = this.#recorded?.timers(name, own) ?? own;
    const groupCount = this.#keyGroups.end - this.#keyGroups.start + 1;
    const { start: firstKeyGroup } = this.#keyGroups;
    const queue = new HeapTimerQueue({ table, context: this.#context, firstKeyGroup, groupCount });
    this.#timers.set(name, queue);
    return queue;
  }

  settle(): void {
    this.#recorded?.settle();
  }

  header(): KeyedStateHeader {
    const states = [...this.#registered.values(), ...this.#unclaimed.values()].map(({ meta }) => meta);
    return this.#headerOf(states.sort((a, b) => compareNames(a.name, b.name)));
  }

  snapshot(): KeyedStateSnapshot {
    const parts: SnapshotPart[] = [];
    for (const state of this.#registered.values()) parts.push(this.#snapshotRegistered(state));
    for (const state of this.#unclaimed.values()) parts.push(snapshotUnclaimed(state));
    parts.sort((a, b) => compareNames(a.meta.name, b.meta.name));
    const header = this.#headerOf(parts.map(({ meta }) => meta));
    let released = false;
    return {
      entryCount: parts.reduce((sum, part) => sum + part.entryCount, 0),
      write: () => {
        assert(!released, 'a snapshot is written only before its release');
        return encodeKeyedStateFile(header, (state, keyGroup, out) => parts[state]?.write(keyGroup, out) ?? 0);
      },
      release: () => {
        released = true;
        for (const part of parts) part.release();
      },
    };
  }

  restore(written: Uint8Array, _segments: readonly RestoredSegment[] = [], changes?: LoggedChanges): void {
    if (isManifest(written))
      throw new IncompatibleState(
        'native state of backend lsm cannot be read by backend hashmap; a canonical savepoint can',
      );
    assert(this.#registered.size === 0, 'I3: a backend is restored before a state is registered');
    const bytes = changes === undefined ? written : changedFile(written, changes);
    const file = decodeKeyedStateFile(bytes);
    this.#refuseForeignFile(file);
    this.#claimKeyGroups(file.keyGroups);
    const mine = file.sections.filter(({ keyGroup }) => this.#owns(keyGroup));
    file.states.forEach((meta, index) => {
      const sections = mine.filter((section) => section.state === index);
      this.#keepUnclaimed(meta, bytes, sections);
    });
  }

  dispose(): void {
    this.#registered.clear();
    this.#unclaimed.clear();
    this.#timers.clear();
    this.#context.group = -1;
  }

  #headerOf(states: readonly StateMetaInfo[]): KeyedStateHeader {
    return {
      keySerializer: this.#keySerializer.snapshot,
      maxParallelism: this.#maxParallelism,
      keyGroups: this.#keyGroups,
      states,
    };
  }

  /** How the values of a registered state are written. */
  #typeOf(name: string): TypeSerializer<unknown> {
    const state = this.#registered.get(name);
    assert(state !== undefined, 'a state that is used is registered', { name });
    return state.serializer;
  }

  /**
   * The table of a state, registered on first use. The cast is sound because the kind and the serializer of a
   * registered state never change (I5).
   */
  #table<V>(
    descriptor: Pick<StateMetaInfo, 'name' | 'kind'> & MayExpire,
    serializer: TypeSerializer<V>,
  ): CopyOnWriteMap<StateKey, V> {
    const meta = { name: descriptor.name, kind: descriptor.kind, serializer: serializer.snapshot };
    const known = this.#registered.get(meta.name);
    if (known !== undefined) {
      const isSame = known.declared.kind === meta.kind && sameSnapshot(known.declared.serializer, meta.serializer);
      assert(isSame, 'I5: a name is registered as one state', { state: meta.name });
      return known.table as CopyOnWriteMap<StateKey, V>;
    }
    const opened = new CopyOnWriteMap<StateKey, V>(this.#keyGroups.end - this.#keyGroups.start + 1, serializer);
    const table = opened as CopyOnWriteMap<StateKey, unknown>;
    const unclaimed = this.#unclaimed.get(meta.name);
    let active = serializer;
    if (unclaimed !== undefined) {
      const found = resolveStoredState(unclaimed.meta, { kind: meta.kind, serializer }, this.#operator);
      // A restored form that only asks for another configuration is gone on with: its bytes stay as they are (row S13).
      if (found.kind === 'compatible-after-reconfiguration') active = found.serializer;
      // Row S13: values are read in the form they were written in; the next snapshot writes them in the present one.
      const read = readerOf(serializer, found);
      for (const { bytes, section } of unclaimed.sections.values()) this.#load(table, read, bytes, section);
      this.#unclaimed.delete(meta.name);
    }
    this.#registered.set(meta.name, {
      meta: { ...meta, serializer: active.snapshot },
      declared: meta,
      serializer: active,
      table,
      expiry: descriptor.expiry,
    });
    return opened;
  }

  #refuseForeignFile(file: KeyedStateFile): void {
    if (file.maxParallelism !== this.#maxParallelism) {
      throw new IncompatibleState(
        `the state was written with maximum parallelism ${String(file.maxParallelism)}, the job has ${String(this.#maxParallelism)}`,
      );
    }
    refuseOtherKeys(file.keySerializer, this.#keySerializer.snapshot, this.#operator);
    for (const meta of file.states) {
      const unclaimed = this.#unclaimed.get(meta.name)?.meta;
      const isSame = unclaimed === undefined || describeState(unclaimed) === describeState(meta);
      if (!isSame) throw new IncompatibleState(`state '${meta.name}' has two forms in one checkpoint`);
    }
  }

  #claimKeyGroups(range: KeyGroupRange): void {
    const first = Math.max(range.start, this.#keyGroups.start);
    const last = Math.min(range.end, this.#keyGroups.end);
    for (let keyGroup = first; keyGroup <= last; keyGroup++) {
      assert(!this.#restoredKeyGroups.has(keyGroup), 'I3: a key group is restored from one file', { keyGroup });
      this.#restoredKeyGroups.add(keyGroup);
    }
  }

  #owns(keyGroup: number): boolean {
    return keyGroup >= this.#keyGroups.start && keyGroup <= this.#keyGroups.end;
  }

  #keepUnclaimed(meta: StateMetaInfo, bytes: Uint8Array, added: readonly StateSection[]): void {
    const before = this.#unclaimed.get(meta.name);
    const sections = new Map(before?.sections);
    let entryCount = before?.entryCount ?? 0;
    for (const section of added) {
      sections.set(section.keyGroup, { bytes, section });
      entryCount += section.entryCount;
    }
    this.#unclaimed.set(meta.name, { meta, entryCount, sections });
  }

  #load(
    table: CopyOnWriteMap<StateKey, unknown>,
    read: Read<unknown>,
    bytes: Uint8Array,
    { keyGroup, entryCount, start, end }: StateSection,
  ): void {
    const group = keyGroup - this.#keyGroups.start;
    const input = new ByteReader(bytes, start, end);
    for (let i = 0; i < entryCount; i++) {
      const key = readLengthPrefixed(this.#readKey, input);
      const value = readLengthPrefixed(read, input);
      if (keyGroupOf(key, this.#maxParallelism) !== keyGroup) input.refuse('a key lies in its key group');
      assert(!table.contains(group, key), 'I3: a key group is restored before anything is stored in it', { key });
      table.put(group, key, value);
    }
    if (input.remaining !== 0) input.refuse('the entries of a section fill it');
  }

  #snapshotRegistered({ meta, serializer, table, expiry }: RegisteredState): SnapshotPart {
    const snapshot = table.snapshot();
    const filter = expiry?.filtersFullSnapshots === true ? expiry : undefined;
    // Of the synchronous part, so that the bytes do not depend on when they are written.
    const takenUs = filter?.nowUs() ?? 0;
    const keySerializer = this.#keySerializer;
    const firstKeyGroup = this.#keyGroups.start;
    return {
      meta,
      entryCount: snapshot.entryCount,
      write(keyGroup, out) {
        let count = 0;
        snapshot.forEach(keyGroup - firstKeyGroup, (key, value) => {
          const left = filter === undefined ? value : filter.unexpired(value, takenUs);
          if (left === undefined) return;
          writeLengthPrefixed(keySerializer, key, out);
          writeLengthPrefixed(serializer, left, out);
          count++;
        });
        return count;
      },
      release() {
        snapshot.release();
      },
    };
  }

  #estimateBytes({ serializer, table }: RegisteredState): number {
    const out = scratch;
    out.reset();
    let sampled = 0;
    const sample = (key: StateKey, value: unknown): void => {
      writeLengthPrefixed(this.#keySerializer, key, out);
      writeLengthPrefixed(serializer, value, out);
      sampled++;
    };
    const groups = this.#keyGroups.end - this.#keyGroups.start + 1;
    for (let group = 0; group < groups && sampled < SAMPLE_ENTRIES; group++)
      table.forEachUpTo(group, SAMPLE_ENTRIES - sampled, sample);
    return sampled === 0 ? 0 : Math.round((out.position / sampled) * table.size);
  }
}

const describeState = ({ kind, serializer }: StateMetaInfo): string =>
  `${kind} state of ${describeSerializer(serializer)}`;

function writeLengthPrefixed<T>(serializer: TypeSerializer<T>, value: T, out: ByteWriter): void {
  const start = out.beginLengthPrefixed();
  serializer.serialize(value, out);
  out.endLengthPrefixed(start);
}

/** The value fills the bytes it was given: a serializer that reads more or less than it wrote is found here. */
function readLengthPrefixed<T>(read: (input: ByteReader) => T, input: ByteReader): T {
  const length = input.readVarUint();
  const start = input.position;
  const value = read(input);
  if (input.position !== start + length) throw new CorruptData('a serialized value fills its bytes', start);
  return value;
}

function compareNames(a: string, b: string): number {
  assert(a !== b, 'a state is either registered or unclaimed');
  return a < b ? -1 : 1;
}

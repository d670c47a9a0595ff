/**
 * State of an operator that belongs to no key: named lists and broadcast maps, each with a mode that says how its elements are dealt out to the
 * subtasks on rescale (Flink: OperatorStateStore, DefaultOperatorStateBackend).
 *
 * Owns the lists of one subtask. Does not own redistribution: that names elements of files (operator-state-repartitioner.ts).
 *
 * I1: a snapshot is a deep copy made in the synchronous part (row S23); it is written to bytes later.
 * I2: the order of elements is kept; several restored files are appended in the order of their restores.
 * I3: restored lists that nobody has registered are kept as bytes and go into every snapshot.
 * I4: lists are written in the order of their names;
 * I5: a list keeps the mode it was stored with: it says what the elements of all subtasks are to each other;
 * I6: broadcast state is restored from one copy (row S7): a key that comes twice came from two;
 * I7: all files are restored before a state is registered (Flink: the store is built with what it restores), and a name has one form in all
 *     files of a checkpoint.
 */

import { assert } from '../foundation/assert.ts';
import { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { OperatorStateList, RedistributionMode } from '../protocol/state-handle.ts';
import { compareKeys } from './key-order.ts';
import type { BroadcastState, OperatorListState } from './operator-state-descriptor.ts';
import {
  decodeElements,
  decodeOperatorStateFile,
  encodeOperatorStateFile,
  type OperatorStateBytes,
} from './operator-state-file.ts';
import { Types } from './type-information.ts';
import { readerOf, resolveSchema } from './schema-compatibility.ts';
import {
  describeSerializer,
  IncompatibleState,
  type SerializerSnapshot,
  sameSnapshot,
  type TypeSerializer,
  type Read,
} from './type-serializer.ts';

/** The operator state of a subtask at one moment. */
export interface OperatorStateSnapshot {
  /** Elements of all lists. */
  readonly entryCount: number;
  /** Size as bytes of a file, extrapolated from a sample of elements. */
  estimateBytes(): number;
  /** The asynchronous part: the bytes of an operator state file. */
  write(): Uint8Array;
}

/** One list of a snapshot. */
interface SnapshotPart {
  readonly name: string;
  readonly entryCount: number;
  estimateBytes(): number;
  toBytes(): OperatorStateBytes;
}

/** What is registered under a name: a list, or a broadcast map, whose elements in a file are its entries. */
interface RegisteredState {
  readonly mode: RedistributionMode;
  /** Of an element in a file. */
  readonly serializer: SerializerSnapshot;
  load(state: OperatorStateBytes): void;
  snapshot(): SnapshotPart;
}

/** Which state it is, for files and messages. */
interface Place {
  readonly name: string;
  readonly operator: string | undefined;
}

/** Elements per state that are measured to estimate its size. */
const SAMPLE_ELEMENTS = 32;

export class OperatorStateStore {
  /** For messages. */
  readonly #operator: string | undefined;
  readonly #states = new Map<string, RegisteredState>();
  readonly #unclaimed = new Map<string, OperatorStateBytes>();

  constructor(operator?: string) {
    this.#operator = operator;
  }

  /** Registers a list, or finds it again; throws `IncompatibleState` if what was restored of it cannot be read so. */
  getListState<T>(name: string, type: TypeSerializer<T>): OperatorListState<T> {
    return this.#register(name, type, 'split-distribute');
  }

  /** A list of which every subtask gets all elements of all subtasks at restore, and keeps what it has a use for. */
  getUnionListState<T>(name: string, type: TypeSerializer<T>): OperatorListState<T> {
    return this.#register(name, type, 'union');
  }

  /** A map that is the same in all subtasks; at restore each gets one copy. */
  getBroadcastState<K extends StateKey, V>(
    name: string,
    keyType: TypeSerializer<K>,
    valueType: TypeSerializer<V>,
  ): BroadcastState<K, V> {
    // Sound because the serializer of a registered state never changes, and a job has one state of a name (job-graph-generator.ts).
    return this.#registered(
      name,
      () => new RegisteredBroadcast({ name, operator: this.#operator }, keyType, valueType),
    ) as RegisteredBroadcast<K, V>;
  }

  #register<T>(name: string, type: TypeSerializer<T>, mode: RedistributionMode): OperatorListState<T> {
    return this.#registered(
      name,
      () => new RegisteredList({ name, operator: this.#operator }, type, mode),
    ) as RegisteredList<T>;
  }

  #registered(name: string, create: () => RegisteredState): RegisteredState {
    const made = create();
    const known = this.#states.get(name);
    if (known !== undefined) {
      const isSame = known.mode === made.mode && sameSnapshot(known.serializer, made.serializer);
      assert(isSame, 'a name is registered as one state', { state: name });
      return known;
    }
    const unclaimed = this.#unclaimed.get(name);
    if (unclaimed !== undefined) made.load(unclaimed);
    this.#unclaimed.delete(name);
    this.#states.set(name, made);
    return made;
  }

  snapshot(): OperatorStateSnapshot {
    const parts: SnapshotPart[] = [];
    for (const state of this.#states.values()) parts.push(state.snapshot());
    for (const state of this.#unclaimed.values()) {
      const estimateBytes = (): number => state.elements.reduce((sum, { length }) => sum + length, 0);
      parts.push({ name: state.name, entryCount: state.elements.length, estimateBytes, toBytes: () => state });
    }
    parts.sort((a, b) => compareNames(a.name, b.name));
    return {
      entryCount: parts.reduce((sum, part) => sum + part.entryCount, 0),
      estimateBytes: () => parts.reduce((sum, part) => sum + part.estimateBytes(), 0),
      write: () => encodeOperatorStateFile(parts.map((part) => part.toBytes())),
    };
  }

  /** I7. Appends the lists of a file; of each only the elements that `lists` names, where that is given. */
  restore(bytes: Uint8Array, lists?: readonly OperatorStateList[]): void {
    assert(this.#states.size === 0, 'I7: a store is restored before a state is registered');
    const states = lists === undefined ? decodeOperatorStateFile(bytes) : decodeElements(bytes, lists);
    for (const state of states) this.#keepUnclaimed(state);
  }

  #keepUnclaimed(state: OperatorStateBytes): void {
    const before = this.#unclaimed.get(state.name) ?? { ...state, elements: [] };
    refuseOtherMode(state.name, state.mode, before.mode);
    refuseDifferent({ name: state.name, operator: this.#operator }, state.serializer, before.serializer);
    this.#unclaimed.set(state.name, { ...state, elements: [...before.elements, ...state.elements] });
  }
}

class RegisteredList<T> implements OperatorListState<T>, RegisteredState {
  readonly place: Place;
  readonly type: TypeSerializer<T>;
  readonly mode: RedistributionMode;
  readonly serializer: SerializerSnapshot;
  #elements: T[] = [];

  constructor(place: Place, type: TypeSerializer<T>, mode: RedistributionMode) {
    this.place = place;
    this.type = type;
    this.mode = mode;
    this.serializer = type.snapshot;
  }

  get(): readonly T[] {
    return this.#elements;
  }

  add(element: T): void {
    assert(element !== undefined, 'a list element is not undefined');
    this.#elements.push(element);
  }

  addAll(elements: readonly T[]): void {
    for (const element of elements.slice()) this.add(element);
  }

  update(elements: readonly T[]): void {
    this.#elements = elements.slice();
  }

  clear(): void {
    this.#elements = [];
  }

  load(state: OperatorStateBytes): void {
    refuseOtherMode(state.name, state.mode, this.mode);
    const read = readWritten(state, this.type, this.place);
    for (const bytes of state.elements) this.#elements.push(fromBytes(read, bytes));
  }

  snapshot(): SnapshotPart {
    const { type, mode } = this;
    const { name } = this.place;
    const copies = this.#elements.map((element) => type.copy(element));
    return {
      name,
      entryCount: copies.length,
      estimateBytes: () => estimate(type, copies),
      toBytes: () => ({ name, mode, serializer: type.snapshot, elements: copies.map((copy) => toBytes(type, copy)) }),
    };
  }
}

/** A broadcast map; its elements in a file are its entries, in the order of their keys. */
class RegisteredBroadcast<K extends StateKey, V> implements BroadcastState<K, V>, RegisteredState {
  readonly place: Place;
  readonly mode = 'broadcast';
  readonly serializer: SerializerSnapshot;
  readonly #entryType: TypeSerializer<[K, V]>;
  readonly #entries = new Map<K, V>();

  constructor(place: Place, keyType: TypeSerializer<K>, valueType: TypeSerializer<V>) {
    this.place = place;
    this.#entryType = Types.tuple<[K, V]>([keyType, valueType]);
    this.serializer = this.#entryType.snapshot;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  contains(key: K): boolean {
    return this.#entries.has(key);
  }

  entries(): readonly (readonly [K, V])[] {
    return this.#sorted();
  }

  put(key: K, value: V): void {
    assert(value !== undefined, 'a broadcast value is not undefined');
    this.#entries.set(key, value);
  }

  remove(key: K): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  load(state: OperatorStateBytes): void {
    refuseOtherMode(state.name, state.mode, this.mode);
    const read = readWritten(state, this.#entryType, this.place);
    for (const bytes of state.elements) {
      const [key, value] = fromBytes(read, bytes);
      assert(!this.#entries.has(key), 'I6: broadcast state is restored from one copy', { state: state.name, key });
      this.#entries.set(key, value);
    }
  }

  snapshot(): SnapshotPart {
    const { mode, serializer } = this;
    const { name } = this.place;
    const type = this.#entryType;
    const copies = this.#sorted().map((entry) => type.copy(entry));
    return {
      name,
      entryCount: copies.length,
      estimateBytes: () => estimate(type, copies),
      toBytes: () => ({ name, mode, serializer, elements: copies.map((copy) => toBytes(type, copy)) }),
    };
  }

  #sorted(): [K, V][] {
    return [...this.#entries].sort(([a], [b]) => compareKeys(a, b));
  }
}

/** Elements are written here, one at a time. */
const scratch = new ByteWriter();

function toBytes<T>(type: TypeSerializer<T>, value: T): Uint8Array {
  scratch.reset();
  type.serialize(value, scratch);
  return scratch.toBytes();
}

/** Row S13: elements are read in the form they were written in, and from the next snapshot on written in the present one. */
function readWritten<T>(state: OperatorStateBytes, type: TypeSerializer<T>, place: Place): Read<T> {
  const compatibility = resolveSchema(type, state.serializer);
  if (compatibility.kind === 'incompatible') throw unreadable(place, state.serializer, type.snapshot);
  return readerOf(type, compatibility);
}

function fromBytes<T>(read: Read<T>, bytes: Uint8Array): T {
  const input = new ByteReader(bytes);
  const value = read(input);
  if (input.remaining !== 0) input.refuse('an element fills its bytes');
  return value;
}

function estimate<T>(type: TypeSerializer<T>, elements: readonly T[]): number {
  const sampled = Math.min(elements.length, SAMPLE_ELEMENTS);
  if (sampled === 0) return 0;
  scratch.reset();
  for (let i = 0; i < sampled; i++) type.serialize(elements[i] as T, scratch);
  return Math.round((scratch.position / sampled) * elements.length);
}

/** Of a name that comes twice in a checkpoint. */
function refuseDifferent(place: Place, written: SerializerSnapshot, current: SerializerSnapshot): void {
  if (!sameSnapshot(written, current)) throw unreadable(place, written, current);
}

function unreadable(place: Place, written: SerializerSnapshot, current: SerializerSnapshot): IncompatibleState {
  const { name, operator } = place;
  const [before, now] = [describeSerializer(written), describeSerializer(current)];
  const of = operator === undefined ? '' : `operator '${operator}': `;
  return new IncompatibleState(`${of}operator state '${name}' has type ${before}, which cannot be read as ${now}`);
}

function refuseOtherMode(name: string, written: RedistributionMode, current: RedistributionMode): void {
  if (written === current) return;
  throw new IncompatibleState(`operator state '${name}' was stored as ${written}, which cannot become ${current}`);
}

function compareNames(a: string, b: string): number {
  assert(a !== b, 'a list is either registered or unclaimed');
  return a < b ? -1 : 1;
}

/**
 * State of an operator that belongs to no key: named lists, each with a mode that says how its elements are dealt out to the
 * subtasks on rescale (Flink: OperatorStateStore, DefaultOperatorStateBackend).
 *
 * Owns the lists of one subtask. Does not own redistribution: that names elements of files (operator-state-repartitioner.ts).
 *
 * I1: a snapshot is a deep copy made in the synchronous part (row S23); it is written to bytes later.
 * I2: the order of elements is kept; several restored files are appended in the order of their restores.
 * I3: restored lists that nobody has registered are kept as bytes and go into every snapshot.
 * I4: lists are written in the order of their names;
 * I5: a list keeps the mode it was stored with: it says what the elements of all subtasks are to each other.
 */

import { assert } from '../foundation/assert.ts';
import { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { OperatorStateList, RedistributionMode } from '../protocol/state-handle.ts';
import {
  decodeElements,
  decodeOperatorStateFile,
  encodeOperatorStateFile,
  type OperatorStateBytes,
} from './operator-state-file.ts';
import {
  checkCompatibility,
  describeSerializer,
  IncompatibleState,
  type SerializerSnapshot,
  type TypeSerializer,
} from './type-serializer.ts';

/** A list of elements that can be dealt out one by one. */
export interface OperatorListState<T> {
  /** The elements in order; valid until the next operation on this state. */
  get(): readonly T[];
  add(element: T): void;
  addAll(elements: readonly T[]): void;
  /** Replaces the whole list. */
  update(elements: readonly T[]): void;
  clear(): void;
}

/** The operator state of a subtask at one moment. */
export interface OperatorStateSnapshot {
  /** Elements of all lists. */
  readonly entryCount: number;
  /** The asynchronous part: the bytes of an operator state file. */
  write(): Uint8Array;
}

/** One list of a snapshot. */
interface SnapshotPart {
  readonly name: string;
  readonly entryCount: number;
  toBytes(): OperatorStateBytes;
}

export class OperatorStateStore {
  readonly #lists = new Map<string, RegisteredList<unknown>>();
  readonly #unclaimed = new Map<string, OperatorStateBytes>();

  /** Registers a list, or finds it again; throws `IncompatibleState` if it was stored differently. */
  getListState<T>(name: string, type: TypeSerializer<T>): OperatorListState<T> {
    return this.#register(name, type, 'split-distribute');
  }

  /** A list of which every subtask gets all elements of all subtasks at restore, and keeps what it has a use for. */
  getUnionListState<T>(name: string, type: TypeSerializer<T>): OperatorListState<T> {
    return this.#register(name, type, 'union');
  }

  /** A list that is the same in all subtasks; at restore each gets one copy (Flink: BroadcastState, a map; here its entries). */
  getBroadcastState<T>(name: string, type: TypeSerializer<T>): OperatorListState<T> {
    return this.#register(name, type, 'broadcast');
  }

  #register<T>(name: string, type: TypeSerializer<T>, mode: RedistributionMode): OperatorListState<T> {
    const known = this.#lists.get(name);
    if (known !== undefined) {
      refuseIncompatible(name, known.type.snapshot, type.snapshot);
      refuseOtherMode(name, known.mode, mode);
      // Sound because the serializer of a registered list never changes and one that differs is refused.
      return known as RegisteredList<T>;
    }
    const list = new RegisteredList(name, type, mode);
    const unclaimed = this.#unclaimed.get(name);
    if (unclaimed !== undefined) list.load(unclaimed);
    this.#unclaimed.delete(name);
    this.#lists.set(name, list);
    return list;
  }

  snapshot(): OperatorStateSnapshot {
    const parts: SnapshotPart[] = [];
    for (const list of this.#lists.values()) parts.push(list.snapshot());
    for (const state of this.#unclaimed.values()) {
      parts.push({ name: state.name, entryCount: state.elements.length, toBytes: () => state });
    }
    parts.sort((a, b) => compareNames(a.name, b.name));
    return {
      entryCount: parts.reduce((sum, part) => sum + part.entryCount, 0),
      write: () => encodeOperatorStateFile(parts.map((part) => part.toBytes())),
    };
  }

  /** Appends the lists of a file; of each only the elements that `lists` names, where that is given. */
  restore(bytes: Uint8Array, lists?: readonly OperatorStateList[]): void {
    const states = lists === undefined ? decodeOperatorStateFile(bytes) : decodeElements(bytes, lists);
    for (const state of states) this.#refuse(state);
    for (const state of states) {
      const list = this.#lists.get(state.name);
      if (list === undefined) this.#keepUnclaimed(state);
      else list.load(state);
    }
  }

  /** All states are checked before any is loaded, so that a refused file changes nothing. */
  #refuse(state: OperatorStateBytes): void {
    const list = this.#lists.get(state.name);
    const unclaimed = this.#unclaimed.get(state.name);
    const present = list?.type.snapshot ?? unclaimed?.serializer;
    if (present !== undefined) refuseIncompatible(state.name, state.serializer, present);
    refuseOtherMode(state.name, state.mode, list?.mode ?? unclaimed?.mode ?? state.mode);
  }

  #keepUnclaimed(state: OperatorStateBytes): void {
    const before = this.#unclaimed.get(state.name);
    const elements = [...(before?.elements ?? []), ...state.elements];
    this.#unclaimed.set(state.name, { ...state, elements });
  }
}

class RegisteredList<T> implements OperatorListState<T> {
  readonly name: string;
  readonly type: TypeSerializer<T>;
  readonly mode: RedistributionMode;
  #elements: T[] = [];

  constructor(name: string, type: TypeSerializer<T>, mode: RedistributionMode) {
    this.name = name;
    this.type = type;
    this.mode = mode;
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
    refuseIncompatible(state.name, state.serializer, this.type.snapshot);
    refuseOtherMode(state.name, state.mode, this.mode);
    for (const bytes of state.elements) {
      const input = new ByteReader(bytes);
      this.#elements.push(this.type.deserialize(input));
      if (input.remaining !== 0) input.refuse('an element fills its bytes');
    }
  }

  snapshot(): SnapshotPart {
    const { name, type, mode } = this;
    const copies = this.#elements.map((element) => type.copy(element));
    return {
      name,
      entryCount: copies.length,
      toBytes: () => ({ name, mode, serializer: type.snapshot, elements: copies.map((copy) => toBytes(type, copy)) }),
    };
  }
}

/** Elements are written here, one at a time. */
const scratch = new ByteWriter();

function toBytes<T>(type: TypeSerializer<T>, value: T): Uint8Array {
  scratch.reset();
  type.serialize(value, scratch);
  return scratch.toBytes();
}

function refuseIncompatible(name: string, written: SerializerSnapshot, current: SerializerSnapshot): void {
  if (checkCompatibility(written, current) === 'compatible-as-is') return;
  const [before, now] = [describeSerializer(written), describeSerializer(current)];
  throw new IncompatibleState(`operator state '${name}' has type ${before}, which cannot be read as ${now}`);
}

function refuseOtherMode(name: string, written: RedistributionMode, current: RedistributionMode): void {
  if (written === current) return;
  throw new IncompatibleState(`operator state '${name}' was stored as ${written}, which cannot become ${current}`);
}

function compareNames(a: string, b: string): number {
  assert(a !== b, 'a list is either registered or unclaimed');
  return a < b ? -1 : 1;
}

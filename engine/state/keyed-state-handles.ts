/**
 * The kinds of keyed state over the table of a backend, and the serializers of their stored form (Flink: HeapValueState, HeapListState,
 * HeapMapState, HeapReducingState, HeapAggregatingState and their RocksDB twins; here one implementation for every backend).
 *
 * Owns the meaning of the kinds. Called by backends through `createStateHandle`. Does not own: where entries lie (state-table.ts).
 *
 * I1: every operation uses the current key of the shared key context.
 * I2: a stored list or map is never empty: an emptied one is removed, as in Flink, so that it does not count as state.
 * I3: the bytes of a map do not depend on the order of insertion: entries are sorted by their key bytes.
 * I4: what lies in a table is changed in place only if it was got by `get`, which detaches it from snapshots.
 */

import { compareBytes } from '../foundation/byte-order.ts';
import { assert, unreachable } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './keyed-state.ts';
import type { AggregatingStateDescriptor, StateDescriptor } from './state-descriptor.ts';
import { compareKeys } from './key-order.ts';
import { currentGroup, type KeyContext, type OpenTable, type StateTable } from './state-table.ts';
import { Types } from './type-information.ts';
import { INCOMPATIBLE, resolveComposite } from './schema-compatibility.ts';
import {
  type SerializerSnapshot,
  sameSnapshot,
  type TypeSerializer,
  type SchemaCompatibility,
} from './type-serializer.ts';

/** What a function gets for a state it declared. */
export type StateHandleOfKind =
  | ValueState<unknown>
  | ListState<unknown>
  | MapState<StateKey, unknown>
  | ReducingState<unknown>
  | AggregatingState<unknown, unknown>;

/** The state of a descriptor over a table that `open` registers with the serializer of its stored form. */
export function createStateHandle(
  descriptor: StateDescriptor,
  context: KeyContext,
  open: OpenTable,
): StateHandleOfKind {
  switch (descriptor.kind) {
    case 'value':
      return new KeyedValueState(context, open(descriptor, descriptor.type));
    case 'list':
      return new KeyedListState(context, open(descriptor, Types.list(descriptor.type)), descriptor.type);
    case 'map': {
      const { keyType, valueType } = descriptor;
      return new KeyedMapState(context, open(descriptor, new UserMapSerializer(keyType, valueType)), valueType);
    }
    case 'reducing': {
      const reduce = (current: unknown, added: unknown): unknown => descriptor.reduce(current, added);
      return new KeyedReducingState(context, open(descriptor, descriptor.type), reduce);
    }
    case 'aggregating':
      return new KeyedAggregatingState(context, open(descriptor, descriptor.type), descriptor);
    default:
      return unreachable(descriptor);
  }
}

export class KeyedValueState<T> implements ValueState<T> {
  readonly #context: KeyContext;
  readonly #table: StateTable<T>;

  constructor(context: KeyContext, table: StateTable<T>) {
    this.#context = context;
    this.#table = table;
  }

  value(): T | undefined {
    return this.#table.get(currentGroup(this.#context), this.#context.key);
  }

  update(value: T): void {
    assert(value !== undefined, 'a state value is not undefined');
    this.#table.put(currentGroup(this.#context), this.#context.key, value);
  }

  clear(): void {
    this.#table.remove(currentGroup(this.#context), this.#context.key);
  }
}

export class KeyedReducingState<T> implements ReducingState<T> {
  readonly #context: KeyContext;
  readonly #table: StateTable<T>;
  readonly #reduce: (current: T, added: T) => T;

  constructor(context: KeyContext, table: StateTable<T>, reduce: (current: T, added: T) => T) {
    this.#context = context;
    this.#table = table;
    this.#reduce = reduce;
  }

  get(): T | undefined {
    return this.#table.get(currentGroup(this.#context), this.#context.key);
  }

  add(value: T): void {
    assert(value !== undefined, 'a state value is not undefined');
    const group = currentGroup(this.#context);
    const { key } = this.#context;
    const current = this.#table.get(group, key);
    const reduced = current === undefined ? value : this.#reduce(current, value);
    assert(reduced !== undefined, 'a state value is not undefined');
    this.#table.put(group, key, reduced);
  }

  clear(): void {
    this.#table.remove(currentGroup(this.#context), this.#context.key);
  }
}

export class KeyedAggregatingState<In, Acc, Out> implements AggregatingState<In, Out> {
  readonly #context: KeyContext;
  readonly #table: StateTable<Acc>;
  readonly #aggregate: AggregatingStateDescriptor<In, Acc, Out>;

  constructor(context: KeyContext, table: StateTable<Acc>, aggregate: AggregatingStateDescriptor<In, Acc, Out>) {
    this.#context = context;
    this.#table = table;
    this.#aggregate = aggregate;
  }

  /** The function may hand out parts of the accumulator, so it sees one that is detached from snapshots. */
  get(): Out | undefined {
    const accumulator = this.#table.get(currentGroup(this.#context), this.#context.key);
    return accumulator === undefined ? undefined : this.#aggregate.getResult(accumulator);
  }

  add(value: In): void {
    const group = currentGroup(this.#context);
    const { key } = this.#context;
    const current = this.#table.get(group, key) ?? this.#aggregate.createAccumulator();
    const added = this.#aggregate.add(current, value);
    assert(added !== undefined, 'an accumulator is not undefined');
    this.#table.put(group, key, added);
  }

  clear(): void {
    this.#table.remove(currentGroup(this.#context), this.#context.key);
  }
}

/** Where elements are immutable, reading needs no copy: the list itself is readonly to the user. */
export class KeyedListState<T> implements ListState<T> {
  readonly #context: KeyContext;
  readonly #table: StateTable<T[]>;
  readonly #elementsAreImmutable: boolean;

  constructor(context: KeyContext, table: StateTable<T[]>, element: TypeSerializer<T>) {
    this.#context = context;
    this.#table = table;
    this.#elementsAreImmutable = element.immutable;
  }

  get(): readonly T[] {
    const group = currentGroup(this.#context);
    const { key } = this.#context;
    const list = this.#elementsAreImmutable ? this.#table.peek(group, key) : this.#table.get(group, key);
    return list ?? [];
  }

  add(element: T): void {
    assert(element !== undefined, 'a list element is not undefined');
    const group = currentGroup(this.#context);
    const { key } = this.#context;
    const list = this.#table.get(group, key);
    if (list === undefined) this.#table.put(group, key, [element]);
    else list.push(element);
  }

  addAll(elements: readonly T[]): void {
    // The argument may be this very list.
    for (const element of elements.slice()) this.add(element);
  }

  update(elements: readonly T[]): void {
    if (elements.length === 0) this.clear();
    else this.#table.put(currentGroup(this.#context), this.#context.key, elements.slice());
  }

  clear(): void {
    this.#table.remove(currentGroup(this.#context), this.#context.key);
  }
}

export class KeyedMapState<K extends StateKey, V> implements MapState<K, V> {
  readonly #context: KeyContext;
  readonly #table: StateTable<Map<K, V>>;
  readonly #valuesAreImmutable: boolean;

  constructor(context: KeyContext, table: StateTable<Map<K, V>>, value: TypeSerializer<V>) {
    this.#context = context;
    this.#table = table;
    this.#valuesAreImmutable = value.immutable;
  }

  get(key: K): V | undefined {
    return this.#readable()?.get(key);
  }

  put(key: K, value: V): void {
    assert(value !== undefined, 'a map value is not undefined');
    const map = this.#writable();
    if (map === undefined) this.#table.put(this.#context.group, this.#context.key, new Map([[key, value]]));
    else map.set(key, value);
  }

  remove(key: K): void {
    if (!this.contains(key)) return;
    const map = this.#writable();
    map?.delete(key);
    if (map?.size === 0) this.clear();
  }

  contains(key: K): boolean {
    return this.#table.peek(currentGroup(this.#context), this.#context.key)?.has(key) ?? false;
  }

  entries(): readonly (readonly [K, V])[] {
    return [...(this.#readable() ?? [])].sort(([a], [b]) => compareKeys(a, b));
  }

  keys(): readonly K[] {
    return [...(this.#table.peek(currentGroup(this.#context), this.#context.key)?.keys() ?? [])].sort(compareKeys);
  }

  isEmpty(): boolean {
    return !this.#table.contains(currentGroup(this.#context), this.#context.key);
  }

  clear(): void {
    this.#table.remove(currentGroup(this.#context), this.#context.key);
  }

  /** For handing values out. */
  #readable(): Map<K, V> | undefined {
    const group = currentGroup(this.#context);
    const { key } = this.#context;
    return this.#valuesAreImmutable ? this.#table.peek(group, key) : this.#table.get(group, key);
  }

  /** For changing the map in place (I4). */
  #writable(): Map<K, V> | undefined {
    return this.#table.get(currentGroup(this.#context), this.#context.key);
  }
}

/** The stored form of a map state: size, then entries in the order of their key bytes (I3). */
export class UserMapSerializer<K extends StateKey, V> implements TypeSerializer<Map<K, V>> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable = false;
  readonly valueType: TypeSerializer<V>;
  readonly #keyType: TypeSerializer<K>;

  constructor(keyType: TypeSerializer<K>, valueType: TypeSerializer<V>) {
    this.#keyType = keyType;
    this.valueType = valueType;
    const fields = [
      { name: 'key', serializer: keyType.snapshot },
      { name: 'value', serializer: valueType.snapshot },
    ];
    this.snapshot = { name: 'map', version: 1, fields };
  }

  serialize(map: Map<K, V>, out: ByteWriter): void {
    out.writeVarUint(map.size);
    if (map.size === 1) {
      for (const [key, value] of map) {
        this.#keyType.serialize(key, out);
        this.valueType.serialize(value, out);
      }
      return;
    }
    for (const { keyBytes, value } of this.#sorted(map)) {
      out.writeBytes(keyBytes);
      this.valueType.serialize(value, out);
    }
  }

  deserialize(input: ByteReader): Map<K, V> {
    const size = input.readVarUint();
    const map = new Map<K, V>();
    for (let i = 0; i < size; i++) {
      const key = this.#keyType.deserialize(input);
      map.set(key, this.valueType.deserialize(input));
    }
    if (map.size !== size) input.refuse('the keys of a map differ');
    return map;
  }

  copy(map: Map<K, V>): Map<K, V> {
    if (this.valueType.immutable) return new Map(map);
    const copy = new Map<K, V>();
    for (const [key, value] of map) copy.set(key, this.valueType.copy(value));
    return copy;
  }

  /** Values may evolve, the keys of a map may not. */
  resolveSchema({ name, version, fields = [] }: SerializerSnapshot): SchemaCompatibility<Map<K, V>> {
    const [key, value] = fields;
    if (name !== 'map' || version !== 1 || key === undefined) return INCOMPATIBLE;
    if (!sameSnapshot(key.serializer, this.#keyType.snapshot)) return INCOMPATIBLE;
    return resolveComposite<Map<K, V>>({
      parts: [this.valueType],
      written: [value?.serializer],
      rebuilt: ([valueType]) => new UserMapSerializer(this.#keyType, valueType as TypeSerializer<V>),
      read: (input, [read]) => {
        const size = input.readVarUint();
        const map = new Map<K, V>();
        for (let i = 0; i < size; i++) map.set(this.#keyType.deserialize(input), read?.(input) as V);
        return map;
      },
    });
  }

  #sorted(map: Map<K, V>): { readonly keyBytes: Uint8Array; readonly value: V }[] {
    const scratch = new ByteWriter();
    const entries = Array.from(map, ([key, value]) => {
      scratch.truncate(0);
      this.#keyType.serialize(key, scratch);
      return { keyBytes: scratch.toBytes(), value };
    });
    return entries.sort((a, b) => compareBytes(a.keyBytes, b.keyBytes));
  }
}

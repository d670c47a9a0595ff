/**
 * The kinds of keyed state over rows of a log-structured store (Flink: RocksDBValueState and kin).
 *
 * What is read is decoded anew each time: a value changed in place is not state until it is handed back. Entries of a map are rows of their
 * own, so that one is read and written without the others. Invariant I1: a stored list is never empty (as in the hash map backend).
 */
import { assert } from '../foundation/assert.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { ListState, MapState, ReducingState, ValueState } from '../state/keyed-state.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import type { LogStructuredStore } from './log-structured-store.ts';
import { type ByteString, plain, toBytes } from './row-key.ts';

/** The rows of one state under the current key. */
export interface StateRows {
  /** Row key of the current key; of a map the beginning of its entries' row keys. */
  row(): ByteString;
  readonly store: Pick<LogStructuredStore<unknown>, 'get' | 'put' | 'delete' | 'scan'>;
}

const scratch = new ByteWriter();

export class LsmValueState<T> implements ValueState<T> {
  readonly #rows: StateRows;
  readonly #type: TypeSerializer<T>;

  constructor(rows: StateRows, type: TypeSerializer<T>) {
    this.#rows = rows;
    this.#type = type;
  }

  value(): T | undefined {
    return decoded(this.#rows.store.get(this.#rows.row()), this.#type);
  }

  update(value: T): void {
    assert(value !== undefined, 'a state value is not undefined');
    this.#rows.store.put(this.#rows.row(), encoded(value, this.#type));
  }

  clear(): void {
    this.#rows.store.delete(this.#rows.row());
  }
}

export class LsmReducingState<T> implements ReducingState<T> {
  readonly #value: LsmValueState<T>;
  readonly #reduce: (current: T, added: T) => T;

  constructor(rows: StateRows, type: TypeSerializer<T>, reduce: (current: T, added: T) => T) {
    this.#value = new LsmValueState(rows, type);
    this.#reduce = reduce;
  }

  get(): T | undefined {
    return this.#value.value();
  }

  add(value: T): void {
    assert(value !== undefined, 'a state value is not undefined');
    const current = this.#value.value();
    this.#value.update(current === undefined ? value : this.#reduce(current, value));
  }

  clear(): void {
    this.#value.clear();
  }
}

/** RocksDB appends by a merge operator; here the list is read, added to and written. */
export class LsmListState<T> implements ListState<T> {
  readonly #list: LsmValueState<T[]>;

  constructor(rows: StateRows, type: TypeSerializer<T[]>) {
    this.#list = new LsmValueState(rows, type);
  }

  get(): readonly T[] {
    return this.#list.value() ?? [];
  }

  add(element: T): void {
    this.addAll([element]);
  }

  addAll(elements: readonly T[]): void {
    assert(!elements.includes(undefined as T), 'a list element is not undefined');
    if (elements.length > 0) this.#list.update([...(this.#list.value() ?? []), ...elements]);
  }

  update(elements: readonly T[]): void {
    if (elements.length === 0) this.clear();
    else this.#list.update([...elements]);
  }

  clear(): void {
    this.#list.clear();
  }
}

/** Iterates in the order of the keys' bytes. */
export class LsmMapState<K extends StateKey, V> implements MapState<K, V> {
  readonly #rows: StateRows;
  readonly #keyType: TypeSerializer<K>;
  readonly #valueType: TypeSerializer<V>;

  constructor(rows: StateRows, keyType: TypeSerializer<K>, valueType: TypeSerializer<V>) {
    this.#rows = rows;
    this.#keyType = keyType;
    this.#valueType = valueType;
  }

  get(key: K): V | undefined {
    return decoded(this.#rows.store.get(this.#rowOf(key)), this.#valueType);
  }

  put(key: K, value: V): void {
    assert(value !== undefined, 'a map value is not undefined');
    this.#rows.store.put(this.#rowOf(key), encoded(value, this.#valueType));
  }

  remove(key: K): void {
    this.#rows.store.delete(this.#rowOf(key));
  }

  contains(key: K): boolean {
    return this.#rows.store.get(this.#rowOf(key)) !== undefined;
  }

  entries(): readonly (readonly [K, V])[] {
    const prefix = this.#rows.row();
    return this.#rows.store
      .scan(prefix)
      .map(([row, value]) => [this.#keyOf(row, prefix), decodeWhole(value, this.#valueType)] as const);
  }

  keys(): readonly K[] {
    const prefix = this.#rows.row();
    return this.#rows.store.scan(prefix).map(([row]) => this.#keyOf(row, prefix));
  }

  isEmpty(): boolean {
    return this.#rows.store.scan(this.#rows.row()).length === 0;
  }

  clear(): void {
    for (const [row] of this.#rows.store.scan(this.#rows.row())) this.#rows.store.delete(row);
  }

  #rowOf(key: K): ByteString {
    return this.#rows.row() + plain((out) => this.#keyType.serialize(key, out));
  }

  #keyOf(row: ByteString, prefix: ByteString): K {
    return decodeWhole(toBytes(row.slice(prefix.length)), this.#keyType);
  }
}

function encoded<T>(value: T, type: TypeSerializer<T>): Uint8Array {
  scratch.truncate(0);
  type.serialize(value, scratch);
  return scratch.toBytes();
}

function decoded<T>(bytes: Uint8Array | undefined, type: TypeSerializer<T>): T | undefined {
  return bytes === undefined ? undefined : decodeWhole(bytes, type);
}

/** The value fills its bytes: a serializer that reads more or less than it wrote is found here. */
function decodeWhole<T>(bytes: Uint8Array, type: TypeSerializer<T>): T {
  const input = new ByteReader(bytes);
  const value = type.deserialize(input);
  if (input.remaining !== 0) throw new CorruptData('a serialized value fills its bytes', input.position);
  return value;
}

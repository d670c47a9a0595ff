/**
 * What the kinds of keyed state are built on where state is rows: a table of one row per key, and a map whose entries are rows of their own
 * (Flink: RocksDBMapState), so that one entry is read and written without the others.
 */
import { assert } from '../foundation/assert.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import { compareKeys } from '../state/key-order.ts';
import type { MapState } from '../state/keyed-state.ts';
import type { StateTable } from '../state/state-table.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import { type CurrentValues, decodeWhole } from './current-values.ts';
import type { LogStructuredStore } from './log-structured-store.ts';
import { type ByteString, plain, toBytes } from './row-key.ts';

/** Row key of the current key in one state; of a map the beginning of its entries' row keys. */
export type CurrentRow = () => ByteString;

/** The handles ask only for the current key, so group and key are known. */
export class RowTable<V> implements StateTable<V> {
  readonly #row: CurrentRow;
  readonly #values: CurrentValues;
  readonly #type: TypeSerializer<V>;

  constructor(row: CurrentRow, values: CurrentValues, type: TypeSerializer<V>) {
    this.#row = row;
    this.#values = values;
    this.#type = type;
  }

  get(): V | undefined {
    return this.#values.get(this.#row(), this.#type);
  }

  peek(): V | undefined {
    return this.#values.get(this.#row(), this.#type);
  }

  contains(): boolean {
    return this.#values.contains(this.#row());
  }

  put(_group: number, _key: StateKey, value: V): void {
    this.#values.put(this.#row(), value, this.#type);
  }

  remove(): boolean {
    const row = this.#row();
    if (!this.#values.contains(row)) return false;
    this.#values.remove(row);
    return true;
  }
}

export interface RowMapOptions<K extends StateKey, V> {
  readonly row: CurrentRow;
  readonly values: CurrentValues;
  readonly store: Pick<LogStructuredStore<unknown>, 'scan'>;
  readonly keyType: TypeSerializer<K>;
  readonly valueType: TypeSerializer<V>;
}

export class RowMapState<K extends StateKey, V> implements MapState<K, V> {
  readonly #options: RowMapOptions<K, V>;

  constructor(options: RowMapOptions<K, V>) {
    this.#options = options;
  }

  get(key: K): V | undefined {
    return this.#options.values.get(this.#rowOf(key), this.#options.valueType);
  }

  put(key: K, value: V): void {
    assert(value !== undefined, 'a map value is not undefined');
    this.#options.values.put(this.#rowOf(key), value, this.#options.valueType);
  }

  remove(key: K): void {
    if (this.contains(key)) this.#options.values.remove(this.#rowOf(key));
  }

  contains(key: K): boolean {
    return this.#options.values.contains(this.#rowOf(key));
  }

  entries(): readonly (readonly [K, V])[] {
    const { values, valueType } = this.#options;
    return this.#found().map(([key, row, bytes]) => [key, values.handOut(row, bytes, valueType)] as const);
  }

  keys(): readonly K[] {
    return this.#found().map(([key]) => key);
  }

  isEmpty(): boolean {
    return this.#found().length === 0;
  }

  clear(): void {
    for (const [, row] of this.#found()) this.#options.values.remove(row);
  }

  #rowOf(key: K): ByteString {
    return this.#options.row() + plain((out) => this.#options.keyType.serialize(key, out));
  }

  /** By key, as in every backend. */
  #found(): (readonly [key: K, row: ByteString, bytes: Uint8Array])[] {
    const { row, store, keyType } = this.#options;
    const prefix = row();
    return store
      .scan(prefix)
      .map(([found, bytes]) => [decodeWhole(toBytes(found.slice(prefix.length)), keyType), found, bytes] as const)
      .sort(([a], [b]) => compareKeys(a, b));
  }
}

/**
 * Timers where state is rows: one row per key with all its timers, the order over all of them in memory (Flink's choice with RocksDB is
 * `state.backend.rocksdb.timer-service.factory`; here it is always HEAP, over rows that are part of every snapshot).
 */
import type { StateKey } from '../foundation/stable-hash.ts';
import { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { type KeyTimers, keyTimersSerializer, type TimerTable } from '../state/timer-queue.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import { decodeWhole } from './current-values.ts';
import type { LogStructuredStore } from './log-structured-store.ts';
import { type ByteString, groupPrefix, lengthPrefixed, readRowPlace, toBytes } from './row-key.ts';

export interface RowTimersOptions {
  readonly name: string;
  readonly store: Pick<LogStructuredStore<unknown>, 'get' | 'put' | 'delete' | 'scan'>;
  readonly keySerializer: TypeSerializer<StateKey>;
  readonly firstKeyGroup: number;
}

const scratch = new ByteWriter();

export class RowTimers implements TimerTable {
  readonly #options: RowTimersOptions;

  constructor(options: RowTimersOptions) {
    this.#options = options;
  }

  peek(group: number, key: StateKey): KeyTimers | undefined {
    const bytes = this.#options.store.get(this.#rowOf(group, key));
    return bytes === undefined ? undefined : decodeWhole(bytes, keyTimersSerializer);
  }

  put(group: number, key: StateKey, timers: KeyTimers): void {
    scratch.reset();
    keyTimersSerializer.serialize(timers, scratch);
    this.#options.store.put(this.#rowOf(group, key), scratch.toBytes());
  }

  remove(group: number, key: StateKey): boolean {
    const row = this.#rowOf(group, key);
    const isThere = this.#options.store.get(row) !== undefined;
    if (isThere) this.#options.store.delete(row);
    return isThere;
  }

  forEachUpTo(group: number, limit: number, visit: (key: StateKey, timers: KeyTimers) => void): void {
    let left = limit;
    for (const [row, bytes] of this.#options.store.scan(this.#prefixOf(group))) {
      if (left <= 0) return;
      left -= 1;
      const { key } = readRowPlace(new ByteReader(toBytes(row)), row.length);
      visit(this.#options.keySerializer.deserialize(new ByteReader(key)), decodeWhole(bytes, keyTimersSerializer));
    }
  }

  #prefixOf(group: number): ByteString {
    return groupPrefix(group + this.#options.firstKeyGroup, this.#options.name);
  }

  #rowOf(group: number, key: StateKey): ByteString {
    return this.#prefixOf(group) + lengthPrefixed((out) => this.#options.keySerializer.serialize(key, out));
  }
}

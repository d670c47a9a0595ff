/**
 * What was written since the last segment: rows in memory, sorted when they are asked for in order.
 *
 * Owns its rows and their size. Does not own: when it becomes a segment (the store). Invariant I1: `bytes` is what the rows take up in
 * a segment, block and index apart.
 */
import type { ByteString } from './row-key.ts';
import type { Row, RowValue } from './segment-file.ts';

/** Lengths of key and value, as varuints of usual size. */
const ROW_OVERHEAD_BYTES = 2;
/** A deleted row: undefined is what a Map answers for one it does not have. */
const DELETED = new Uint8Array(0);

export class Memtable {
  readonly #rows = new Map<ByteString, Uint8Array>();
  /** Undefined: a key came since they were sorted. */
  #sorted: ByteString[] | undefined = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  get(key: ByteString): Uint8Array | 'deleted' | undefined {
    const value = this.#rows.get(key);
    return value === DELETED ? 'deleted' : value;
  }

  put(key: ByteString, value: RowValue): void {
    const before = this.#rows.get(key);
    if (before === undefined) {
      this.#sorted = undefined;
      this.#bytes += key.length + ROW_OVERHEAD_BYTES;
    }
    this.#bytes += (value?.length ?? 0) - (before?.length ?? 0);
    this.#rows.set(key, value ?? DELETED);
  }

  /** Visits the rows whose key begins with `prefix`, rising. */
  scan(prefix: ByteString, visit: (key: ByteString, value: RowValue) => void): void {
    const sorted = this.#inOrder();
    for (let at = firstNotBelow(sorted, prefix); at < sorted.length; at += 1) {
      const key = sorted[at] ?? '';
      if (!key.startsWith(prefix)) return;
      visit(key, this.#valueOf(key));
    }
  }

  /** All rows, rising; the table is empty afterwards. */
  drain(): Row[] {
    const rows = this.#inOrder().map((key): Row => [key, this.#valueOf(key)]);
    this.#rows.clear();
    this.#sorted = [];
    this.#bytes = 0;
    return rows;
  }

  #valueOf(key: ByteString): RowValue {
    const value = this.#rows.get(key);
    return value === DELETED ? undefined : value;
  }

  #inOrder(): readonly ByteString[] {
    // Keys differ, so the comparison never ties.
    this.#sorted ??= [...this.#rows.keys()].sort((a, b) => (a < b ? -1 : 1));
    return this.#sorted;
  }
}

function firstNotBelow(sorted: readonly ByteString[], key: ByteString): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

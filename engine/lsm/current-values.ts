/**
 * Values of the current key as the user has them in hand: decoded when they are asked for, written back when they were changed.
 *
 * A user may change in place what state gave him until the current key changes (keyed-state.ts, I2; state-table.ts, I1). The store holds
 * bytes, so what was handed out is encoded again when the key changes or a snapshot is taken, and stored if it differs.
 * Invariants: I1 a value of an immutable type is never remembered; I2 after `settle` the store holds what the user sees.
 */
import { compareBytes } from '../foundation/byte-order.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import type { LogStructuredStore } from './log-structured-store.ts';
import type { ByteString } from './row-key.ts';

interface HandedOut {
  readonly value: unknown;
  /** As the store has it. */
  readonly bytes: Uint8Array;
  readonly type: TypeSerializer<unknown>;
}

const scratch = new ByteWriter();

export class CurrentValues {
  readonly #store: Pick<LogStructuredStore<unknown>, 'get' | 'put' | 'delete'>;
  readonly #handedOut = new Map<ByteString, HandedOut>();

  constructor(store: Pick<LogStructuredStore<unknown>, 'get' | 'put' | 'delete'>) {
    this.#store = store;
  }

  /** What is handed out; the type of a row never changes. */
  get<T>(row: ByteString, type: TypeSerializer<T>): T | undefined {
    const known = this.#handedOut.get(row);
    if (known !== undefined) return known.value as T;
    const bytes = this.#store.get(row);
    return bytes === undefined ? undefined : this.handOut(row, bytes, type);
  }

  /** The value of a row that was found by a scan. */
  handOut<T>(row: ByteString, bytes: Uint8Array, type: TypeSerializer<T>): T {
    const known = this.#handedOut.get(row);
    if (known !== undefined) return known.value as T;
    const value = decodeWhole(bytes, type);
    if (!type.immutable) this.#handedOut.set(row, { value, bytes, type });
    return value;
  }

  contains(row: ByteString): boolean {
    return this.#handedOut.has(row) || this.#store.get(row) !== undefined;
  }

  put<T>(row: ByteString, value: T, type: TypeSerializer<T>): void {
    const bytes = encoded(value, type);
    this.#store.put(row, bytes);
    if (!type.immutable) this.#handedOut.set(row, { value, bytes, type });
  }

  remove(row: ByteString): void {
    this.#handedOut.delete(row);
    this.#store.delete(row);
  }

  /** I2. The current key changes, or the store is to be looked at as a whole. */
  settle(): void {
    if (this.#handedOut.size === 0) return;
    for (const [row, { value, bytes, type }] of this.#handedOut) {
      const now = encoded(value, type);
      if (compareBytes(now, bytes) !== 0) this.#store.put(row, now);
    }
    this.#handedOut.clear();
  }
}

/** The value fills its bytes: a serializer that reads more or less than it wrote is found here. */
export function decodeWhole<T>(bytes: Uint8Array, type: TypeSerializer<T>): T {
  const input = new ByteReader(bytes);
  const value = type.deserialize(input);
  if (input.remaining !== 0) throw new CorruptData('a serialized value fills its bytes', input.position);
  return value;
}

export function encoded<T>(value: T, type: TypeSerializer<T>): Uint8Array {
  scratch.truncate(0);
  type.serialize(value, scratch);
  return scratch.toBytes();
}

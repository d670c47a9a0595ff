/**
 * What a backend gives each registered state: entries by key group and key. The kinds of keyed state are built on this alone
 * (keyed-state-handles.ts), so that a backend stores tables and knows nothing of kinds.
 *
 * Owns the contract, and the current key that all states of a backend share. Implemented by each backend.
 *
 * I1: what `get` hands out may be changed in place until the current key changes, and the change is state: a table that stores bytes
 *     writes it back by itself. A live snapshot never shows the change (row S15).
 * I2: what `peek` hands out is only looked at.
 */
import { assert } from '../foundation/assert.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { StateDescriptor } from './state-descriptor.ts';
import type { TypeSerializer } from './type-serializer.ts';

/** The entries of one state. `group` is the index of the key's group in the backend's range. */
export interface StateTable<V> {
  /** The value, which the caller may change in place (I1). */
  get(group: number, key: StateKey): V | undefined;
  /** The value, which the caller must neither change nor hand out (I2). */
  peek(group: number, key: StateKey): V | undefined;
  contains(group: number, key: StateKey): boolean;
  put(group: number, key: StateKey, value: V): void;
  /** Whether there was an entry. */
  remove(group: number, key: StateKey): boolean;
}

/** The current key, shared by all states of a backend. */
export interface KeyContext {
  key: StateKey;
  /** Index of the current key's group in the backend's range, or -1 before the first key. */
  group: number;
}

/** Registers a state at its backend, or finds it again; throws `IncompatibleState` if what was restored of it cannot be read so. */
export type OpenTable = <V>(descriptor: StateDescriptor, serializer: TypeSerializer<V>) => StateTable<V>;

/** The group of the current key. */
export function currentGroup(context: KeyContext): number {
  assert(context.group >= 0, 'keyed state is used with a current key');
  return context.group;
}

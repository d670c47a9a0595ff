/**
 * What a function declares about state that belongs to no key (Flink: ListStateDescriptor with getListState or getUnionListState,
 * MapStateDescriptor with broadcast).
 *
 * Owns the closed union of kinds, and what a function may do with each. The name identifies the state in files.
 */
import type { StateKey } from '../foundation/stable-hash.ts';
import type { TypeSerializer } from './type-serializer.ts';

/** Elements that are dealt out one by one when the parallelism changes (row S5), or that every subtask gets all of (row S6). */
export interface OperatorListDescriptor<T> {
  readonly kind: 'operator-list';
  readonly mode: 'split-distribute' | 'union';
  /** Unique in its operator. */
  readonly name: string;
  readonly type: TypeSerializer<T>;
}

/** A map that is the same in all subtasks (row S7). */
export interface BroadcastStateDescriptor<K extends StateKey, V> {
  readonly kind: 'broadcast';
  /** Unique in its operator. */
  readonly name: string;
  readonly keyType: TypeSerializer<K>;
  readonly valueType: TypeSerializer<V>;
}

export type OperatorStateDescriptor = OperatorListDescriptor<unknown> | BroadcastStateDescriptor<StateKey, unknown>;

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

/** Broadcast state where it must not be changed: on the side whose elements differ by subtask. It iterates in the order of its keys. */
export interface ReadOnlyBroadcastState<K, V> {
  get(key: K): V | undefined;
  contains(key: K): boolean;
  entries(): readonly (readonly [K, V])[];
}

/** Broadcast state where it may be changed: for elements that every subtask sees, in the same way in each of them. */
export interface BroadcastState<K, V> extends ReadOnlyBroadcastState<K, V> {
  put(key: K, value: V): void;
  remove(key: K): void;
  clear(): void;
}

/** Row S5. */
export function operatorListState<T>(name: string, type: TypeSerializer<T>): OperatorListDescriptor<T> {
  return { kind: 'operator-list', mode: 'split-distribute', name, type };
}

/** Row S6. */
export function unionListState<T>(name: string, type: TypeSerializer<T>): OperatorListDescriptor<T> {
  return { kind: 'operator-list', mode: 'union', name, type };
}

/** Row S7. */
export function broadcastState<K extends StateKey, V>(
  name: string,
  keyType: TypeSerializer<K>,
  valueType: TypeSerializer<V>,
): BroadcastStateDescriptor<K, V> {
  return { kind: 'broadcast', name, keyType, valueType };
}

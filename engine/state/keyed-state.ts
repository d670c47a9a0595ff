/**
 * The state a user function sees: always that of the current key (Flink: ValueState, ListState, MapState, ReducingState,
 * AggregatingState).
 *
 * Owns the vocabulary only; a backend implements it.
 *
 * I1: every operation concerns the key of the element being processed.
 * I2: a value got from state belongs to the function until its handler returns: it may be changed in place, and the
 *     change is state. Kept longer and changed after a snapshot, it would change the snapshot; get it anew instead.
 *     The same holds for a value handed to state. (Flink's heap backend has the same rule.)
 */

/** One value per key. */
export interface ValueState<T> {
  /** The value, or undefined if there is none. */
  value(): T | undefined;
  update(value: T): void;
  clear(): void;
}

/** A list per key. */
export interface ListState<T> {
  /** The elements in order, empty if there are none; valid until the next operation on this state. */
  get(): readonly T[];
  add(element: T): void;
  addAll(elements: readonly T[]): void;
  /** Replaces the whole list; an empty list clears the state. */
  update(elements: readonly T[]): void;
  clear(): void;
}

/**
 * A map per key. It iterates in the order of its keys (numbers by value, strings by code unit), so that what a function emits does not
 * depend on when a key was put, nor on a restore in between. Flink leaves the order open; there it differs by backend.
 * A value may be null where the type of values is nullable; a key with null is contained.
 */
export interface MapState<K, V> {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  remove(key: K): void;
  contains(key: K): boolean;
  /** A list made now: later changes do not show in it. */
  entries(): readonly (readonly [K, V])[];
  keys(): readonly K[];
  isEmpty(): boolean;
  clear(): void;
}

/** One value per key, into which every added value is folded. */
export interface ReducingState<T> {
  /** The folded value, or undefined if nothing was added. */
  get(): T | undefined;
  add(value: T): void;
  clear(): void;
}

/** An accumulator per key, into which every added value is folded; what comes out may be of another type. */
export interface AggregatingState<In, Out> {
  /** The result of the accumulator, or undefined if nothing was added. */
  get(): Out | undefined;
  add(value: In): void;
  clear(): void;
}

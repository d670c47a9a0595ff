/**
 * What a function declares about a state before it uses it: kind, name and type (Flink: StateDescriptor).
 *
 * Owns the closed union of kinds. The name identifies the state in files, across restores and rescales.
 *
 * I1: a descriptor is immutable and says all that is needed to make or restore the state.
 */

import type { StateKey } from '../foundation/stable-hash.ts';
import type { MayExpire } from './time-to-live.ts';
import type { TypeSerializer } from './type-serializer.ts';

/** One value per key. */
export interface ValueStateDescriptor<T> extends MayExpire {
  readonly kind: 'value';
  /** Unique in its operator. */
  readonly name: string;
  readonly type: TypeSerializer<T>;
}

/** A list per key. */
export interface ListStateDescriptor<T> extends MayExpire {
  readonly kind: 'list';
  /** Unique in its operator. */
  readonly name: string;
  /** Type of an element. */
  readonly type: TypeSerializer<T>;
}

/** A map per key. User keys are primitive, because JavaScript compares objects by identity. */
export interface MapStateDescriptor<K extends StateKey, V> extends MayExpire {
  readonly kind: 'map';
  /** Unique in its operator. */
  readonly name: string;
  /** Type of a user key. */
  readonly keyType: TypeSerializer<K>;
  /** Type of a user value. */
  readonly valueType: TypeSerializer<V>;
}

/** One value per key, into which every added value is folded. */
export interface ReducingStateDescriptor<T> extends MayExpire {
  readonly kind: 'reducing';
  /** Unique in its operator. */
  readonly name: string;
  readonly type: TypeSerializer<T>;
  /** Deterministic and associative; may change and return `current`. */
  reduce(current: T, added: T): T;
}

/** How values are folded into an accumulator (Flink: AggregateFunction). Deterministic. */
export interface AggregateFunction<In, Acc, Out> {
  createAccumulator(): Acc;
  /** May change and return `accumulator`. */
  add(accumulator: Acc, value: In): Acc;
  getResult(accumulator: Acc): Out;
  /** Of two sets of values the accumulator of both; for windows that merge. */
  merge(a: Acc, b: Acc): Acc;
}

/** An accumulator per key. */
export interface AggregatingStateDescriptor<In, Acc, Out> extends AggregateFunction<In, Acc, Out>, MayExpire {
  readonly kind: 'aggregating';
  /** Unique in its operator. */
  readonly name: string;
  /** Type of the accumulator: that is what is stored. */
  readonly type: TypeSerializer<Acc>;
}

/** Any state that can be registered. */
export type StateDescriptor =
  | ValueStateDescriptor<unknown>
  | ListStateDescriptor<unknown>
  | MapStateDescriptor<StateKey, unknown>
  | ReducingStateDescriptor<unknown>
  | AggregatingStateDescriptor<unknown, unknown, unknown>;

/** Timers are state of their own kind, which no function declares (timer-queue.ts). */
export const TIMERS_KIND = 'timers';
/** What the names of timers begin with (Flink: TIMER_STATE_PREFIX); no state of a function may. */
export const TIMER_STATES = '_timer_state/';

/** The kinds, in the order of their codes in state files: append only. */
export const STATE_KINDS = [
  'value',
  'list',
  'map',
  'reducing',
  'aggregating',
  TIMERS_KIND,
] as const satisfies readonly (StateDescriptor['kind'] | typeof TIMERS_KIND)[];
/** The kind of a state. */
export type StateKind = (typeof STATE_KINDS)[number];

export function valueState<T>(name: string, type: TypeSerializer<T>): ValueStateDescriptor<T> {
  return { kind: 'value', name, type };
}

export function listState<T>(name: string, type: TypeSerializer<T>): ListStateDescriptor<T> {
  return { kind: 'list', name, type };
}

export function mapState<K extends StateKey, V>(
  name: string,
  keyType: TypeSerializer<K>,
  valueType: TypeSerializer<V>,
): MapStateDescriptor<K, V> {
  return { kind: 'map', name, keyType, valueType };
}

export function reducingState<T>(
  name: string,
  type: TypeSerializer<T>,
  reduce: (current: T, added: T) => T,
): ReducingStateDescriptor<T> {
  return { kind: 'reducing', name, type, reduce };
}

export function aggregatingState<In, Acc, Out>(
  name: string,
  type: TypeSerializer<Acc>,
  aggregate: AggregateFunction<In, Acc, Out>,
): AggregatingStateDescriptor<In, Acc, Out> {
  return {
    kind: 'aggregating',
    name,
    type,
    createAccumulator: () => aggregate.createAccumulator(),
    add: (accumulator, value) => aggregate.add(accumulator, value),
    getResult: (accumulator) => aggregate.getResult(accumulator),
    merge: (a, b) => aggregate.merge(a, b),
  };
}

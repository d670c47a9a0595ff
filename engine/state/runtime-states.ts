/**
 * Binds the states a function declared to a backend, looked up by name and kind (Flink: DefaultKeyedStateStore).
 */
import { assert } from '../foundation/assert.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { FunctionSpec } from '../job/functions.ts';
import { expiringState } from './expiring-states.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './keyed-state.ts';
import type { KeyedStateBackend } from './keyed-state-backend.ts';
import type { StateDescriptor, StateKind } from './state-descriptor.ts';
import { type ExpiryClock, STOPPED_CLOCK } from './time-to-live.ts';

export interface RuntimeStates {
  value<T>(name: string): ValueState<T>;
  list<T>(name: string): ListState<T>;
  map<K extends StateKey, V>(name: string): MapState<K, V>;
  reducing<T>(name: string): ReducingState<T>;
  aggregating<In, Out>(name: string): AggregatingState<In, Out>;
}

/** What a function says of its keyed state; see FunctionSpec. */
export type DeclaredStates = Pick<FunctionSpec<unknown>, 'states' | 'registration'>;

/** `clock`: of what expires. Throws `IncompatibleState` where restored state cannot be read as it is declared. */
export function bindStates(
  { states: declared, registration = 'before-open' }: DeclaredStates,
  backend: KeyedStateBackend,
  clock: ExpiryClock = STOPPED_CLOCK,
): RuntimeStates {
  const states = new Map<string, () => unknown>();
  for (const descriptor of declared) {
    const open = (): unknown => register(descriptor, backend, clock);
    const opened = registration === 'before-open' ? open() : undefined;
    states.set(`${descriptor.kind}/${descriptor.name}`, opened === undefined ? open : () => opened);
  }
  const find = (kind: StateKind, name: string): unknown => {
    const state = states.get(`${kind}/${name}`);
    assert(state !== undefined, 'a function asks only for states it declared', { kind, name });
    return state();
  };
  return {
    value: <T>(name: string) => find('value', name) as ValueState<T>,
    list: <T>(name: string) => find('list', name) as ListState<T>,
    map: <K extends StateKey, V>(name: string) => find('map', name) as MapState<K, V>,
    reducing: <T>(name: string) => find('reducing', name) as ReducingState<T>,
    aggregating: <In, Out>(name: string) => find('aggregating', name) as AggregatingState<In, Out>,
  };
}

function register(descriptor: StateDescriptor, backend: KeyedStateBackend, clock: ExpiryClock): unknown {
  const { timeToLive } = descriptor;
  if (timeToLive !== undefined) return expiringState(descriptor, timeToLive, backend, clock);
  switch (descriptor.kind) {
    case 'value':
      return backend.getState(descriptor);
    case 'list':
      return backend.getState(descriptor);
    case 'map':
      return backend.getState(descriptor);
    case 'reducing':
      return backend.getState(descriptor);
    case 'aggregating':
      return backend.getState(descriptor);
    default:
      throw new RangeError(`unknown state kind ${String(descriptor satisfies never)}`);
  }
}

/**
 * State as user code sees it, with a look at what is put into it: a value of another type would be found only when a checkpoint is written,
 * far from the record it came with.
 */
import type { FunctionInitializationContext, RuntimeContext, StateKey } from '../../engine/job/functions.ts';
import type { ListState, MapState, ReducingState, ValueState } from '../../engine/state/keyed-state.ts';
import type { OperatorStateDescriptor } from '../../engine/state/operator-state-descriptor.ts';
import type { StateDescriptor } from '../../engine/state/state-descriptor.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import type { WatchedCalls } from './watched-calls.ts';

type Check = (value: unknown, type: TypeSerializer<unknown>) => void;

export function watchedRuntime(
  runtime: RuntimeContext,
  declared: readonly StateDescriptor[],
  calls: WatchedCalls,
): RuntimeContext {
  const check =
    (name: string): Check =>
    (value, type) =>
      calls.checkState(value, name, type);
  const find = <Kind extends StateDescriptor['kind']>(
    kind: Kind,
    name: string,
  ): Extract<StateDescriptor, { kind: Kind }> => {
    for (const one of declared)
      if (one.kind === kind && one.name === name) return one as Extract<StateDescriptor, { kind: Kind }>;
    const all = declared.map((one) => `${one.kind} '${one.name}'`).join(', ');
    return calls.complainHere(
      `asks for the ${kind} state '${name}'; expected one of those it declares: ${all || 'none'}.`,
    );
  };
  return {
    subtask: runtime.subtask,
    parallelism: runtime.parallelism,
    value: <T>(name: string) =>
      watchedValue(runtime.value<T>(find('value', name).name), find('value', name).type, check(name)),
    list: <T>(name: string) =>
      watchedList(runtime.list<T>(find('list', name).name), find('list', name).type, check(name)),
    map: <K extends StateKey, V>(name: string) =>
      watchedMap(runtime.map<K, V>(find('map', name).name), find('map', name), check(name)),
    reducing: <T>(name: string) =>
      watchedReducing(runtime.reducing<T>(find('reducing', name).name), find('reducing', name).type, check(name)),
    aggregating: <In, Out>(name: string) => runtime.aggregating<In, Out>(find('aggregating', name).name),
  };
}

/** Operator state, where it is a list. */
export function watchedInitialization(
  context: FunctionInitializationContext,
  declared: readonly OperatorStateDescriptor[],
  calls: WatchedCalls,
): FunctionInitializationContext {
  return {
    isRestored: context.isRestored,
    subtask: context.subtask,
    parallelism: context.parallelism,
    operatorList: <T>(name: string) => {
      const descriptor = declared.find((one) => one.name === name);
      if (descriptor?.kind !== 'operator-list')
        return calls.complainHere(
          `asks for the operator state '${name}'; expected one of those it declares: ${declared.map((one) => `'${one.name}'`).join(', ') || 'none'}.`,
        );
      return watchedList(context.operatorList<T>(name), descriptor.type, (value, type) =>
        calls.checkState(value, name, type),
      );
    },
  };
}

function watchedValue<T>(state: ValueState<T>, type: TypeSerializer<unknown>, check: Check): ValueState<T> {
  return {
    value: () => state.value(),
    update: (value) => {
      check(value, type);
      state.update(value);
    },
    clear: () => state.clear(),
  };
}

function watchedList<T>(state: ListState<T>, type: TypeSerializer<unknown>, check: Check): ListState<T> {
  const checkAll = (elements: readonly T[]): void => {
    for (const element of elements) check(element, type);
  };
  return {
    get: () => state.get(),
    add: (element) => {
      check(element, type);
      state.add(element);
    },
    addAll: (elements) => {
      checkAll(elements);
      state.addAll(elements);
    },
    update: (elements) => {
      checkAll(elements);
      state.update(elements);
    },
    clear: () => state.clear(),
  };
}

function watchedMap<K, V>(
  state: MapState<K, V>,
  { keyType, valueType }: { readonly keyType: TypeSerializer<StateKey>; readonly valueType: TypeSerializer<unknown> },
  check: Check,
): MapState<K, V> {
  return {
    get: (key) => state.get(key),
    put: (key, value) => {
      check(key, keyType as TypeSerializer<unknown>);
      check(value, valueType);
      state.put(key, value);
    },
    remove: (key) => state.remove(key),
    contains: (key) => state.contains(key),
    entries: () => state.entries(),
    keys: () => state.keys(),
    isEmpty: () => state.isEmpty(),
    clear: () => state.clear(),
  };
}

function watchedReducing<T>(state: ReducingState<T>, type: TypeSerializer<unknown>, check: Check): ReducingState<T> {
  return {
    get: () => state.get(),
    add: (value) => {
      check(value, type);
      state.add(value);
    },
    clear: () => state.clear(),
  };
}

/**
 * State without a key as the reference has it: one subtask that sees everything, so lists are lists, and a broadcast map is a map.
 *
 * Owns the operator state of one user function and the calls of its checkpointing hooks; shares no code with the engine's store.
 * Called by the reference job and by the comparison of cuts (operator-state-audit.ts).
 *
 * I1: `contents` asks the function for what it keeps in fields first, as a snapshot would.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { CheckpointedFunction, FunctionInitializationContext, StateKey } from '../../engine/job/functions.ts';
import type { BroadcastState, OperatorListState, OperatorStateDescriptor } from './state-decoders.ts';

/** By name: the elements of a list, or the entries of a broadcast map. */
export type OperatorStateContents = ReadonlyMap<string, readonly unknown[]>;

export class ReferenceFunctionState implements FunctionInitializationContext {
  readonly uid: string;
  readonly descriptors: readonly OperatorStateDescriptor[];
  readonly isRestored: boolean;
  readonly subtask = 0;
  readonly parallelism = 1;
  readonly #lists = new Map<string, unknown[]>();
  readonly #maps = new Map<string, Map<StateKey, unknown>>();
  #function: CheckpointedFunction = {};

  constructor(uid: string, descriptors: readonly OperatorStateDescriptor[], restored?: OperatorStateContents) {
    this.uid = uid;
    this.descriptors = descriptors;
    this.isRestored = restored !== undefined;
    const declared = new Set(descriptors.map(({ name }) => name));
    for (const [name, elements] of restored ?? []) if (!declared.has(name)) this.#lists.set(name, [...elements]);
    for (const { kind, name } of descriptors) {
      const elements = restored?.get(name) ?? [];
      if (kind === 'operator-list') this.#lists.set(name, [...elements]);
      else this.#maps.set(name, new Map(elements as readonly (readonly [StateKey, unknown])[]));
    }
  }

  initialize(userFunction: CheckpointedFunction): void {
    this.#function = userFunction;
    userFunction.initializeState?.(this);
  }

  operatorList<T>(name: string): OperatorListState<T> {
    const elements = (): T[] => {
      const list = this.#lists.get(name);
      assert(list !== undefined, 'a function asks for operator state it declared', { name, operator: this.uid });
      return list as T[];
    };
    const replace = (list: readonly T[]): void => {
      this.#lists.set(name, list.slice());
    };
    return {
      get: elements,
      add: (element) => replace([...elements(), element]),
      addAll: (added) => replace([...elements(), ...added]),
      update: replace,
      clear: () => replace([]),
    };
  }

  broadcastState<K extends StateKey, V>(name: string): BroadcastState<K, V> {
    const map = this.#maps.get(name) as Map<K, V> | undefined;
    assert(map !== undefined, 'a function asks for broadcast state its stream was broadcast with', { name });
    return {
      get: (key) => map.get(key),
      contains: (key) => map.has(key),
      entries: () => [...map],
      put: (key, value) => {
        map.set(key, value);
      },
      remove: (key) => {
        map.delete(key);
      },
      clear: () => map.clear(),
    };
  }

  /** I1. */
  contents(): OperatorStateContents {
    this.#function.snapshotState?.();
    const maps = Array.from(this.#maps, ([name, map]) => [name, [...map]] as const);
    return new Map<string, readonly unknown[]>([...this.#lists, ...maps]);
  }
}

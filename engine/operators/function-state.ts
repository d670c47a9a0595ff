/**
 * Operator state of one user function: registered before the function begins, asked for before each snapshot (Flink:
 * StreamingFunctionUtils.restoreFunctionState and snapshotFunctionState).
 *
 * Owns: when the two hooks of CheckpointedFunction are called. Does not own: the bytes (operator-state.ts).
 * I1: every declared state is registered before `initializeState`, so that restored state is checked against it at once;
 * I2: `snapshotState` runs in the synchronous part, before the copy is made.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointedFunction, FunctionInitializationContext, StateKey } from '../job/functions.ts';
import type { OperatorListState, OperatorStateDescriptor, BroadcastState } from '../state/operator-state-descriptor.ts';
import type { OperatorStateStore } from '../state/operator-state.ts';
import type { UserCode } from './user-code.ts';

export interface FunctionStateOptions {
  /** With what was restored. */
  readonly store: OperatorStateStore;
  readonly descriptors: readonly OperatorStateDescriptor[];
  readonly isRestored: boolean;
  readonly subtask: number;
  readonly parallelism: number;
  readonly userCode: UserCode;
}

export class FunctionState {
  readonly store: OperatorStateStore;
  readonly #options: FunctionStateOptions;
  readonly #lists = new Map<string, OperatorListState<unknown>>();
  readonly #broadcast = new Map<string, BroadcastState<StateKey, unknown>>();
  #function: CheckpointedFunction | undefined;

  constructor(options: FunctionStateOptions) {
    this.#options = options;
    const { store } = options;
    this.store = store;
    for (const descriptor of options.descriptors) {
      const { name } = descriptor;
      if (descriptor.kind === 'broadcast')
        this.#broadcast.set(name, store.getBroadcastState(name, descriptor.keyType, descriptor.valueType));
      else if (descriptor.mode === 'union') this.#lists.set(name, store.getUnionListState(name, descriptor.type));
      else this.#lists.set(name, store.getListState(name, descriptor.type));
    }
  }

  /** Called once, while user code is marked as running. */
  initialize(userFunction: CheckpointedFunction): void {
    this.#function = userFunction;
    const { isRestored, subtask, parallelism } = this.#options;
    const context: FunctionInitializationContext = {
      isRestored,
      subtask,
      parallelism,
      operatorList: <T>(name: string) => {
        const list = this.#lists.get(name);
        assert(list !== undefined, 'a function asks only for operator state it declared', { name });
        return list as OperatorListState<T>;
      },
    };
    userFunction.initializeState?.(context);
  }

  broadcastState<K extends StateKey, V>(name: string): BroadcastState<K, V> {
    const state = this.#broadcast.get(name);
    assert(state !== undefined, 'a function asks only for broadcast state that its stream was broadcast with', {
      name,
    });
    return state as unknown as BroadcastState<K, V>;
  }

  /** I2. */
  prepareSnapshot(): void {
    const { userCode } = this.#options;
    userCode.isRunning = true;
    this.#function?.snapshotState?.();
    userCode.isRunning = false;
  }
}

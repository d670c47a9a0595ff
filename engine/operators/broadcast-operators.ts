/**
 * Functions beside keyed ones: without a key, and with a broadcast input (Flink: ProcessOperator, CoBroadcastWithKeyedOperator,
 * CoBroadcastWithNonKeyedOperator).
 *
 * Owns: the function instance and the contexts it sees. Does not own: its operator state (function-state.ts), when snapshots are taken.
 * I1: the side whose elements differ by subtask can read broadcast state and not change it;
 * I2: while `applyToKeyedState` visits a key, that is the current key; a broadcast element has none of its own.
 */
import { assert } from '../foundation/assert.ts';
import type {
  BroadcastContext,
  BroadcastProcessFunction,
  ProcessFunction,
  ReadOnlyContext,
  StateKey,
} from '../job/functions.ts';
import type { OperatorSpec } from '../job/job-graph.ts';
import { compareKeys } from '../state/key-order.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import type { DeclaredStates } from '../state/runtime-states.ts';
import type { ExpiryClock } from '../state/time-to-live.ts';
import type { BroadcastState, ReadOnlyBroadcastState } from '../state/operator-state-descriptor.ts';
import type { ElementConsumer } from './element-consumer.ts';
import type { FunctionState } from './function-state.ts';
import { registerAll, runtimeContext } from './keyed-operators.ts';
import { ChildCollector } from './stateless-operators.ts';
import type { UserCode } from './user-code.ts';
import type { WorkMeter } from './work-meter.ts';

export interface FunctionOperatorOptions {
  readonly functionState: FunctionState;
  readonly subtask: number;
  readonly parallelism: number;
  readonly next: ElementConsumer;
  readonly userCode: UserCode;
}

/** Reused for every element; a function must not keep it. */
class ElementTime {
  timestampMs = 0;
}

export class ProcessOperator implements ElementConsumer {
  readonly #function: ProcessFunction<unknown, unknown>;
  readonly #collector: ChildCollector;
  readonly #element = new ElementTime();
  readonly #userCode: UserCode;

  constructor(spec: Extract<OperatorSpec, { kind: 'plain-process' }>, options: FunctionOperatorOptions) {
    const { userCode, functionState, next, subtask, parallelism } = options;
    this.#userCode = userCode;
    this.#collector = new ChildCollector(next, userCode);
    userCode.isRunning = true;
    this.#function = spec.function.create();
    functionState.initialize(this.#function);
    this.#function.open?.({ subtask, parallelism });
    userCode.isRunning = false;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    this.#element.timestampMs = timestampUs / 1_000;
    this.#collector.startElement(timestampUs, lineage);
    this.#userCode.isRunning = true;
    this.#function.processElement(value, this.#element, this.#collector);
    this.#userCode.isRunning = false;
  }
}

export interface BroadcastOperatorOptions extends FunctionOperatorOptions {
  /** Present where the stream is keyed. */
  readonly backend?: KeyedStateBackend | undefined;
  /** Absent: it stands still. */
  readonly expiryClock?: ExpiryClock;
  readonly work: WorkMeter;
}

/** `inputs`: the keyed or plain side, then the broadcast side. */
export class BroadcastProcessOperator {
  readonly inputs: readonly [ElementConsumer, ElementConsumer];

  constructor(spec: Extract<OperatorSpec, { kind: 'broadcast-process' }>, options: BroadcastOperatorOptions) {
    const { userCode, functionState, backend, next } = options;
    const collector = new ChildCollector(next, userCode);
    userCode.isRunning = true;
    const userFunction = spec.function.create();
    functionState.initialize(userFunction);
    if (backend !== undefined) userFunction.open?.(runtimeContext(spec.function, { ...options, backend }));
    else userFunction.open?.(withoutKeyedState(options));
    userCode.isRunning = false;
    const { expiryClock } = options;
    const declared = spec.function;
    const side = { userFunction, collector, userCode, functionState, backend, declared, expiryClock };
    this.inputs = [new ElementSide(side, spec.keyed?.key), new BroadcastSide(side, options.work)];
  }
}

interface SharedBySides {
  readonly userFunction: BroadcastProcessFunction<unknown, unknown, unknown>;
  readonly collector: ChildCollector;
  readonly userCode: UserCode;
  readonly functionState: FunctionState;
  readonly backend: KeyedStateBackend | undefined;
  readonly declared: DeclaredStates;
  readonly expiryClock: ExpiryClock | undefined;
}

class ElementSide implements ElementConsumer, ReadOnlyContext {
  currentKey: StateKey = '';
  timestampMs = 0;
  readonly #shared: SharedBySides;
  readonly #key: ((value: unknown) => StateKey) | undefined;
  /** Made once, so that a function may ask for them with every element. */
  readonly #readOnly = new Map<string, ReadOnlyBroadcastState<never, unknown>>();

  constructor(shared: SharedBySides, key: ((value: unknown) => StateKey) | undefined) {
    this.#shared = shared;
    this.#key = key;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const { userFunction, collector, userCode, backend } = this.#shared;
    const key = this.#key;
    userCode.isRunning = true;
    if (key !== undefined) this.currentKey = key(value);
    userCode.isRunning = false;
    this.timestampMs = timestampUs / 1_000;
    backend?.setCurrentKey(this.currentKey);
    collector.startElement(timestampUs, lineage);
    userCode.isRunning = true;
    userFunction.processElement(value, this, collector);
    userCode.isRunning = false;
  }

  broadcastState<K extends StateKey, V>(name: string): ReadOnlyBroadcastState<K, V> {
    const known = this.#readOnly.get(name);
    if (known !== undefined) return known as unknown as ReadOnlyBroadcastState<K, V>;
    const state = this.#shared.functionState.broadcastState<K, V>(name);
    // I1: not the state itself, which a cast could change.
    const readOnly: ReadOnlyBroadcastState<K, V> = {
      get: (key) => state.get(key),
      contains: (key) => state.contains(key),
      entries: () => state.entries(),
    };
    this.#readOnly.set(name, readOnly as unknown as ReadOnlyBroadcastState<never, unknown>);
    return readOnly;
  }
}

class BroadcastSide implements ElementConsumer, BroadcastContext {
  timestampMs = 0;
  readonly #shared: SharedBySides;
  readonly #work: WorkMeter;

  constructor(shared: SharedBySides, work: WorkMeter) {
    this.#shared = shared;
    this.#work = work;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const { userFunction, collector, userCode } = this.#shared;
    this.timestampMs = timestampUs / 1_000;
    collector.startElement(timestampUs, lineage);
    userCode.isRunning = true;
    userFunction.processBroadcastElement(value, this, collector);
    userCode.isRunning = false;
  }

  broadcastState<K extends StateKey, V>(name: string): BroadcastState<K, V> {
    return this.#shared.functionState.broadcastState(name);
  }

  applyToKeyedState(visit: (key: StateKey) => void): void {
    const { backend, declared, expiryClock } = this.#shared;
    assert(backend !== undefined, 'only a function over a keyed stream visits keyed state');
    registerAll(declared, { backend, expiryClock });
    const keys = [...backend.keys()].sort(compareKeys);
    for (const key of keys) {
      backend.setCurrentKey(key);
      visit(key);
    }
    this.#work.addKeys(keys.length);
  }
}

/** What a function over a stream without a key is opened with: it declared no keyed state, so it may ask for none. */
function withoutKeyedState({ subtask, parallelism }: FunctionOperatorOptions): ReturnType<typeof runtimeContext> {
  const none = (name: string): never => {
    assert(false, 'a function over a stream without a key has no keyed state', { name });
  };
  return { subtask, parallelism, value: none, list: none, map: none, reducing: none, aggregating: none };
}

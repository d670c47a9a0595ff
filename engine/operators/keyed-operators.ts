/**
 * Keyed process functions with their state (Flink: KeyedProcessOperator, KeyedCoProcessOperator).
 *
 * Owns: the function instance, its state backend, the context it sees. Does not own: when snapshots are taken.
 */
import type {
  ElementContext,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  RuntimeContext,
  StateKey,
} from '../job/functions.ts';
import type { OperatorSpec } from '../job/job-graph.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import { bindStates } from '../state/runtime-states.ts';
import { END_OF_TIME_US, finishLineage } from '../protocol/stream-elements.ts';
import type { ElementConsumer } from './element-consumer.ts';
import type { FunctionState } from './function-state.ts';
import { ChildCollector } from './stateless-operators.ts';
import { UserCode } from './user-code.ts';

/** Does its last work when all input has come (Flink: StreamOperator.finish). Returns how many keys it visited. */
export interface FinishingOperator {
  finish(): number;
}

/** Reused for every record; a function must not keep it. */
class CurrentElement implements ElementContext {
  currentKey: StateKey = '';
  timestampMs = 0;
}

export interface KeyedOperatorOptions {
  readonly backend: KeyedStateBackend;
  readonly subtask: number;
  readonly parallelism: number;
  readonly next: ElementConsumer;
  readonly userCode?: UserCode;
  /** Present where the function declared operator state. */
  readonly functionState?: FunctionState | undefined;
}

export class KeyedProcessOperator implements ElementConsumer, FinishingOperator {
  readonly #uid: string;
  readonly #key: (value: unknown) => StateKey;
  readonly #function: KeyedProcessFunction<unknown, unknown>;
  readonly #backend: KeyedStateBackend;
  readonly #collector: ChildCollector;
  readonly #element = new CurrentElement();
  readonly #userCode: UserCode;

  constructor(spec: Extract<OperatorSpec, { kind: 'process' }>, options: KeyedOperatorOptions) {
    this.#userCode = options.userCode ?? new UserCode();
    this.#uid = spec.uid;
    this.#key = spec.key;
    this.#backend = options.backend;
    this.#collector = new ChildCollector(options.next, this.#userCode);
    const runtime = runtimeContext(spec.function.states, options);
    this.#userCode.isRunning = true;
    this.#function = spec.function.create();
    options.functionState?.initialize(this.#function);
    this.#function.open?.(runtime);
    this.#userCode.isRunning = false;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const key = this.#key;
    const userCode = this.#userCode;
    userCode.isRunning = true;
    this.#element.currentKey = key(value);
    userCode.isRunning = false;
    this.#element.timestampMs = timestampUs / 1_000;
    this.#backend.setCurrentKey(this.#element.currentKey);
    this.#collector.startElement(timestampUs, lineage);
    userCode.isRunning = true;
    this.#function.processElement(value, this.#element, this.#collector);
    userCode.isRunning = false;
  }

  finish(): number {
    return finishKeys(this.#uid, this.#function, {
      backend: this.#backend,
      collector: this.#collector,
      element: this.#element,
      userCode: this.#userCode,
    });
  }
}

interface FinishingFunction {
  finish?(context: ElementContext, out: ChildCollector): void;
}

function finishKeys(uid: string, userFunction: FinishingFunction, shared: SharedByInputs): number {
  if (userFunction.finish === undefined) return 0;
  const { backend, collector, element, userCode } = shared;
  const keys = backend.keys();
  for (const key of keys) {
    element.currentKey = key;
    element.timestampMs = END_OF_TIME_US / 1_000;
    backend.setCurrentKey(key);
    collector.startElement(END_OF_TIME_US, finishLineage(uid, key));
    userCode.isRunning = true;
    userFunction.finish(element, collector);
    userCode.isRunning = false;
  }
  return keys.length;
}

/** Two inputs, one function and one state; `inputs` are the two heads. */
export class KeyedCoProcessOperator implements FinishingOperator {
  readonly inputs: readonly [ElementConsumer, ElementConsumer];
  readonly #uid: string;
  readonly #function: KeyedCoProcessFunction<unknown, unknown, unknown>;
  readonly #shared: SharedByInputs;

  constructor(spec: Extract<OperatorSpec, { kind: 'co-process' }>, options: KeyedOperatorOptions) {
    const userCode = options.userCode ?? new UserCode();
    const runtime = runtimeContext(spec.function.states, options);
    userCode.isRunning = true;
    const userFunction = spec.function.create();
    options.functionState?.initialize(userFunction);
    userFunction.open?.(runtime);
    userCode.isRunning = false;
    const shared = {
      backend: options.backend,
      collector: new ChildCollector(options.next, userCode),
      element: new CurrentElement(),
      userCode,
    };
    this.inputs = [
      new CoProcessInput(spec.keys[0], shared, userFunction, 0),
      new CoProcessInput(spec.keys[1], shared, userFunction, 1),
    ];
    this.#uid = spec.uid;
    this.#function = userFunction;
    this.#shared = shared;
  }

  finish(): number {
    return finishKeys(this.#uid, this.#function, this.#shared);
  }
}

interface SharedByInputs {
  readonly backend: KeyedStateBackend;
  readonly collector: ChildCollector;
  readonly element: CurrentElement;
  readonly userCode: UserCode;
}

class CoProcessInput implements ElementConsumer {
  readonly #key: (value: unknown) => StateKey;
  readonly #shared: SharedByInputs;
  readonly #function: KeyedCoProcessFunction<unknown, unknown, unknown>;
  readonly #input: 0 | 1;

  constructor(
    key: (value: unknown) => StateKey,
    shared: SharedByInputs,
    userFunction: KeyedCoProcessFunction<unknown, unknown, unknown>,
    input: 0 | 1,
  ) {
    this.#key = key;
    this.#shared = shared;
    this.#function = userFunction;
    this.#input = input;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const { backend, collector, element, userCode } = this.#shared;
    const key = this.#key;
    userCode.isRunning = true;
    element.currentKey = key(value);
    userCode.isRunning = false;
    element.timestampMs = timestampUs / 1_000;
    backend.setCurrentKey(element.currentKey);
    collector.startElement(timestampUs, lineage);
    userCode.isRunning = true;
    if (this.#input === 0) this.#function.processElement1(value, element, collector);
    else this.#function.processElement2(value, element, collector);
    userCode.isRunning = false;
  }
}

export function runtimeContext(
  states: Parameters<typeof bindStates>[0],
  options: Pick<KeyedOperatorOptions, 'subtask' | 'parallelism' | 'backend'>,
): RuntimeContext {
  return { subtask: options.subtask, parallelism: options.parallelism, ...bindStates(states, options.backend) };
}

/**
 * Keyed process functions with their state and timers (Flink: KeyedProcessOperator, KeyedCoProcessOperator).
 *
 * Owns: the function instance, its state backend, its timers. Does not own: when snapshots are taken, when time comes.
 */
import { InternalTimerService } from '../event-time/internal-timer-service.ts';
import type {
  Collector,
  ElementContext,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  OnTimerContext,
  RuntimeContext,
  StateKey,
} from '../job/functions.ts';
import type { OperatorSpec } from '../job/job-graph.ts';
import { bindStates, type DeclaredStates } from '../state/runtime-states.ts';
import type { InternalTimer } from '../state/timer-queue.ts';
import { END_OF_TIME_US, finishLineage } from '../protocol/stream-elements.ts';
import type { ElementConsumer } from './element-consumer.ts';
import { KeyedContext, type KeyedOperatorOptions } from './keyed-context.ts';

export type { KeyedOperatorOptions } from './keyed-context.ts';

/** Does its last work when all input has come (Flink: StreamOperator.finish). Returns how many keys it visited. */
export interface FinishingOperator {
  finish(): number;
}

/** Names the timers of user functions in state files, as in Flink. */
const USER_TIMERS = 'user-timers';

export class KeyedProcessOperator implements ElementConsumer, FinishingOperator {
  /** Absent: the function has no `onTimer`. */
  readonly timers: InternalTimerService | undefined;
  readonly #uid: string;
  readonly #key: (value: unknown) => StateKey;
  readonly #function: KeyedProcessFunction<unknown, unknown>;
  readonly #context: KeyedContext;
  readonly #declared: DeclaredStates;

  constructor(spec: Extract<OperatorSpec, { kind: 'process' }>, options: KeyedOperatorOptions) {
    this.#uid = spec.uid;
    this.#key = spec.key;
    this.#context = new KeyedContext(spec.uid, options);
    this.#declared = spec.function;
    const { userCode } = this.#context;
    const runtime = runtimeContext(spec.function, options);
    userCode.isRunning = true;
    this.#function = spec.function.create();
    options.functionState?.initialize(this.#function);
    userCode.isRunning = false;
    this.timers = timersOf(spec.uid, this.#function, this.#context, options);
    userCode.isRunning = true;
    this.#function.open?.(runtime);
    userCode.isRunning = false;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const context = this.#context;
    const { userCode } = context;
    context.startElement(this.#key, value, timestampUs, lineage);
    userCode.isRunning = true;
    this.#function.processElement(value, context, context.collector);
    userCode.isRunning = false;
  }

  finish(): number {
    registerAll(this.#declared, this.#context);
    return finishKeys(this.#uid, this.#function, this.#context);
  }
}

/** Two inputs, one function and one state; `inputs` are the two heads. */
export class KeyedCoProcessOperator implements FinishingOperator {
  readonly inputs: readonly [ElementConsumer, ElementConsumer];
  /** Absent: the function has no `onTimer`. */
  readonly timers: InternalTimerService | undefined;
  readonly #uid: string;
  readonly #function: KeyedCoProcessFunction<unknown, unknown, unknown>;
  readonly #context: KeyedContext;
  readonly #declared: DeclaredStates;

  constructor(spec: Extract<OperatorSpec, { kind: 'co-process' }>, options: KeyedOperatorOptions) {
    const context = new KeyedContext(spec.uid, options);
    const { userCode } = context;
    const runtime = runtimeContext(spec.function, options);
    this.#declared = spec.function;
    userCode.isRunning = true;
    const userFunction = spec.function.create();
    options.functionState?.initialize(userFunction);
    userCode.isRunning = false;
    this.timers = timersOf(spec.uid, userFunction, context, options);
    userCode.isRunning = true;
    userFunction.open?.(runtime);
    userCode.isRunning = false;
    this.inputs = [
      new CoProcessInput(spec.keys[0], context, userFunction, 0),
      new CoProcessInput(spec.keys[1], context, userFunction, 1),
    ];
    this.#uid = spec.uid;
    this.#function = userFunction;
    this.#context = context;
  }

  finish(): number {
    registerAll(this.#declared, this.#context);
    return finishKeys(this.#uid, this.#function, this.#context);
  }
}

class CoProcessInput implements ElementConsumer {
  readonly #key: (value: unknown) => StateKey;
  readonly #context: KeyedContext;
  readonly #function: KeyedCoProcessFunction<unknown, unknown, unknown>;
  readonly #input: 0 | 1;

  constructor(
    key: (value: unknown) => StateKey,
    context: KeyedContext,
    userFunction: KeyedCoProcessFunction<unknown, unknown, unknown>,
    input: 0 | 1,
  ) {
    this.#key = key;
    this.#context = context;
    this.#function = userFunction;
    this.#input = input;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const context = this.#context;
    const { userCode } = context;
    context.startElement(this.#key, value, timestampUs, lineage);
    userCode.isRunning = true;
    if (this.#input === 0) this.#function.processElement1(value, context, context.collector);
    else this.#function.processElement2(value, context, context.collector);
    userCode.isRunning = false;
  }
}

interface TimedFunction {
  onTimer?(timestampMs: number, context: OnTimerContext, out: Collector<unknown>): void;
}

interface FinishingFunction {
  finish?(context: ElementContext, out: Collector<unknown>): void;
}

/** A function with `onTimer` has timers, restored ones included. */
function timersOf(
  uid: string,
  userFunction: TimedFunction,
  context: KeyedContext,
  options: KeyedOperatorOptions,
): InternalTimerService | undefined {
  if (userFunction.onTimer === undefined) return undefined;
  const { userCode, collector, backend } = context;
  const fire = (timer: InternalTimer, domain: OnTimerContext['timeDomain']): void => {
    context.startTimer(timer, domain);
    userCode.isRunning = true;
    userFunction.onTimer?.(timer.timestampUs / 1_000, context, collector);
    userCode.isRunning = false;
  };
  const service = new InternalTimerService({
    name: USER_TIMERS,
    uid,
    backend,
    target: {
      onEventTime: (timer) => fire(timer, 'event-time'),
      onProcessingTime: (timer) => fire(timer, 'processing-time'),
    },
    clock: options.clock ?? { nowUs: 0 },
    ...(options.initialWatermarkUs === undefined ? {} : { initialWatermarkUs: options.initialWatermarkUs }),
  });
  context.serveTimers(service);
  return service;
}

function finishKeys(uid: string, userFunction: FinishingFunction, context: KeyedContext): number {
  if (userFunction.finish === undefined) return 0;
  const { backend, collector, userCode } = context;
  const keys = backend.keys();
  for (const key of keys) {
    context.startKey(key, END_OF_TIME_US, finishLineage(uid, key));
    userCode.isRunning = true;
    userFunction.finish(context, collector);
    userCode.isRunning = false;
  }
  return keys.length;
}

/** Before all keys that have state are visited: a function may not have asked for all of it yet. */
export function registerAll(
  { states, registration }: DeclaredStates,
  { backend, expiryClock }: Pick<KeyedContext, 'backend' | 'expiryClock'>,
): void {
  if (registration === 'when-asked') bindStates({ states }, backend, expiryClock);
}

export function runtimeContext(
  declared: DeclaredStates,
  {
    subtask,
    parallelism,
    backend,
    expiryClock,
  }: Pick<KeyedOperatorOptions, 'subtask' | 'parallelism' | 'backend' | 'expiryClock'>,
): RuntimeContext {
  return { subtask, parallelism, ...bindStates(declared, backend, expiryClock) };
}

/**
 * What a user writes: plain synchronous functions in Flink's vocabulary. They never see the simulator, the clock or the network.
 *
 * A function must be deterministic and must not change the values it is handed; whatever it remembers goes into state.
 */
import type {
  BroadcastState,
  OperatorListState,
  OperatorStateDescriptor,
  ReadOnlyBroadcastState,
} from '../state/operator-state-descriptor.ts';
import type { StateDescriptor } from '../state/state-descriptor.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from '../state/keyed-state.ts';

/** A key: what `keyBy` may return. */
export type StateKey = string | number | boolean;

/** Takes what a function emits, in order (Flink: Collector). */
export interface Collector<T> {
  collect(value: T): void;
}

/** Keyed state of the current key, by the descriptor it was registered with (Flink: RuntimeContext). */
export interface RuntimeContext {
  readonly subtask: number;
  readonly parallelism: number;
  value<T>(name: string): ValueState<T>;
  list<T>(name: string): ListState<T>;
  map<K extends StateKey, V>(name: string): MapState<K, V>;
  reducing<T>(name: string): ReducingState<T>;
  aggregating<In, Out>(name: string): AggregatingState<In, Out>;
}

/** Names a side output and what flows in it (Flink: OutputTag). Two tags of one id are the same output. */
export class OutputTag<T> {
  readonly id: string;
  /** Only for the type: nothing is stored. */
  declare readonly of: T;

  constructor(id: string) {
    this.id = id;
  }
}

/**
 * Timers of the current key (Flink: TimerService). Times in milliseconds. A timer for a time is registered once, however often it is asked
 * for; one for a time that has passed fires at the next occasion.
 */
export interface TimerService {
  /** Of the subtask; it depends on when it is asked, so results should not. */
  currentProcessingTime(): number;
  /** How far event time has come; before the first watermark, and after a restore, the start of time. */
  currentWatermark(): number;
  registerEventTimeTimer(timestampMs: number): void;
  registerProcessingTimeTimer(timestampMs: number): void;
  deleteEventTimeTimer(timestampMs: number): void;
  deleteProcessingTimeTimer(timestampMs: number): void;
}

/** What is known about the element being processed (Flink: KeyedProcessFunction.Context). */
export interface ElementContext {
  /** Key of the current element. */
  readonly currentKey: StateKey;
  /** Event time of the current element in milliseconds. */
  readonly timestampMs: number;
  /** Only for functions that have `onTimer`. */
  timerService(): TimerService;
  /** Emits into a side output; dropped where nobody reads it. */
  output<T>(tag: OutputTag<T>, value: T): void;
}

/** What is known about a timer that fires (Flink: OnTimerContext); `timestampMs` is the timer's. */
export interface OnTimerContext extends ElementContext {
  readonly timeDomain: 'event-time' | 'processing-time';
}

/** What a function sees when its operator state is there (Flink: FunctionInitializationContext). */
export interface FunctionInitializationContext {
  /** False on a start from nothing. */
  readonly isRestored: boolean;
  readonly subtask: number;
  readonly parallelism: number;
  /** List or union state, by the descriptor it was registered with. */
  operatorList<T>(name: string): OperatorListState<T>;
}

/** A function that remembers something which belongs to no key (Flink: CheckpointedFunction). */
export interface CheckpointedFunction {
  /** Called once, before `open`. */
  initializeState?(context: FunctionInitializationContext): void;
  /**
   * Called in the synchronous part of each snapshot: puts what the function keeps in fields into its operator state. Called twice in a
   * row it must do the same.
   */
  snapshotState?(): void;
}

/** A function without a key (Flink: ProcessFunction). Which subtask sees an element says nothing; state of its own is operator state. */
export interface ProcessFunction<In, Out> extends CheckpointedFunction {
  /** Called once before the first element, after state was restored. */
  open?(runtime: Pick<RuntimeContext, 'subtask' | 'parallelism'>): void;
  processElement(value: In, context: Pick<ElementContext, 'timestampMs'>, out: Collector<Out>): void;
}

/** What an element of the keyed or plain side may see of broadcast state (Flink: KeyedBroadcastProcessFunction.ReadOnlyContext). */
export interface ReadOnlyContext extends Pick<ElementContext, 'currentKey' | 'timestampMs'> {
  broadcastState<K extends StateKey, V>(name: string): ReadOnlyBroadcastState<K, V>;
}

/** What a broadcast element may do (Flink: KeyedBroadcastProcessFunction.Context). */
export interface BroadcastContext {
  /** Event time of the element in milliseconds. */
  readonly timestampMs: number;
  broadcastState<K extends StateKey, V>(name: string): BroadcastState<K, V>;
  /** Visits every key that has state, in the order of keys, as the current key: keyed state may be read and changed meanwhile. */
  applyToKeyedState(visit: (key: StateKey) => void): void;
}

/**
 * Flink: BroadcastProcessFunction, KeyedBroadcastProcessFunction. Every subtask sees every broadcast element and must do the same to
 * broadcast state, whatever else it knows.
 */
export interface BroadcastProcessFunction<In, B, Out> extends CheckpointedFunction {
  /** Where the stream is not keyed, no keyed state is declared. */
  open?(runtime: RuntimeContext): void;
  processElement(value: In, context: ReadOnlyContext, out: Collector<Out>): void;
  /** What it emits, every subtask emits. */
  processBroadcastElement(value: B, context: BroadcastContext, out: Collector<Out>): void;
}

/** Flink: KeyedProcessFunction. */
export interface KeyedProcessFunction<In, Out> extends CheckpointedFunction {
  /** Called once before the first element, after state was restored. */
  open?(runtime: RuntimeContext): void;
  processElement(value: In, context: ElementContext, out: Collector<Out>): void;
  /** Called once for each timer, with its key as the current one. What it emits has the timer's time. */
  onTimer?(timestampMs: number, context: OnTimerContext, out: Collector<Out>): void;
  /**
   * Called once for every key that has state, when all input of a bounded job has come. It must not change state. What it emits comes
   * out once, as what `processElement` emits (Flink: an event-time timer at MAX_WATERMARK).
   */
  finish?(context: ElementContext, out: Collector<Out>): void;
}

/** Flink: KeyedCoProcessFunction. Both inputs are keyed by the same kind of key and share state. */
export interface KeyedCoProcessFunction<A, B, Out> extends CheckpointedFunction {
  open?(runtime: RuntimeContext): void;
  processElement1(value: A, context: ElementContext, out: Collector<Out>): void;
  processElement2(value: B, context: ElementContext, out: Collector<Out>): void;
  /** As `KeyedProcessFunction.onTimer`. */
  onTimer?(timestampMs: number, context: OnTimerContext, out: Collector<Out>): void;
  /** As `KeyedProcessFunction.finish`, when both inputs have ended. */
  finish?(context: ElementContext, out: Collector<Out>): void;
}

/** A function class with the states it registers; a fresh function is made for every subtask and attempt. */
export interface FunctionSpec<F> {
  readonly states: readonly StateDescriptor[];
  /**
   * When its keyed states are registered: before `open`, so that what was restored is checked against them at once (the default); or each
   * whenever the function asks for it, with a record or a timer, too (Flink: RuntimeContext.getState). What it has not asked for yet
   * stays as it was restored.
   */
  readonly registration?: 'before-open' | 'when-asked';
  /** State that belongs to no key. */
  readonly operatorStates?: readonly OperatorStateDescriptor[];
  create(): F;
}

/** Thrown by a function when trying again cannot help: the job fails instead of restarting (Flink: SuppressRestartsException). */
export class SuppressRestarts extends Error {
  override readonly name = 'SuppressRestarts';
}

/**
 * What a user writes: plain synchronous functions in Flink's vocabulary. They never see the simulator, the clock or the network.
 *
 * A function must be deterministic and must not change the values it is handed; whatever it remembers goes into state.
 */
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

/** Flink: KeyedProcessFunction. */
export interface KeyedProcessFunction<In, Out> {
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
export interface KeyedCoProcessFunction<A, B, Out> {
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
  create(): F;
}

/** Thrown by a function when trying again cannot help: the job fails instead of restarting (Flink: SuppressRestartsException). */
export class SuppressRestarts extends Error {
  override readonly name = 'SuppressRestarts';
}

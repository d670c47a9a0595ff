/**
 * Keyed functions that see their elements in the order of event time, whatever the order in which they came.
 *
 * What the suite asks in SQL with updating results depends on arrival: a join emits when the later side came, a top-N when the better bid
 * came. Here each element waits in state until event time has passed it. So every query has one answer, and every element passes through
 * state and a timer.
 *
 * Owns: what waits, by its time, and the timers. Does not own: what the query keeps. I1: of one instant, elements of the first input come
 * before those of the second, each in the order of `rank`, whose numbers differ. I2: nothing may be late; a late one would come out of order.
 */
import type {
  Collector,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  RuntimeContext,
} from '../../../engine/job/functions.ts';
import type { MapState } from '../../../engine/state/keyed-state.ts';
import { mapState, type StateDescriptor } from '../../../engine/state/state-descriptor.ts';
import { Types } from '../../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../../engine/state/type-serializer.ts';

/** How elements wait: their type, and what orders those of one instant. */
export interface Waiting<T> {
  readonly type: TypeSerializer<T>;
  readonly rank: (value: T) => number;
}

/** What is to be done with elements in order. */
export interface OrderedFunction<A, B, Out> {
  open(runtime: RuntimeContext): void;
  first(value: A, out: Collector<Out>): void;
  second(value: B, out: Collector<Out>): void;
  /** Event time has passed this instant, in milliseconds, and its elements were handed over; also where `closesAt` asks for it. */
  passed?(timestampMs: number, out: Collector<Out>): void;
}

/** Two inputs, in order. */
export function joinInEventTimeOrder<A, B, Out>(options: {
  readonly waiting: readonly [Waiting<A>, Waiting<B>];
  readonly states: readonly StateDescriptor[];
  /** Instant that is to be told of because of an element of the first input, in milliseconds. */
  readonly closesAt?: (value: A) => number;
  create(): OrderedFunction<A, B, Out>;
}): FunctionSpec<KeyedCoProcessFunction<A, B, Out>> {
  const { closesAt } = options;
  const [waitingFirst, waitingSecond] = options.waiting;
  return {
    states: [descriptorOf(FIRST, waitingFirst), descriptorOf(SECOND, waitingSecond), ...options.states],
    create() {
      const ordered = options.create();
      const first = new WaitingElements(FIRST, waitingFirst.rank);
      const second = new WaitingElements(SECOND, waitingSecond.rank);
      return {
        open(runtime) {
          first.open(runtime);
          second.open(runtime);
          ordered.open(runtime);
        },
        processElement1(value, context) {
          first.add(value, context.timestampMs);
          context.timerService().registerEventTimeTimer(context.timestampMs);
          if (closesAt !== undefined) context.timerService().registerEventTimeTimer(closesAt(value));
        },
        processElement2(value, context) {
          second.add(value, context.timestampMs);
          context.timerService().registerEventTimeTimer(context.timestampMs);
        },
        onTimer(timestampMs, _context, out) {
          for (const value of first.take(timestampMs)) ordered.first(value, out);
          for (const value of second.take(timestampMs)) ordered.second(value, out);
          ordered.passed?.(timestampMs, out);
        },
      };
    },
  };
}

/** One input, in order. */
export function inEventTimeOrder<T, Out>(options: {
  readonly waiting: Waiting<T>;
  readonly states: readonly StateDescriptor[];
  create(): { open(runtime: RuntimeContext): void; element(value: T, out: Collector<Out>): void };
}): FunctionSpec<KeyedProcessFunction<T, Out>> {
  return {
    states: [descriptorOf(FIRST, options.waiting), ...options.states],
    create() {
      const ordered = options.create();
      const waiting = new WaitingElements(FIRST, options.waiting.rank);
      return {
        open(runtime) {
          waiting.open(runtime);
          ordered.open(runtime);
        },
        processElement(value, context) {
          waiting.add(value, context.timestampMs);
          context.timerService().registerEventTimeTimer(context.timestampMs);
        },
        onTimer(timestampMs, _context, out) {
          for (const value of waiting.take(timestampMs)) ordered.element(value, out);
        },
      };
    },
  };
}

const FIRST = 'waiting-first';
const SECOND = 'waiting-second';

const descriptorOf = <T>(name: string, { type }: Waiting<T>): StateDescriptor =>
  mapState(name, Types.int, Types.list(type)) as StateDescriptor;

class WaitingElements<T> {
  readonly #name: string;
  readonly #rank: (value: T) => number;
  #byTime: MapState<number, readonly T[]> | undefined;

  constructor(name: string, rank: (value: T) => number) {
    this.#name = name;
    this.#rank = rank;
  }

  open(runtime: RuntimeContext): void {
    this.#byTime = runtime.map<number, readonly T[]>(this.#name);
  }

  /** In the order of ranks, so that the state does not tell in which order they came. */
  add(value: T, timestampMs: number): void {
    const before = this.#byTime?.get(timestampMs) ?? [];
    const rank = this.#rank(value);
    const place = before.findIndex((other) => this.#rank(other) > rank);
    const at = place === -1 ? before.length : place;
    this.#byTime?.put(timestampMs, [...before.slice(0, at), value, ...before.slice(at)]);
  }

  take(timestampMs: number): readonly T[] {
    const values = this.#byTime?.get(timestampMs);
    if (values === undefined) return [];
    this.#byTime?.remove(timestampMs);
    return values;
  }
}

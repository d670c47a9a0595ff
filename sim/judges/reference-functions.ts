/**
 * What a user function sees of the reference, and what an operator does beside processing records.
 *
 * Owns contexts, collectors with the lineage they give, and the calls of `onTimer` and `finish`; written without the engine's operators.
 *
 * I1: a record made of another keeps its event time; the n-th record an operator makes of one record gets child lineage n, whether it
 *     goes into the main output or into a side output.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type {
  Collector,
  ElementContext,
  OnTimerContext,
  OutputTag,
  StateKey,
  TimerService,
} from '../../engine/job/functions.ts';
import {
  childLineage,
  END_OF_TIME_US,
  finishLineage,
  type Lineage,
  type RecordValue,
  timerLineage,
} from '../../engine/protocol/stream-elements.ts';
import type { ReferenceOperatorState } from './reference-state.ts';
import type { IsDue } from './reference-timers.ts';

export type Push = (value: RecordValue, lineage: Lineage) => void;

/** The event time of the record or timer that is processed. */
export interface Clock {
  timestampMs: number;
}
/** Side outputs of a vertex, by tag. */
export type Sides = ReadonlyMap<string, readonly Push[]>;

/** What an operator does beside processing records, in this order for a vertex: all timers, then all last work. */
export interface Stage {
  readonly fire?: (isDue: IsDue, watermarkUs: number) => void;
  readonly finish?: () => void;
  readonly uid: string;
}

/** The part of a function that does not process records. */
interface LastWork {
  finish?(context: ElementContext, out: Collector<RecordValue>): void;
  onTimer?(timestampMs: number, context: OnTimerContext, out: Collector<RecordValue>): void;
}

/** As the engine names the timers of user functions in its files. */
export const USER_TIMERS = 'user-timers';
export const NO_SIDES: Sides = new Map();

export const both = (push: Push): readonly [Push, Push] => [push, push];

interface KeyedParts {
  readonly uid: string;
  readonly state: ReferenceOperatorState;
  readonly children: Children;
  readonly context: Context;
  readonly clock: Clock;
}

/** Of a keyed function. */
export function timersAndLastWork(process: LastWork, { uid, state, children, context, clock }: KeyedParts): Stage {
  const { timers } = state;
  const onTimer = process.onTimer?.bind(process);
  const finish = process.finish?.bind(process);
  const timed =
    timers === undefined || onTimer === undefined
      ? {}
      : {
          fire: (isDue: IsDue, watermarkUs: number): void => {
            timers.watermarkUs = Math.max(timers.watermarkUs, watermarkUs);
            timers.fire(
              isDue,
              (key) => state.setKey(key),
              ({ key, namespace, timestampUs }) => {
                const before = clock.timestampMs;
                clock.timestampMs = timestampUs / 1_000;
                const lineage = timerLineage(uid, key, { domain: 'event-time', namespace, timestampUs });
                onTimer(timestampUs / 1_000, context, children.of(lineage));
                clock.timestampMs = before;
              },
            );
          },
        };
  const last =
    finish === undefined
      ? {}
      : {
          finish: (): void => {
            clock.timestampMs = END_OF_TIME_US / 1_000;
            for (const key of state.keys()) {
              state.setKey(key);
              finish(context, children.of(finishLineage(uid, key)));
            }
          },
        };
  return { uid, ...timed, ...last };
}

/** What a function is told about the record or timer it processes. */
export class Context implements OnTimerContext {
  /** Only event time passes in the reference. */
  readonly timeDomain = 'event-time';
  readonly #state: ReferenceOperatorState;
  readonly #clock: Readonly<Clock>;
  readonly #children: Children;
  readonly #timers: TimerService | undefined;

  constructor(state: ReferenceOperatorState, clock: Readonly<Clock>, children: Children) {
    this.#state = state;
    this.#clock = clock;
    this.#children = children;
    this.#timers = state.timers?.service();
  }

  get currentKey(): StateKey {
    return this.#state.currentKey;
  }

  get timestampMs(): number {
    return this.#clock.timestampMs;
  }

  timerService(): TimerService {
    assert(this.#timers !== undefined, 'a function that asks for timers has onTimer');
    return this.#timers;
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    this.#children.output(tag.id, value);
  }
}

/** Numbers what one operator makes of one record (I1). */
export class Children implements Collector<RecordValue> {
  readonly #next: Push;
  readonly #sides: Sides;
  #parent: Lineage = 0;
  #count = 0;

  constructor(next: Push, sides: Sides = NO_SIDES) {
    this.#next = next;
    this.#sides = sides;
  }

  of(parent: Lineage): this {
    this.#parent = parent;
    this.#count = 0;
    return this;
  }

  collect(value: RecordValue): void {
    const lineage = childLineage(this.#parent, this.#count);
    this.#count += 1;
    this.#next(value, lineage);
  }
  /** Into a side output; a child as any other. */
  output(tag: string, value: RecordValue): void {
    const lineage = childLineage(this.#parent, this.#count);
    this.#count += 1;
    for (const push of this.#sides.get(tag) ?? []) push(value, lineage);
  }
}

/**
 * Looks for a pattern in the events of each key (Flink: CepOperator).
 *
 * Owns: the queue of events that wait for their turn, and the partial matches; both are keyed state, so they are in every snapshot and move
 * with their key groups. Does not own: what an event does to partial matches (pattern-automaton.ts), when time comes.
 * Invariants:
 *   I1 events are taken in the order of event time, those of one time in the order of their bytes: the order in which channels deliver them
 *      shows neither in the answer nor in state;
 *   I2 an event waits for the timer of its time, and every partial match that is younger than `within` has a timer at the end of its time;
 *   I3 what has timed out at an instant is gone before the events of that instant are taken (Flink: within is exclusive);
 *   I4 what comes out has the time of the timer that made it: the match's last event, or the end of a partial match's time.
 * Unlike Flink the timers of partial matches that ended are left to fire for nothing: deleting one would need to know that no other shares it.
 */
import { InternalTimerService } from '../../event-time/internal-timer-service.ts';
import { compareBytes } from '../../foundation/byte-order.ts';
import { ByteWriter } from '../../foundation/byte-writer.ts';
import type { OperatorSpec } from '../../job/job-graph.ts';
import type { PatternSpec } from '../../job/patterns.ts';
import { END_OF_TIME_US } from '../../protocol/stream-elements.ts';
import type { KeyedStateBackend } from '../../state/keyed-state-backend.ts';
import type { MapState, ValueState } from '../../state/keyed-state.ts';
import { mapState, valueState } from '../../state/state-descriptor.ts';
import type { InternalTimer } from '../../state/timer-queue.ts';
import { Types } from '../../state/type-information.ts';
import type { ElementConsumer } from '../element-consumer.ts';
import { KeyedContext, type KeyedOperatorOptions } from '../keyed-context.ts';
import { matchedOf, type PartialMatch, partialMatches } from './partial-match.ts';
import { takeEvent } from './pattern-automaton.ts';

/** Names in state files; those of states are Flink's. */
const EVENT_QUEUES = 'eventQueuesStateName';
const PARTIAL_MATCHES = 'nfaStateName';
const PATTERN_TIMERS = 'watermark-callbacks';

/** Events by their time. */
export type EventQueue = MapState<number, unknown[]>;

/** Decisions that a mutant answers wrongly. */
export interface PatternRules {
  /** Where events wait: in keyed state. */
  eventQueue(inState: EventQueue, backend: KeyedStateBackend): EventQueue;
  /** Whether the time of a partial match is over. */
  isTimedOut(startUs: number, nowUs: number, withinUs: number): boolean;
  /** In which order events of one time are taken (I1). */
  readonly equalTimes: 'by-bytes' | 'as-they-came';
}

export const standardPatternRules: PatternRules = {
  eventQueue: (inState) => inState,
  isTimedOut: (startUs, nowUs, withinUs) => nowUs - startUs >= withinUs,
  equalTimes: 'by-bytes',
};

export class PatternOperator implements ElementConsumer {
  readonly timers: InternalTimerService;
  /** Flink: numLateRecordsDropped. */
  lateRecordsDropped = 0;
  readonly #spec: PatternSpec;
  readonly #key: Extract<OperatorSpec, { kind: 'pattern' }>['key'];
  readonly #rules: PatternRules;
  readonly #context: KeyedContext;
  readonly #queue: EventQueue;
  readonly #partial: ValueState<PartialMatch[]>;

  constructor(
    { uid, key, pattern }: Extract<OperatorSpec, { kind: 'pattern' }>,
    options: KeyedOperatorOptions & { readonly rules: PatternRules },
  ) {
    const { backend, rules } = options;
    this.#spec = pattern;
    this.#key = key;
    this.#rules = rules;
    this.#context = new KeyedContext(uid, options);
    const queue = backend.getState(mapState(EVENT_QUEUES, Types.int, Types.list(pattern.events)));
    this.#queue = rules.eventQueue(queue, backend);
    this.#partial = backend.getState(valueState(PARTIAL_MATCHES, partialMatches(pattern.events)));
    this.timers = new InternalTimerService({
      name: PATTERN_TIMERS,
      uid,
      backend,
      target: { onEventTime: (timer) => this.#onEventTime(timer), onProcessingTime: () => undefined },
      clock: options.clock ?? { nowUs: 0 },
      ...(options.initialWatermarkUs === undefined ? {} : { initialWatermarkUs: options.initialWatermarkUs }),
    });
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    this.#context.startElement(this.#key, value, timestampUs, lineage);
    if (timestampUs <= this.timers.currentWatermarkUs) {
      this.lateRecordsDropped += 1;
      return;
    }
    const waiting = this.#queue.get(timestampUs);
    this.#queue.put(timestampUs, waiting === undefined ? [value] : this.#inOrder([...waiting, value]));
    this.timers.registerEventTimeTimer('', timestampUs);
  }

  #onEventTime(timer: InternalTimer): void {
    const { timestampUs } = timer;
    this.#context.startTimer(timer, 'event-time');
    const before = this.#partial.value() ?? [];
    let partial: readonly PartialMatch[] = this.#withoutTimedOut(before, timestampUs);
    const waiting = this.#queue.get(timestampUs);
    if (waiting !== undefined) {
      this.#queue.remove(timestampUs);
      for (const event of waiting) partial = this.#take(partial, event, timestampUs);
      this.#registerTimeOut(partial, timestampUs);
    }
    if (partial.length > 0) this.#partial.update([...partial]);
    else if (before.length > 0) this.#partial.clear();
  }

  /** I3. */
  #withoutTimedOut(before: readonly PartialMatch[], nowUs: number): readonly PartialMatch[] {
    const { withinUs } = this.#spec;
    if (withinUs === undefined) return before;
    const live: PartialMatch[] = [];
    for (const match of before) {
      if (this.#rules.isTimedOut(match.startUs, nowUs, withinUs)) this.#emitTimedOut(match);
      else live.push(match);
    }
    return live;
  }

  #take(before: readonly PartialMatch[], event: unknown, timestampUs: number): readonly PartialMatch[] {
    const { userCode, collector } = this.#context;
    userCode.isRunning = true;
    const { partial, complete } = takeEvent(this.#spec, before, event, timestampUs);
    for (const match of complete) collector.collect(this.#spec.select(matchedOf(this.#spec, match)));
    userCode.isRunning = false;
    return partial;
  }

  #emitTimedOut(match: PartialMatch): void {
    const { timedOut } = this.#spec;
    if (timedOut === undefined) return;
    const { userCode, collector } = this.#context;
    userCode.isRunning = true;
    const value = timedOut.select(matchedOf(this.#spec, match));
    collector.lateOutput(timedOut.tag, value);
  }

  /** I2, for those that began now. */
  #registerTimeOut(partial: readonly PartialMatch[], nowUs: number): void {
    const { withinUs } = this.#spec;
    if (withinUs === undefined || !partial.some(({ startUs }) => startUs === nowUs)) return;
    this.timers.registerEventTimeTimer('', Math.min(nowUs + withinUs, END_OF_TIME_US));
  }

  /** I1. */
  #inOrder(events: unknown[]): unknown[] {
    if (this.#rules.equalTimes === 'as-they-came') return events;
    const { events: type } = this.#spec;
    const keyed = events.map((event) => {
      const out = new ByteWriter();
      type.serialize(event, out);
      return { event, bytes: out.toBytes() };
    });
    return keyed.sort((a, b) => compareBytes(a.bytes, b.bytes)).map(({ event }) => event);
  }
}

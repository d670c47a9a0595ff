/**
 * Windows as the author of a job writes them (Flink: WindowedStream, the assigners and triggers).
 *
 *     flights.keyBy((flight) => flight.origin)
 *       .window(TumblingEventTimeWindows.of(3_600_000))
 *       .allowedLateness(60_000)
 *       .sideOutputLateData(LATE)
 *       .aggregate(delays, DELAYS, (window, result, out) => out.collect({ ...window, ...result }))
 *
 * Owns: assigners, triggers, what is said of windows. Does not own: the stream they are made of (data-stream.ts), what they mean (job/windows.ts, operators/window-operator.ts).
 */
import type { Collector, OutputTag } from '../job/functions.ts';
import type { TimeDomain, TriggerSpec, WindowAssignerSpec, WindowContext, WindowSpec } from '../job/windows.ts';
import type { AggregateFunction } from '../state/state-descriptor.ts';
import { Types } from '../state/type-information.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import { InvalidJob } from './invalid-job.ts';

type OfSize = (sizeMs: number, offsetMs?: number) => WindowAssignerSpec;

const tumbling =
  (domain: TimeDomain): OfSize =>
  (sizeMs, offsetMs = 0) => ({
    kind: 'tumbling',
    domain,
    sizeUs: length('The size of a window', sizeMs),
    offsetUs: offset(offsetMs),
  });

const sliding =
  (domain: TimeDomain) =>
  (sizeMs: number, slideMs: number, offsetMs = 0): WindowAssignerSpec => ({
    kind: 'sliding',
    domain,
    sizeUs: length('The size of a window', sizeMs),
    slideUs: length('The slide of a window', slideMs),
    offsetUs: offset(offsetMs),
  });

const session =
  (domain: TimeDomain) =>
  (gapMs: number): WindowAssignerSpec => ({ kind: 'session', domain, gapUs: length('The gap of a session', gapMs) });

export const TumblingEventTimeWindows = { of: tumbling('event-time') };
export const TumblingProcessingTimeWindows = { of: tumbling('processing-time') };
export const SlidingEventTimeWindows = { of: sliding('event-time') };
export const SlidingProcessingTimeWindows = { of: sliding('processing-time') };
export const EventTimeSessionWindows = { withGap: session('event-time') };
export const ProcessingTimeSessionWindows = { withGap: session('processing-time') };

export const EventTimeTrigger = { create: (): TriggerSpec => ({ kind: 'event-time' }) };
export const ProcessingTimeTrigger = { create: (): TriggerSpec => ({ kind: 'processing-time' }) };
export const CountTrigger = {
  of(count: number): TriggerSpec {
    if (!Number.isInteger(count) || count < 1) throw new InvalidJob(`A count of ${count} is not a positive integer.`);
    return { kind: 'count', count };
  },
};
const continuous =
  (domain: TimeDomain) =>
  (intervalMs: number): TriggerSpec => ({
    kind: 'continuous',
    domain,
    intervalUs: length('The interval of a trigger', intervalMs),
  });
export const ContinuousEventTimeTrigger = { of: continuous('event-time') };
export const ContinuousProcessingTimeTrigger = { of: continuous('processing-time') };
/** What fires forgets, too. */
export const PurgingTrigger = { of: (trigger: TriggerSpec): TriggerSpec => ({ ...trigger, purging: true }) };

/** What comes out of a window, given what its records were folded into. */
export type WindowFunction<R, Out> = (window: WindowContext, result: R, out: Collector<Out>) => void;

type Settings = Pick<WindowSpec, 'assigner' | 'trigger' | 'allowedLatenessUs' | 'lateOutput'>;

/** What was said of the windows of a stream so far. */
export class WindowSettings<T> {
  readonly #settings: Settings;

  private constructor(settings: Settings) {
    this.#settings = settings;
  }

  static of<T>(assigner: WindowAssignerSpec): WindowSettings<T> {
    return new WindowSettings<T>({ assigner, trigger: { kind: assigner.domain }, allowedLatenessUs: 0 });
  }

  trigger(trigger: TriggerSpec): WindowSettings<T> {
    return new WindowSettings<T>({ ...this.#settings, trigger });
  }

  allowedLateness(milliseconds: number): WindowSettings<T> {
    const allowedLatenessUs = milliseconds * 1_000;
    if (!Number.isSafeInteger(allowedLatenessUs) || allowedLatenessUs < 0)
      throw new InvalidJob(
        `An allowed lateness of ${milliseconds} ms is not a whole number of microseconds of at least 0.`,
      );
    if (this.#settings.assigner.domain === 'processing-time')
      throw new InvalidJob('Nothing is late in processing time: allowedLateness() is for windows of event time.');
    return new WindowSettings<T>({ ...this.#settings, allowedLatenessUs });
  }

  sideOutputLateData(tag: OutputTag<T>): WindowSettings<T> {
    return new WindowSettings<T>({ ...this.#settings, lateOutput: tag.id });
  }

  reduce(reduce: (current: T, added: T) => T, type: TypeSerializer<T>): WindowSpec {
    const aggregate: AggregateFunction<T, T | undefined, T | undefined> = {
      createAccumulator: () => undefined,
      add: (current, added) => (current === undefined ? added : reduce(current, added)),
      getResult: (current) => current,
      merge: (a, b) => (a === undefined || b === undefined ? (a ?? b) : reduce(a, b)),
    };
    return this.aggregate<T | undefined, T | undefined, T | undefined>(aggregate, type);
  }

  aggregate<Acc, R, Out>(
    aggregate: AggregateFunction<T, Acc, R>,
    contents: object,
    evaluate?: WindowFunction<R, Out>,
  ): WindowSpec {
    const asItIs: WindowFunction<R, R> = (_window, result, out) => out.collect(result);
    return this.#spec(aggregate, contents, evaluate ?? asItIs);
  }

  process<Out>(evaluate: WindowFunction<readonly T[], Out>, type: TypeSerializer<T>): WindowSpec {
    const aggregate: AggregateFunction<T, T[], readonly T[]> = {
      createAccumulator: () => [],
      add: (records, added) => {
        records.push(added);
        return records;
      },
      getResult: (records) => records,
      merge: (a, b) => [...a, ...b],
    };
    return this.#spec(aggregate, Types.list(type), evaluate);
  }

  /** The graph carries no types: sound, as the operator hands the aggregate only what this stream carries. */
  #spec(aggregate: object, contents: object, evaluate: unknown): WindowSpec {
    return {
      ...this.#settings,
      aggregate: aggregate as WindowSpec['aggregate'],
      contents: contents as WindowSpec['contents'],
      evaluate: evaluate as WindowSpec['evaluate'],
    };
  }
}

function length(what: string, milliseconds: number): number {
  const us = milliseconds * 1_000;
  if (Number.isSafeInteger(us) && us >= 1) return us;
  throw new InvalidJob(`${what} of ${milliseconds} ms is not a whole number of microseconds of at least 1.`);
}

function offset(milliseconds: number): number {
  const us = milliseconds * 1_000;
  if (Number.isSafeInteger(us)) return us;
  throw new InvalidJob(`A window offset of ${milliseconds} ms is not a whole number of microseconds.`);
}

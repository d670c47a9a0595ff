/**
 * Windows as the author of a job writes them (Flink: WindowedStream, the assigners and triggers).
 *
 *     flights.keyBy((flight) => flight.origin)
 *       .window(TumblingEventTimeWindows.of(3_600_000))
 *       .allowedLateness(60_000)
 *       .sideOutputLateData(LATE)
 *       .aggregate(delays, DELAYS, (window, result, out) => out.collect({ ...window, ...result }))
 *
 * Owns: assigners, triggers, and the builder. Does not own: what they mean (job/windows.ts, operators/window-operator.ts).
 */
import type { Collector, OutputTag } from '../job/functions.ts';
import type { TimeDomain, TriggerSpec, WindowAssignerSpec, WindowContext, WindowSpec } from '../job/windows.ts';
import type { AggregateFunction } from '../state/state-descriptor.ts';
import { Types } from '../state/type-information.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import type { DataStream } from './data-stream.ts';
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

/** Makes the operator; given by the keyed stream. */
export type AddWindow<Out> = (window: WindowSpec) => DataStream<Out>;

type Settings = Pick<WindowSpec, 'assigner' | 'trigger' | 'allowedLatenessUs' | 'lateOutput'>;

export class WindowedStream<T> {
  readonly #settings: Settings;
  readonly #add: AddWindow<never>;

  constructor(add: AddWindow<never>, assigner: WindowAssignerSpec, settings?: Settings) {
    this.#add = add;
    this.#settings = settings ?? { assigner, trigger: { kind: assigner.domain }, allowedLatenessUs: 0 };
  }

  /** When a window is evaluated. Default: at its end. */
  trigger(trigger: TriggerSpec): WindowedStream<T> {
    return this.#with({ trigger });
  }

  /** How long after its end a window still takes records in; it is then evaluated again with each. Default: not at all. */
  allowedLateness(milliseconds: number): WindowedStream<T> {
    const us = milliseconds * 1_000;
    if (!Number.isSafeInteger(us) || us < 0)
      throw new InvalidJob(
        `An allowed lateness of ${milliseconds} ms is not a whole number of microseconds of at least 0.`,
      );
    if (this.#settings.assigner.domain === 'processing-time')
      throw new InvalidJob('Nothing is late in processing time: allowedLateness() is for windows of event time.');
    return this.#with({ allowedLatenessUs: us });
  }

  /** Where records go that come too late. Default: they are dropped. */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T> {
    return this.#with({ lateOutput: tag.id });
  }

  /** One value per window, into which every record is folded. */
  reduce(reduce: (current: T, added: T) => T, type: TypeSerializer<T>): DataStream<T> {
    const aggregate: AggregateFunction<T, T | undefined, T | undefined> = {
      createAccumulator: () => undefined,
      add: (current, added) => (current === undefined ? added : reduce(current, added)),
      getResult: (current) => current,
      merge: (a, b) => (a === undefined || b === undefined ? (a ?? b) : reduce(a, b)),
    };
    return this.#make<T>(aggregate, type, (_window, result, out) => out.collect(result));
  }

  /** The result of each window by its aggregate, or what the function makes of it. */
  aggregate<Acc, R>(aggregate: AggregateFunction<T, Acc, R>, type: TypeSerializer<Acc>): DataStream<R>;
  aggregate<Acc, R, Out>(
    aggregate: AggregateFunction<T, Acc, R>,
    type: TypeSerializer<Acc>,
    evaluate: WindowFunction<R, Out>,
  ): DataStream<Out>;
  aggregate<Acc, R, Out>(
    aggregate: AggregateFunction<T, Acc, R>,
    type: TypeSerializer<Acc>,
    evaluate?: WindowFunction<R, Out>,
  ): DataStream<Out> | DataStream<R> {
    if (evaluate !== undefined) return this.#make<Out, R>(aggregate, type, evaluate);
    return this.#make<R>(aggregate, type, (_window, result, out) => out.collect(result));
  }

  /** All records of a window at once, in the order in which they came; they are kept until then. */
  process<Out>(evaluate: WindowFunction<readonly T[], Out>, type: TypeSerializer<T>): DataStream<Out> {
    const aggregate: AggregateFunction<T, T[], readonly T[]> = {
      createAccumulator: () => [],
      add: (records, added) => {
        records.push(added);
        return records;
      },
      getResult: (records) => records,
      merge: (a, b) => [...a, ...b],
    };
    return this.#make<Out, readonly T[]>(aggregate, Types.list(type), evaluate);
  }

  #with(change: Partial<Settings>): WindowedStream<T> {
    return new WindowedStream<T>(this.#add, this.#settings.assigner, { ...this.#settings, ...change });
  }

  /** The graph carries no types: sound, as the operator hands the aggregate only what this stream carries. */
  #make<Out, R = Out>(aggregate: object, contents: object, evaluate: WindowFunction<R, Out>): DataStream<Out> {
    const add = this.#add as unknown as AddWindow<Out>;
    return add({
      ...this.#settings,
      aggregate: aggregate as WindowSpec['aggregate'],
      contents: contents as WindowSpec['contents'],
      evaluate: evaluate as WindowSpec['evaluate'],
    });
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

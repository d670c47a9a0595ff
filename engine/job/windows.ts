/**
 * What a job says about windows: which windows a record belongs to, when one is evaluated, what is made of it (Flink: WindowAssigner,
 * Trigger, WindowFunction).
 *
 * Owns: the plain specs the graph carries, so that the engine and the judges' reference interpret the same windows independently. Does not
 * own: how they are written (api/windows.ts), what the engine does with them (operators/window-operator.ts).
 */
import type { AggregateFunction } from '../state/state-descriptor.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import type { Collector, StateKey } from './functions.ts';

export type TimeDomain = 'event-time' | 'processing-time';

/** Its begin belongs to it, its end does not. Microseconds. */
export interface TimeWindow {
  readonly startUs: number;
  readonly endUs: number;
}

export type WindowAssignerSpec = { readonly domain: TimeDomain } & (
  | { readonly kind: 'tumbling'; readonly sizeUs: number; readonly offsetUs: number }
  | { readonly kind: 'sliding'; readonly sizeUs: number; readonly slideUs: number; readonly offsetUs: number }
  /** One window for each row of records that follow each other by less than the gap. */
  | { readonly kind: 'session'; readonly gapUs: number }
);

/** FIRE: evaluate it. PURGE: forget its contents. */
export type TriggerResult = 'continue' | 'fire' | 'fire-and-purge' | 'purge';

export type TriggerSpec = {
  /** What fires purges as well (Flink: PurgingTrigger). */
  readonly purging?: true;
} & (
  | { readonly kind: 'event-time' | 'processing-time' }
  /** With every so many records. */
  | { readonly kind: 'count'; readonly count: number }
  /** Every interval while it is open, and at its end. */
  | { readonly kind: 'continuous'; readonly domain: TimeDomain; readonly intervalUs: number }
);

/** What a window function is told. Times in milliseconds. */
export interface WindowContext {
  readonly key: StateKey;
  readonly start: number;
  readonly end: number;
}

export interface WindowSpec {
  readonly assigner: WindowAssignerSpec;
  readonly trigger: TriggerSpec;
  /** How long after its end a window still takes records in. */
  readonly allowedLatenessUs: number;
  /** Id of the side output of records that come too late; absent: they are dropped. */
  readonly lateOutput?: string;
  /** How the records of a window become its contents. */
  readonly aggregate: AggregateFunction<unknown, unknown, unknown>;
  /** Type of the contents. */
  readonly contents: TypeSerializer<unknown>;
  /** What comes out when it is evaluated. */
  readonly evaluate: (context: WindowContext, result: unknown, out: Collector<unknown>) => void;
}

/** The last instant of a window: what it emits has this time. */
export const lastInstantOf = ({ endUs }: TimeWindow): number => endUs - 1;

/**
 * When a window is evaluated (Flink: EventTimeTrigger, ProcessingTimeTrigger, CountTrigger, ContinuousEventTimeTrigger, PurgingTrigger).
 *
 * Owns: the rule of each kind. Does not own: timers and counts, which are state of the operator.
 * I1: a trigger remembers nothing itself: it is made anew with every attempt.
 */
import {
  lastInstantOf,
  type TimeDomain,
  type TimeWindow,
  type TriggerResult,
  type TriggerSpec,
} from '../job/windows.ts';

/** What a trigger sees and may do for the window at hand (Flink: TriggerContext). */
export interface TriggerContext {
  readonly currentWatermarkUs: number;
  readonly currentProcessingTimeUs: number;
  registerTimer(domain: TimeDomain, timestampUs: number): void;
  deleteTimer(domain: TimeDomain, timestampUs: number): void;
  /** How many records it has counted since it fired. */
  count(): number;
  setCount(count: number): void;
}

export interface WindowTrigger {
  onElement(timestampUs: number, window: TimeWindow, context: TriggerContext): TriggerResult;
  onTimer(domain: TimeDomain, timestampUs: number, window: TimeWindow, context: TriggerContext): TriggerResult;
  /** The window is the one that several became. */
  onMerge(window: TimeWindow, context: TriggerContext): void;
  /** The window is no more. */
  clear(window: TimeWindow, context: TriggerContext): void;
}

export function createTrigger(spec: TriggerSpec): WindowTrigger {
  const trigger = plainTrigger(spec);
  if (spec.purging !== true) return trigger;
  const purging = (result: TriggerResult): TriggerResult => (result === 'fire' ? 'fire-and-purge' : result);
  return {
    onElement: (timestampUs, window, context) => purging(trigger.onElement(timestampUs, window, context)),
    onTimer: (domain, timestampUs, window, context) => purging(trigger.onTimer(domain, timestampUs, window, context)),
    onMerge: (window, context) => trigger.onMerge(window, context),
    clear: (window, context) => trigger.clear(window, context),
  };
}

function plainTrigger(spec: TriggerSpec): WindowTrigger {
  switch (spec.kind) {
    case 'event-time':
    case 'processing-time':
      return endTrigger(spec.kind);
    case 'count':
      return countTrigger(spec.count);
    case 'continuous':
      return continuousTrigger(spec.domain, spec.intervalUs);
    default:
      throw new RangeError(`unknown trigger ${String(spec satisfies never)}`);
  }
}

const timeOf = (domain: TimeDomain, context: TriggerContext): number =>
  domain === 'event-time' ? context.currentWatermarkUs : context.currentProcessingTimeUs;

/** At the end of the window; a record that comes behind it fires at once. */
function endTrigger(domain: TimeDomain): WindowTrigger {
  return {
    onElement(_timestampUs, window, context) {
      if (domain === 'event-time' && lastInstantOf(window) <= context.currentWatermarkUs) return 'fire';
      context.registerTimer(domain, lastInstantOf(window));
      return 'continue';
    },
    onTimer: (of, timestampUs, window) =>
      of === domain && timestampUs === lastInstantOf(window) ? 'fire' : 'continue',
    onMerge(window, context) {
      if (lastInstantOf(window) > timeOf(domain, context)) context.registerTimer(domain, lastInstantOf(window));
    },
    clear: (window, context) => context.deleteTimer(domain, lastInstantOf(window)),
  };
}

function countTrigger(most: number): WindowTrigger {
  return {
    onElement(_timestampUs, _window, context) {
      const count = context.count() + 1;
      context.setCount(count >= most ? 0 : count);
      return count >= most ? 'fire' : 'continue';
    },
    onTimer: () => 'continue',
    // The counts of what became one were added up by the operator.
    onMerge: () => undefined,
    clear: (_window, context) => context.setCount(0),
  };
}

/** Every interval, counted from the start of time; event time also at the end of the window. */
function continuousTrigger(domain: TimeDomain, intervalUs: number): WindowTrigger {
  const nextAfter = (timestampUs: number): number => (Math.floor(timestampUs / intervalUs) + 1) * intervalUs;
  const registerNext = (afterUs: number, window: TimeWindow, context: TriggerContext): void => {
    context.registerTimer(domain, Math.min(nextAfter(afterUs), lastInstantOf(window)));
  };
  return {
    onElement(timestampUs, window, context) {
      if (domain === 'event-time' && lastInstantOf(window) <= context.currentWatermarkUs) return 'fire';
      const fromUs =
        domain === 'event-time' ? Math.max(timestampUs, context.currentWatermarkUs) : timeOf(domain, context);
      registerNext(fromUs, window, context);
      return 'continue';
    },
    onTimer(of, timestampUs, window, context) {
      if (of !== domain) return 'continue';
      if (timestampUs < lastInstantOf(window)) registerNext(timestampUs, window, context);
      return 'fire';
    },
    onMerge(window, context) {
      registerNext(Math.max(window.startUs, timeOf(domain, context)), window, context);
    },
    clear: () => undefined,
  };
}

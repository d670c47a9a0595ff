/**
 * Keyed windows: records are folded into the windows they belong to, a trigger says when one is evaluated, and behind its end and the
 * allowed lateness it is forgotten (Flink: WindowOperator).
 *
 * Owns: contents, counts and timers of windows, which are keyed state. Does not own: which windows there are (window-assigner.ts), when one
 * fires (window-trigger.ts), what is made of it (the job's functions).
 * Invariants:
 *   I1 a record is in every window it belongs to that is not over yet, once; if there is none it is late, and goes into the side output or
 *      is dropped and counted, once;
 *   I2 contents and timers of a window are there together: who clears one clears the others;
 *   I3 sessions that overlap are one: its contents are those of all, its timers are its own;
 *   I4 what comes out has the last instant of its window as event time.
 */
import { InternalTimerService } from '../event-time/internal-timer-service.ts';
import type { OperatorSpec } from '../job/job-graph.ts';
import {
  lastInstantOf,
  type TimeDomain,
  type TimeWindow,
  type TriggerResult,
  type TriggerSpec,
  type WindowSpec,
} from '../job/windows.ts';
import type { MapState } from '../state/keyed-state.ts';
import { mapState } from '../state/state-descriptor.ts';
import type { InternalTimer } from '../state/timer-queue.ts';
import { Types } from '../state/type-information.ts';
import { END_OF_TIME_US } from '../protocol/stream-elements.ts';
import type { ElementConsumer } from './element-consumer.ts';
import { KeyedContext, type KeyedOperatorOptions } from './keyed-context.ts';
import { mergedWith, windowId, windowOfId, windowsOf } from './window-assigner.ts';
import type { TriggerContext, WindowTrigger } from './window-trigger.ts';

/** Names in state files, as in Flink. */
const WINDOW_TIMERS = 'window-timers';
const WINDOW_CONTENTS = 'window-contents';
const TRIGGER_COUNTS = 'trigger-counts';

/** Decisions that a mutant answers wrongly. */
export interface WindowRules {
  /** What becomes of the contents of sessions that become one. */
  readonly mergedContents: 'merged' | 'forgotten';
  /** Where a record that is late goes: into the late output alone, into its window as well, or only there. */
  readonly lateRecords: 'in-no-window' | 'in-their-window' | 'in-a-new-window';
  /** For how long a window takes records in behind its end, of a job that allows `allowedUs`. */
  readonly latenessUs: (allowedUs: number) => number;
  readonly trigger: (spec: TriggerSpec) => WindowTrigger;
  /** The event time of what comes out (I4): the last instant of its window, or that of the record or timer that made it come out. */
  readonly outputTime: 'last-instant' | 'of-its-cause';
  /** What a window holds that was shown and purged. */
  readonly purgedContents: 'none' | 'as-before';
}

export class WindowOperator implements ElementConsumer {
  readonly timers: InternalTimerService;
  /** Records that were late and nobody reads them (Flink: numLateRecordsDropped). */
  lateRecordsDropped = 0;
  readonly #spec: WindowSpec;
  readonly #key: Extract<OperatorSpec, { kind: 'window' }>['key'];
  readonly #rules: WindowRules;
  readonly #latenessUs: number;
  readonly #context: KeyedContext;
  readonly #trigger: WindowTrigger;
  readonly #contents: MapState<string, unknown>;
  readonly #counts: MapState<string, number>;
  readonly #triggerContext: TriggerContext;
  /** Of the window at hand. */
  #id = '';

  constructor(
    { uid, key, window }: Extract<OperatorSpec, { kind: 'window' }>,
    options: KeyedOperatorOptions & { readonly rules: WindowRules },
  ) {
    const { backend } = options;
    this.#spec = window;
    this.#key = key;
    this.#rules = options.rules;
    this.#context = new KeyedContext(uid, options);
    this.#latenessUs = options.rules.latenessUs(window.allowedLatenessUs);
    this.#trigger = options.rules.trigger(window.trigger);
    this.#contents = backend.getState(mapState(WINDOW_CONTENTS, Types.string, window.contents));
    this.#counts = backend.getState(mapState(TRIGGER_COUNTS, Types.string, Types.int));
    this.timers = new InternalTimerService({
      name: WINDOW_TIMERS,
      uid,
      backend,
      target: {
        onEventTime: (timer) => this.#onTimer('event-time', timer),
        onProcessingTime: (timer) => this.#onTimer('processing-time', timer),
      },
      clock: options.clock ?? { nowUs: 0 },
      ...(options.initialWatermarkUs === undefined ? {} : { initialWatermarkUs: options.initialWatermarkUs }),
    });
    this.#triggerContext = this.#contextOfTrigger();
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const { assigner } = this.#spec;
    this.#context.startElement(this.#key, value, timestampUs, lineage);
    const atUs = assigner.domain === 'event-time' ? timestampUs : this.timers.currentProcessingTimeUs;
    let isTaken = false;
    for (const assigned of windowsOf(assigner, atUs)) {
      const window = assigner.kind === 'session' ? this.#merge(assigned) : assigned;
      const isOver = this.#isOver(window);
      if (isOver && this.#rules.lateRecords === 'in-no-window') continue;
      isTaken ||= !isOver || this.#rules.lateRecords === 'in-a-new-window';
      this.#add(window, value, timestampUs);
    }
    if (!isTaken && this.#isLate(timestampUs)) this.#late(value);
  }

  #add(window: TimeWindow, value: unknown, timestampUs: number): void {
    const { aggregate } = this.#spec;
    const { userCode } = this.#context;
    const id = windowId(window);
    this.#id = id;
    const known = this.#contents.get(id);
    userCode.isRunning = true;
    const contents = aggregate.add(known ?? aggregate.createAccumulator(), value);
    userCode.isRunning = false;
    this.#contents.put(id, contents);
    this.#act(this.#trigger.onElement(timestampUs, window, this.#triggerContext), window);
    this.#registerCleanup(window);
  }

  /** I3. */
  #merge(added: TimeWindow): TimeWindow {
    const { window, merged } = mergedWith(this.#contents.keys().map(windowOfId), added);
    const [only] = merged;
    if (only === undefined) return window;
    if (merged.length === 1 && windowId(only) === windowId(window)) return window;
    let contents: unknown;
    let count = 0;
    for (const old of merged) {
      this.#id = windowId(old);
      contents = this.#united(contents, this.#contents.get(this.#id));
      count += this.#triggerContext.count();
      this.#clear(old);
    }
    this.#id = windowId(window);
    if (this.#rules.mergedContents === 'merged') this.#contents.put(this.#id, contents);
    this.#triggerContext.setCount(count);
    this.#trigger.onMerge(window, this.#triggerContext);
    this.#registerCleanup(window);
    return window;
  }

  #united(a: unknown, b: unknown): unknown {
    if (a === undefined || b === undefined) return a ?? b;
    const { userCode } = this.#context;
    userCode.isRunning = true;
    const united = this.#spec.aggregate.merge(a, b);
    userCode.isRunning = false;
    return united;
  }

  #onTimer(domain: TimeDomain, timer: InternalTimer): void {
    const window = windowOfId(timer.namespace);
    this.#context.startTimer(timer, domain);
    this.#id = timer.namespace;
    this.#act(this.#trigger.onTimer(domain, timer.timestampUs, window, this.#triggerContext), window);
    if (domain === this.#spec.assigner.domain && timer.timestampUs === this.#cleanupTimeOf(window)) this.#clear(window);
  }

  #act(result: TriggerResult, window: TimeWindow): void {
    if (result === 'continue') return;
    if (result !== 'purge') this.#evaluate(window);
    if (result !== 'fire' && this.#rules.purgedContents === 'none') this.#contents.remove(this.#id);
  }

  #evaluate(window: TimeWindow): void {
    const contents = this.#contents.get(this.#id);
    if (contents === undefined) return;
    const { userCode, collector, currentKey } = this.#context;
    if (this.#rules.outputTime === 'last-instant') collector.atTime(lastInstantOf(window));
    userCode.isRunning = true;
    const result = this.#spec.aggregate.getResult(contents);
    const place = { key: currentKey, start: window.startUs / 1_000, end: window.endUs / 1_000 };
    this.#spec.evaluate(place, result, collector);
    userCode.isRunning = false;
  }

  /** I1. */
  #late(value: unknown): void {
    const { lateOutput } = this.#spec;
    if (lateOutput === undefined) this.lateRecordsDropped += 1;
    else this.#context.collector.lateOutput(lateOutput, value);
  }

  /** Not only between two windows. */
  #isLate(timestampUs: number): boolean {
    const isOfEventTime = this.#spec.assigner.domain === 'event-time';
    return isOfEventTime && timestampUs + this.#latenessUs <= this.timers.currentWatermarkUs;
  }

  /** Behind its end and the allowed lateness. */
  #isOver(window: TimeWindow): boolean {
    return this.#spec.assigner.domain === 'event-time' && this.#cleanupTimeOf(window) <= this.timers.currentWatermarkUs;
  }

  #cleanupTimeOf(window: TimeWindow): number {
    if (this.#spec.assigner.domain === 'processing-time') return lastInstantOf(window);
    return Math.min(lastInstantOf(window) + this.#latenessUs, END_OF_TIME_US);
  }

  #registerCleanup(window: TimeWindow): void {
    this.#triggerContext.registerTimer(this.#spec.assigner.domain, this.#cleanupTimeOf(window));
  }

  /** I2, for the window at hand. */
  #clear(window: TimeWindow): void {
    this.#contents.remove(this.#id);
    this.#trigger.clear(window, this.#triggerContext);
    this.#triggerContext.deleteTimer(this.#spec.assigner.domain, this.#cleanupTimeOf(window));
  }

  /** Of the window whose id is in `#id`. */
  #contextOfTrigger(): TriggerContext {
    const { timers } = this;
    const idOf = (): string => this.#id;
    const counts = this.#counts;
    return {
      get currentWatermarkUs(): number {
        return timers.currentWatermarkUs;
      },
      get currentProcessingTimeUs(): number {
        return timers.currentProcessingTimeUs;
      },
      registerTimer(domain, timestampUs): void {
        if (domain === 'event-time') timers.registerEventTimeTimer(idOf(), timestampUs);
        else timers.registerProcessingTimeTimer(idOf(), timestampUs);
      },
      deleteTimer(domain, timestampUs): void {
        if (domain === 'event-time') timers.deleteEventTimeTimer(idOf(), timestampUs);
        else timers.deleteProcessingTimeTimer(idOf(), timestampUs);
      },
      count: () => counts.get(idOf()) ?? 0,
      setCount(count): void {
        if (count === 0) counts.remove(idOf());
        else counts.put(idOf(), count);
      },
    };
  }
}

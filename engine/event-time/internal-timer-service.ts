/**
 * Event-time and processing-time timers of one keyed operator (row S11; Flink: InternalTimerServiceImpl).
 *
 * Owns: what fires when, and the operator's event time. Does not own: where timers lie (timer-queue.ts), when watermarks and processing
 * time come (task-time.ts), what a timer means (the operator).
 * Invariants:
 *   I1 a timer is taken out before it fires, and it fires with its key as the current one; so it fires once;
 *   I2 timers fire in the order of their queue, those of a key at one time by namespace; what one registers for the past fires with them;
 *   I3 event time begins at the start of time after every restore (row B22): timers of before fire by the watermarks that come;
 *   I4 firing may stop between two timers and go on later (row B21): a snapshot in between holds exactly those that have not fired.
 */
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import { TIMER_STATES } from '../state/state-descriptor.ts';
import { compareTimers, type InternalTimer, type TimerQueue } from '../state/timer-queue.ts';
import { START_OF_TIME_US } from '../protocol/stream-elements.ts';
import type { TimeStage, WatermarkProgress } from './time-stage.ts';

/** What fires (Flink: Triggerable). */
export interface Triggerable {
  onEventTime(timer: InternalTimer): void;
  onProcessingTime(timer: InternalTimer): void;
}

/** The clock of the subtask, set at the begin of every mailbox action. */
export interface ProcessingTime {
  nowUs: number;
}

export interface InternalTimerServiceOptions {
  /** Names the timers in state files. */
  readonly name: string;
  /** Of its operator. */
  readonly uid: string;
  readonly backend: KeyedStateBackend;
  readonly target: Triggerable;
  readonly clock: ProcessingTime;
  /** What it knows of event time when it begins: I3. */
  readonly initialWatermarkUs?: number;
}

export class InternalTimerService implements TimeStage {
  readonly uid: string;
  readonly #backend: KeyedStateBackend;
  readonly #target: Triggerable;
  readonly #clock: ProcessingTime;
  readonly #eventTimers: TimerQueue;
  readonly #processingTimers: TimerQueue;
  #watermarkUs: number;
  #settledUs: number;
  #firing: InternalTimer | undefined;
  #fired = 0;

  constructor(options: InternalTimerServiceOptions) {
    const { name, backend, target, clock, uid } = options;
    this.uid = uid;
    this.#backend = backend;
    this.#target = target;
    this.#clock = clock;
    this.#eventTimers = backend.getTimers(`${TIMER_STATES}event_${name}`);
    this.#processingTimers = backend.getTimers(`${TIMER_STATES}processing_${name}`);
    this.#watermarkUs = options.initialWatermarkUs ?? START_OF_TIME_US;
    this.#settledUs = this.#watermarkUs;
  }

  get currentWatermarkUs(): number {
    return this.#watermarkUs;
  }

  get currentProcessingTimeUs(): number {
    return this.#clock.nowUs;
  }

  /** All of these concern the current key of the backend. */
  registerEventTimeTimer(namespace: string, timestampUs: number): void {
    this.#eventTimers.add(namespace, timestampUs);
  }

  deleteEventTimeTimer(namespace: string, timestampUs: number): void {
    this.#eventTimers.remove(namespace, timestampUs);
  }

  registerProcessingTimeTimer(namespace: string, timestampUs: number): void {
    this.#processingTimers.add(namespace, timestampUs);
  }

  deleteProcessingTimeTimer(namespace: string, timestampUs: number): void {
    this.#processingTimers.remove(namespace, timestampUs);
  }

  get nextProcessingTimeUs(): number {
    return this.#processingTimers.peek()?.timestampUs ?? Number.POSITIVE_INFINITY;
  }

  get settledWatermarkUs(): number {
    return this.#settledUs;
  }

  get firing(): InternalTimer | undefined {
    return this.#firing;
  }

  advanceWatermark(timestampUs: number, mayFire: () => boolean): WatermarkProgress {
    if (timestampUs > this.#watermarkUs) this.#watermarkUs = timestampUs;
    for (let timer = this.#eventTimers.peek(); timer !== undefined; timer = this.#eventTimers.peek()) {
      if (timer.timestampUs > timestampUs) break;
      if (!mayFire()) return 'interrupted';
      this.#eventTimers.poll();
      this.#backend.setCurrentKey(timer.key);
      this.#fired += 1;
      if (this.#firing === undefined || compareTimers(this.#firing, timer) < 0) this.#firing = timer;
      this.#target.onEventTime(timer);
    }
    this.#firing = undefined;
    this.#settledUs = this.#watermarkUs;
    return 'passed';
  }

  onProcessingTime(mayFire: () => boolean): boolean {
    for (let timer = this.#processingTimers.peek(); timer !== undefined; timer = this.#processingTimers.peek()) {
      if (timer.timestampUs > this.#clock.nowUs) break;
      if (!mayFire()) return false;
      this.#processingTimers.poll();
      this.#backend.setCurrentKey(timer.key);
      this.#fired += 1;
      this.#target.onProcessingTime(timer);
    }
    return true;
  }

  takeFired(): number {
    const fired = this.#fired;
    this.#fired = 0;
    return fired;
  }
}

/**
 * What a keyed user function sees of the element or timer it is called for, and the call itself (Flink: KeyedProcessOperator's contexts,
 * SimpleTimerService).
 *
 * Owns: the current key and time of one operator, its timers. Does not own: when timers fire (task-time.ts), what function is called.
 * I1: the backend's current key, the context and the collector are those of one element or timer, set together before each call.
 */
import type { InternalTimerService, ProcessingTime } from '../event-time/internal-timer-service.ts';
import { assert } from '../foundation/assert.ts';
import type { OnTimerContext, OutputTag, StateKey, TimerService } from '../job/functions.ts';
import { eventTimeUs } from '../job/watermarks.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import type { ExpiryClock } from '../state/time-to-live.ts';
import type { InternalTimer } from '../state/timer-queue.ts';
import { timerLineage } from '../protocol/stream-elements.ts';
import type { ElementConsumer, SideOutputConsumer } from './element-consumer.ts';
import type { FunctionState } from './function-state.ts';
import { ChildCollector } from './stateless-operators.ts';
import { UserCode } from './user-code.ts';

export interface KeyedOperatorOptions {
  readonly backend: KeyedStateBackend;
  readonly subtask: number;
  readonly parallelism: number;
  readonly next: ElementConsumer;
  /** Takes side outputs; absent: nobody reads them. */
  readonly side?: SideOutputConsumer;
  readonly userCode?: UserCode;
  /** Present where the function declared operator state. */
  readonly functionState?: FunctionState | undefined;
  /** Of the subtask; absent: it stands still. */
  readonly clock?: ProcessingTime;
  /** What expires is judged by it; absent: it stands still. */
  readonly expiryClock?: ExpiryClock;
  /** See EngineParts; absent: the start of time. */
  readonly initialWatermarkUs?: number;
}

/** Timers of user functions have no namespace of their own (Flink: VoidNamespace). */
const NO_NAMESPACE = '';

/** Reused for every call; a function must not keep it. */
export class KeyedContext implements OnTimerContext {
  currentKey: StateKey = '';
  timestampMs = 0;
  timeDomain: OnTimerContext['timeDomain'] = 'event-time';
  readonly backend: KeyedStateBackend;
  readonly expiryClock: ExpiryClock | undefined;
  readonly collector: ChildCollector;
  readonly userCode: UserCode;
  readonly #uid: string;
  #timers: TimerService | undefined;

  constructor(uid: string, options: KeyedOperatorOptions) {
    this.#uid = uid;
    this.backend = options.backend;
    this.expiryClock = options.expiryClock;
    this.userCode = options.userCode ?? new UserCode();
    this.collector = new ChildCollector(options.next, this.userCode, options.side);
  }

  timerService(): TimerService {
    assert(this.#timers !== undefined, 'a function that asks for timers has onTimer', { operator: this.#uid });
    return this.#timers;
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    this.collector.output(tag.id, value);
  }

  /** What `timerService` answers. */
  serveTimers(service: InternalTimerService): void {
    this.#timers = {
      currentProcessingTime: () => service.currentProcessingTimeUs / 1_000,
      currentWatermark: () => service.currentWatermarkUs / 1_000,
      registerEventTimeTimer: (ms) => service.registerEventTimeTimer(NO_NAMESPACE, eventTimeUs(ms)),
      registerProcessingTimeTimer: (ms) => service.registerProcessingTimeTimer(NO_NAMESPACE, eventTimeUs(ms)),
      deleteEventTimeTimer: (ms) => service.deleteEventTimeTimer(NO_NAMESPACE, eventTimeUs(ms)),
      deleteProcessingTimeTimer: (ms) => service.deleteProcessingTimeTimer(NO_NAMESPACE, eventTimeUs(ms)),
    };
  }

  /** I1, for a record; `key` is its key selector. */
  startElement(key: (value: unknown) => StateKey, value: unknown, timestampUs: number, lineage: number): void {
    const { userCode } = this;
    userCode.isRunning = true;
    this.currentKey = key(value);
    userCode.isRunning = false;
    this.timestampMs = timestampUs / 1_000;
    this.backend.setCurrentKey(this.currentKey);
    this.collector.startElement(timestampUs, lineage);
  }

  /** I1, for a timer; the service has set the backend's key. */
  startTimer({ key, namespace, timestampUs }: InternalTimer, timeDomain: OnTimerContext['timeDomain']): void {
    this.currentKey = key;
    this.timestampMs = timestampUs / 1_000;
    this.timeDomain = timeDomain;
    this.collector.startElement(
      timestampUs,
      timerLineage(this.#uid, key, { domain: timeDomain, namespace, timestampUs }),
    );
  }

  /** I1, for a key at the end of all input. */
  startKey(key: StateKey, timestampUs: number, lineage: number): void {
    this.currentKey = key;
    this.timestampMs = timestampUs / 1_000;
    this.backend.setCurrentKey(key);
    this.collector.startElement(timestampUs, lineage);
  }
}

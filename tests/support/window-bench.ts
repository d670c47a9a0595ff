/** A window operator on a backend of its own: records and watermarks in, what comes out as text. */
import { WindowSettings } from '../../engine/api/windows.ts';
import type { InternalTimerService } from '../../engine/event-time/internal-timer-service.ts';
import type { StateKey } from '../../engine/job/functions.ts';
import type { TriggerSpec, WindowAssignerSpec } from '../../engine/job/windows.ts';
import { WindowOperator } from '../../engine/operators/window-operator.ts';
import { standardParts } from '../../engine/parts.ts';
import { HashMapStateBackend } from '../../engine/state/hashmap-state-backend.ts';
import { Types } from '../../engine/state/type-information.ts';

export interface WindowBenchOptions {
  readonly assigner: WindowAssignerSpec;
  readonly trigger?: TriggerSpec;
  readonly latenessMs?: number;
  readonly late?: boolean;
  /** Snapshot to begin with. */
  readonly restored?: Uint8Array;
}

const LATE = { id: 'late' } as never;
const always = (): boolean => true;

export class WindowBench {
  readonly operator: WindowOperator;
  /** `key [start,end) sum @time`, or `late value`. Times in milliseconds. */
  readonly output: string[] = [];
  readonly backend: HashMapStateBackend;
  readonly clock = { nowUs: 0 };

  constructor({ assigner, trigger, latenessMs = 0, late = false, restored }: WindowBenchOptions) {
    this.backend = new HashMapStateBackend({
      keySerializer: Types.string,
      keyGroups: { start: 0, end: 7 },
      maxParallelism: 8,
    });
    if (restored !== undefined) this.backend.restore(restored);
    let settings = WindowSettings.of<number>(assigner);
    if (trigger !== undefined) settings = settings.trigger(trigger);
    if (latenessMs > 0) settings = settings.allowedLateness(latenessMs);
    if (late) settings = settings.sideOutputLateData(LATE);
    const sum = {
      createAccumulator: () => 0,
      add: (total: number, value: number) => total + value,
      getResult: (total: number) => total,
      merge: (a: number, b: number) => a + b,
    };
    const window = settings.aggregate<number, number, string>(sum, Types.int, ({ key, start, end }, total, out) =>
      out.collect(`${String(key)} [${String(start)},${String(end)}) ${String(total)}`),
    );
    this.operator = new WindowOperator(
      {
        uid: 'windows',
        name: 'Windows',
        kind: 'window',
        key: (value) => (Array.isArray(value) ? (value[0] as StateKey) : 'k'),
        keySerializer: Types.string,
        window: {
          ...window,
          aggregate: { ...window.aggregate, add: (total, value) => sum.add(total as number, numberOf(value)) },
        },
      },
      {
        backend: this.backend,
        subtask: 0,
        parallelism: 1,
        clock: this.clock,
        rules: standardParts.windows,
        next: { process: (value, us) => this.output.push(`${String(value)} @${String(us / 1_000)}`) },
        side: { processSide: (_tag, value) => this.output.push(`late ${String(numberOf(value))}`) },
      },
    );
  }

  get timers(): InternalTimerService {
    return this.operator.timers;
  }

  /** A record of key `k`, or of the one named. */
  record(atMs: number, value: number, key = 'k'): this {
    this.operator.process([key, value], atMs * 1_000, 1);
    return this;
  }

  watermark(atMs: number): this {
    this.timers.advanceWatermark(atMs * 1_000, always);
    return this;
  }

  processingTime(atMs: number): this {
    this.clock.nowUs = atMs * 1_000;
    this.timers.onProcessingTime(always);
    return this;
  }

  /** What came out since the last call. */
  take(): string[] {
    return this.output.splice(0);
  }
}

const numberOf = (value: unknown): number => (Array.isArray(value) ? Number(value[1]) : Number(value));

import { describe, expect, it } from 'vitest';
import { InternalTimerService } from '../../../../engine/event-time/internal-timer-service.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { TaskTime } from '../../../../engine/taskmanager/task-time.ts';
import { END_OF_TIME_US, type StreamBuffer } from '../../../../engine/protocol/stream-elements.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Bench {
  readonly fired: string[] = [];
  readonly sent: StreamBuffer[] = [];
  readonly clock = { nowUs: 0 };
  readonly backend = new HashMapStateBackend({
    keySerializer: Types.string,
    keyGroups: { start: 0, end: 7 },
    maxParallelism: 8,
  });
  readonly timers: InternalTimerService;
  readonly time: TaskTime;
  readonly out = new RecordingOut();
  mayEmit = true;

  constructor(options: { restored?: Uint8Array; armsRestored?: boolean } = {}) {
    if (options.restored !== undefined) this.backend.restore(options.restored);
    this.timers = new InternalTimerService({
      name: 'test',
      uid: 'op',
      backend: this.backend,
      target: {
        onEventTime: ({ timestampUs }) => this.fired.push(`event ${String(timestampUs)}`),
        onProcessingTime: ({ timestampUs }) => this.fired.push(`processing ${String(timestampUs)}`),
      },
      clock: this.clock,
    });
    this.time = new TaskTime({
      clock: this.clock,
      broadcast: (event) => this.sent.push(event),
      mayEmit: () => this.mayEmit,
      armsRestored: options.armsRestored ?? true,
    });
    this.time.operators({ stages: [this.timers], assigners: [], sourceTime: undefined }, undefined);
  }

  register(domain: 'event' | 'processing', ...timestampsUs: number[]): this {
    this.backend.setCurrentKey('k');
    for (const us of timestampsUs) {
      if (domain === 'event') this.timers.registerEventTimeTimer('', us);
      else this.timers.registerProcessingTimeTimer('', us);
    }
    return this;
  }

  after(): this {
    this.time.afterAction(this.out.nowUs, this.out);
    return this;
  }
}

describe('TaskTime', () => {
  it('a watermark leaves behind what its timers emitted', () => {
    const bench = new Bench().register('event', 10, 20);
    bench.time.news({ watermarkUs: 15 }, bench.out);
    expect([bench.fired, bench.sent]).toEqual([['event 10'], [{ kind: 'watermark', timestampUs: 15 }]]);
  });

  it('B21, FLINK-20217: a huge advance fires in slices; a snapshot in between holds the timers that have not fired', () => {
    const bench = new Bench().register('event', ...Array.from({ length: 600 }, (_, index) => index));
    bench.time.news({ watermarkUs: 1_000 }, bench.out);
    expect([bench.fired.length, bench.time.isBusy, bench.sent]).toEqual([256, true, []]);
    expect(bench.timers.firing?.timestampUs).toBe(255);
    const restored = new Bench({ restored: bench.backend.snapshot().write() });
    restored.time.end(() => undefined, restored.out);
    expect(restored.fired[0]).toBe('event 256');
    bench.after().time.proceed(bench.out);
    bench.after().time.proceed(bench.out);
    expect([bench.fired.length, bench.time.isBusy]).toEqual([600, false]);
    expect(bench.sent).toEqual([{ kind: 'watermark', timestampUs: 1_000 }]);
    expect(bench.timers.settledWatermarkUs).toBe(1_000);
  });

  it('I5: that the input is idle is said behind the watermark that came before', () => {
    const bench = new Bench().register('event', ...Array.from({ length: 300 }, (_, index) => index));
    bench.time.news({ watermarkUs: 1_000, idle: true }, bench.out);
    expect([bench.time.isBusy, bench.sent]).toEqual([true, []]);
    bench.after().time.proceed(bench.out);
    const behind = [
      { kind: 'watermark', timestampUs: 1_000 },
      { kind: 'watermark-status', idle: true },
    ];
    expect(bench.sent).toEqual(behind);
    bench.time.news({ idle: false }, bench.out);
    expect(bench.sent).toEqual([...behind, { kind: 'watermark-status', idle: false }]);
  });

  it('nothing fires into outputs that are full', () => {
    const bench = new Bench().register('event', 1, 2);
    bench.mayEmit = false;
    bench.time.news({ watermarkUs: 5 }, bench.out);
    expect([bench.fired, bench.time.isBusy]).toEqual([[], true]);
    bench.mayEmit = true;
    bench.time.proceed(bench.out);
    expect([bench.fired, bench.time.isBusy]).toEqual([['event 1', 'event 2'], false]);
  });

  it('the end of all input is the end of time, and what follows it waits for the timers', () => {
    const bench = new Bench().register('event', ...Array.from({ length: 300 }, (_, index) => index));
    let ended = 0;
    bench.time.end(() => {
      ended += 1;
    }, bench.out);
    expect(ended).toBe(0);
    bench.after().time.proceed(bench.out);
    expect([ended, bench.sent]).toEqual([1, [{ kind: 'watermark', timestampUs: END_OF_TIME_US }]]);
  });

  it('one timer is armed, for the earliest of processing time, and again for the next', () => {
    const bench = new Bench().register('processing', 5_000, 3_000).after();
    expect(bench.out.armedTimers).toEqual(['processing-time']);
    bench.clock.nowUs = 3_000;
    expect(bench.time.handleTimer('processing-time')).toBe(true);
    bench.time.proceed(bench.out);
    expect(bench.fired).toEqual(['processing 3000']);
    bench.after();
    expect(bench.out.armedTimers).toEqual(['processing-time']);
  });

  it('G6, FLINK-4651: restored timers are armed before anything else happens', () => {
    const restored = new Bench().register('processing', 3_000).backend.snapshot().write();
    expect(new Bench({ restored }).after().out.armedTimers).toEqual(['processing-time']);
    expect(new Bench({ restored, armsRestored: false }).after().out.armedTimers).toEqual([]);
  });
});

/**
 * Windows against a plain fold: whatever the order of records within the bound, wherever watermarks lie and snapshots are restored, each
 * window comes out once with the sum of its records (S11, X5).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EventTimeSessionWindows,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
} from '../../engine/api/windows.ts';
import { WindowBench } from '../support/window-bench.ts';

interface Sample {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const BOUND = 12;
const sample = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  at: fc.nat(90),
  value: fc.integer({ min: 1, max: 9 }),
});
/** Between two records: nothing, a watermark as far as the records allow, or a restore. */
const between = fc.constantFrom('nothing', 'nothing', 'watermark', 'restore');

/** In an order in which no record is more than the bound behind the newest one. */
const ordered = (samples: readonly Sample[], shifts: readonly number[]): Sample[] =>
  samples
    .map((of, index) => ({ of, place: of.at + (shifts[index] ?? 0) }))
    .sort((a, b) => a.place - b.place || a.of.at - b.of.at)
    .map(({ of }) => of);

const KINDS = {
  tumbling: {
    assigner: TumblingEventTimeWindows.of(10, 3),
    fold: (samples: readonly Sample[]) => bySpans(samples, (at) => [Math.floor((at - 3) / 10) * 10 + 3], 10),
  },
  sliding: {
    assigner: SlidingEventTimeWindows.of(10, 4),
    fold: (samples: readonly Sample[]) =>
      bySpans(samples, (at) => starts(at).filter((start) => start <= at && at < start + 10), 10),
  },
  session: { assigner: EventTimeSessionWindows.withGap(7), fold: sessions },
};

const starts = (at: number): number[] => Array.from({ length: 8 }, (_, back) => (Math.floor(at / 4) - back) * 4);

function bySpans(samples: readonly Sample[], startsOf: (at: number) => number[], size: number): string[] {
  const sums = new Map<string, number>();
  for (const { key, at, value } of samples) {
    for (const start of startsOf(at)) {
      const span = `${key} [${String(start)},${String(start + size)})`;
      sums.set(span, (sums.get(span) ?? 0) + value);
    }
  }
  return [...sums].map(([span, sum]) => `${span} ${String(sum)}`);
}

function sessions(samples: readonly Sample[]): string[] {
  const found: string[] = [];
  for (const key of ['a', 'b', 'c']) {
    const own = samples.filter((of) => of.key === key).sort((x, y) => x.at - y.at);
    let open: { start: number; end: number; sum: number } | undefined;
    const close = (): void => {
      if (open !== undefined) found.push(`${key} [${String(open.start)},${String(open.end)}) ${String(open.sum)}`);
    };
    for (const { at, value } of own) {
      if (open !== undefined && at < open.end) open = { start: open.start, end: at + 7, sum: open.sum + value };
      else {
        close();
        open = { start: at, end: at + 7, sum: value };
      }
    }
    close();
  }
  return found;
}

describe('windows against a plain fold', () => {
  it.each(Object.entries(KINDS))('S11: %s windows', (_name, { assigner, fold }) => {
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 40 }),
        fc.array(fc.nat(BOUND), { minLength: 40, maxLength: 40 }),
        fc.array(between, { minLength: 40, maxLength: 40 }),
        (samples, shifts, events) => {
          let bench = new WindowBench({ assigner, late: true });
          const output: string[] = [];
          let newest = Number.NEGATIVE_INFINITY;
          for (const [index, { key, at, value }] of ordered(samples, shifts).entries()) {
            bench.record(at, value, key);
            newest = Math.max(newest, at);
            if (events[index] === 'watermark') bench.watermark(newest - BOUND - 0.001);
            output.push(...bench.take());
            if (events[index] === 'restore')
              bench = new WindowBench({ assigner, late: true, restored: bench.backend.snapshot().write() });
          }
          output.push(...bench.watermark(1_000).take());
          expect(output.map((text) => text.replace(/ @.*/, '')).sort()).toEqual(fold(samples).sort());
          expect(bench.backend.keyCount).toBe(0);
        },
      ),
      { seed: 11, numRuns: 120 },
    );
  });
});

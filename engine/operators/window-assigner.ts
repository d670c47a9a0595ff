/**
 * Which windows a record belongs to, and how sessions become one (Flink: TumblingEventTimeWindows, SlidingEventTimeWindows,
 * EventTimeSessionWindows and their brothers of processing time, TimeWindow.mergeWindows).
 *
 * Pure. I1: windows of a record are the same whatever came before it; what came before only decides what sessions merge.
 * Where we differ from Flink: sessions that only touch stay two. In Flink they become one if the first is still open when the second
 * begins, which depends on how far the watermark is (decision 0050).
 */
import type { TimeWindow, WindowAssignerSpec } from '../job/windows.ts';

export function windowsOf(spec: WindowAssignerSpec, timestampUs: number): readonly TimeWindow[] {
  switch (spec.kind) {
    case 'tumbling': {
      const startUs = startOf(timestampUs, spec.offsetUs, spec.sizeUs);
      return [{ startUs, endUs: startUs + spec.sizeUs }];
    }
    case 'sliding': {
      const windows: TimeWindow[] = [];
      const last = startOf(timestampUs, spec.offsetUs, spec.slideUs);
      for (let startUs = last; startUs > timestampUs - spec.sizeUs; startUs -= spec.slideUs)
        windows.push({ startUs, endUs: startUs + spec.sizeUs });
      return windows;
    }
    case 'session':
      return [{ startUs: timestampUs, endUs: timestampUs + spec.gapUs }];
    default:
      throw new RangeError(`unknown window assigner ${String(spec satisfies never)}`);
  }
}

/** The window that `added` becomes one with, and those of `known` that are in it; `added` itself when there is none. */
export function mergedWith(
  known: readonly TimeWindow[],
  added: TimeWindow,
): { window: TimeWindow; merged: TimeWindow[] } {
  const merged = known.filter(({ startUs, endUs }) => startUs < added.endUs && added.startUs < endUs);
  const window = {
    startUs: merged.reduce((least, { startUs }) => Math.min(least, startUs), added.startUs),
    endUs: merged.reduce((most, { endUs }) => Math.max(most, endUs), added.endUs),
  };
  return { window, merged };
}

/** A window as namespace of timers and key of its contents. */
export const windowId = ({ startUs, endUs }: TimeWindow): string => `${String(startUs)}/${String(endUs)}`;

export function windowOfId(id: string): TimeWindow {
  const [start, end] = id.split('/');
  return { startUs: Number(start), endUs: Number(end) };
}

/** Flink: TimeWindow.getWindowStartWithOffset. */
function startOf(timestampUs: number, offsetUs: number, sizeUs: number): number {
  const into = (timestampUs - offsetUs) % sizeUs;
  return timestampUs - (into < 0 ? into + sizeUs : into);
}

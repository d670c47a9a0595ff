/**
 * timeline.log: one line per task and completed checkpoint,
 * `my_task, start=1576197513000, end=1576197514000, duration=1000.0 ms`.
 *
 * Times are epoch milliseconds of virtual time (engine/foundation/time.ts fixes the origin); durations have one decimal.
 */
import { epochMillis } from '../engine/foundation/time.ts';
import type { TimelineRecord } from '../sim/run-record.ts';

const US_PER_MS = 1_000;

export function timelineLine({ task, startUs, endUs }: TimelineRecord): string {
  const duration = ((endUs - startUs) / US_PER_MS).toFixed(1);
  return `${task}, start=${wholeMillis(startUs)}, end=${wholeMillis(endUs)}, duration=${duration} ms`;
}

export const timelineLines = (records: readonly TimelineRecord[]): string =>
  records.map((record) => `${timelineLine(record)}\n`).join('');

const wholeMillis = (atUs: number): string => String(Math.floor(epochMillis(atUs)));

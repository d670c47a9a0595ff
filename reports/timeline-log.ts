/**
 * timeline.log: one line per task and completed checkpoint,
 * `my_task, start=1576197513000, end=1576197514000, duration=1000.0 ms`.
 *
 * Times are epoch milliseconds of virtual time (engine/foundation/time.ts fixes the origin); durations have one decimal.
 */
import { epochMillis } from '../engine/foundation/time.ts';
import type { TimelineRecord } from '../sim/run-record.ts';

/** The duration is that of the printed times: end - start, so that the line adds up; checkpoints.csv has microseconds. */
export function timelineLine({ task, startUs, endUs }: TimelineRecord): string {
  const start = wholeMillis(startUs);
  const end = wholeMillis(endUs);
  return `${task}, start=${start}, end=${end}, duration=${(end - start).toFixed(1)} ms`;
}

export const timelineLines = (records: readonly TimelineRecord[]): string =>
  records.map((record) => `${timelineLine(record)}\n`).join('');

const wholeMillis = (atUs: number): number => Math.floor(epochMillis(atUs));

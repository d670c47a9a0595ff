/** Row B22: watermarks are in no file, so event time begins anew where a job is restored; what comes out is the same. */
import { describe, expect, it } from 'vitest';
import { findings, liveIt, planOf } from '../support/lives.ts';

describe('Story: event time after a restore', () => {
  it('B22: a restored operator is behind where its predecessor was, and the job is exactly-once all the same', () => {
    const record = liveIt(planOf('event-time-timers', '1'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.restarts).toBeGreaterThan(0);
    const before = new Map<string, { readonly attempt: number; readonly watermarkUs: number }>();
    let begunAnew = 0;
    for (const { event } of record.history) {
      if (event.kind !== 'snapshot-taken') continue;
      for (const { operator, watermarkUs } of event.time ?? []) {
        const key = `${operator}/${event.subtask}`;
        const last = before.get(key);
        if (last !== undefined && last.attempt === event.attempt)
          expect(watermarkUs).toBeGreaterThanOrEqual(last.watermarkUs);
        if (last !== undefined && last.attempt !== event.attempt && watermarkUs < last.watermarkUs) begunAnew += 1;
        before.set(key, { attempt: event.attempt, watermarkUs });
      }
    }
    expect(begunAnew).toBeGreaterThan(0);
  });
});

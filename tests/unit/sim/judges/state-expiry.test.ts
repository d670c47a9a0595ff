/** The judge of entries that expire (row S12): each visible access follows from the one before. */
import { describe, expect, it } from 'vitest';
import type { CounterAccess } from '../../../../sim/judges/job-audit.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { StateExpiry } from '../../../../sim/judges/state-expiry.ts';

function anomaliesOf(accesses: readonly (readonly [key: string, count: number, atMs: number])[]): string[] {
  const judge = new StateExpiry({ ttlMs: 100, access: (value) => value as CounterAccess });
  const values = accesses.map(([key, count, atMs]) => ({ key, count, atMs }));
  const event = { kind: 'output-appended', producer: 'sink-0', values, lineages: [] };
  judge.observe({ index: 7, atUs: 0, event } as unknown as HistoryEvent);
  return judge.finish().flatMap((verdict) => (verdict.anomaly === '' ? [] : [verdict.anomaly]));
}

describe('state expiry', () => {
  it('a counter that goes on within its time and begins anew after it is right', () => {
    expect(
      anomaliesOf([
        ['a', 1, 0],
        ['a', 2, 99],
        ['b', 1, 100],
        ['a', 1, 199],
        ['a', 2, 200],
      ]),
    ).toEqual([]);
  });

  it('a counter that goes on after its time is told of', () => {
    expect(
      anomaliesOf([
        ['a', 1, 0],
        ['a', 2, 100],
      ]),
    ).toEqual(['expired-state-alive']);
  });

  it('a counter that begins anew within its time, or shows anything else, is told of', () => {
    expect(
      anomaliesOf([
        ['a', 1, 0],
        ['a', 1, 99],
      ]),
    ).toEqual(['state-expired-early']);
    expect(
      anomaliesOf([
        ['a', 1, 0],
        ['a', 3, 500],
      ]),
    ).toEqual(['state-expired-early']);
  });
});

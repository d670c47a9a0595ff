/** The judge of entries that expire (row S12): each visible access follows from the one before. */
import { describe, expect, it } from 'vitest';
import type { CounterAccess } from '../../../../sim/judges/job-audit.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { Margins } from '../../../../sim/judges/margins.ts';
import { clockErrorUs, StateExpiry } from '../../../../sim/judges/state-expiry.ts';

function anomaliesOf(
  accesses: readonly (readonly [key: string, count: number, atMs: number])[],
  clockError = 0,
): string[] {
  const judge = new StateExpiry({ ttlMs: 100, access: (value) => value as CounterAccess }, new Margins(), clockError);
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

  it('where clocks were wrong, what they may have been wrong by is no finding, and more than that is', () => {
    const late: [string, number, number][] = [
      ['a', 1, 0],
      ['a', 2, 129],
    ];
    const early: [string, number, number][] = [
      ['a', 1, 0],
      ['a', 1, 71],
    ];
    expect(anomaliesOf(late, 30_000)).toEqual([]);
    expect(anomaliesOf(early, 30_000)).toEqual([]);
    expect(anomaliesOf(late, 29_000)).toEqual(['expired-state-alive']);
    expect(anomaliesOf(early, 28_000)).toEqual(['state-expired-early']);
  });

  it('clocks are wrong by their steps, by what they gained while they drifted, and by what they began with', () => {
    const cluster = { clocks: [{ offsetUs: -500, driftPpm: 0 }] } as unknown as SimulationPlan['cluster'];
    const faults = [
      { kind: 'clock-step', byUs: -2_000 },
      { kind: 'clock-drift', driftPpm: 1_000, forUs: 3_000_000 },
      { kind: 'crash' },
    ] as unknown as SimulationPlan['faults'];
    const liveness = { stormUs: 1, withinUs: 1 };
    expect(clockErrorUs({ cluster, faults, liveness })).toBe(500 + 2_000 + 3_000);
  });
});

describe('state expiry where records also read and clear', () => {
  const anomaly = (renewsOnRead: boolean, ...accesses: readonly Omit<CounterAccess, 'key'>[]): string[] => {
    const expires = { ttlMs: 100, access: (value: unknown) => value as CounterAccess, renewsOnRead };
    const judge = new StateExpiry(expires);
    const values = accesses.map((access) => ({ key: 'a', ...access }));
    const event = { kind: 'output-appended', producer: 'sink-0', values, lineages: [] };
    judge.observe({ index: 7, atUs: 0, event } as unknown as HistoryEvent);
    return judge.finish().flatMap((verdict) => (verdict.anomaly === '' ? [] : [verdict.anomaly]));
  };
  const added = (count: number, atMs: number) => ({ count, atMs, does: 'add' as const });
  const read = (count: number, atMs: number) => ({ count, atMs, does: 'read' as const });
  const cleared = (count: number, atMs: number) => ({ count, atMs, does: 'clear' as const });

  it('a read renews, or it does not', () => {
    const goesOn = [added(1, 0), read(1, 60), added(2, 120)] as const;
    const expires = [added(1, 0), read(1, 60), added(1, 120)] as const;
    expect(anomaly(true, ...goesOn)).toEqual([]);
    expect(anomaly(false, ...goesOn)).toEqual(['expired-state-alive']);
    expect(anomaly(true, ...expires)).toEqual(['state-expired-early']);
    expect(anomaly(false, ...expires)).toEqual([]);
  });

  it('what was cleared, or seen to have expired, is gone', () => {
    expect(anomaly(true, added(1, 0), cleared(0, 1), read(0, 2), added(1, 3))).toEqual([]);
    expect(anomaly(true, added(1, 0), cleared(1, 1))).toEqual(['cleared-state-alive']);
    expect(anomaly(true, added(1, 0), cleared(0, 1), read(1, 2))).toEqual(['expired-state-alive']);
  });
});

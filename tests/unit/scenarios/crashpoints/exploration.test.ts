/** Crash points: all of them are crashed at, the standard engine survives, engines with a known bug do not. */
import { describe, expect, it } from 'vitest';
import { crashFigures } from '../../../../reports/index.ts';
import { crashPoints } from '../../../../scenarios/crashpoints/crash-point.ts';
import { type Exploration, explore } from '../../../../scenarios/crashpoints/exploration.ts';
import { recoveryHash, recoveryOf } from '../../../../scenarios/crashpoints/recovery.ts';
import { liveIt, planOf } from '../../../support/lives.ts';
import { answeredHere } from '../../../support/shrinking.ts';

const explored = (variant: string): Exploration =>
  answeredHere(explore({ ...planOf('quickstart', '1'), variant }, { double: false }));

describe('crashpoints', () => {
  const standard = explored('standard');
  const figures = crashFigures(standard);

  it('every point that the calm life passes is crashed at, at every machine, in every variant (I1)', () => {
    expect(figures.coveragePercent).toBe(100);
    expect(figures.cases).toBe(figures.points * 3 * 4);
    const names = figures.perPoint.map(({ point }) => point);
    for (const point of [
      'triggered',
      'barrier.sent',
      'acknowledge.sent',
      'metadata-write.done',
      'pointer-write.done',
      'commit.sent',
    ])
      expect(names).toContain(point);
  });

  it('the standard engine survives all of them, in many different ways', () => {
    expect(figures.failures).toEqual([]);
    expect(figures.distinctRecoveries).toBeGreaterThan(20);
  });

  it('each fault strikes: the point that was found is reached again', () => {
    for (const { case: one } of standard.outcomes.filter((_, index) => index % 40 === 0)) {
      const record = liveIt(one.plan);
      for (const { id, startedAtUs } of record.faultRecords) expect(startedAtUs, id).toBeGreaterThan(0);
    }
  });

  it('an engine that aborts what it should commit is found, and what was done is said in words', () => {
    const { failed, failures } = crashFigures(explored('abort-includes-precommitted'));
    expect(failed).toBeGreaterThan(0);
    expect(failures[0]?.what).toMatch(/^(crash|crash-unsent|cut|zombie) of \S+ at \S+/);
  });

  it('an engine that fails in a calm life is not explored', () => {
    expect(explored('notify-before-durable')).toMatchObject({
      calmSignature: 'checkpoint-lifecycle/notified-before-durable',
      outcomes: [],
    });
  });

  it('a life without a fault recovers from nothing; points are numbered from the beginning of the life', () => {
    const { history } = liveIt({ ...planOf('quickstart', '1'), faults: [] }, { keepHistory: true });
    expect(recoveryOf(history)).toEqual([]);
    expect(recoveryHash(history)).toBe(recoveryHash([]));
    const keys = crashPoints(history, () => true).map(({ trigger }) => JSON.stringify(trigger));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

import { describe, expect, it } from 'vitest';
import { htmlReport, reachedProbes, SweepSummary, unreached } from '../../../reports/index.ts';
import { PATTERN_NAMES } from '../../../scenarios/patterns.ts';
import { FAULT_CLASSES } from '../../../sim/faults/fault-classes.ts';
import { ALL_PROBES, BEYOND_SWEEPS } from '../../../sim/probes.ts';
import { lifeFigures } from './life-fixture.ts';

function sumsOf(...lives: readonly Parameters<typeof lifeFigures>[0][]) {
  const summary = new SweepSummary();
  for (const life of lives) summary.add(lifeFigures(life));
  return summary.sums();
}

describe('what a sweep reached', () => {
  it('counts how often a probe was reached, and in how many lives', () => {
    const sums = sumsOf({ probes: { 'late-acknowledgement': 2 } }, { probes: { 'late-acknowledgement': 3 } }, {});
    const found = reachedProbes(sums).find(({ name }) => name === 'late-acknowledgement');
    expect(found).toMatchObject({ area: 'coordinator', times: 5, lives: 2 });
  });

  it('names what no life reached, and faults that never were effective', () => {
    const faults = { 'crash/taskmanager': { planned: 4, effective: 1 }, loss: { planned: 4, effective: 0 } };
    const { probes, faults: never } = unreached(sumsOf({ probes: { 'late-acknowledgement': 1 }, faults }));
    expect(probes).not.toContain('late-acknowledgement');
    expect(probes).toHaveLength(ALL_PROBES.length - 1 - Object.keys(BEYOND_SWEEPS).length);
    for (const name of Object.keys(BEYOND_SWEEPS)) expect(ALL_PROBES.map((one) => one.name)).toContain(name);
    expect(never).toContain('loss');
    expect(never).toContain('crash/jobmanager');
    expect(never).not.toContain('crash/taskmanager');
    expect(never).toHaveLength(FAULT_CLASSES.length - 1);
  });

  it('names nemeses and other patterns that never struck', () => {
    const patterns = { bridge: { planned: 3, effective: 1 }, 'rack-failure': { planned: 3, effective: 0 } };
    const never = unreached(sumsOf({ patterns })).patterns;
    expect(never).toContain('rack-failure');
    expect(never).toContain('crash-for-good');
    expect(never).toHaveLength(PATTERN_NAMES.length - 1);
  });

  it('classes of faults have names that differ, and each kind of service fault has its service', () => {
    expect(new Set(FAULT_CLASSES).size).toBe(FAULT_CLASSES.length);
    expect(FAULT_CLASSES).toEqual(
      expect.arrayContaining(['throw', 'partition/halves', 'watch-loss/coordination-store', 'operation/rescale']),
    );
  });

  it('the report of a sweep shows probes that were never reached, that of a life only those that were', () => {
    const page = (...lives: readonly Parameters<typeof lifeFigures>[0][]): string =>
      htmlReport({ title: 't', engineVersion: '0', sums: sumsOf(...lives), lives: [] });
    const life = { probes: { 'late-acknowledgement': 1 } };
    expect(page(life)).toContain('late-acknowledgement');
    expect(page(life)).not.toContain('lease-given-up');
    expect(page(life, life)).toContain('lease-given-up');
  });
});

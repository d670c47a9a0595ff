/** Which nemeses and other patterns struck in a life, told from the strikes of its scenario and the records of its faults. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../engine/foundation/ids.ts';
import { compile, strikesOf } from '../../../scenarios/compile.ts';
import type { Strike } from '../../../scenarios/fault-draws.ts';
import { NEMESIS_NAMES } from '../../../scenarios/nemeses/nemesis-name.ts';
import { countPatterns, PATTERN_NAMES } from '../../../scenarios/patterns.ts';
import type { Fault } from '../../../sim/faults/fault.ts';
import type { FaultRecord } from '../../../sim/run-record.ts';
import { shippedScenario } from '../../support/lives.ts';

const crash = (id: string, restartAfterUs = 1): Fault => ({
  id,
  kind: 'crash',
  node: nodeId('taskmanager-1'),
  restartAfterUs,
  trigger: { atUs: 1 },
});
const record = (id: string, more: Partial<FaultRecord> = {}): FaultRecord => ({
  id,
  label: '',
  target: '',
  startedAtUs: 1,
  endedAtUs: 2,
  effective: true,
  ...more,
});
const idle = { effective: false };

describe('a nemesis', () => {
  const pair: Strike = { nemesis: 'hold-and-release', faults: [crash('f1'), crash('f2')] };

  it('has struck when two of its parts changed something, or its only one', () => {
    expect(countPatterns([pair], [record('f1'), record('f2')])).toEqual({
      'hold-and-release': { planned: 1, effective: 1 },
    });
    expect(countPatterns([pair], [record('f1'), record('f2', idle)])).toEqual({
      'hold-and-release': { planned: 1, effective: 0 },
    });
    expect(countPatterns([{ nemesis: 'bridge', faults: [crash('f1')] }], [record('f1')])).toEqual({
      bridge: { planned: 1, effective: 1 },
    });
  });

  it('crash-in-flight-write: when somebody died that waited for its write', () => {
    const strike: Strike = { nemesis: 'crash-in-flight-write', faults: [crash('f1'), crash('f2')] };
    expect(countPatterns([strike], [record('f1'), record('f2')])).toMatchObject({
      'crash-in-flight-write': { effective: 0 },
    });
    expect(countPatterns([strike], [record('f1', { inFlight: true }), record('f2', idle)])).toMatchObject({
      'crash-in-flight-write': { effective: 1 },
    });
  });
});

describe('what the class of a fault does not tell', () => {
  it('a crash for good, a restore from an older snapshot, a change at restore', () => {
    const resume = { claimMode: 'no-claim', allowNonRestored: false } as const;
    const operation = (id: string, thenResume: object): Fault => ({
      id,
      kind: 'operation',
      trigger: { atUs: 1 },
      command: { kind: 'cancel', thenResume: { from: 'what-it-left', ...resume, ...thenResume } },
    });
    const faults = [
      crash('f1', -1),
      crash('f2', 5),
      operation('f3', { from: 'earliest-left' }),
      operation('f4', { parallelism: 3 }),
      operation('f5', {}),
    ];
    expect(
      countPatterns(
        [{ faults }],
        faults.map(({ id }) => record(id)),
      ),
    ).toEqual({
      'crash-for-good': { planned: 1, effective: 1 },
      'restore-from-older-snapshot': { planned: 1, effective: 1 },
      'change-at-restore': { planned: 1, effective: 1 },
    });
  });
});

it('strikes are those of the plan, fault by fault, and name what "any" drew', () => {
  const scenario = shippedScenario('storm');
  const names = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    const strikes = strikesOf(scenario, `${seed}`);
    expect(strikes.flatMap(({ faults }) => faults)).toEqual(compile(scenario, `${seed}`).faults);
    for (const { nemesis } of strikes) if (nemesis !== undefined) names.add(nemesis);
  }
  expect(names.size).toBeGreaterThan(3);
  expect([...names].every((name) => PATTERN_NAMES.includes(name as never))).toBe(true);
  expect(PATTERN_NAMES).toEqual(expect.arrayContaining([...NEMESIS_NAMES]));
});

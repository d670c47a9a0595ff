/** Whatever breaks, in whatever order: exactly-once and live. Whole lives under arbitrary fault plans. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultPlan } from '../../cli/testing/index.ts';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

describe('any fault plan', () => {
  it('of up to 8 faults leaves the job exactly-once and live', () => {
    const base = planOf('crash-during-alignment', 'property');
    fc.assert(
      fc.property(faultPlan(base), fc.integer({ min: 0, max: 1_000_000 }), (faults, seed) => {
        const record = liveIt({ ...base, scenario: 'property', seed: `property/${seed}`, faults });
        expect(record.verdict, findings(record)).toBe('passed');
      }),
      {
        numRuns: Number(process.env['FAULT_PLANS'] ?? 60),
        seed: Number(process.env['FAULT_PLANS_SEED'] ?? 20_261_122),
      },
    );
  });

  it('that names a node nobody has is refused before the life starts', () => {
    const base = planOf('quickstart', '1');
    const fault: Fault = { id: 'f1', kind: 'crash', node: nodeId('nobody'), restartAfterUs: 1, trigger: { atUs: 1 } };
    expect(() => liveIt({ ...base, faults: [fault] })).toThrow(/nobody/);
  });
});

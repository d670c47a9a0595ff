/** Whatever breaks, in whatever order: exactly-once and live. Whole lives under arbitrary fault plans. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NodeId, nodeId } from '../../engine/foundation/ids.ts';
import { CHECKPOINT_POINTS } from '../../sim/faults/checkpoint-point.ts';
import type { Fault, FaultTrigger } from '../../sim/faults/fault.ts';
import { allNodes, SERVICE_NODES } from '../../sim/node-names.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

const CLUSTER = { taskManagers: 3, jobManagers: 2 };
const NODES = allNodes(CLUSTER);
const MACHINES = NODES.filter((node) => node.includes('manager'));
const SERVICES: readonly NodeId[] = Object.values(SERVICE_NODES);
const STORM_US = 24_000_000;

const trigger: fc.Arbitrary<FaultTrigger> = fc.oneof(
  fc.record({ atUs: fc.integer({ min: 0, max: STORM_US }) }),
  fc.record({
    point: fc.constantFrom(...CHECKPOINT_POINTS),
    checkpoint: fc.integer({ min: 1, max: 8 }),
    occurrence: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ point: fc.constantFrom(...CHECKPOINT_POINTS), occurrence: fc.integer({ min: 1, max: 60 }) }),
);
const machine = fc.constantFrom(...MACHINES);
const forUs = fc.oneof(fc.integer({ min: 1_000, max: 1_000_000 }), fc.integer({ min: 1_000_000, max: 15_000_000 }));
const chance = fc.constantFrom(
  { numerator: 1, denominator: 5 },
  { numerator: 1, denominator: 2 },
  { numerator: 1, denominator: 1 },
);
const sides = fc
  .tuple(fc.subarray(NODES, { minLength: 1, maxLength: NODES.length - 1 }), fc.boolean())
  .map(([a]) => ({ a, b: NODES.filter((node) => !a.includes(node)) }));

type Body = Fault extends infer F ? (F extends Fault ? Omit<F, 'id' | 'trigger'> : never) : never;
const body: fc.Arbitrary<Body> = fc.oneof(
  fc.record({
    kind: fc.constant('crash' as const),
    node: machine,
    restartAfterUs: fc.integer({ min: 1_000, max: 5_000_000 }),
  }),
  fc.record({
    kind: fc.constant('crash' as const),
    node: fc.constantFrom(...SERVICES),
    restartAfterUs: fc.integer({ min: 1_000, max: 5_000_000 }),
  }),
  fc.record({ kind: fc.constant('pause' as const), node: machine, forUs }),
  fc.record({
    kind: fc.constant('clock-step' as const),
    node: machine,
    byUs: fc.integer({ min: -10_000_000, max: 10_000_000 }),
  }),
  fc.tuple(sides, forUs, fc.boolean()).map(([{ a, b }, length, oneWay]) => ({
    kind: 'partition' as const,
    shape: oneWay ? ('one-way' as const) : ('halves' as const),
    a,
    b,
    oneWay,
    forUs: length,
  })),
  fc.tuple(sides, forUs).map(([{ a, b }, length]) => ({
    kind: 'delay' as const,
    a,
    b,
    extraUs: { low: 1_000, high: 2_000_000 },
    forUs: length,
  })),
  fc
    .tuple(fc.constantFrom('loss' as const, 'duplicate' as const, 'reorder' as const), sides, chance, forUs)
    .map(([kind, { a, b }, odds, length]) => ({ kind, a, b, chance: odds, forUs: length })),
  fc
    .tuple(sides, forUs)
    .map(([{ a, b }, length]) => ({ kind: 'slow-link' as const, a, b, factor: 1_000, forUs: length })),
  fc.record({
    kind: fc.constant('service' as const),
    node: fc.constantFrom(...SERVICES),
    effect: fc.constantFrom('slow' as const, 'unavailable' as const, 'fail' as const, 'unknown-outcome' as const),
    factor: fc.constant(50),
    chance,
    forUs,
  }),
);

/** Up to 8 faults of any kind, at any time or point. */
const faultPlan: fc.Arbitrary<readonly Fault[]> = fc
  .array(fc.tuple(body, trigger), { minLength: 1, maxLength: 8 })
  .map((faults) => faults.map(([fault, when], index) => ({ ...fault, id: `f${index + 1}`, trigger: when }) as Fault));

describe('any fault plan', () => {
  it('of up to 8 faults leaves the job exactly-once and live', () => {
    const base = planOf('crash-during-alignment', 'property');
    fc.assert(
      fc.property(faultPlan, fc.integer({ min: 0, max: 1_000_000 }), (faults, seed) => {
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

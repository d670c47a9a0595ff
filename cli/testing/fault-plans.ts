/**
 * `faultPlan(plan)`: any faults at all, for fast-check. It shrinks to fewer and simpler ones.
 *
 * Owns: when they strike. Does not own: which kinds fit (fault-kinds.ts), what is realistic; for that write a scenario.
 * I1: faults name only nodes that the plan's cluster has, and strike within its storm.
 */
import fc from 'fast-check';
import { FAULT_POINTS } from '../../sim/faults/checkpoint-point.ts';
import type { Fault, FaultTrigger } from '../../sim/faults/fault.ts';
import { engineNodes, faultBodies, type FaultedPlan } from './fault-kinds.ts';

export interface FaultPlanOptions {
  /** Default 1. */
  readonly minFaults?: number;
  /** Default 8. */
  readonly maxFaults?: number;
}

/** Faults of every kind that fits the plan, at any time or point of a checkpoint's life. */
export function faultPlan(plan: FaultedPlan, options: FaultPlanOptions = {}): fc.Arbitrary<readonly Fault[]> {
  const { minFaults = 1, maxFaults = 8 } = options;
  return fc
    .array(fc.tuple(fc.oneof(...faultBodies(plan)), triggers(plan)), { minLength: minFaults, maxLength: maxFaults })
    .map((faults) => faults.map(([body, trigger], index) => ({ ...body, id: `f${index + 1}`, trigger }) as Fault));
}

function triggers(plan: FaultedPlan): fc.Arbitrary<FaultTrigger> {
  return fc.oneof(
    fc.record({ atUs: fc.integer({ min: 0, max: Math.max(0, plan.liveness.stormUs - 1) }) }),
    fc.record({
      point: fc.constantFrom(...FAULT_POINTS),
      checkpoint: fc.integer({ min: 1, max: 8 }),
      occurrence: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({ point: fc.constantFrom(...FAULT_POINTS), occurrence: fc.integer({ min: 1, max: 60 }) }),
    fc.record({
      point: fc.constantFrom(...FAULT_POINTS),
      node: fc.constantFrom(...engineNodes(plan)),
      occurrence: fc.integer({ min: 1, max: 20 }),
      afterUs: fc.integer({ min: 1, max: 500_000 }),
    }),
  );
}

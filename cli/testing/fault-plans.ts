/**
 * `faultPlan(plan)`: any faults at all, for fast-check. It shrinks to fewer and simpler ones.
 *
 * Owns: which faults a cluster may suffer. Does not own: when they are realistic; for those write a scenario.
 * I1: faults name only nodes that the plan's cluster has, and strike within its storm.
 */
import fc from 'fast-check';
import { FAULT_POINTS } from '../../sim/faults/checkpoint-point.ts';
import type { Fault, FaultTrigger } from '../../sim/faults/fault.ts';
import { allNodes, type ClusterSize, jobManagerNodes, SERVICE_NODES, taskManagerNodes } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';

export interface FaultPlanOptions {
  /** Default 1. */
  readonly minFaults?: number;
  /** Default 8. */
  readonly maxFaults?: number;
}

/** What a fault plan needs to know of a plan or scenario. */
export interface FaultedPlan {
  readonly cluster: ClusterSize;
  readonly liveness: Pick<SimulationPlan['liveness'], 'stormUs'>;
}

type Body = Fault extends infer F ? (F extends Fault ? Omit<F, 'id' | 'trigger'> : never) : never;

const FOR_US = fc.oneof(fc.integer({ min: 1_000, max: 1_000_000 }), fc.integer({ min: 1_000_000, max: 15_000_000 }));
const CHANCE = fc.constantFrom(
  { numerator: 1, denominator: 5 },
  { numerator: 1, denominator: 2 },
  { numerator: 1, denominator: 1 },
);

/** Faults of any kind, at any time or point of a checkpoint's life. */
export function faultPlan(plan: FaultedPlan, options: FaultPlanOptions = {}): fc.Arbitrary<readonly Fault[]> {
  const { minFaults = 1, maxFaults = 8 } = options;
  return fc
    .array(fc.tuple(fc.oneof(...bodies(plan)), triggers(plan)), { minLength: minFaults, maxLength: maxFaults })
    .map((faults) => faults.map(([body, trigger], index) => ({ ...body, id: `f${index + 1}`, trigger }) as Fault));
}

function triggers({ cluster, liveness }: FaultedPlan): fc.Arbitrary<FaultTrigger> {
  return fc.oneof(
    fc.record({ atUs: fc.integer({ min: 0, max: Math.max(0, liveness.stormUs - 1) }) }),
    fc.record({
      point: fc.constantFrom(...FAULT_POINTS),
      checkpoint: fc.integer({ min: 1, max: 8 }),
      occurrence: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({ point: fc.constantFrom(...FAULT_POINTS), occurrence: fc.integer({ min: 1, max: 60 }) }),
    fc.record({
      point: fc.constantFrom(...FAULT_POINTS),
      node: fc.constantFrom(...jobManagerNodes(cluster), ...taskManagerNodes(cluster)),
      occurrence: fc.integer({ min: 1, max: 20 }),
      afterUs: fc.integer({ min: 1, max: 500_000 }),
    }),
  );
}

function bodies({ cluster }: FaultedPlan): fc.Arbitrary<Body>[] {
  const nodes = allNodes(cluster);
  const services = Object.values(SERVICE_NODES);
  const machine = fc.constantFrom(...jobManagerNodes(cluster), ...taskManagerNodes(cluster));
  const service = fc.constantFrom(...services);
  const restartAfterUs = fc.integer({ min: 1_000, max: 5_000_000 });
  const sides = fc
    .subarray(nodes, { minLength: 1, maxLength: nodes.length - 1 })
    .map((a) => ({ a, b: nodes.filter((node) => !a.includes(node)) }));
  return [
    fc.record({ kind: fc.constant('crash' as const), node: machine, restartAfterUs }),
    fc.record({ kind: fc.constant('crash' as const), node: service, restartAfterUs }),
    fc.record({ kind: fc.constant('pause' as const), node: machine, forUs: FOR_US }),
    fc.record({
      kind: fc.constant('slow-cpu' as const),
      node: machine,
      factor: fc.constantFrom(5, 1_000),
      forUs: FOR_US,
    }),
    fc.record({
      kind: fc.constant('out-of-memory' as const),
      node: machine,
      headroomBytes: fc.constantFrom(0, 1_000, 20_000),
      restartAfterUs,
    }),
    fc.record({
      kind: fc.constant('disk-damage' as const),
      node: fc.constantFrom(...taskManagerNodes(cluster)),
      chance: CHANCE,
      place: fc.nat(1_000_000),
      forUs: FOR_US,
    }),
    fc.tuple(sides, FOR_US, fc.boolean()).map(([{ a, b }, forUs, oneWay]) => {
      return { kind: 'hold' as const, a, b, oneWay, forUs };
    }),
    sides.map(({ a, b }) => ({ kind: 'reset' as const, a, b })),
    fc.record({
      kind: fc.constant('clock-step' as const),
      node: machine,
      byUs: fc.integer({ min: -10_000_000, max: 10_000_000 }),
    }),
    fc.tuple(sides, FOR_US, fc.boolean()).map(([{ a, b }, forUs, oneWay]) => ({
      kind: 'partition' as const,
      shape: oneWay ? ('one-way' as const) : ('halves' as const),
      a,
      b,
      oneWay,
      forUs,
    })),
    fc.tuple(sides, FOR_US).map(([{ a, b }, forUs]) => ({
      kind: 'delay' as const,
      a,
      b,
      extraUs: { low: 1_000, high: 2_000_000 },
      forUs,
    })),
    fc
      .tuple(fc.constantFrom('loss' as const, 'duplicate' as const, 'reorder' as const), sides, CHANCE, FOR_US)
      .map(([kind, { a, b }, chance, forUs]) => ({ kind, a, b, chance, forUs })),
    fc.tuple(sides, FOR_US).map(([{ a, b }, forUs]) => ({ kind: 'slow-link' as const, a, b, factor: 1_000, forUs })),
    fc.record({
      kind: fc.constant('service' as const),
      node: service,
      effect: fc.constantFrom('slow' as const, 'unavailable' as const, 'fail' as const, 'unknown-outcome' as const),
      factor: fc.constant(50),
      chance: CHANCE,
      forUs: FOR_US,
    }),
  ];
}

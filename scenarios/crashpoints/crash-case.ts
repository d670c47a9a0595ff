/**
 * What is done to a machine at a point, and the plan that does it. The machine may be the one that passes the point or any other: who
 * crashes while somebody else is in the middle of something is half of the cases that matter.
 *
 * `crash`: what it had sent is under way and arrives. `crash-unsent`: nothing it sends at that moment arrives; at a `.sent` point this is
 * "before". A crash at a `.done` point is "done but not acknowledged": the reply finds nobody. `cut`: it lives on and hears nothing for two
 * seconds. `zombie`: it stands still longer than heartbeat and lease, and goes on.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { allNodes, jobManagerNodes, taskManagerNodes } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { withFaultsBehind } from '../fault-ids.ts';
import type { CrashPoint } from './crash-point.ts';

export const CRASH_VARIANTS = ['crash', 'crash-unsent', 'cut', 'zombie'] as const;
export type CrashVariant = (typeof CRASH_VARIANTS)[number];

export interface CrashCase {
  readonly points: readonly CrashPoint[];
  readonly node: NodeId;
  readonly variant: CrashVariant;
  readonly plan: SimulationPlan;
}

const RESTART_AFTER_US = 1_000_000;
const CUT_FOR_US = 2_000_000;
/** While the message is on its way: datagrams take less. */
const UNSENT_FOR_US = 500_000;
/** Beyond heartbeat time-out and lease. */
const ZOMBIE_MARGIN_US = 1_000_000;

/** The plan without its faults; what people ask for stays. */
export const calmPlan = (plan: SimulationPlan): SimulationPlan => ({
  ...plan,
  faults: plan.faults.filter(({ kind }) => kind === 'operation'),
});

export const machinesOf = ({ cluster }: SimulationPlan): readonly NodeId[] => [
  ...jobManagerNodes(cluster),
  ...taskManagerNodes(cluster),
];

export function crashCase(
  plan: SimulationPlan,
  { point, node, variant }: { readonly point: CrashPoint; readonly node: NodeId; readonly variant: CrashVariant },
): CrashCase {
  const faults = withFaultsBehind(plan.faults, faultsOf(plan, { point, node, variant }));
  return { points: [point], node, variant, plan: { ...plan, faults } };
}

function faultsOf(
  plan: SimulationPlan,
  {
    point: { trigger },
    node,
    variant,
  }: { readonly point: CrashPoint; readonly node: NodeId; readonly variant: CrashVariant },
): Fault[] {
  const others = allNodes(plan.cluster).filter((other) => other !== node);
  const crash: Fault = { id: '', trigger, kind: 'crash', node, restartAfterUs: RESTART_AFTER_US };
  const silence: Fault = {
    id: '',
    trigger,
    kind: 'partition',
    shape: 'one-way',
    a: [node],
    b: others,
    oneWay: true,
    forUs: UNSENT_FOR_US,
  };
  const { heartbeatTimeoutUs, leaseUs } = plan.engine.runtime;
  switch (variant) {
    case 'crash':
      return [crash];
    case 'crash-unsent':
      return [silence, crash];
    case 'cut':
      return [
        {
          id: '',
          trigger,
          kind: 'partition',
          shape: 'isolate-one',
          a: [node],
          b: others,
          oneWay: false,
          forUs: CUT_FOR_US,
        },
      ];
    case 'zombie':
      return [
        { id: '', trigger, kind: 'pause', node, forUs: Math.max(heartbeatTimeoutUs, leaseUs) + ZOMBIE_MARGIN_US },
      ];
    default:
      throw new RangeError(`unknown variant ${String(variant satisfies never)}`);
  }
}

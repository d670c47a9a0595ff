/**
 * What is done to a machine at a point, and the plan that does it. The machine may be the one that passes the point or any other: who
 * crashes while somebody else is in the middle of something is half of the cases that matter.
 *
 * `crash`: what it had sent is under way and arrives. `crash-unsent`: nothing it sends at that moment arrives; at a `.sent` point this is
 * "before". A crash at a `.done` point is "done but not acknowledged": the reply finds nobody. `cut`: it lives on and hears nothing for two
 * seconds. `zombie`: it stands still longer than heartbeat and lease, and goes on.
 *
 * Where the checkpoint storage keeps files that grow (filesystem, hdfs), `torn`: its server loses power a little behind the point, in the middle of
 * what is being written; of a file that was not synced the first bytes are left; the machine crashes with it. Where it is an object store, `unseen`:
 * what is stored, and acknowledged, a little before and from then on is in no list until a recovery is over, and the machine crashes: who
 * recovers sees less than there is.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { lateWriteUs } from '../../engine/storage/late-writes.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { allNodes, jobManagerNodes, SERVICE_NODES, taskManagerNodes } from '../../sim/node-names.ts';
import type { FixedChoice } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { withFaultsBehind } from '../fault-ids.ts';
import type { CrashPoint } from './crash-point.ts';

const CRASH_VARIANTS = ['crash', 'crash-unsent', 'cut', 'zombie', 'torn', 'unseen'] as const;
export type CrashVariant = (typeof CRASH_VARIANTS)[number];

/** Those that the storage of a plan can show. */
export function variantsOf({ engine }: SimulationPlan): readonly CrashVariant[] {
  const { kind } = engine.checkpoint.storage;
  const isShown: Partial<Record<CrashVariant, boolean>> = {
    torn: kind === 'filesystem' || kind === 'hdfs',
    unseen: kind === 'object-store',
  };
  return CRASH_VARIANTS.filter((variant) => isShown[variant] ?? true);
}

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
/** What a checkpoint has stored before it comes to a point, and until a machine is up again, a leader has read what it needs, tasks are deployed. */
const UNSEEN_BEFORE_US = 2_000_000;
const RECOVERED_AFTER_US = 3_000_000;
/** From opening a file to closing it takes two to five times as long: its bytes are there, and not synced. */
const TORN_AFTER_US = 4_000;
const POWER_BACK_AFTER_US = 500_000;
/** Of as many files the first bytes are left; the draws are those of sim/services/power-loss.ts: its third fate, and how much. */
const TORN_FILES = 16;
const TORN_CHOICES: readonly FixedChoice[] = Array.from({ length: TORN_FILES }, (_, file) => [
  { site: 'service/object-store/power-loss', nth: 2 * file + 1, option: 2 },
  { site: 'service/object-store/power-loss', nth: 2 * file + 2, option: 8 },
]).flat();

/** The plan without its faults; what people ask for stays. */
export const calmPlan = (plan: SimulationPlan): SimulationPlan => ({
  ...plan,
  faults: plan.faults.filter(({ kind }) => kind === 'operation'),
});

/** Machines that may crash: without high availability the job ends with its JobManager (row F16). */
export const machinesOf = ({ cluster, engine }: SimulationPlan): readonly NodeId[] => [
  ...(engine.highAvailability.kind === 'none' ? [] : jobManagerNodes(cluster)),
  ...taskManagerNodes(cluster),
];

export function crashCase(
  plan: SimulationPlan,
  { point, node, variant }: { readonly point: CrashPoint; readonly node: NodeId; readonly variant: CrashVariant },
): CrashCase {
  const faults = withFaultsBehind(plan.faults, faultsOf(plan, { point, node, variant }));
  const chance = variant === 'torn' ? { fixedChoices: [...(plan.fixedChoices ?? []), ...TORN_CHOICES] } : {};
  return { points: [point], node, variant, plan: { ...plan, faults, ...chance } };
}

function faultsOf(
  plan: SimulationPlan,
  {
    point: { trigger, atUs },
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
  const noticedAfterUs = Math.max(heartbeatTimeoutUs, leaseUs);
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
      return [{ id: '', trigger, kind: 'pause', node, forUs: noticedAfterUs + ZOMBIE_MARGIN_US }];
    case 'torn': {
      const within = { ...trigger, afterUs: TORN_AFTER_US };
      const powerLoss = {
        kind: 'power-loss',
        node: SERVICE_NODES.storage,
        restartAfterUs: POWER_BACK_AFTER_US,
      } as const;
      return [
        { id: '', trigger: within, ...powerLoss },
        { ...crash, trigger: within },
      ];
    }
    case 'unseen': {
      const always = { numerator: 1, denominator: 1 };
      const stale = { kind: 'service', effect: 'stale-list', factor: 1, chance: always } as const;
      const { stormUs } = plan.liveness;
      const fromUs = Math.min(Math.max(0, atUs - UNSEEN_BEFORE_US), stormUs - 1);
      // Lists that are further behind than the last write can be late leave files: who deletes looks no longer than that (late-writes.ts).
      const forUs = Math.min(
        UNSEEN_BEFORE_US + noticedAfterUs + RECOVERED_AFTER_US,
        lateWriteUs(plan.engine),
        stormUs - fromUs,
      );
      return [{ id: '', ...stale, trigger: { atUs: fromUs }, forUs, node: SERVICE_NODES.storage }, crash];
    }
    default:
      throw new RangeError(`unknown variant ${String(variant satisfies never)}`);
  }
}

/**
 * A plan, changed a little: its fault list, and the course of its chance. What people ask for (operations) stays.
 *
 * I1: what comes out is a plan of the same cluster; a fault that stays keeps its id, so that its own chance does not shift.
 * I2: the workload stays as it is: what differs follows from faults and chance.
 * I3: what is taken over from another plan could stand in this one: it names nodes of its cluster, faults of its services, times of its storm.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { fitted } from '../../sim/faults/fault-nodes.ts';
import type { Choices, ChoiceSite } from '../../sim/kernel/choice.ts';
import { allNodes, jobManagerNodes, taskManagerNodes } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { withFaultsBehind } from '../fault-ids.ts';
import { isAtHome } from '../high-availability-problems.ts';
import { planHash } from '../plan-hash.ts';
import type { Coverage } from './coverage.ts';

export interface MutationContext {
  readonly site: (purpose: string) => ChoiceSite;
  /** What the plan's life showed. */
  readonly coverage: Coverage;
  /** Faults of another plan of the same scenario, whose seed may have drawn other options. */
  readonly others: readonly Fault[];
}

type Mutation = (plan: SimulationPlan, context: MutationContext) => SimulationPlan | undefined;

/** Several at once now and then: what is two steps away is not reached by single ones that show nothing new. */
const MUTATIONS_MAX = 3;
const FAULTS_MAX = 24;
const SHIFTS_US = [10_000, 100_000, 1_000_000, 5_000_000] as const;
const LENGTH_FACTORS = [4, 2, 1 / 2, 1 / 4] as const;

/** Each is as likely as any other; the ones that are listed twice are twice as likely. */
const MUTATIONS: readonly Mutation[] = [
  toPoint,
  toPoint,
  shifted,
  retargeted,
  stretched,
  doubled,
  without,
  spliced,
  withAnother,
  otherChance,
];

/** The plan with one to three changes. `name`: of the streams of chance. */
export function mutated(
  plan: SimulationPlan,
  { choices, name, ...context }: Omit<MutationContext, 'site'> & { readonly choices: Choices; readonly name: string },
): SimulationPlan {
  const count = choices.site(`${name}/count`).between(1, MUTATIONS_MAX);
  const others = takenOver(context.others, plan);
  let changed = plan;
  for (let number = 1; number <= count; number += 1) {
    const site = (purpose: string): ChoiceSite => choices.site(`${name}/${number}/${purpose}`);
    // What does not apply (nothing to delete) or changes nothing is drawn again; other chance always applies.
    const before = planHash(changed);
    while (planHash(changed) === before)
      changed = site('which').pick(MUTATIONS)(changed, { ...context, others, site }) ?? changed;
  }
  return changed;
}

/** Those of the strikes that can strike in this plan, as they fit into it. */
function takenOver(faults: readonly Fault[], { cluster, engine, sink, liveness }: SimulationPlan): Fault[] {
  const nodes = allNodes(cluster);
  const { kind } = engine.highAvailability;
  return faults.flatMap((fault) => {
    const { trigger } = fault;
    if (!isStrike(fault) || !isAtHome(fault, kind, sink?.kind)) return [];
    if ('atUs' in trigger) return trigger.atUs < liveness.stormUs ? (fitted(fault, nodes) ?? []) : [];
    // The fault that it counts from stays where it was, and another one has its id here.
    const { since: _, ...point } = trigger;
    return fitted({ ...fault, trigger: point }, nodes) ?? [];
  });
}

const isStrike = (fault: Fault): boolean => fault.kind !== 'operation';

/** One of the faults that may be changed. */
function oneOf({ faults }: SimulationPlan, { site }: MutationContext): Fault | undefined {
  const strikes = faults.filter(isStrike);
  return strikes.length === 0 ? undefined : site('fault').pick(strikes);
}

const withFault = (plan: SimulationPlan, changed: Fault): SimulationPlan => ({
  ...plan,
  faults: plan.faults.map((fault) => (fault.id === changed.id ? changed : fault)),
});

/** Under an id that no fault has. */
function withNew(plan: SimulationPlan, fault: Fault): SimulationPlan | undefined {
  if (plan.faults.length >= FAULTS_MAX) return undefined;
  return { ...plan, faults: withFaultsBehind(plan.faults, [fault]) };
}

/** It strikes at a point of a checkpoint's life that the parent's life passed. */
function toPoint(plan: SimulationPlan, context: MutationContext): SimulationPlan | undefined {
  const fault = oneOf(plan, context);
  const { points } = context.coverage;
  if (fault === undefined || points.length === 0) return undefined;
  // Kinds first: a job with many subtasks passes some of them a hundred times and others once.
  const kinds = [...new Set(points.map(({ point }) => point))];
  const kind = context.site('point').pick(kinds);
  return withFault(plan, {
    ...fault,
    trigger: context.site('place').pick(points.filter(({ point }) => point === kind)),
  });
}

function shifted(plan: SimulationPlan, context: MutationContext): SimulationPlan | undefined {
  const fault = oneOf(plan, context);
  if (fault === undefined || !('atUs' in fault.trigger)) return undefined;
  const byUs = context.site('shift').pick(SHIFTS_US);
  const atUs = fault.trigger.atUs + (context.site('direction').choose(2) === 0 ? byUs : -byUs);
  const last = plan.liveness.stormUs - 1;
  return withFault(plan, { ...fault, trigger: { atUs: Math.min(Math.max(0, atUs), last) } });
}

/** Another machine of the same kind; of two sides, the first one. */
function retargeted(plan: SimulationPlan, context: MutationContext): SimulationPlan | undefined {
  const fault = oneOf(plan, context);
  if (fault === undefined) return undefined;
  const old = 'node' in fault ? fault.node : 'a' in fault && fault.a.length === 1 ? fault.a[0] : undefined;
  const group = [taskManagerNodes(plan.cluster), jobManagerNodes(plan.cluster)].find(
    (nodes) => old !== undefined && nodes.includes(old),
  );
  const others = (group ?? []).filter((node) => node !== old);
  if (others.length === 0) return undefined;
  const node = context.site('node').pick(others);
  if ('node' in fault) return withFault(plan, { ...fault, node });
  if (!('a' in fault)) return undefined;
  const swap = (one: NodeId): NodeId => (one === node && old !== undefined ? old : one);
  return withFault(plan, { ...fault, a: [node], b: fault.b.map(swap) });
}

function stretched(plan: SimulationPlan, context: MutationContext): SimulationPlan | undefined {
  const fault = oneOf(plan, context);
  if (fault === undefined) return undefined;
  const factor = context.site('factor').pick(LENGTH_FACTORS);
  const scaled = (us: number): number => Math.max(1_000, Math.floor(us * factor));
  if ('forUs' in fault) return withFault(plan, { ...fault, forUs: scaled(fault.forUs) });
  if (fault.kind === 'crash' && fault.restartAfterUs >= 0)
    return withFault(plan, { ...fault, restartAfterUs: scaled(fault.restartAfterUs) });
  return undefined;
}

/** The same once more, a little later where it has a time. */
function doubled(plan: SimulationPlan, context: MutationContext): SimulationPlan | undefined {
  const fault = oneOf(plan, context);
  if (fault === undefined) return undefined;
  const { trigger } = fault;
  if (!('atUs' in trigger))
    return withNew(plan, { ...fault, trigger: { ...trigger, occurrence: trigger.occurrence + 1 } });
  const atUs = Math.min(trigger.atUs + context.site('shift').pick(SHIFTS_US), plan.liveness.stormUs - 1);
  return withNew(plan, { ...fault, trigger: { atUs } });
}

function without(plan: SimulationPlan, context: MutationContext): SimulationPlan | undefined {
  const fault = oneOf(plan, context);
  if (fault === undefined) return undefined;
  return { ...plan, faults: plan.faults.filter(({ id }) => id !== fault.id) };
}

/** Its own faults up to a time, those of another plan from then on. */
function spliced(plan: SimulationPlan, { site, others }: MutationContext): SimulationPlan | undefined {
  const cutUs = site('cut').choose(Math.max(1, plan.liveness.stormUs));
  const head = plan.faults.filter(
    (fault) => !isStrike(fault) || !('atUs' in fault.trigger) || fault.trigger.atUs < cutUs,
  );
  const tail = others.filter(({ trigger }) => 'atUs' in trigger && trigger.atUs >= cutUs);
  return tail.reduce<SimulationPlan>((made, fault) => withNew(made, fault) ?? made, { ...plan, faults: head });
}

function withAnother(plan: SimulationPlan, { site, others }: MutationContext): SimulationPlan | undefined {
  return others.length === 0 ? undefined : withNew(plan, site('other').pick(others));
}

/** The same up to an event, and then other chance: the mutation of a tape. Behind branches of its own, so that what was kept stays. */
function otherChance(plan: SimulationPlan, { site, coverage }: MutationContext): SimulationPlan {
  const { branches = [] } = plan;
  const least = (branches.at(-1)?.afterEvent ?? -1) + 1;
  const most = Math.max(least, coverage.historyLength - 1);
  const afterEvent = least + site('event').choose(most - least + 1);
  assert(afterEvent >= least, 'branches stand in the order of their events');
  const rootSeed = `${plan.seed}/${afterEvent}/${site('chance').choose(1_000_000)}`;
  return { ...plan, branches: [...branches, { afterEvent, rootSeed }] };
}

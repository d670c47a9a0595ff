/**
 * One rule of a scenario -> the faults it means in one plan: times, nodes and lengths are drawn here.
 *
 * Each purpose has its own stream (`when`, `who`, `for` ...), drawn from once per strike in order of time: what one strike draws for
 * its nodes does not shift when the next one comes.
 *
 * I1: a strike lies within the storm; what lasts may outlast it, and is then healed with everything else.
 * I2: draws are integers.
 */
import { unreachable } from '../engine/foundation/assert.ts';
import type { NodeId } from '../engine/foundation/ids.ts';
import type { RuntimeConfiguration } from '../engine/protocol/configuration.ts';
import type { Fault, FaultTrigger, UserCall } from '../sim/faults/fault.ts';
import type { ChoiceSite } from '../sim/kernel/choice.ts';
import {
  allNodes,
  brokerNodes,
  type ClusterSize,
  jobManagerNodes,
  machineNodes,
  SERVICE_NODES,
  taskManagerNodes,
} from '../sim/node-names.ts';
import { stepsOf } from './nemeses/nemesis.ts';
import type { NemesisName } from './nemeses/nemesis-name.ts';
import type { Step, WriteLatencies } from './nemeses/steps.ts';
import type { FaultAction, FaultRule, FaultTarget, FaultTime, Range } from './scenario.ts';

/** Forbids plans without end where `every` is very short. */
const STRIKES_MAX = 10_000;
/** Ways in which files of a disk may rot. */
const PLACES = 1 << 20;

export interface DrawContext {
  /** The rule's stream for a purpose. */
  readonly site: (purpose: string) => ChoiceSite;
  readonly cluster: ClusterSize;
  readonly stormUs: number;
  readonly runtime: Pick<RuntimeConfiguration, 'leaseUs' | 'heartbeatTimeoutUs'>;
  readonly writes: WriteLatencies;
}

/** A fault that has no number yet. */
export type UnnumberedFault = Fault extends infer F ? (F extends Fault ? Omit<F, 'id'> : never) : never;

/** What one strike of a rule becomes. */
export interface Strike {
  /** Absent: it was no nemesis. */
  readonly nemesis?: NemesisName;
  readonly faults: readonly Fault[];
}

/** The strikes of a rule, their faults numbered from `firstId` (`f<n>`). */
export function strikesOfRule(rule: FaultRule, context: DrawContext, firstId: number): Strike[] {
  const { numerator, denominator } = rule.inPlan;
  if (!context.site('in-plan').chance(numerator, denominator)) return [];
  let nextId = firstId;
  return triggersOf(rule.time, context).map((trigger): Strike => {
    const id = nextId;
    const numbered = (faults: readonly UnnumberedFault[]): Fault[] => {
      nextId += faults.length;
      return faults.map((fault, index) => ({ ...fault, id: `f${id + index}` }));
    };
    if (rule.action.kind !== 'nemesis') return { faults: numbered(strike(rule.action, trigger, context)) };
    const { name, faults } = strikeNemesis(rule.action, trigger, context, id);
    return { nemesis: name, faults: numbered(faults) };
  });
}

/** A step that would lie behind the storm is left out; what counts from it then never strikes. */
function strikeNemesis(
  action: FaultAction & { readonly kind: 'nemesis' },
  trigger: FaultTrigger,
  context: DrawContext,
  firstId: number,
): { readonly name: NemesisName; readonly faults: readonly UnnumberedFault[] } {
  const { site, cluster, runtime, writes } = context;
  const { name, steps } = stepsOf(action, { site, cluster, writes, ...runtime });
  const kept = steps.map((step) => ({ step, trigger: triggerOf(step, trigger) }));
  const isKept = kept.map((one) => !('atUs' in one.trigger) || one.trigger.atUs < context.stormUs);
  const idOf = (index: number): string => `f${firstId + isKept.slice(0, index).filter(Boolean).length}`;
  const faults = kept.flatMap(({ step, trigger: own }, index): UnnumberedFault[] => {
    if (isKept[index] !== true) return [];
    const since = step.at?.since;
    return [{ ...step.fault, trigger: 'atUs' in own || since === undefined ? own : { ...own, since: idOf(since) } }];
  });
  return { name, faults };
}

/** So long after the strike, or at the point that the step waits for. */
function triggerOf({ at, afterUs }: Step, strike: FaultTrigger): FaultTrigger {
  const delay = afterUs === 0 ? {} : { afterUs };
  if (at !== undefined) {
    const { since, ...point } = at;
    // What happened before the strike does not count; behind another step it does not anyway.
    const from = since === undefined && 'atUs' in strike ? { fromUs: strike.atUs } : {};
    return { ...point, ...from, ...delay };
  }
  if ('atUs' in strike) return { atUs: strike.atUs + afterUs };
  const wholeUs = (strike.afterUs ?? 0) + afterUs;
  return wholeUs === 0 ? strike : { ...strike, afterUs: wholeUs };
}

function triggersOf(time: FaultTime, { site, stormUs }: DrawContext): FaultTrigger[] {
  switch (time.kind) {
    case 'at':
      return [{ atUs: drawn(time.atUs, site('when')) }];
    case 'point': {
      const { kind: _, occurrence, afterUs, ...point } = time;
      const delay = afterUs === undefined ? {} : { afterUs: drawn(afterUs, site('delay')) };
      return [
        {
          ...point,
          occurrence: typeof occurrence === 'number' ? occurrence : drawn(occurrence, site('occurrence')),
          ...delay,
        },
      ];
    }
    case 'every': {
      const triggers: FaultTrigger[] = [];
      let atUs = time.afterUs + drawn(time.gapUs, site('when'));
      while (atUs < stormUs && triggers.length < STRIKES_MAX) {
        triggers.push({ atUs });
        // A gap of nothing would never reach the end of the storm.
        atUs += Math.max(1, drawn(time.gapUs, site('when')));
      }
      return triggers;
    }
    default:
      return unreachable(time);
  }
}

/** What one strike means: one fault, or one per node where a whole group crashes or pauses. */
function strike(
  action: Exclude<FaultAction, { kind: 'nemesis' }>,
  trigger: FaultTrigger,
  context: DrawContext,
): UnnumberedFault[] {
  switch (action.kind) {
    case 'crash':
    case 'pause':
    case 'slow-cpu':
    case 'out-of-memory':
    case 'disk-damage':
    case 'throw':
    case 'hang':
      return nodesOf(action.target, context).map((node) => strikeNode(action, node, trigger, context));
    case 'partition':
    case 'cut':
    case 'hold':
    case 'reset':
    case 'delay':
    case 'loss':
    case 'duplicate':
    case 'reorder':
    case 'slow-link':
      return [strikeLinks(action, trigger, context)];
    case 'service': {
      const { effect, factor, chance } = action;
      const node = SERVICE_NODES[action.service];
      return [
        { kind: 'service', trigger, node, effect, factor, chance, forUs: drawn(action.forUs, context.site('for')) },
      ];
    }
    case 'clock-step':
      return nodesOf(action.target, context).map((node) => {
        const byUs = drawn(action.byUs, context.site('for'));
        const until = action.forUs === undefined ? {} : { forUs: drawn(action.forUs, context.site('until')) };
        return { kind: 'clock-step', trigger, node, byUs: eitherWay(byUs, context), ...until };
      });
    case 'clock-drift':
      return nodesOf(action.target, context).map((node) => {
        const forUs = drawn(action.forUs, context.site('for'));
        return { kind: 'clock-drift', trigger, node, driftPpm: eitherWay(action.byPpm, context), forUs };
      });
    case 'power-loss': {
      const restartAfterUs = drawn(action.restartAfterUs, context.site('for'));
      return [{ kind: 'power-loss', trigger, node: SERVICE_NODES[action.service ?? 'storage'], restartAfterUs }];
    }
    case 'operation':
      return [{ kind: 'operation', trigger, command: action.command }];
    default:
      return unreachable(action);
  }
}

const eitherWay = (amount: number, { site }: DrawContext): number =>
  site('direction').choose(2) === 0 ? amount : -amount;

function strikeNode(
  action: Extract<
    FaultAction,
    { kind: 'crash' | 'pause' | 'slow-cpu' | 'out-of-memory' | 'disk-damage' | 'throw' | 'hang' }
  >,
  node: NodeId,
  trigger: FaultTrigger,
  { site }: DrawContext,
): UnnumberedFault {
  switch (action.kind) {
    case 'crash': {
      const restartAfterUs = action.restartAfterUs === 'never' ? -1 : drawn(action.restartAfterUs, site('for'));
      return { kind: 'crash', trigger, node, restartAfterUs };
    }
    case 'pause':
      return { kind: 'pause', trigger, node, forUs: drawn(action.forUs, site('for')) };
    case 'slow-cpu':
      return { kind: 'slow-cpu', trigger, node, factor: action.factor, forUs: drawn(action.forUs, site('for')) };
    case 'out-of-memory':
      return {
        kind: 'out-of-memory',
        trigger,
        node,
        headroomBytes: drawn(action.headroomBytes, site('headroom')),
        restartAfterUs: drawn(action.restartAfterUs, site('for')),
      };
    case 'disk-damage': {
      const { kind, chance } = action;
      return {
        kind,
        trigger,
        node,
        chance,
        place: site('place').choose(PLACES),
        forUs: drawn(action.forUs, site('for')),
      };
    }
    case 'throw':
      return {
        kind: 'throw',
        trigger,
        node,
        ...ofVertex(action),
        ...callsOf(action, site),
        recoverable: action.recoverable,
      };
    case 'hang':
      return { kind: 'hang', trigger, node, ...ofVertex(action), hangUs: drawn(action.hangUs, site('for')) };
    default:
      return unreachable(action);
  }
}

function strikeLinks(
  action: Extract<
    FaultAction,
    { kind: 'partition' | 'cut' | 'hold' | 'reset' | 'delay' | 'loss' | 'duplicate' | 'reorder' | 'slow-link' }
  >,
  trigger: FaultTrigger,
  context: DrawContext,
): UnnumberedFault {
  const { site } = context;
  switch (action.kind) {
    case 'partition':
      return partition(action, trigger, context);
    case 'reset': {
      const { a, b } = sides(action, context);
      return { kind: 'reset', trigger, a, b };
    }
    case 'hold':
    case 'cut': {
      const a = nodesOf(action.target, context);
      const b = nodesOf(action.from, context, 'from').filter((node) => !a.includes(node));
      const { oneWay } = action;
      const forUs = drawn(action.forUs, site('for'));
      if (action.kind === 'hold') return { kind: 'hold', trigger, a, b, oneWay, forUs };
      return { kind: 'partition', shape: oneWay ? 'one-way' : 'pair', trigger, a, b, oneWay, forUs };
    }
    case 'delay': {
      const { extraUs } = action;
      return { kind: 'delay', trigger, ...sides(action, context), extraUs, forUs: drawn(action.forUs, site('for')) };
    }
    case 'loss':
    case 'duplicate':
    case 'reorder': {
      const { kind, chance } = action;
      return { kind, trigger, ...sides(action, context), chance, forUs: drawn(action.forUs, site('for')) };
    }
    case 'slow-link': {
      const { factor } = action;
      return { kind: 'slow-link', trigger, ...sides(action, context), factor, forUs: drawn(action.forUs, site('for')) };
    }
    default:
      return unreachable(action);
  }
}

function ofVertex({ vertex, call }: { readonly vertex?: number; readonly call?: UserCall }): {
  readonly vertex?: number;
  readonly call?: UserCall;
} {
  return { ...(vertex === undefined ? {} : { vertex }), ...(call === undefined ? {} : { call }) };
}

function callsOf(
  { afterCalls }: { readonly afterCalls?: Range },
  site: DrawContext['site'],
): { readonly afterCalls?: number } {
  return afterCalls === undefined ? {} : { afterCalls: drawn(afterCalls, site('after-calls')) };
}

function partition(
  action: FaultAction & { readonly kind: 'partition' },
  trigger: FaultTrigger,
  context: DrawContext,
): UnnumberedFault {
  const { site, cluster } = context;
  const { shape } = action;
  const forUs = drawn(action.forUs, site('for'));
  if (shape === 'halves') {
    const machines = site('halves').shuffle(machineNodes(cluster));
    const middle = Math.floor(machines.length / 2);
    return {
      kind: 'partition',
      shape,
      trigger,
      a: machines.slice(0, middle),
      b: machines.slice(middle),
      oneWay: false,
      forUs,
    };
  }
  const a = nodesOf(action.target, context);
  if (shape === 'pair') {
    const others = machineNodes(cluster).filter((node) => !a.includes(node));
    const b = others.length === 0 ? [] : [site('peer').pick(others)];
    return { kind: 'partition', shape, trigger, a, b, oneWay: false, forUs };
  }
  const rest = allNodes(cluster).filter((node) => !a.includes(node));
  if (shape === 'isolate-one') return { kind: 'partition', shape, trigger, a, b: rest, oneWay: false, forUs };
  const isMute = site('direction').choose(2) === 0;
  return { kind: 'partition', shape, trigger, a: isMute ? a : rest, b: isMute ? rest : a, oneWay: true, forUs };
}

function sides(
  action: { readonly target: FaultTarget; readonly peer: FaultTarget },
  context: DrawContext,
): { a: NodeId[]; b: NodeId[] } {
  return { a: nodesOf(action.target, context), b: nodesOf(action.peer, context, 'peer') };
}

/** The nodes a target means; a single one of a group is drawn. Unknown names mean nobody and are refused when the file is read. */
function nodesOf(target: FaultTarget, { site, cluster }: DrawContext, purpose = 'who'): NodeId[] {
  switch (target) {
    case 'taskmanager':
      return [site(purpose).pick(taskManagerNodes(cluster))];
    case 'jobmanager':
      return [site(purpose).pick(jobManagerNodes(cluster))];
    case 'machine':
      return [site(purpose).pick(machineNodes(cluster))];
    case 'broker':
      return [site(purpose).pick(brokerNodes(cluster))];
    case 'brokers':
      return brokerNodes(cluster);
    case 'taskmanagers':
      return taskManagerNodes(cluster);
    case 'jobmanagers':
      return jobManagerNodes(cluster);
    case 'all':
      return allNodes(cluster);
    default:
      return allNodes(cluster).filter((node) => node === target);
  }
}

function drawn(range: Range, site: ChoiceSite): number {
  return site.between(range.low, range.high);
}

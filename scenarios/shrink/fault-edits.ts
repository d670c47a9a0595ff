/**
 * What makes a single fault milder: shorter, fewer nodes, a simpler kind; boldest first.
 *
 * I1: each edit is milder than the fault by an order that has no cycles (length, number of nodes, kind), so that trying them all again
 *     and again ends.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { rounderInstants, shorterLengths, smallerNumbers } from './smaller-numbers.ts';

/** Milder versions of one fault of a plan: simpler, between fewer nodes, shorter, at a rounder time. */
export function milderFaults(fault: Fault): Fault[] {
  return [...simplerKinds(fault), ...smallerSides(fault), ...shorter(fault), ...rounder(fault)];
}

/** Less of the same fault, with nothing of it left to chance, at an earlier point. */
export const weakerFaults = (fault: Fault): Fault[] => [...weaker(fault), ...earlier(fault)];

export function withFault(plan: SimulationPlan, fault: Fault): SimulationPlan {
  return { ...plan, faults: plan.faults.map((one) => (one.id === fault.id ? fault : one)) };
}

function simplerKinds(fault: Fault): Fault[] {
  const { id, trigger } = fault;
  switch (fault.kind) {
    case 'partition': {
      const [a, b] = [fault.a[0], fault.b[0]];
      if (a === undefined || b === undefined || fault.shape === 'one-way') return [];
      const oneWay = { id, trigger, kind: 'partition', shape: 'one-way', oneWay: true, forUs: fault.forUs } as const;
      return [
        { ...oneWay, a: fault.a, b: fault.b },
        { ...oneWay, a: fault.b, b: fault.a },
      ];
    }
    case 'hold':
      return fault.oneWay
        ? []
        : [
            { ...fault, oneWay: true },
            { ...fault, a: fault.b, b: fault.a, oneWay: true },
          ];
    default:
      return [];
  }
}

/** One node less on either side, or just one. */
function smallerSides(fault: Fault): Fault[] {
  if (!('a' in fault)) return [];
  const a = fewer(fault.a).map((side): Fault => ({ ...fault, a: side }));
  const b = fewer(fault.b).map((side): Fault => ({ ...fault, b: side }));
  return [...a, ...b];
}

function fewer(side: readonly NodeId[]): (readonly NodeId[])[] {
  if (side.length < 2) return [];
  const single = side.map((node) => [node]);
  const oneLess = side.length === 2 ? [] : side.map((node) => side.filter((other) => other !== node));
  return [...single, ...oneLess];
}

function shorter(fault: Fault): Fault[] {
  if ('forUs' in fault) return shorterLengths(fault.forUs, 1_000).map((forUs): Fault => ({ ...fault, forUs }));
  if ('restartAfterUs' in fault) {
    // Below zero: for good, which is longer than any length.
    const lengths = shorterLengths(fault.restartAfterUs < 0 ? Number.MAX_SAFE_INTEGER : fault.restartAfterUs, 100_000);
    return lengths.map((restartAfterUs): Fault => ({ ...fault, restartAfterUs }));
  }
  if (fault.kind === 'hang') return shorterLengths(fault.hangUs, 1_000).map((hangUs): Fault => ({ ...fault, hangUs }));
  return [];
}

function weaker(fault: Fault): Fault[] {
  switch (fault.kind) {
    case 'delay': {
      const { low, high } = fault.extraUs;
      const always = shorterLengths(high, 1_000).map(
        (extra): Fault => ({ ...fault, extraUs: { low: extra, high: extra } }),
      );
      return low === high ? always : [...always, { ...fault, extraUs: { low: high, high } }];
    }
    case 'loss':
    case 'duplicate':
    case 'reorder':
    case 'disk-damage':
      return isCertain(fault.chance) ? [] : [{ ...fault, chance: CERTAIN }];
    case 'slow-link':
    case 'slow-cpu':
      return smallerNumbers(fault.factor, 2).map((factor): Fault => ({ ...fault, factor }));
    case 'service': {
      const certain: Fault[] = isCertain(fault.chance) ? [] : [{ ...fault, chance: CERTAIN }];
      // Only a slow service has a factor.
      const factors = fault.effect === 'slow' ? smallerNumbers(fault.factor, 2) : [];
      return [...certain, ...factors.map((factor): Fault => ({ ...fault, factor }))];
    }
    case 'clock-step':
      return shorterLengths(Math.abs(fault.byUs), 1_000).map(
        (by): Fault => ({ ...fault, byUs: Math.sign(fault.byUs) * by }),
      );
    case 'clock-drift':
      return smallerNumbers(Math.abs(fault.driftPpm), 1).map(
        (drift): Fault => ({ ...fault, driftPpm: Math.sign(fault.driftPpm) * drift }),
      );
    case 'throw':
      return smallerNumbers(fault.afterCalls ?? 0, 0).map((afterCalls): Fault => ({ ...fault, afterCalls }));
    case 'operation': {
      const { command } = fault;
      if (command.kind !== 'rescale') return [];
      return smallerNumbers(command.parallelism, 1).map(
        (parallelism): Fault => ({ ...fault, command: { ...command, parallelism } }),
      );
    }
    default:
      return [];
  }
}

const CERTAIN = { numerator: 1, denominator: 1 } as const;
const isCertain = ({ numerator, denominator }: { readonly numerator: number; readonly denominator: number }): boolean =>
  numerator === denominator;

/** At an earlier one of the points that are alike: the life is over sooner. */
function earlier(fault: Fault): Fault[] {
  const { trigger } = fault;
  if ('atUs' in trigger) return [];
  const checkpoints = smallerNumbers(trigger.checkpoint ?? 1, 1).map(
    (checkpoint): Fault => ({ ...fault, trigger: { ...trigger, checkpoint } }),
  );
  const occurrences = smallerNumbers(trigger.occurrence, 1).map(
    (occurrence): Fault => ({ ...fault, trigger: { ...trigger, occurrence } }),
  );
  return [...checkpoints, ...occurrences];
}

function rounder(fault: Fault): Fault[] {
  if (!('atUs' in fault.trigger)) return [];
  return rounderInstants(fault.trigger.atUs).map((atUs): Fault => ({ ...fault, trigger: { atUs } }));
}

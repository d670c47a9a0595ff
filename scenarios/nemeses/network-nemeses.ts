/** Nemeses of the network: who cannot hear whom, and what arrives when nobody expects it any more. */
import type { NodeId } from '../../engine/foundation/ids.ts';
import {
  allNodes,
  brokerNodes,
  jobManagerNodes,
  machineNodes,
  SERVICE_NODES,
  taskManagerNodes,
} from '../../sim/node-names.ts';
import { type FaultBody, lengthUs, type NemesisContext, type Step, withinUs } from './steps.ts';

const others = ({ cluster }: Pick<NemesisContext, 'cluster'>, node: NodeId): NodeId[] =>
  allNodes(cluster).filter((other) => other !== node);

const held = (a: readonly NodeId[], b: readonly NodeId[], forUs: number): FaultBody => ({
  kind: 'hold',
  a,
  b,
  oneWay: false,
  forUs,
});

/** FoundationDB's: some machines are clogged one by one, in any order, and unclogged one by one, in any other. */
export function swizzleClog(context: NemesisContext): Step[] {
  const order = context.site('order').shuffle(machineNodes(context.cluster));
  const clogged = order.slice(0, 1 + context.site('how-many').choose(order.length));
  const wholeUs = lengthUs(context);
  const half = Math.floor(wholeUs / 2);
  return clogged.map((node) => {
    const afterUs = withinUs(context, half);
    const forUs = wholeUs - half + withinUs(context, half) - afterUs;
    return { afterUs, fault: held([node], others(context, node), Math.max(1, forUs)) };
  });
}

/** Two halves that see nothing of each other, and one machine that sees both. Services stay in everybody's sight. */
export function bridge(context: NemesisContext): Step[] {
  const [shared, ...rest] = context.site('order').shuffle(machineNodes(context.cluster));
  const middle = Math.floor(rest.length / 2);
  const [a, b] = [rest.slice(0, middle), rest.slice(middle)];
  if (shared === undefined || a.length === 0) return [];
  return [{ afterUs: 0, fault: { kind: 'partition', shape: 'bridge', a, b, oneWay: false, forUs: lengthUs(context) } }];
}

/** Jepsen's: each machine hears a majority, itself among it, and no two the same one. */
export function ringOfMajorities(context: NemesisContext): Step[] {
  const ring = context.site('order').shuffle(machineNodes(context.cluster));
  const majority = Math.floor(ring.length / 2) + 1;
  const forUs = lengthUs(context);
  return ring.flatMap((node, index): Step[] => {
    const heard = Array.from({ length: majority }, (_, step) => {
      const shift = step - Math.floor((majority - 1) / 2);
      return ring[(index + shift + ring.length) % ring.length];
    });
    const unheard = ring.filter((other) => !heard.includes(other));
    if (unheard.length === 0) return [];
    return [{ afterUs: 0, fault: { kind: 'partition', shape: 'ring', a: unheard, b: [node], oneWay: true, forUs } }];
  });
}

/** What a machine says waits on the way while it dies and comes back: it arrives afterwards, from a process that is no more. */
export function holdAndRelease(context: NemesisContext): Step[] {
  const node = context.site('who').pick(machineNodes(context.cluster));
  const forUs = lengthUs(context);
  const dies = withinUs(context, Math.floor(forUs / 2));
  return [
    { afterUs: 0, fault: { kind: 'hold', a: [node], b: others(context, node), oneWay: true, forUs } },
    { afterUs: dies, fault: { kind: 'crash', node, restartAfterUs: Math.max(1, Math.floor((forUs - dies) / 2)) } },
  ];
}

/** Nobody who leads can write metadata, while tasks go on writing their state. */
export function coordinatorCutFromStorage(context: NemesisContext): Step[] {
  return [{ afterUs: 0, fault: cutFrom(context, jobManagerNodes(context.cluster), SERVICE_NODES.storage) }];
}

/** One JobManager loses sight of what elects leaders, and of nothing else: it may lead on for a moment, beside the next. */
export function coordinatorCutFromElection(context: NemesisContext): Step[] {
  const node = context.site('who').pick(jobManagerNodes(context.cluster));
  return [{ afterUs: 0, fault: cutFrom(context, [node], SERVICE_NODES.coordination) }];
}

/**
 * What a TaskManager writes into its transactions waits on the way; it dies, its transactions are aborted by those who come after it, and then
 * its last writes arrive.
 */
export function appendAfterAbort(context: NemesisContext): Step[] {
  const { cluster, site } = context;
  const node = site('who').pick(taskManagerNodes(cluster));
  const brokers = brokerNodes(cluster);
  const sinks = brokers.length > 0 ? brokers : [SERVICE_NODES.sink];
  const forUs = lengthUs(context);
  const dies = withinUs(context, Math.floor(forUs / 4));
  return [
    { afterUs: 0, fault: { kind: 'hold', a: [node], b: sinks, oneWay: true, forUs } },
    { afterUs: dies, fault: { kind: 'crash', node, restartAfterUs: Math.max(1, Math.floor(forUs / 2)) } },
  ];
}

function cutFrom(context: NemesisContext, a: readonly NodeId[], service: NodeId): FaultBody {
  return { kind: 'partition', shape: 'pair', a, b: [service], oneWay: false, forUs: lengthUs(context) };
}

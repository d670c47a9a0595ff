/** Nodes a fault names: what a plan must have, checked before a life starts, and how a fault of another cluster is made to fit. */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { CLIENT_NODE } from '../node-names.ts';
import type { Fault } from './fault.ts';

export function nodesOfFault(fault: Fault): readonly NodeId[] {
  if (fault.kind === 'operation') return [CLIENT_NODE];
  return 'node' in fault ? [fault.node] : [...fault.a, ...fault.b];
}

/** The first fault that names a node the cluster does not have; undefined when all is well. */
export function strangerOf(
  faults: readonly Fault[],
  nodes: readonly NodeId[],
): { readonly fault: string; readonly node: NodeId } | undefined {
  const known = new Set(nodes);
  for (const fault of faults) {
    const { trigger } = fault;
    const named = 'point' in trigger && trigger.node !== undefined ? [trigger.node] : [];
    const node = [...nodesOfFault(fault), ...named].find((candidate) => !known.has(candidate));
    if (node !== undefined) return { fault: fault.id, node };
  }
  return undefined;
}

/**
 * The fault in a cluster of these nodes: the last of its kind stands for one that is not there; where there is none, the one is left out. The same
 * fault when it names no stranger; undefined when nobody is left to strike, or its two sides have become one.
 */
export function fitted(fault: Fault, nodes: readonly NodeId[]): Fault | undefined {
  if (strangerOf([fault], nodes) === undefined) return fault;
  const moved = (node: NodeId): NodeId => (nodes.includes(node) ? node : (lastOfKind(node, nodes) ?? node));
  const { trigger } = fault;
  const isAtNode = 'point' in trigger && trigger.node !== undefined;
  const waiting: Fault = isAtNode ? { ...fault, trigger: { ...trigger, node: moved(trigger.node) } } : fault;
  if ('a' in waiting) return withSides(waiting, nodes, moved);
  const aimed: Fault = 'node' in waiting ? { ...waiting, node: moved(waiting.node) } : waiting;
  return strangerOf([aimed], nodes) === undefined ? aimed : undefined;
}

type TwoSided = Extract<Fault, { readonly a: readonly NodeId[] }>;

function withSides(fault: TwoSided, nodes: readonly NodeId[], moved: (node: NodeId) => NodeId): TwoSided | undefined {
  const side = (old: readonly NodeId[]): NodeId[] =>
    [...new Set(old.map(moved))].filter((node) => nodes.includes(node));
  const a = side(fault.a);
  // Who was on both sides stays there; who has come to the other side is not cut off from itself.
  const wasOnBoth = (node: NodeId): boolean => fault.a.includes(node) && fault.b.includes(node);
  const b = side(fault.b).filter((node) => !a.includes(node) || wasOnBoth(node));
  const made = { ...fault, a, b };
  const isWhole = a.length > 0 && b.length > 0 && strangerOf([made], nodes) === undefined;
  return isWhole ? made : undefined;
}

function lastOfKind(node: NodeId, nodes: readonly NodeId[]): NodeId | undefined {
  const kind = node.replace(/-\d+$/, '-');
  return nodes.findLast((one) => one.startsWith(kind));
}

/** Nodes a fault acts on: what a plan must have, checked before a life starts. */
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

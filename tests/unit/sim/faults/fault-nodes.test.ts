import { describe, expect, test } from 'vitest';
import { type NodeId, nodeId } from '../../../../engine/foundation/ids.ts';
import type { Fault } from '../../../../sim/faults/fault.ts';
import { fitted } from '../../../../sim/faults/fault-nodes.ts';
import { allNodes } from '../../../../sim/node-names.ts';

const small = allNodes({ taskManagers: 2, jobManagers: 1, brokers: 1 });
const withoutBrokers = allNodes({ taskManagers: 2, jobManagers: 1 });

const crash = (node: string): Fault & { readonly kind: 'crash' } => ({
  id: 'f1',
  trigger: { atUs: 0 },
  kind: 'crash',
  node: nodeId(node),
  restartAfterUs: 1,
});
const reset = (a: readonly string[], b: readonly string[]): Fault => ({
  id: 'f1',
  trigger: { atUs: 0 },
  kind: 'reset',
  a: a.map(nodeId),
  b: b.map(nodeId),
});
const at = (node: string, struck: NodeId): Fault => ({
  ...crash(struck),
  trigger: { point: 'restored', node: nodeId(node), occurrence: 1 },
});

describe('a fault of another cluster', () => {
  test('names no stranger: it stays as it is', () => {
    const fault = reset(['taskmanager-1'], ['taskmanager-1', 'kafka-1']);
    expect(fitted(fault, small)).toBe(fault);
  });

  test('strikes a node that is not there: the last of its kind stands for it, and without one nothing is left', () => {
    expect(fitted(crash('kafka-3'), small)).toEqual(crash('kafka-1'));
    expect(fitted(crash('taskmanager-4'), small)).toEqual(crash('taskmanager-2'));
    expect(fitted(crash('kafka-3'), withoutBrokers)).toBeUndefined();
  });

  test('waits for a node that is not there: so does its trigger', () => {
    expect(fitted(at('taskmanager-3', nodeId('kafka-1')), small)).toEqual(at('taskmanager-2', nodeId('kafka-1')));
    expect(fitted(at('kafka-3', nodeId('taskmanager-1')), withoutBrokers)).toBeUndefined();
  });

  test('lies between two sides: each is of nodes that there are, and nothing is left of a side that is empty', () => {
    expect(fitted(reset(['kafka-1', 'kafka-2'], ['taskmanager-1', 'client']), small)).toEqual(
      reset(['kafka-1'], ['taskmanager-1']),
    );
    expect(fitted(reset(['taskmanager-3'], ['taskmanager-2', 'jobmanager-1']), small)).toEqual(
      reset(['taskmanager-2'], ['jobmanager-1']),
    );
    expect(fitted(reset(['kafka-1'], ['kafka-2']), small)).toBeUndefined();
    expect(fitted(reset(['taskmanager-1'], ['kafka-2']), withoutBrokers)).toBeUndefined();
  });

  test('lies between all nodes and all nodes: it still does', () => {
    const everywhere = allNodes({ taskManagers: 4, jobManagers: 3, brokers: 2 });
    const fault = fitted(reset(everywhere, everywhere), small);
    expect(fault).toEqual(reset(small, small));
  });

  test('is something that people ask for: only where there are people', () => {
    const command = { kind: 'savepoint', format: 'canonical' } as const;
    const asked: Fault = { id: 'f1', trigger: { atUs: 0 }, kind: 'operation', command };
    expect(fitted(asked, small)).toBeUndefined();
    expect(fitted(asked, allNodes({ taskManagers: 2, jobManagers: 1, clients: 1 }))).toBe(asked);
  });
});

/**
 * The names of a cluster's nodes, as faults and messages use them. Machines are numbered from 1, outside systems are one each.
 */
import { type NodeId, nodeId } from '../engine/foundation/ids.ts';

/** The outside systems, by the short name that scenario files use. */
export const SERVICE_NODES = {
  storage: nodeId('object-store'),
  coordination: nodeId('coordination-store'),
  log: nodeId('log-broker'),
  sink: nodeId('sink-store'),
} as const;

/** Where people sit who operate the job. It is there only in plans with operations, and no fault strikes it. */
export const CLIENT_NODE = nodeId('client');

export type ServiceName = keyof typeof SERVICE_NODES;
export const SERVICE_NAMES = ['storage', 'coordination', 'log', 'sink'] as const satisfies readonly ServiceName[];

export interface ClusterSize {
  readonly taskManagers: number;
  readonly jobManagers: number;
  /** 1 when somebody operates the job. */
  readonly clients?: number;
  /** Of the Kafka-like cluster. */
  readonly brokers?: number;
}

export function taskManagerNodes({ taskManagers }: ClusterSize): NodeId[] {
  return Array.from({ length: taskManagers }, (_, index) => nodeId(`taskmanager-${index + 1}`));
}

export function jobManagerNodes({ jobManagers }: ClusterSize): NodeId[] {
  return Array.from({ length: jobManagers }, (_, index) => nodeId(`jobmanager-${index + 1}`));
}

/** Where the engine runs. */
export function machineNodes(size: ClusterSize): NodeId[] {
  return [...taskManagerNodes(size), ...jobManagerNodes(size)];
}

export function brokerNodes({ brokers }: ClusterSize): NodeId[] {
  return Array.from({ length: brokers ?? 0 }, (_, index) => nodeId(`kafka-${index + 1}`));
}

/** Every node of the cluster: machines first, then outside systems, then the client if there is one. */
export function allNodes(size: ClusterSize): NodeId[] {
  const services = SERVICE_NAMES.map((name) => SERVICE_NODES[name]);
  const clients = (size.clients ?? 0) > 0 ? [CLIENT_NODE] : [];
  return [...jobManagerNodes(size), ...taskManagerNodes(size), ...services, ...brokerNodes(size), ...clients];
}

/** Names of groups that a fault may strike, beside the names of nodes; the singular ones mean one node of the group. */
export const TARGET_GROUPS = [
  'taskmanager',
  'jobmanager',
  'machine',
  'broker',
  'taskmanagers',
  'jobmanagers',
  'brokers',
  'all',
] as const;

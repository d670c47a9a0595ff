/** The names of a cluster's nodes, as scenario files use them: those of the simulator. */
export {
  allNodes,
  type ClusterSize,
  jobManagerNodes,
  SERVICE_NAMES,
  SERVICE_NODES,
  type ServiceName,
  TARGET_GROUPS,
  taskManagerNodes,
} from '../sim/node-names.ts';

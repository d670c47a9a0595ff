/** What every subtask of a TaskManager needs to know of the job and the world; made once per process. */
import { assert } from '../foundation/assert.ts';
import type { NodeId } from '../foundation/ids.ts';
import type { JobGraph } from '../job/job-graph.ts';
import { deployedGraph } from '../job/scaled-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { Jitter } from '../protocol/jitter.ts';
import type { NodeDisk } from '../protocol/node-disk.ts';
import type { ServiceNodes } from '../protocol/service-nodes.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import type { WallClock } from '../protocol/wall-clock.ts';
import type { FileMerging } from './file-merging/file-merging.ts';
import type { SnapshotObserver } from './snapshot-observer.ts';

export interface TaskEnvironment {
  readonly node: NodeId;
  readonly graph: JobGraph;
  /** Row S24: the versions of the job by number, as its user may submit them. Absent: there is one, without a number. */
  readonly versions?: ReadonlyMap<number, JobGraph>;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly services: ServiceNodes;
  /** Of the node. */
  readonly wallClock: WallClock;
  /** Of the node; absent: delays are as they are. */
  readonly jitter?: Jitter;
  /** Of the node; absent: there is none. */
  readonly disk?: NodeDisk;
  /** Of the process (row S19). Absent: every piece of state has a file of its own. */
  readonly fileMerging?: FileMerging;
  /** Absent: nobody audits. */
  readonly observer?: SnapshotObserver;
}

/** What the subtasks of a deployment know: the job as wide as it is deployed. */
export function deployedEnvironment(environment: TaskEnvironment, deployment: TaskDeployment): TaskEnvironment {
  const { scale, backend, version, fileMerging } = deployment;
  const { configuration } = environment;
  const graph = graphOfVersion(environment, version);
  assert(graph !== undefined, 'a version that is deployed is known', { version });
  const { fileMerging: merging, ...unmerged } = environment;
  const own = fileMerging === false && merging !== undefined ? unmerged : environment;
  const present = graph === own.graph ? own : { ...own, graph };
  const scaled = scale === undefined ? present : { ...present, graph: deployedGraph(graph, scale) };
  if (backend === undefined) return scaled;
  return { ...scaled, configuration: { ...configuration, checkpoint: { ...configuration.checkpoint, backend } } };
}

/** Undefined: the job has no such version. */
export const graphOfVersion = (
  { graph, versions }: Pick<TaskEnvironment, 'graph' | 'versions'>,
  version: number | undefined,
): JobGraph | undefined => (version === undefined ? graph : versions?.get(version));

/** Bytes a record of the edges leaving `vertex` takes: that of the sources above it. */
export function recordBytesOf(graph: JobGraph, vertex: number): number {
  const source = graph.vertices[vertex]?.source;
  if (source !== undefined) return source.recordBytes;
  let bytes = 1;
  for (const edge of graph.edges) if (edge.to === vertex) bytes = Math.max(bytes, recordBytesOf(graph, edge.from));
  return bytes;
}

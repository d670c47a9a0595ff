/** Job graphs for tests, by hand: no serializers, no user code, only the shape. */
import type { JobEdge, JobGraph, JobVertex } from '../../engine/job/job-graph.ts';
import { JOB } from './engine-values.ts';

export function vertex(index: number, parallelism: number, changes: Partial<JobVertex> = {}): JobVertex {
  return { index, name: `vertex-${index}`, parallelism, maxParallelism: 8, operators: [], ...changes };
}

export function sourceVertex(index: number, parallelism: number, partitions: readonly number[] = [0, 1]): JobVertex {
  const source = {
    kind: 'log' as const,
    topic: 'topic',
    partitions,
    recordBytes: 1,
    fetchRecords: 10,
    fetchWaitUs: 100,
    uid: `source-${index}`,
    name: 'source',
  };
  return vertex(index, parallelism, { source });
}

export function edge(index: number, from: number, to: number, partitioning: JobEdge['partitioning']): JobEdge {
  const isKeyed = partitioning === 'hash';
  return { index, from, to, input: 0, partitioning, ...(isKeyed ? { key: (value: unknown) => String(value) } : {}) };
}

export function jobGraph(vertices: readonly JobVertex[], edges: readonly JobEdge[]): JobGraph {
  return { jobId: JOB, name: 'a job', vertices, edges };
}

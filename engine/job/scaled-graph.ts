/**
 * A job graph at another parallelism: what is deployed when a job is rescaled (row F6; Flink: VertexParallelismStore).
 *
 * Pure. Called by whoever plans a deployment, and by TaskManagers, which know the job and are told its scale.
 *
 * I1: the maximum parallelism of a vertex stays: it decides which key group a key has (row S3);
 * I2: vertices joined by a forward edge stay equally wide;
 * I3: at its own width a graph stays as it was written, parallelism of single operators included.
 */
import { assert } from '../foundation/assert.ts';
import type { JobScale, OperatorScale, VertexParallelism } from '../protocol/job-scale.ts';
import type { JobGraph, JobVertex } from './job-graph.ts';

/** Slots the job needs: subtasks of different vertices share. */
export const slotsNeeded = (vertices: readonly Pick<JobVertex, 'parallelism'>[]): number =>
  vertices.reduce((most, { parallelism }) => Math.max(most, parallelism), 0);

/**
 * Every vertex gets this parallelism, its maximum parallelism at most. A source gets no more subtasks than it has partitions, unless
 * a forward edge ties it to its consumer: then the subtasks without a partition idle.
 */
export function withParallelism(graph: JobGraph, parallelism: number): JobGraph {
  assert(Number.isInteger(parallelism) && parallelism >= 1, 'a parallelism is a positive integer', { parallelism });
  if (parallelism === slotsNeeded(graph.vertices)) return graph;
  return withVertices(
    graph,
    graph.vertices.map((vertex) => ({
      parallelism: Math.min(parallelism, widest(graph, vertex)),
      maxParallelism: vertex.maxParallelism,
    })),
  );
}

/** The graph of a deployment; remembered, so that the subtasks of one deployment share it. */
export function deployedGraph(graph: JobGraph, scale: Pick<JobScale, 'vertices'>): JobGraph {
  const known = derived.get(graph) ?? new Map<string, JobGraph>();
  derived.set(graph, known);
  const name = scale.vertices.map(({ parallelism, maxParallelism }) => `${parallelism}/${maxParallelism}`).join();
  let deployed = known.get(name);
  if (deployed === undefined) {
    deployed = withVertices(graph, scale.vertices);
    if (known.size >= DERIVED_MAX) known.clear();
    known.set(name, deployed);
  }
  return deployed;
}

/** What a deployment says; undefined when it is the graph as written, and never was wider. */
export function scaleOf(deployed: JobGraph, graph: JobGraph, highestParallelism: number): JobScale | undefined {
  if (deployed === graph && highestParallelism <= slotsNeeded(graph.vertices)) return undefined;
  const vertices = deployed.vertices.map(({ parallelism, maxParallelism }) => ({ parallelism, maxParallelism }));
  return { vertices, highestParallelism };
}

/** Uids of the operators of a vertex, head first. */
export function operatorsOf(vertex: JobVertex): readonly string[] {
  const uids = vertex.operators.map(({ uid }) => uid);
  return vertex.source === undefined ? uids : [vertex.source.uid, ...uids];
}

/** What a checkpoint of this deployment remembers. */
export function operatorScales(deployed: JobGraph): readonly OperatorScale[] {
  let scales = known.get(deployed);
  if (scales === undefined) {
    scales = scalesOf(deployed);
    known.set(deployed, scales);
  }
  return scales;
}

const known = new WeakMap<JobGraph, readonly OperatorScale[]>();

function scalesOf(deployed: JobGraph): readonly OperatorScale[] {
  return deployed.vertices.flatMap((vertex) =>
    operatorsOf(vertex).map((uid) => ({
      uid,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
    })),
  );
}

/** Graphs that a life deploys are few; they are shared by all lives of a sweep. */
const DERIVED_MAX = 64;
const derived = new WeakMap<JobGraph, Map<string, JobGraph>>();

function widest(graph: JobGraph, vertex: JobVertex): number {
  const isTied = graph.edges.some((edge) => edge.from === vertex.index && edge.partitioning === 'forward');
  const partitions = vertex.source === undefined || isTied ? vertex.maxParallelism : vertex.source.partitions.length;
  return Math.min(vertex.maxParallelism, partitions);
}

function withVertices(graph: JobGraph, scales: readonly VertexParallelism[]): JobGraph {
  assert(scales.length === graph.vertices.length, 'a scale speaks of every vertex of the graph');
  const vertices = graph.vertices.map((vertex, index) => {
    const { parallelism, maxParallelism } = scales[index] ?? vertex;
    assert(parallelism <= maxParallelism, 'a parallelism is at most the maximum parallelism', { vertex: vertex.name });
    return { ...vertex, parallelism, maxParallelism };
  });
  for (const { from, to, partitioning } of graph.edges) {
    const isEven = vertices[from]?.parallelism === vertices[to]?.parallelism;
    assert(partitioning !== 'forward' || isEven, 'I2: both ends of a forward edge are equally wide', { from, to });
  }
  return { ...graph, vertices };
}

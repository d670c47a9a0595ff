/**
 * Which subtasks stand and fall together (row F1; Flink: SchedulingPipelinedRegion, PipelinedRegionComputeUtil). Pure.
 *
 * A region is a connected component of the subtasks over their pipelined channels. `pipelined`: every channel is: a forward
 * edge joins the two subtasks of one index, any other edge joins all subtasks of both vertices. So a region has no consumer outside
 * itself, and none of its inputs can be unavailable while it is not. `approximate`: a consumer may ask for the rest of what a running
 * producer writes (Flink: PIPELINED_APPROXIMATE), so channels join nothing and each subtask is a region, with consumers outside.
 *
 * I1: every subtask lies in exactly one region; members are ordered by vertex, then by subtask; regions by their first member.
 */
import { assert } from '../foundation/assert.ts';
import type { JobEdge, JobGraph } from '../job/job-graph.ts';
import { feedsSubtask, isPointwise } from '../job/pointwise.ts';

/** A subtask of the job, whatever attempt runs it (Flink: ExecutionVertexID). */
export interface ExecutionVertexId {
  readonly vertex: number;
  readonly subtask: number;
}

export class PipelinedRegions {
  readonly #offsets: number[] = [];
  /** Region by subtask, numbered through over the vertices. */
  readonly #regionOf: number[];
  readonly #members: ExecutionVertexId[][] = [];
  /** By region: those that read what it writes. */
  readonly #consumers = new Map<number, Set<number>>();

  constructor(graph: JobGraph, edges: 'pipelined' | 'approximate' = 'pipelined') {
    let count = 0;
    for (const vertex of graph.vertices) {
      this.#offsets.push(count);
      count += vertex.parallelism;
    }
    const components = new DisjointSets(count);
    if (edges === 'pipelined') {
      for (const edge of graph.edges) this.#eachChannel(graph, edge, (from, to) => components.join(from, to));
    }
    const regionOfRoot = new Map<number, number>();
    this.#regionOf = Array.from({ length: count }, (_, at) => {
      const root = components.find(at);
      const region = regionOfRoot.get(root) ?? regionOfRoot.size;
      regionOfRoot.set(root, region);
      return region;
    });
    for (const { index, parallelism } of graph.vertices) {
      for (let subtask = 0; subtask < parallelism; subtask += 1) {
        const region = this.regionOf({ vertex: index, subtask });
        const members = this.#members[region];
        if (members === undefined) this.#members[region] = [{ vertex: index, subtask }];
        else members.push({ vertex: index, subtask });
      }
    }
    if (edges === 'pipelined') return;
    for (const edge of graph.edges) this.#eachChannel(graph, edge, (from, to) => this.#consumes(to, from));
  }

  get count(): number {
    return this.#members.length;
  }
  get subtaskCount(): number {
    return this.#regionOf.length;
  }

  regionOf({ vertex, subtask }: ExecutionVertexId): number {
    const region = this.#regionOf[(this.#offsets[vertex] ?? 0) + subtask];
    assert(region !== undefined, 'a subtask of the job lies in a region', { vertex, subtask });
    return region;
  }

  members(region: number): readonly ExecutionVertexId[] {
    const members = this.#members[region];
    assert(members !== undefined, 'regions are numbered from 0', { region });
    return members;
  }

  /** Outside itself, nearest only. */
  consumersOf(region: number): Iterable<number> {
    return this.#consumers.get(region) ?? [];
  }

  #consumes(consumer: number, producer: number): void {
    const [from, to] = [this.#regionOf[producer] ?? 0, this.#regionOf[consumer] ?? 0];
    const consumers = this.#consumers.get(from) ?? new Set<number>();
    this.#consumers.set(from, consumers.add(to));
  }

  #eachChannel(graph: JobGraph, edge: JobEdge, visit: (producer: number, consumer: number) => void): void {
    const from = graph.vertices[edge.from];
    const to = graph.vertices[edge.to];
    assert(from !== undefined && to !== undefined, 'an edge joins two vertices', { edge: edge.index });
    const widths = () => ({ producers: from.parallelism, consumers: to.parallelism });
    const first = this.#offsets[edge.from] ?? 0;
    const second = this.#offsets[edge.to] ?? 0;
    for (let producer = 0; producer < from.parallelism; producer += 1) {
      for (let consumer = 0; consumer < to.parallelism; consumer += 1) {
        if (!isPointwise(edge) || feedsSubtask(edge, producer, consumer, widths))
          visit(first + producer, second + consumer);
      }
    }
  }
}

/** Union-find; the smallest member is the root, so that roots do not depend on the order of joins. */
class DisjointSets {
  readonly #parents: number[];

  constructor(count: number) {
    this.#parents = Array.from({ length: count }, (_, at) => at);
  }

  find(at: number): number {
    let root = at;
    for (let parent = this.#parents[root] ?? root; parent !== root; parent = this.#parents[root] ?? root) root = parent;
    this.#parents[at] = root;
    return root;
  }

  join(a: number, b: number): void {
    const first = this.find(a);
    const second = this.find(b);
    this.#parents[Math.max(first, second)] = Math.min(first, second);
  }
}

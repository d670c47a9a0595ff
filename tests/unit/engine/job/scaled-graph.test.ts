import { describe, expect, it } from 'vitest';
import {
  deployedGraph,
  operatorScales,
  scaleOf,
  slotsNeeded,
  withParallelism,
} from '../../../../engine/job/scaled-graph.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';

const GRAPH = jobGraph(
  [sourceVertex(0, 2, [0, 1, 2]), vertex(1, 4), vertex(2, 1)],
  [edge(0, 0, 1, 'hash'), edge(1, 1, 2, 'rebalance')],
);
const widths = (graph: typeof GRAPH): number[] => graph.vertices.map(({ parallelism }) => parallelism);

describe('a graph at another parallelism', () => {
  it('F6: every vertex follows, its maximum parallelism at most, a source to its partitions at most', () => {
    expect(widths(withParallelism(GRAPH, 2))).toEqual([2, 2, 2]);
    expect(widths(withParallelism(GRAPH, 6))).toEqual([3, 6, 6]);
    expect(widths(withParallelism(GRAPH, 20))).toEqual([3, 8, 8]);
  });

  it('I3: at its own width it stays as it was written', () => {
    expect(slotsNeeded(GRAPH.vertices)).toBe(4);
    expect(withParallelism(GRAPH, 4)).toBe(GRAPH);
  });

  it('S3: the maximum parallelism stays', () => {
    expect(withParallelism(GRAPH, 7).vertices.map(({ maxParallelism }) => maxParallelism)).toEqual([8, 8, 8]);
  });

  it('I2: a source tied to its consumer by a forward edge has subtasks without a partition', () => {
    const tied = jobGraph(
      [sourceVertex(0, 1, [0]), vertex(1, 1), vertex(2, 1)],
      [edge(0, 0, 1, 'forward'), edge(1, 0, 2, 'hash')],
    );
    expect(widths(withParallelism(tied, 3))).toEqual([3, 3, 3]);
  });

  it('both ends of a deployment derive the same graph, and share it', () => {
    const scaled = withParallelism(GRAPH, 3);
    const scale = scaleOf(scaled, GRAPH, 7);
    expect(scale).toMatchObject({ highestParallelism: 7 });
    if (scale === undefined) return;
    expect(deployedGraph(GRAPH, scale)).toEqual(scaled);
    expect(deployedGraph(GRAPH, { ...scale })).toBe(deployedGraph(GRAPH, scale));
  });

  it('K10: a scale is told as soon as the job was wider once, even when it is as written now', () => {
    expect(scaleOf(GRAPH, GRAPH, 4)).toBeUndefined();
    expect(scaleOf(GRAPH, GRAPH, 5)).toMatchObject({ highestParallelism: 5 });
  });

  it('C31: a checkpoint remembers the scale by operator', () => {
    expect(operatorScales(withParallelism(GRAPH, 2))).toEqual([{ uid: 'source-0', parallelism: 2, maxParallelism: 8 }]);
  });
});

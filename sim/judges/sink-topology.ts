/**
 * The operators that are parts of a sink, between its writer and its end (row K8). What reaches them are committables, which depend on the
 * schedule and not on the input alone: nobody can say from outside what state they should have. That it is restored as it was the restore audit says.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';

/** By index: vertices that only committables reach. */
export const verticesOfSinks = ({ edges }: Pick<JobGraph, 'edges'>): ReadonlySet<number> =>
  new Set(edges.flatMap(({ to, sinkInternal }) => (sinkInternal === true ? [to] : [])));

/** Their operators by uid. */
export function operatorsOfSinks(graph: JobGraph): ReadonlySet<string> {
  const inside = verticesOfSinks(graph);
  return new Set(
    graph.vertices.flatMap(({ index, operators }) => (inside.has(index) ? operators.map(({ uid }) => uid) : [])),
  );
}

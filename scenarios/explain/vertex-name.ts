/** Names of a plan's vertices, for sentences. */
import type { SimulationPlan } from '../../sim/plan.ts';
import { buildJob } from '../build-job.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';

export type VertexName = (vertex: number) => string;

export function vertexNames(plan: SimulationPlan, jobs?: readonly JobDefinition[]): VertexName {
  const { graph } = buildJob(plan, jobs);
  return (vertex) => graph.vertices[vertex]?.name ?? `vertex ${vertex}`;
}

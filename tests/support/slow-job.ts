import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';

/** Of a vertex with one subtask, for each record: two topics bring 40 records a second. */
const WORK_NANOSECONDS = 28_000_000;

/** The same job, in which everything behind the sources takes its time. */
export function slow(job: JobDefinition): JobDefinition {
  return {
    ...job,
    build(input) {
      const { graph, audit } = job.build(input);
      const vertices = graph.vertices.map((vertex) => {
        const { parallelism, operators } = vertex;
        const workNanoseconds = (WORK_NANOSECONDS * parallelism) / operators.length;
        return {
          ...vertex,
          operators: operators.map((one) => (one.kind === 'sink' ? one : { ...one, workNanoseconds })),
        };
      });
      return { graph: { ...graph, vertices }, audit };
    },
  };
}

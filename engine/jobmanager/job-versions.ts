/**
 * What a leader keeps while it runs one version of the job after the other, each with a job master of its own (decision 0086).
 *
 * I1: numbers of attempts and deployments rise over all job masters of a leader, so that no report of one is taken for one of another.
 */
import type { JobGraph } from '../job/job-graph.ts';

export interface DeploymentCount {
  nextAttempt: number;
  /** How often the whole job was deployed. */
  jobAttempt: number;
  /** Last number of a command of a master hook. */
  hookSequence: number;
}

export interface JobVersionsOfLeader {
  readonly count: DeploymentCount;
  /** Of a version of the job; undefined: there is no such version. */
  graphOf(version: number | undefined): JobGraph | undefined;
  /** A run of another version was submitted, and that is durable: the present job master is not the one to run it. */
  upgraded(): void;
}

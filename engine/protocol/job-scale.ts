/**
 * How wide a job is: what one deployment of it says (Flink: VertexParallelismStore), what a checkpoint remembers of it (Flink: OperatorState),
 * and what was asked for (Flink: JobResourceRequirements, FLIP-291).
 */
import type { LeaderEpoch } from '../foundation/ids.ts';

export interface VertexParallelism {
  readonly parallelism: number;
  /** Number of key groups; never changes once there is state (row S3). */
  readonly maxParallelism: number;
}

/** Of one deployment; by index of the vertex. */
export interface JobScale {
  readonly vertices: readonly VertexParallelism[];
  /** No subtask index at or above this was ever deployed: whoever cleans up after former subtasks looks so far (row K10). */
  readonly highestParallelism: number;
}

/** Of one operator at the time of a checkpoint (row C31: state is found again by the operator's uid). */
export interface OperatorScale extends VertexParallelism {
  readonly uid: string;
}

/** What the job is to run with. Flink asks per vertex; here all vertices follow one number (decision 0022). */
export interface ResourceRequirements {
  /** It does not run with fewer subtasks. */
  readonly lower: number;
  /** It does not run with more, however many slots there are. */
  readonly upper: number;
}

/** Durable in the coordination store, so that the next leader keeps what was asked of this one. */
export interface StoredRequirements extends ResourceRequirements {
  /** Leader that wrote it. */
  readonly epoch: LeaderEpoch;
  /** The highest `upper` there ever was. */
  readonly highestParallelism: number;
  /** Number of the last request that was obeyed: an older one that comes late changes nothing. 0: none. */
  readonly request: number;
}

export const requirementsKey = (jobId: string): string => `${jobId}/requirements`;
export const encodeRequirements = (requirements: StoredRequirements): string => JSON.stringify(requirements);
export const decodeRequirements = (value: string): StoredRequirements => JSON.parse(value) as StoredRequirements;

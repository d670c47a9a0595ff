/** What the JobManager tells a TaskManager about one execution attempt (Flink: TaskDeploymentDescriptor). */
import type { CheckpointId, ExecutionAttemptId, NodeId } from '../foundation/ids.ts';
import type { JobScale } from './job-scale.ts';
import type { SubtaskState } from './state-handle.ts';

/** One channel of an input gate: which subpartition of which producer. */
export interface InputChannelDescriptor {
  readonly producerNode: NodeId;
  readonly producerAttempt: ExecutionAttemptId;
  /** Index of the edge in the job graph; identifies the producer's result partition. */
  readonly edge: number;
  /** Which subpartition of that result partition: the consumer's subtask index. */
  readonly subpartition: number;
}

export interface TaskDeployment {
  readonly attempt: ExecutionAttemptId;
  /** Index of the vertex in the job graph. */
  readonly vertex: number;
  readonly subtask: number;
  readonly slot: number;
  readonly inputs: readonly InputChannelDescriptor[];
  /** How wide the job is in this deployment; absent: as its graph says, and never wider before. */
  readonly scale?: JobScale;
  /** State to restore; absent on a fresh start. */
  readonly restore?: { readonly checkpointId: CheckpointId; readonly state: readonly SubtaskState[] };
}

/** Flink: ExecutionState, as far as it is visible outside the TaskManager. */
export type ExecutionState = 'deploying' | 'initializing' | 'running' | 'failed' | 'canceled';

/** Closed list of reasons for which a subtask fails. */
export type TaskFailure =
  | 'connection-lost'
  | 'partition-not-found'
  | 'restore-failed'
  | 'corrupt-state'
  | 'user-function'
  | 'sink-fenced'
  | 'sink-unavailable'
  | 'commit-failed'
  | 'transaction-lost'
  | 'out-of-sequence'
  | 'fenced-by-new-leader'
  | 'jobmanager-lost';

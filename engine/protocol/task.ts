/** What the JobManager tells a TaskManager about one execution attempt (Flink: TaskDeploymentDescriptor). */
import type { CheckpointId, ExecutionAttemptId, NodeId } from '../foundation/ids.ts';
import type { BackendName } from './configuration.ts';
import type { JobScale } from './job-scale.ts';
import type { FinishedState, StateHandle, SubtaskState } from './state-handle.ts';

/** One channel of an input gate: which subpartition of which producer. */
export interface InputChannelDescriptor {
  readonly producerNode: NodeId;
  readonly producerAttempt: ExecutionAttemptId;
  /** Its place among the subtasks of its vertex: with `edge` the channel's name in channel state. */
  readonly producerSubtask: number;
  /** Index of the edge in the job graph; identifies the producer's result partition. */
  readonly edge: number;
  /** Which subpartition of that result partition: the consumer's subtask index. */
  readonly subpartition: number;
}

/** What a subtask is restored from. */
export interface TaskRestore {
  readonly checkpointId: CheckpointId;
  readonly state: readonly SubtaskState[];
  /** In-flight data of exchanges whose parallelism changed, to be filtered by whom it belongs to now (row B19). Absent: there is none. */
  readonly takenOver?: readonly StateHandle[];
  /**
   * `task`: it had ended in the checkpoint, its operators are skipped (row C22). `operators`: they had finished, what they emit then is
   * emitted already (I8 in bugs.md). Absent: neither.
   */
  readonly finished?: FinishedState;
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
  /** Row S24: where keyed state lives in this run; absent: as the configuration says. */
  readonly backend?: BackendName;
  /** Row X38: false: not in this run, whatever the configuration says. */
  readonly fileMerging?: boolean;
  /** Row S24: the version of the job; absent: the first. */
  readonly version?: number;
  /** State to restore; absent on a fresh start. */
  readonly restore?: TaskRestore;
}

/** Flink: ExecutionState. `canceling`: it is to end, and its mailbox has not come to it yet. */
export type ExecutionState =
  | 'deploying'
  | 'initializing'
  | 'running'
  | 'finished'
  | 'failed'
  | 'canceling'
  | 'canceled';

/** Of a subtask that failed; empty: it has not. */
export interface WhyFailed {
  readonly failure?: TaskFailure;
  /** What is wrong, where somebody must mend it (row S13). */
  readonly reason?: string;
  /**
   * Producers that it got nothing from (Flink: PartitionException): where it could restart without them, they restart, too (row F1). Said once;
   * whoever hears of the failure by a heartbeat only finds out again.
   */
  readonly unreachable?: readonly ExecutionAttemptId[];
}

/** Closed list of reasons for which a subtask fails. */
export type TaskFailure =
  | 'connection-lost'
  | 'partition-not-found'
  | 'restore-failed'
  | 'corrupt-state'
  /** What was restored cannot be read as what the job declares (row S13): no restart can help. */
  | 'incompatible-state'
  | 'user-function'
  /** The user's code says that no restart can help (Flink: SuppressRestartsException). */
  | 'unrecoverable'
  | 'sink-fenced'
  | 'sink-unavailable'
  | 'commit-failed'
  | 'transaction-lost'
  /** The brokers allow no transaction as long as the sink wants (row K11): no restart can help. */
  | 'transaction-timeout-refused'
  | 'out-of-sequence'
  /** The log has deleted what a source wants to read next (Kafka: OffsetOutOfRangeException). */
  | 'offset-out-of-range'
  /** An operator and its coordinator could not tell each other something (row C24). */
  | 'operator-event-lost'
  /** Snapshots below a state log failed more often in a row than is allowed (row S20). */
  | 'materialization-failed'
  | 'synchronous-savepoint-failed'
  | 'fenced-by-new-leader'
  | 'jobmanager-lost';

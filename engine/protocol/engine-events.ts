/**
 * What the engine reports for the history. Judges, logical fault points, CSV files and the timeline are made of these.
 *
 * Each event is a plain fact with the ids a judge needs. An event is not a message: no actor ever receives one.
 */
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { CheckpointFailure } from './checkpoint-failure.ts';
import type { CheckpointMetrics } from './checkpoint-metrics.ts';
import type { ExecutionState, TaskFailure } from './task.ts';

/** Flink: JobStatus, as far as a streaming job takes it. */
export type JobStatus =
  | 'created'
  | 'running'
  | 'restarting'
  | 'canceling'
  | 'canceled'
  | 'finished'
  | 'failed'
  | 'suspended';

interface OfCheckpoint {
  readonly checkpointId: CheckpointId;
}
interface OfTask {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

export type EngineEvent =
  | { readonly kind: 'leadership-acquired'; readonly epoch: LeaderEpoch }
  | { readonly kind: 'leadership-lost'; readonly epoch: LeaderEpoch }
  | {
      readonly kind: 'job-status';
      readonly epoch: LeaderEpoch;
      readonly status: JobStatus;
      /** Counts deployments of the whole job within an epoch, from 1. */
      readonly jobAttempt: number;
    }
  | {
      readonly kind: 'restart-scheduled';
      readonly epoch: LeaderEpoch;
      readonly cause: TaskFailure | 'taskmanager-lost' | 'deployment-timeout' | 'checkpoint-failures' | 'leader-change';
      readonly delayUs: Micros;
    }
  | {
      /** What the JobManager is about to restore; checkpointId 0 = from scratch. */
      readonly kind: 'restore-chosen';
      readonly epoch: LeaderEpoch;
      readonly jobAttempt: number;
      readonly checkpointId: CheckpointId;
    }
  | ({
      readonly kind: 'task-deployed';
      readonly epoch: LeaderEpoch;
      readonly jobAttempt: number;
      readonly node: NodeId;
    } & OfTask)
  | ({ readonly kind: 'task-state'; readonly state: ExecutionState; readonly failure?: TaskFailure } & OfTask)
  | ({ readonly kind: 'task-restored' } & OfTask & OfCheckpoint)
  /* a checkpoint's life, in order */
  | ({
      readonly kind: 'checkpoint-triggered';
      readonly epoch: LeaderEpoch;
      readonly jobAttempt: number;
      /** Whose acknowledgements it needs. */
      readonly tasks: readonly ExecutionAttemptId[];
      /** Directory of a savepoint; absent for checkpoints. */
      readonly savepoint?: string;
    } & OfCheckpoint)
  | ({ readonly kind: 'trigger-received' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'barrier-received'; readonly channel: number; readonly pending: number } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'alignment-started' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'alignment-done'; readonly alignmentUs: number } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'barrier-sent' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'snapshot-taken' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'state-write-sent'; readonly path: string; readonly bytes: number } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'acknowledge-sent'; readonly metrics: CheckpointMetrics } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'decline-sent'; readonly reason: CheckpointFailure } & OfTask & OfCheckpoint)
  | ({
      readonly kind: 'acknowledge-received';
      readonly attempt: ExecutionAttemptId;
      readonly result: 'success' | 'duplicate' | 'unknown' | 'discarded';
    } & OfCheckpoint)
  | ({
      readonly kind: 'decline-received';
      readonly attempt: ExecutionAttemptId;
      readonly reason: CheckpointFailure;
    } & OfCheckpoint)
  | ({ readonly kind: 'all-acknowledged' } & OfCheckpoint)
  | ({ readonly kind: 'metadata-write-sent'; readonly path: string } & OfCheckpoint)
  | ({ readonly kind: 'pointer-write-sent' } & OfCheckpoint)
  | ({
      readonly kind: 'checkpoint-completed';
      readonly epoch: LeaderEpoch;
      readonly triggeredAtUs: Micros;
      readonly stateBytes: number;
      readonly metadataBytes: number;
      /** Trigger to last acknowledgement (Flink: lastCheckpointDuration). */
      readonly endToEndUs: number;
    } & OfCheckpoint)
  /** Durable and its user's; the pointer does not name it (row C12). */
  | ({
      readonly kind: 'savepoint-completed';
      readonly epoch: LeaderEpoch;
      readonly location: string;
      readonly triggeredAtUs: Micros;
      readonly stateBytes: number;
      readonly metadataBytes: number;
      readonly endToEndUs: number;
    } & OfCheckpoint)
  | ({
      readonly kind: 'checkpoint-aborted';
      readonly epoch: LeaderEpoch;
      readonly triggeredAtUs: Micros;
      readonly reason: CheckpointFailure;
      readonly acknowledged: number;
      readonly required: number;
    } & OfCheckpoint)
  | ({ readonly kind: 'checkpoint-subsumed' } & OfCheckpoint)
  | ({ readonly kind: 'notify-complete-sent'; readonly epoch: LeaderEpoch } & OfCheckpoint)
  | ({ readonly kind: 'notify-complete-received' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'commit-sent'; readonly transaction: string } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'commit-failed'; readonly transaction: string; readonly outcome: string } & OfTask & OfCheckpoint)
  /* what people ask for */
  | {
      readonly kind: 'operation-requested';
      readonly operation: string;
      readonly triggerId: string;
      /** The snapshot it is about; empty when there is none. */
      readonly location: string;
    }
  | {
      /** The client was told. */
      readonly kind: 'operation-answered';
      readonly operation: string;
      readonly triggerId: string;
      readonly outcome: 'done' | 'failed';
      /** Why it failed; empty when done. */
      readonly reason: string;
      /** What can be restored now; empty when there is nothing. */
      readonly location: string;
    }
  | {
      /** A new run of the job is durable. */
      readonly kind: 'job-submitted';
      readonly epoch: LeaderEpoch;
      readonly run: number;
      /** 0: from the beginning. */
      readonly checkpointId: CheckpointId;
      readonly location: string;
      readonly owner: 'user' | 'claimed';
    }
  /* ordinary lateness, worth knowing */
  | { readonly kind: 'message-discarded'; readonly message: string; readonly why: string }
  /** A rare branch was reached; `probe` names it. Tests demand it, sweeps count it. */
  | { readonly kind: 'probe'; readonly probe: string };

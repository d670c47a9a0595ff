/**
 * What the engine reports for the history. Judges, logical fault points, CSV files and the timeline are made of these.
 *
 * Each event is a plain fact with the ids a judge needs. An event is not a message: no actor ever receives one.
 */
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { CheckpointFailure } from './checkpoint-failure.ts';
import type { CheckpointMetrics } from './checkpoint-metrics.ts';
import type { CheckpointOptions } from './checkpoint-options.ts';
import type { ProbeName } from './probe-table.ts';
import type { StopMode } from './stream-elements.ts';
import type { ExecutionState, TaskFailure, WhyFailed } from './task.ts';

/**
 * Flink: JobStatus, as far as a streaming job takes it. `running` while single regions restart, too; `failing` and `canceling` until the
 * last subtask has ended and that is durable.
 */
export type JobStatus =
  | 'created'
  | 'running'
  | 'restarting'
  | 'canceling'
  | 'canceled'
  | 'finished'
  | 'failing'
  | 'failed'
  | 'suspended';

/** Why subtasks, or all of them, are started again. */
export type RestartCause =
  | TaskFailure
  | 'taskmanager-lost'
  | 'deployment-timeout'
  | 'checkpoint-failures'
  | 'leader-change'
  | 'rescale';

interface OfCheckpoint {
  readonly checkpointId: CheckpointId;
}
interface OfTask {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

/**
 * The event-time timers of an operator at one moment: those up to `watermarkUs` have fired, and of a further watermark that is being worked
 * off, those up to `firing` in the order of (timestamp, key group, key, namespace).
 */
export interface FiredTimers {
  readonly operator: string;
  readonly keyGroups: { readonly start: number; readonly end: number };
  readonly watermarkUs: number;
  readonly firing?: {
    readonly timestampUs: number;
    readonly keyGroup: number;
    readonly key: string | number | boolean;
    readonly namespace: string;
  };
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
      readonly cause: RestartCause;
      readonly delayUs: Micros;
      /** What is started again; absent: the whole job. */
      readonly subtasks?: readonly { readonly vertex: number; readonly subtask: number }[];
    }
  | {
      /** What the JobManager is about to restore; checkpointId 0 = from scratch. */
      readonly kind: 'restore-chosen';
      readonly epoch: LeaderEpoch;
      readonly jobAttempt: number;
      readonly checkpointId: CheckpointId;
      /** Whose state is restored; absent: the whole job's. */
      readonly subtasks?: readonly { readonly vertex: number; readonly subtask: number }[];
    }
  | ({
      readonly kind: 'task-deployed';
      readonly epoch: LeaderEpoch;
      readonly jobAttempt: number;
      readonly node: NodeId;
      /** Of the vertex in this deployment. */
      readonly parallelism: number;
    } & OfTask)
  | ({ readonly kind: 'task-state'; readonly state: ExecutionState } & WhyFailed & OfTask)
  | ({ readonly kind: 'task-restored' } & OfTask & OfCheckpoint)
  /** The state of a job that has changed since cannot be read; `why` names operator, state and both forms. */
  | ({ readonly kind: 'state-incompatible'; readonly why: string } & OfTask)
  /** All input ended: operators finished (`drain`, unless they had before) or just stop; `end-of-data` is sent on. */
  | ({ readonly kind: 'end-of-data-reached'; readonly mode: StopMode } & OfTask)
  /* a checkpoint's life, in order */
  | ({
      readonly kind: 'checkpoint-triggered';
      readonly epoch: LeaderEpoch;
      readonly jobAttempt: number;
      /** Whose acknowledgements it needs. */
      readonly tasks: readonly ExecutionAttemptId[];
      /** Directory of a savepoint; absent for checkpoints. */
      readonly savepoint?: string;
      readonly options: CheckpointOptions;
    } & OfCheckpoint)
  | ({
      /** The cut of an operator coordinator: what it does from now on belongs behind the checkpoint (row C24). */
      readonly kind: 'coordinator-snapshot-taken';
      readonly operator: string;
      readonly bytes: number;
      /** Events of before that no subtask has acknowledged yet: the checkpoint waits for them. */
      readonly unconfirmed: number;
      /** Who is to acknowledge them. */
      readonly waitsFor: readonly ExecutionAttemptId[];
    } & OfCheckpoint)
  | {
      /** A coordinator hands an event to a subtask's gateway; it may be kept back there. */
      readonly kind: 'operator-event-sent';
      readonly operator: string;
      readonly subtask: number;
      readonly attempt: ExecutionAttemptId;
      readonly event: string;
    }
  | ({ readonly kind: 'trigger-received' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'barrier-received'; readonly channel: number; readonly pending: number } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'alignment-started' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'alignment-done'; readonly alignmentUs: number } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'barrier-sent' } & OfTask & OfCheckpoint)
  | ({
      readonly kind: 'snapshot-taken';
      /** How far the timers in the snapshot have fired; absent: there are none. */
      readonly time?: readonly FiredTimers[];
    } & OfTask &
      OfCheckpoint)
  /** State of several subtasks on its way into one file (row S19). `pieces`: how many. */
  | ({
      readonly kind: 'merged-write-sent';
      readonly path: string;
      readonly bytes: number;
      readonly pieces: number;
    } & OfCheckpoint)
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
  /** News to the subtask: repeated and overtaken notices are not. */
  | ({ readonly kind: 'notify-complete-received' } & OfTask & OfCheckpoint)
  | ({ readonly kind: 'notify-aborted-received' } & OfTask & OfCheckpoint)
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
  /**
   * A value that outlives leaders changed: the pointer, the counter, who leads. Reported by the service that keeps it; without high
   * availability by the JobManager in whose memory it is. Version 0: it is gone.
   */
  | {
      readonly kind: 'coordination-updated';
      readonly key: string;
      readonly version: number;
      readonly value: string;
      readonly by: NodeId;
    }
  | {
      /** What was read is not what was stored: nothing is restored from it. Offset of the first byte of the part that is damaged. */
      readonly kind: 'corrupt-file';
      readonly path: string;
      readonly offset: number;
      readonly problem: string;
    }
  /* ordinary lateness, worth knowing */
  | { readonly kind: 'message-discarded'; readonly message: string; readonly why: string }
  /** A rare situation was reached; `probe` names it. Tests demand it, sweeps count it. */
  | { readonly kind: 'probe'; readonly probe: ProbeName };

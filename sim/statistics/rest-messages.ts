/**
 * What Flink's REST interface answers about checkpoints, as plain JSON with its field names (row 7.1; Flink: the classes of
 * `org.apache.flink.runtime.rest.messages.checkpoints`, each named here).
 *
 * Differences: times are milliseconds of virtual time with a fraction (Flink: whole milliseconds of the wall clock). A vertex is named by its
 * index (Flink: a JobVertexID).
 */
import type { StatsSummary } from './stats-summary.ts';

/** CheckpointStatsStatus. */
export type CheckpointStatus = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

/** What CheckpointStatistics and TaskCheckpointStatistics have in common. */
interface CheckpointFigures {
  readonly id: number;
  readonly status: CheckpointStatus;
  /** -1: nobody has acknowledged. */
  readonly latest_ack_timestamp: number;
  /** Bytes that the checkpoint wrote itself. */
  readonly checkpointed_size: number;
  /** Bytes that it refers to. */
  readonly state_size: number;
  /** Trigger to latest acknowledgement, -1 without one; of a failed checkpoint: trigger to failure. */
  readonly end_to_end_duration: number;
  /** Always 0; deprecated. */
  readonly alignment_buffered: 0;
  readonly processed_data: number;
  readonly persisted_data: number;
  readonly num_subtasks: number;
  readonly num_acknowledged_subtasks: number;
}

/** TaskCheckpointStatistics. */
export type TaskCheckpointStatistics = CheckpointFigures;

/** CheckpointStatistics; RestAPICheckpointType. */
export interface CheckpointStatistics extends CheckpointFigures {
  readonly className: 'completed' | 'in_progress' | 'failed';
  readonly is_savepoint: boolean;
  readonly savepointFormat: string | null;
  readonly checkpoint_type: 'CHECKPOINT' | 'UNALIGNED_CHECKPOINT' | 'SAVEPOINT' | 'SYNC_SAVEPOINT';
  readonly trigger_timestamp: number;
  /** By vertex; empty in the history and among the latest. */
  readonly tasks: Readonly<Record<string, TaskCheckpointStatistics>>;
  /** Completed only. */
  readonly external_path?: string;
  readonly discarded?: boolean;
  /** Failed only. */
  readonly failure_timestamp?: number;
  readonly failure_message?: string;
}

/** CheckpointingStatistics: `GET /jobs/:id/checkpoints`. */
export interface CheckpointingStatistics {
  readonly counts: {
    readonly restored: number;
    readonly total: number;
    readonly in_progress: number;
    readonly completed: number;
    readonly failed: number;
  };
  /** Of completed checkpoints. */
  readonly summary: {
    readonly checkpointed_size: StatsSummary;
    readonly state_size: StatsSummary;
    readonly end_to_end_duration: StatsSummary;
    readonly alignment_buffered: StatsSummary;
    readonly processed_data: StatsSummary;
    readonly persisted_data: StatsSummary;
  };
  readonly latest: {
    readonly completed: CheckpointStatistics | null;
    readonly savepoint: CheckpointStatistics | null;
    readonly failed: CheckpointStatistics | null;
    readonly restored: {
      readonly id: number;
      readonly restore_timestamp: number;
      readonly is_savepoint: boolean;
      readonly external_path: string | null;
    } | null;
  };
  /** Newest first. */
  readonly history: readonly CheckpointStatistics[];
}

/** CheckpointConfigInfo: `GET /jobs/:id/checkpoints/config`. */
export interface CheckpointConfigInfo {
  readonly mode: 'exactly_once' | 'at_least_once';
  readonly interval: number;
  readonly timeout: number;
  readonly min_pause: number;
  readonly max_concurrent: number;
  readonly externalization: { readonly enabled: boolean; readonly delete_on_cancellation: boolean };
  readonly state_backend: string;
  readonly checkpoint_storage: string;
  readonly unaligned_checkpoints: boolean;
  readonly tolerable_failed_checkpoints: number;
  readonly aligned_checkpoint_timeout: number;
  readonly checkpoints_after_tasks_finish: boolean;
  readonly state_changelog_enabled: boolean;
  readonly changelog_periodic_materialization_interval: number;
  readonly changelog_storage: string | null;
}

/** SubtaskCheckpointStatistics: completed, or pending_or_failed without figures. */
export type SubtaskCheckpointStatistics =
  | { readonly index: number; readonly status: 'pending_or_failed' }
  | {
      readonly index: number;
      readonly status: 'completed';
      readonly ack_timestamp: number;
      readonly end_to_end_duration: number;
      readonly checkpointed_size: number;
      readonly state_size: number;
      readonly checkpoint: { readonly sync: number; readonly async: number };
      readonly alignment: {
        readonly buffered: 0;
        readonly processed: number;
        readonly persisted: number;
        readonly duration: number;
      };
      readonly start_delay: number;
      readonly unaligned_checkpoint: boolean;
      /** Always false: a subtask that was told of an abort reports no figures here. */
      readonly aborted: false;
    };

/** TaskCheckpointStatisticsWithSubtaskDetails: `GET /jobs/:id/checkpoints/details/:checkpoint/subtasks/:vertex`. */
export interface TaskCheckpointStatisticsWithSubtaskDetails extends TaskCheckpointStatistics {
  readonly summary: {
    readonly checkpointed_size: StatsSummary;
    readonly state_size: StatsSummary;
    readonly end_to_end_duration: StatsSummary;
    readonly checkpoint_duration: { readonly sync: StatsSummary; readonly async: StatsSummary };
    readonly alignment: {
      readonly buffered: StatsSummary;
      readonly processed: StatsSummary;
      readonly persisted: StatsSummary;
      readonly duration: StatsSummary;
    };
    readonly start_delay: StatsSummary;
  };
  readonly subtasks: readonly SubtaskCheckpointStatistics[];
}

/** The gauges of row 7.2 that a JobManager registers (CheckpointStatsTracker); -1 and `n/a` when there is none. */
export interface CheckpointGauges {
  readonly totalNumberOfCheckpoints: number;
  readonly numberOfInProgressCheckpoints: number;
  readonly numberOfCompletedCheckpoints: number;
  readonly numberOfFailedCheckpoints: number;
  readonly lastCompletedCheckpointId: number;
  readonly lastCheckpointDuration: number;
  readonly lastCheckpointSize: number;
  readonly lastCheckpointFullSize: number;
  readonly lastCheckpointMetadataSize: number;
  readonly lastCheckpointProcessedData: number;
  readonly lastCheckpointPersistedData: number;
  readonly lastCheckpointExternalPath: string;
  readonly lastCheckpointCompletedTimestamp: number;
  readonly lastCheckpointRestoreTimestamp: number;
}

/** All of it, in one document. */
export interface CheckpointStatisticsDocument {
  readonly checkpoints: CheckpointingStatistics;
  readonly config: CheckpointConfigInfo;
  readonly metrics: CheckpointGauges;
  /** Names of the vertices, by index. */
  readonly vertices: Readonly<Record<string, string>>;
  /** By checkpoint: `GET .../details/:checkpoint`. */
  readonly details: Readonly<Record<string, CheckpointStatistics>>;
  /** By checkpoint, then by vertex. */
  readonly subtasks: Readonly<Record<string, Readonly<Record<string, TaskCheckpointStatisticsWithSubtaskDetails>>>>;
}

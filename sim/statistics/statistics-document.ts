/**
 * The checkpoint statistics of a life in the form of Flink's REST messages (rows 7.1, 7.2; Flink: CheckpointingStatisticsHandler,
 * CheckpointConfigHandler, CheckpointStatisticDetailsHandler, TaskCheckpointStatisticDetailsHandler).
 *
 * Owns: counts, summaries, the choice of latest and history. Does not own: what is known of each checkpoint (the collector's records).
 * Flink's statistics vanish with the JobManager that gathered them; these are those of all leaders.
 *
 * I1: a subtask that has not acknowledged has no figures and counts in no summary.
 * I2: summaries are those of completed checkpoints; of a task, those of its acknowledged subtasks.
 */
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { CheckpointRecord, RunRecord, SubtaskRecord } from '../run-record.ts';
import type {
  CheckpointConfigInfo,
  CheckpointGauges,
  CheckpointingStatistics,
  CheckpointStatistics,
  CheckpointStatisticsDocument,
  CheckpointStatus,
  TaskCheckpointStatistics,
} from './rest-messages.ts';
import { statsSummary, ZERO_SUMMARY } from './stats-summary.ts';
import { taskDetails, taskStatistics } from './task-statistics.ts';

export interface StatisticsInput {
  /** Of a life that was asked for its subtasks. */
  readonly record: Pick<RunRecord, 'checkpointRecords' | 'subtaskRecords' | 'restoreRecords'>;
  readonly engine: EngineConfiguration;
  /** Checkpoints in the history. Flink: web.checkpoints.history. */
  readonly history?: number;
}

/** Flink: web.checkpoints.history. */
const HISTORY_DEFAULT = 10;
const US_PER_MS = 1_000;

const STATUS: Readonly<Record<CheckpointRecord['outcome'], CheckpointStatus>> = {
  pending: 'IN_PROGRESS',
  completed: 'COMPLETED',
  aborted: 'FAILED',
};
const CLASS_NAME = { pending: 'in_progress', completed: 'completed', aborted: 'failed' } as const;

export function statisticsDocument(input: StatisticsInput): CheckpointStatisticsDocument {
  const { record, engine, history = HISTORY_DEFAULT } = input;
  const details: Record<string, CheckpointStatistics> = {};
  const subtasks: Record<string, CheckpointStatisticsDocument['subtasks'][string]> = {};
  const vertices: Record<string, string> = {};
  const parts = partsByCheckpoint(record.subtaskRecords);
  for (const checkpoint of record.checkpointRecords) {
    const byVertex = parts.get(checkpoint.checkpointId) ?? new Map<number, SubtaskRecord[]>();
    const tasks: Record<string, TaskCheckpointStatistics> = {};
    const ofTasks: Record<string, CheckpointStatisticsDocument['subtasks'][string][string]> = {};
    for (const [vertex, records] of byVertex) {
      tasks[vertex] = taskStatistics(checkpoint, STATUS[checkpoint.outcome], records);
      ofTasks[vertex] = taskDetails(checkpoint, STATUS[checkpoint.outcome], records);
      vertices[vertex] ??= records[0]?.task ?? '';
    }
    details[checkpoint.checkpointId] = { ...checkpointStatistics(checkpoint), tasks };
    subtasks[checkpoint.checkpointId] = ofTasks;
  }
  return {
    checkpoints: checkpointingStatistics(record, history),
    config: checkpointConfig(engine),
    metrics: gauges(record),
    vertices,
    details,
    subtasks,
  };
}

export function checkpointingStatistics(record: StatisticsInput['record'], history: number): CheckpointingStatistics {
  const { checkpointRecords, restoreRecords } = record;
  const completed = checkpointRecords.filter(({ outcome }) => outcome === 'completed');
  const failed = checkpointRecords.filter(({ outcome }) => outcome === 'aborted');
  const summaryOf = (figure: (one: CheckpointRecord) => number, unit = 1) => statsSummary(completed.map(figure), unit);
  return {
    counts: {
      restored: restoreRecords.length,
      total: checkpointRecords.length,
      in_progress: checkpointRecords.length - completed.length - failed.length,
      completed: completed.length,
      failed: failed.length,
    },
    summary: {
      checkpointed_size: summaryOf((one) => one.checkpointedBytes),
      state_size: summaryOf((one) => one.stateBytes),
      end_to_end_duration: summaryOf((one) => one.endToEndUs, US_PER_MS),
      alignment_buffered: ZERO_SUMMARY,
      processed_data: summaryOf((one) => one.bytesProcessed),
      persisted_data: summaryOf((one) => one.bytesPersisted),
    },
    latest: {
      completed: latestOf(completed.filter((one) => !isSavepoint(one))),
      savepoint: latestOf(completed.filter(isSavepoint)),
      failed: latestOf(failed),
      restored: latestRestored(record),
    },
    history: history === 0 ? [] : checkpointRecords.slice(-history).reverse().map(checkpointStatistics),
  };
}

function checkpointStatistics(one: CheckpointRecord): CheckpointStatistics {
  const failure =
    one.outcome === 'aborted' ? { failure_timestamp: ms(one.endedAtUs), failure_message: one.reason } : {};
  const path = one.outcome === 'completed' ? { external_path: one.externalPath, discarded: one.discarded } : {};
  return {
    className: CLASS_NAME[one.outcome],
    id: one.checkpointId,
    status: STATUS[one.outcome],
    is_savepoint: isSavepoint(one),
    savepointFormat: isSavepoint(one) ? 'CANONICAL' : null,
    trigger_timestamp: ms(one.triggeredAtUs),
    latest_ack_timestamp: ms(one.latestAcknowledgedAtUs),
    checkpointed_size: one.checkpointedBytes,
    state_size: one.stateBytes,
    end_to_end_duration: ms(endToEndUs(one)),
    alignment_buffered: 0,
    processed_data: one.bytesProcessed,
    persisted_data: one.bytesPersisted,
    num_subtasks: one.required,
    num_acknowledged_subtasks: one.acknowledged,
    checkpoint_type: checkpointType(one),
    tasks: {},
    ...path,
    ...failure,
  };
}

/** Trigger to latest acknowledgement (AbstractCheckpointStats); of a failed one: to its failure (FailedCheckpointStats). */
function endToEndUs(one: CheckpointRecord): number {
  if (one.outcome === 'aborted') return Math.max(0, one.endedAtUs - one.triggeredAtUs);
  return one.latestAcknowledgedAtUs < 0 ? -1 : one.endToEndUs;
}

function checkpointType({ type, unaligned }: CheckpointRecord): CheckpointStatistics['checkpoint_type'] {
  if (type === 'checkpoint') return unaligned ? 'UNALIGNED_CHECKPOINT' : 'CHECKPOINT';
  return type === 'savepoint' ? 'SAVEPOINT' : 'SYNC_SAVEPOINT';
}

function latestOf(records: readonly CheckpointRecord[]): CheckpointStatistics | null {
  const latest = newest(records);
  return latest === undefined ? null : checkpointStatistics(latest);
}

function latestRestored(record: StatisticsInput['record']): CheckpointingStatistics['latest']['restored'] {
  const restore = record.restoreRecords.at(-1);
  if (restore === undefined) return null;
  const restored = record.checkpointRecords.find(({ checkpointId }) => checkpointId === restore.checkpointId);
  return {
    id: restore.checkpointId,
    restore_timestamp: ms(restore.atUs),
    is_savepoint: restored !== undefined && isSavepoint(restored),
    external_path: restored?.externalPath ?? null,
  };
}

/** A checkpoint storage that is a directory, and no changelog: all this engine has. */
function checkpointConfig({ checkpoint }: EngineConfiguration): CheckpointConfigInfo {
  return {
    mode: checkpoint.mode === 'exactly-once' ? 'exactly_once' : 'at_least_once',
    interval: ms(checkpoint.intervalUs),
    timeout: ms(checkpoint.timeoutUs),
    min_pause: ms(checkpoint.minPauseUs),
    max_concurrent: checkpoint.maxConcurrent,
    externalization: { enabled: true, delete_on_cancellation: false },
    state_backend: 'HashMapStateBackend',
    checkpoint_storage: 'FileSystemCheckpointStorage',
    unaligned_checkpoints: false,
    tolerable_failed_checkpoints: checkpoint.tolerableFailures,
    aligned_checkpoint_timeout: 0,
    checkpoints_after_tasks_finish: false,
    state_changelog_enabled: false,
    changelog_periodic_materialization_interval: 0,
    changelog_storage: null,
  };
}

function gauges(record: StatisticsInput['record']): CheckpointGauges {
  const { counts } = checkpointingStatistics(record, 0);
  const last = newest(record.checkpointRecords.filter((one) => one.outcome === 'completed' && !isSavepoint(one)));
  const restored = record.restoreRecords.at(-1);
  return {
    totalNumberOfCheckpoints: counts.total,
    numberOfInProgressCheckpoints: counts.in_progress,
    numberOfCompletedCheckpoints: counts.completed,
    numberOfFailedCheckpoints: counts.failed,
    lastCompletedCheckpointId: last?.checkpointId ?? -1,
    lastCheckpointDuration: last === undefined ? -1 : ms(last.endToEndUs),
    lastCheckpointSize: last?.checkpointedBytes ?? -1,
    lastCheckpointFullSize: last?.stateBytes ?? -1,
    lastCheckpointMetadataSize: last?.metadataBytes ?? -1,
    lastCheckpointProcessedData: last?.bytesProcessed ?? -1,
    lastCheckpointPersistedData: last?.bytesPersisted ?? -1,
    lastCheckpointExternalPath: last?.externalPath ?? 'n/a',
    lastCheckpointCompletedTimestamp: last === undefined ? -1 : ms(last.endedAtUs),
    lastCheckpointRestoreTimestamp: restored === undefined ? -1 : ms(restored.atUs),
  };
}

function partsByCheckpoint(records: readonly SubtaskRecord[]): Map<number, Map<number, SubtaskRecord[]>> {
  const parts = new Map<number, Map<number, SubtaskRecord[]>>();
  for (const part of records) {
    const byVertex = parts.get(part.checkpointId) ?? new Map<number, SubtaskRecord[]>();
    parts.set(part.checkpointId, byVertex);
    byVertex.set(part.vertex, [...(byVertex.get(part.vertex) ?? []), part]);
  }
  return parts;
}

const isSavepoint = ({ type }: CheckpointRecord): boolean => type !== 'checkpoint';
const newest = (records: readonly CheckpointRecord[]): CheckpointRecord | undefined =>
  records.reduce<CheckpointRecord | undefined>(
    (latest, one) => (latest === undefined || one.checkpointId > latest.checkpointId ? one : latest),
    undefined,
  );
/** Milliseconds with their fraction; -1 stays what it says. */
const ms = (us: number): number => (us < 0 ? -1 : us / US_PER_MS);

/**
 * The part of one task, and of each of its subtasks, in one checkpoint (row 7.1; Flink: TaskStateStats, SubtaskStateStats and
 * TaskCheckpointStatisticDetailsHandler).
 *
 * I1: a subtask without an acknowledgement that counted has no figures.
 */
import type { CheckpointMetrics } from '../../engine/protocol/checkpoint-metrics.ts';
import type { CheckpointRecord, SubtaskRecord } from '../run-record.ts';
import type {
  CheckpointStatus,
  SubtaskCheckpointStatistics,
  TaskCheckpointStatistics,
  TaskCheckpointStatisticsWithSubtaskDetails,
} from './rest-messages.ts';
import { type StatsSummary, statsSummary, ZERO_SUMMARY } from './stats-summary.ts';

const US_PER_MS = 1_000;

type Trigger = Pick<CheckpointRecord, 'checkpointId' | 'triggeredAtUs'>;
type Acknowledged = SubtaskRecord & { readonly metrics: CheckpointMetrics };

const isAcknowledged = (part: SubtaskRecord): part is Acknowledged => part.metrics !== undefined;

/** Clipped as in Flink: SubtaskStateStats.getEndToEndDuration. */
export const subtaskEndToEndUs = (triggeredAtUs: number, acknowledgedAtUs: number): number =>
  Math.max(0, acknowledgedAtUs - triggeredAtUs);

export function taskStatistics(
  checkpoint: Trigger,
  status: CheckpointStatus,
  parts: readonly SubtaskRecord[],
): TaskCheckpointStatistics {
  const acknowledged = parts.filter(isAcknowledged);
  const sum = (figure: (metrics: CheckpointMetrics) => number): number =>
    acknowledged.reduce((total, { metrics }) => total + figure(metrics), 0);
  const latestUs = acknowledged.reduce((latest, part) => Math.max(latest, part.acknowledgedAtUs), -1);
  return {
    id: checkpoint.checkpointId,
    status,
    latest_ack_timestamp: latestUs < 0 ? -1 : latestUs / US_PER_MS,
    checkpointed_size: sum((metrics) => metrics.checkpointedBytes),
    state_size: sum((metrics) => metrics.stateBytes),
    end_to_end_duration: latestUs < 0 ? -1 : subtaskEndToEndUs(checkpoint.triggeredAtUs, latestUs) / US_PER_MS,
    alignment_buffered: 0,
    processed_data: sum((metrics) => metrics.bytesProcessedDuringAlignment),
    persisted_data: sum((metrics) => metrics.bytesPersistedDuringAlignment),
    num_subtasks: parts.length,
    num_acknowledged_subtasks: acknowledged.length,
  };
}

export function taskDetails(
  checkpoint: Trigger,
  status: CheckpointStatus,
  parts: readonly SubtaskRecord[],
): TaskCheckpointStatisticsWithSubtaskDetails {
  const acknowledged = parts.filter(isAcknowledged);
  const of = (figure: (metrics: CheckpointMetrics) => number, unit = 1): StatsSummary =>
    statsSummary(
      acknowledged.map(({ metrics }) => figure(metrics)),
      unit,
    );
  const endToEndUs = acknowledged.map((part) => subtaskEndToEndUs(checkpoint.triggeredAtUs, part.acknowledgedAtUs));
  return {
    ...taskStatistics(checkpoint, status, parts),
    summary: {
      checkpointed_size: of((metrics) => metrics.checkpointedBytes),
      state_size: of((metrics) => metrics.stateBytes),
      end_to_end_duration: statsSummary(endToEndUs, US_PER_MS),
      checkpoint_duration: {
        sync: of((metrics) => metrics.syncUs, US_PER_MS),
        async: of((metrics) => metrics.asyncUs, US_PER_MS),
      },
      alignment: {
        buffered: ZERO_SUMMARY,
        processed: of((metrics) => metrics.bytesProcessedDuringAlignment),
        persisted: of((metrics) => metrics.bytesPersistedDuringAlignment),
        duration: of((metrics) => metrics.alignmentUs, US_PER_MS),
      },
      start_delay: of((metrics) => metrics.startDelayUs, US_PER_MS),
    },
    subtasks: parts.map((part) => subtaskStatistics(checkpoint, part)),
  };
}

function subtaskStatistics({ triggeredAtUs }: Trigger, part: SubtaskRecord): SubtaskCheckpointStatistics {
  if (!isAcknowledged(part)) return { index: part.subtask, status: 'pending_or_failed' };
  const { metrics, acknowledgedAtUs } = part;
  return {
    index: part.subtask,
    status: 'completed',
    ack_timestamp: acknowledgedAtUs / US_PER_MS,
    end_to_end_duration: subtaskEndToEndUs(triggeredAtUs, acknowledgedAtUs) / US_PER_MS,
    checkpointed_size: metrics.checkpointedBytes,
    state_size: metrics.stateBytes,
    checkpoint: { sync: metrics.syncUs / US_PER_MS, async: metrics.asyncUs / US_PER_MS },
    alignment: {
      buffered: 0,
      processed: metrics.bytesProcessedDuringAlignment,
      persisted: metrics.bytesPersistedDuringAlignment,
      duration: metrics.alignmentUs / US_PER_MS,
    },
    start_delay: metrics.startDelayUs / US_PER_MS,
    unaligned_checkpoint: metrics.unaligned,
    aborted: false,
  };
}

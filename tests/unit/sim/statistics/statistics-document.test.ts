/** The statistics in the shapes of Flink's REST messages (rows 7.1, 7.2). */
import { describe, expect, it } from 'vitest';
import type { CheckpointRecord, SubtaskRecord } from '../../../../sim/run-record.ts';
import { statisticsDocument, type StatisticsInput } from '../../../../sim/statistics/statistics-document.ts';
import { METRICS } from '../../../support/engine-values.ts';
import { runRecord } from '../../reports/life-fixture.ts';
import { liveIt, planOf } from '../../../support/lives.ts';
import { SMALL_PLAN } from '../judges/small-life.ts';

const [BASE] = runRecord().checkpointRecords;

function checkpoint(checkpointId: number, over: Partial<CheckpointRecord> = {}): CheckpointRecord {
  if (BASE === undefined) throw new Error('the fixture has a checkpoint');
  const triggeredAtUs = checkpointId * 1_000_000;
  return {
    ...BASE,
    checkpointId,
    triggeredAtUs,
    latestAcknowledgedAtUs: triggeredAtUs + 2_500,
    endToEndUs: 2_500,
    endedAtUs: triggeredAtUs + 9_000,
    ...over,
  };
}

function part(checkpointId: number, subtask: number, over: Partial<SubtaskRecord> = {}): SubtaskRecord {
  const acknowledgedAtUs = checkpointId * 1_000_000 + 1_000 * (subtask + 1);
  return {
    checkpointId,
    vertex: 1,
    task: 'count',
    subtask,
    attempt: subtask,
    acknowledgedAtUs,
    metrics: METRICS,
    ...over,
  };
}

function documentOf(record: Partial<StatisticsInput['record']>, history?: number) {
  const whole = { checkpointRecords: [], subtaskRecords: [], restoreRecords: [], ...record };
  return statisticsDocument({
    record: whole,
    engine: SMALL_PLAN.engine,
    ...(history === undefined ? {} : { history }),
  });
}

describe('checkpointing statistics', () => {
  it('7.1: of a life without checkpoints: zeros and nulls', () => {
    const { checkpoints, metrics } = documentOf({});
    expect(checkpoints.counts).toEqual({ restored: 0, total: 0, in_progress: 0, completed: 0, failed: 0 });
    expect(checkpoints.latest).toEqual({ completed: null, savepoint: null, failed: null, restored: null });
    expect(checkpoints.history).toEqual([]);
    expect(metrics).toMatchObject({ lastCheckpointDuration: -1, lastCheckpointExternalPath: 'n/a' });
  });

  it('7.1: counts, latest of each kind, newest first in the history', () => {
    const { checkpoints } = documentOf({
      checkpointRecords: [
        checkpoint(1),
        checkpoint(2, { outcome: 'aborted', reason: 'checkpoint-expired' }),
        checkpoint(3, { type: 'savepoint' }),
        checkpoint(4),
        checkpoint(5, { outcome: 'pending', endedAtUs: -1 }),
      ],
      restoreRecords: [{ checkpointId: 3, epoch: 2, atUs: 3_500_000 }],
    });
    expect(checkpoints.counts).toEqual({ restored: 1, total: 5, in_progress: 1, completed: 3, failed: 1 });
    expect(checkpoints.latest.completed).toMatchObject({ id: 4, className: 'completed', status: 'COMPLETED' });
    expect(checkpoints.latest.savepoint).toMatchObject({ id: 3, is_savepoint: true, checkpoint_type: 'SAVEPOINT' });
    expect(checkpoints.latest.failed).toMatchObject({ id: 2, failure_message: 'checkpoint-expired' });
    expect(checkpoints.latest.restored).toEqual({
      id: 3,
      restore_timestamp: 3_500,
      is_savepoint: true,
      external_path: 'checkpoints/job/chk-1',
    });
    expect(checkpoints.history.map(({ id, status }) => [id, status])).toEqual([
      [5, 'IN_PROGRESS'],
      [4, 'COMPLETED'],
      [3, 'COMPLETED'],
      [2, 'FAILED'],
      [1, 'COMPLETED'],
    ]);
  });

  it('7.1: the history has the last ten, or as many as asked for; the details have all', () => {
    const checkpointRecords = Array.from({ length: 15 }, (_, index) => checkpoint(index + 1));
    expect(documentOf({ checkpointRecords }).checkpoints.history.map(({ id }) => id)).toEqual([
      15, 14, 13, 12, 11, 10, 9, 8, 7, 6,
    ]);
    const { checkpoints, details } = documentOf({ checkpointRecords }, 2);
    expect(checkpoints.history.map(({ id }) => id)).toEqual([15, 14]);
    expect(Object.keys(details)).toHaveLength(15);
  });

  it('7.2: end to end is trigger to latest acknowledgement, of a failed one trigger to failure, -1 without any', () => {
    const { details } = documentOf({
      checkpointRecords: [
        checkpoint(1),
        checkpoint(2, { outcome: 'aborted', reason: 'checkpoint-expired' }),
        checkpoint(3, {
          outcome: 'pending',
          endedAtUs: -1,
          latestAcknowledgedAtUs: -1,
          endToEndUs: 0,
          acknowledged: 0,
        }),
      ],
    });
    expect(details['1']).toMatchObject({ end_to_end_duration: 2.5, trigger_timestamp: 1_000 });
    expect(details['2']).toMatchObject({ end_to_end_duration: 9, failure_timestamp: 2_009 });
    expect(details['3']).toMatchObject({ end_to_end_duration: -1, latest_ack_timestamp: -1 });
  });

  it('7.2: summaries are of completed checkpoints only', () => {
    const { summary } = documentOf({
      checkpointRecords: [
        checkpoint(1, { stateBytes: 10 }),
        checkpoint(2, { stateBytes: 1_000, outcome: 'aborted' }),
        checkpoint(3, { stateBytes: 30, bytesProcessed: 7, bytesPersisted: 5 }),
      ],
    }).checkpoints;
    expect(summary.state_size).toMatchObject({ min: 10, max: 30, avg: 20, p50: 20 });
    expect(summary.persisted_data).toMatchObject({ max: 5 });
    expect(summary.end_to_end_duration).toMatchObject({ min: 2.5, p999: 2.5 });
    expect(summary.alignment_buffered).toMatchObject({ max: 0, p50: 0 });
  });

  it('7.1: an unaligned checkpoint and a stop-with-savepoint are types of their own', () => {
    const { details } = documentOf({
      checkpointRecords: [checkpoint(1, { unaligned: true }), checkpoint(2, { type: 'terminate-savepoint' })],
    });
    expect(details['1']?.checkpoint_type).toBe('UNALIGNED_CHECKPOINT');
    expect(details['2']?.checkpoint_type).toBe('SYNC_SAVEPOINT');
  });
});

describe('statistics of a task', () => {
  const parts = [part(1, 0), part(1, 1, { metrics: { ...METRICS, startDelayUs: 3_000, alignmentUs: 4_000 } })];

  it('7.2: each subtask has its delays in milliseconds, its bytes, its end to end', () => {
    const { subtasks, vertices } = documentOf({ checkpointRecords: [checkpoint(1)], subtaskRecords: parts });
    expect(vertices).toEqual({ 1: 'count' });
    expect(subtasks['1']?.['1']?.subtasks[1]).toEqual({
      index: 1,
      status: 'completed',
      ack_timestamp: 1_002,
      end_to_end_duration: 2,
      checkpointed_size: 5,
      state_size: 5,
      checkpoint: { sync: 0.003, async: 0.004 },
      alignment: { buffered: 0, processed: 6, persisted: 0, duration: 4 },
      start_delay: 3,
      unaligned_checkpoint: false,
      aborted: false,
    });
  });

  it('7.2: who has not acknowledged has no figures and is in no summary', () => {
    const { acknowledgedAtUs: _at, metrics: _metrics, ...silent } = part(1, 2);
    const { subtasks, details } = documentOf({
      checkpointRecords: [checkpoint(1)],
      subtaskRecords: [...parts, { ...silent, acknowledgedAtUs: -1 }],
    });
    const task = subtasks['1']?.['1'];
    expect(task?.subtasks[2]).toEqual({ index: 2, status: 'pending_or_failed' });
    expect(task).toMatchObject({ num_subtasks: 3, num_acknowledged_subtasks: 2, state_size: 10 });
    expect(task?.summary.start_delay).toMatchObject({ min: 0.001, max: 3 });
    expect(details['1']?.tasks['1']).toMatchObject({ latest_ack_timestamp: 1_002, end_to_end_duration: 2 });
  });

  it('7.2: a life with a change of leader: all checkpoints of all leaders are there, each subtask within its checkpoint', () => {
    const plan = planOf('jobmanager-crash-before-notify', '1');
    const record = liveIt(plan, { subtasks: true });
    expect(record.failovers).toBeGreaterThan(0);
    const { checkpoints, details, subtasks, metrics } = statisticsDocument({
      record,
      engine: plan.engine,
      history: 100,
    });
    expect(checkpoints.counts.total).toBe(record.checkpoints.triggered);
    expect(new Set(record.checkpointRecords.map(({ epoch }) => epoch)).size).toBeGreaterThan(1);
    expect(checkpoints.counts.restored).toBeGreaterThan(0);
    expect(metrics.lastCompletedCheckpointId).toBe(checkpoints.latest.completed?.id);
    for (const { id, status, end_to_end_duration: endToEnd } of checkpoints.history) {
      const tasks = Object.values(subtasks[id] ?? {});
      const ends = tasks.flatMap((task) =>
        task.subtasks.map((one) => ('end_to_end_duration' in one ? one.end_to_end_duration : -1)),
      );
      expect(ends).toHaveLength(details[id]?.num_subtasks ?? -1);
      if (status !== 'COMPLETED') continue;
      expect(Math.max(...ends)).toBe(endToEnd);
      for (const task of tasks) {
        for (const one of task.subtasks) {
          if (one.status !== 'completed') throw new Error(`checkpoint ${id} completed without subtask ${one.index}`);
          const parts = one.start_delay + one.alignment.duration + one.checkpoint.sync + one.checkpoint.async;
          expect(one.start_delay).toBeGreaterThanOrEqual(0);
          expect(parts).toBeLessThanOrEqual(one.end_to_end_duration + 0.000_1);
        }
      }
    }
  });
});

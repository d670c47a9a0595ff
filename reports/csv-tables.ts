/**
 * The CSV files of a sweep or a single life: columns with units in their names, one sentence each; docs/csv-columns.md is made
 * from this table.
 *
 * Owns: columns and rows. Does not own: where files lie.
 * I1: columns are explicit and in this order; truth values are `true` and `false`; what never happened is an empty field.
 * I2: only virtual time: the same lives give the same bytes on every machine and for any number of workers.
 */
import { stringify } from 'csv-stringify/sync';
import type { CheckpointMetrics } from '../engine/protocol/checkpoint-metrics.ts';
import { swarmText } from '../scenarios/swarm.ts';
import { type Margin, MARGINS, type MarginSpec } from '../sim/judges/margins.ts';
import type { CheckpointRecord, FaultRecord, SubtaskRecord } from '../sim/run-record.ts';
import { subtaskEndToEndUs } from '../sim/statistics/task-statistics.ts';
import type { LifeFigures } from './life-figures.ts';

export type CsvValue = string | number | boolean;

export interface CsvColumn<Row> {
  readonly name: string;
  readonly sentence: string;
  readonly value: (row: Row) => CsvValue;
}

/** A file of rows made of lives. */
export interface CsvTable {
  readonly file: string;
  readonly sentence: string;
  readonly columns: readonly Pick<CsvColumn<never>, 'name' | 'sentence'>[];
  readonly cells: (life: LifeFigures) => CsvValue[][];
}

interface OfLife<Part> {
  readonly life: LifeFigures;
  readonly part: Part;
}

const column = <Row>(name: string, sentence: string, value: (row: Row) => CsvValue): CsvColumn<Row> => ({
  name,
  sentence,
  value,
});
interface OfSubtask extends OfLife<SubtaskRecord> {
  readonly triggeredAtUs: number;
}

/** A figure of a subtask; empty while there is none. */
function figure(name: string, sentence: string, of: keyof CheckpointMetrics): CsvColumn<OfSubtask> {
  return column(name, sentence, ({ part }) => part.metrics?.[of] ?? '');
}

/** -1 stands for never in records. */
const unlessNever = (atUs: number): CsvValue => (atUs < 0 ? '' : atUs);

const sumOf = (life: LifeFigures, count: 'planned' | 'effective'): number =>
  Object.values(life.faults).reduce((sum, kind) => sum + kind[count], 0);

const LIFE_COLUMNS: readonly CsvColumn<LifeFigures>[] = [
  column('scenario', 'Name of the scenario.', (life) => life.scenario),
  column('seed', 'Seed of the life.', (life) => life.seed),
  column('plan_hash', 'Names the plan: equal hashes, equal plans.', (life) => life.planHash),
  column('digest', 'Of everything that happened: equal digests, equal lives.', (life) => life.digest),
  column(
    'expect',
    'What the scenario expects: `exactly-once`, `at-least-once` or `at-most-once`.',
    (life) => life.expect,
  ),
  column(
    'verdict',
    '`passed`, `violated`, `not-live` or `inconclusive`, against what is expected.',
    (life) => life.verdict,
  ),
  column('signature', '`judge/anomaly` of what failed the life; empty when it passed.', (life) => life.signature),
  column('has_duplicates', 'Whether output or state had something twice.', (life) => life.duplicates),
  column('virtual_us', 'Length of the life in virtual time, microseconds.', (life) => life.virtualUs),
  column('events', 'Events of the simulation.', (life) => life.events),
  column('records_in', 'Records read from the log for the first time.', (life) => life.records.in),
  column('records_out', 'Records that readers of the sink can see.', (life) => life.records.out),
  column('records_replayed', 'Records read again after a restart.', (life) => life.records.replayed),
  column('checkpoints_triggered', 'Checkpoints begun.', (life) => life.checkpoints.triggered),
  column('checkpoints_completed', 'Checkpoints completed.', (life) => life.checkpoints.completed),
  column('checkpoints_aborted', 'Checkpoints aborted, for any reason.', (life) => life.checkpoints.aborted),
  column('checkpoints_expired', 'Of those, timed out.', (life) => life.checkpoints.expired),
  column('checkpoints_declined', 'Of those, declined by a task.', (life) => life.checkpoints.declined),
  column('faults_planned', 'Faults of the plan.', (life) => sumOf(life, 'planned')),
  column('faults_effective', 'Faults that changed anything.', (life) => sumOf(life, 'effective')),
  column('restarts', 'Restarts of the job.', (life) => life.restarts),
  column('failovers', 'Changes of the leading JobManager after the first.', (life) => life.failovers),
  column(
    'latency_p50_us',
    'Readable at the log to visible at the sink, median, microseconds.',
    (life) => life.latency.p50Us,
  ),
  column('latency_p99_us', 'The same, 99th percentile, microseconds.', (life) => life.latency.p99Us),
  column('latency_us_max', 'The same, greatest, microseconds.', (life) => life.latency.maxUs),
  column(
    'swarm',
    'What the seed drew, `path=value;...`, of faults the numbers and kinds of the rules it has; empty unless the scenario is a swarm.',
    (life) => swarmText(life.swarm),
  ),
];

const CHECKPOINT_COLUMNS: readonly CsvColumn<OfLife<CheckpointRecord>>[] = [
  column('scenario', 'Name of the scenario.', ({ life }) => life.scenario),
  column('seed', 'Seed of the life.', ({ life }) => life.seed),
  column('checkpoint_id', 'Id of the checkpoint; rises over the whole life.', ({ part }) => part.checkpointId),
  column('leader_epoch', 'Epoch of the leader that triggered it.', ({ part }) => part.epoch),
  column('triggered_at_us', 'Virtual time of the trigger, microseconds.', ({ part }) => part.triggeredAtUs),
  column('ended_at_us', 'Virtual time of its end, microseconds; empty while pending.', ({ part }) =>
    part.outcome === 'pending' ? '' : part.endedAtUs,
  ),
  column('outcome', '`completed`, `aborted` or `pending` at the end of the life.', ({ part }) => part.outcome),
  column('reason', 'Failure reason when aborted, else empty.', ({ part }) => part.reason),
  column('duration_us', 'Trigger to last acknowledgement, microseconds; empty unless completed.', ({ part }) =>
    part.outcome === 'completed' ? part.endToEndUs : '',
  ),
  column(
    'start_delay_us_max',
    'Trigger to first barrier, slowest task, microseconds.',
    ({ part }) => part.startDelayUsMax,
  ),
  column('alignment_us_max', 'First to last barrier, slowest task, microseconds.', ({ part }) => part.alignmentUsMax),
  column('sync_us_max', 'Synchronous part of the snapshot, slowest task, microseconds.', ({ part }) => part.syncUsMax),
  column(
    'async_us_max',
    'Asynchronous part of the snapshot, slowest task, microseconds.',
    ({ part }) => part.asyncUsMax,
  ),
  column('state_bytes', 'Bytes of state persisted.', ({ part }) => part.stateBytes),
  column(
    'records_in_flight',
    'Records that waited in blocked channels when alignment ended.',
    ({ part }) => part.recordsInFlight,
  ),
  column('tasks_acknowledged', 'Tasks that acknowledged.', ({ part }) => part.acknowledged),
  column('tasks_required', 'Tasks that had to.', ({ part }) => part.required),
  column('checkpoint_type', '`checkpoint`, or the kind of savepoint.', ({ part }) => part.type),
  column('unaligned', 'Whether the barrier overtook records at a task.', ({ part }) => part.unaligned),
  column(
    'checkpointed_bytes',
    'Of `state_bytes`, what this checkpoint wrote itself.',
    ({ part }) => part.checkpointedBytes,
  ),
  column('processed_bytes', 'Bytes read between first and last barrier, all tasks.', ({ part }) => part.bytesProcessed),
  column('processed_bytes_max', 'The same, of the task that read most.', ({ part }) => part.bytesProcessedMax),
  column('persisted_bytes', 'Bytes of in-flight data in the checkpoint, all tasks.', ({ part }) => part.bytesPersisted),
  column('persisted_bytes_max', 'The same, of the task that has most.', ({ part }) => part.bytesPersistedMax),
];

const SUBTASK_COLUMNS: readonly CsvColumn<OfSubtask>[] = [
  column('scenario', 'Name of the scenario.', ({ life }) => life.scenario),
  column('seed', 'Seed of the life.', ({ life }) => life.seed),
  column('checkpoint_id', 'Id of the checkpoint.', ({ part }) => part.checkpointId),
  column('vertex', 'Index of the task (vertex) in the job graph.', ({ part }) => part.vertex),
  column('task', 'Name of the task.', ({ part }) => part.task),
  column('subtask', 'Index of the subtask, from 0.', ({ part }) => part.subtask),
  column('attempt', 'Id of its execution attempt.', ({ part }) => part.attempt),
  column('status', '`completed` if its acknowledgement counted, else `pending_or_failed`.', ({ part }) =>
    part.metrics === undefined ? 'pending_or_failed' : 'completed',
  ),
  column('acknowledged_at_us', 'Virtual time at which its acknowledgement arrived, microseconds.', ({ part }) =>
    unlessNever(part.acknowledgedAtUs),
  ),
  column('end_to_end_us', 'Trigger to that, microseconds.', ({ part, triggeredAtUs }) =>
    part.metrics === undefined ? '' : subtaskEndToEndUs(triggeredAtUs, part.acknowledgedAtUs),
  ),
  figure(
    'start_delay_us',
    'Trigger to first barrier (at a source: to the trigger message), microseconds.',
    'startDelayUs',
  ),
  figure('alignment_us', 'First to last barrier, microseconds; 0 at a source.', 'alignmentUs'),
  figure('sync_us', 'Synchronous part of the snapshot, microseconds.', 'syncUs'),
  figure('async_us', 'Asynchronous part, until all is durable, microseconds.', 'asyncUs'),
  figure('state_bytes', 'Bytes of state that the checkpoint refers to.', 'stateBytes'),
  figure('checkpointed_bytes', 'Of those, bytes this checkpoint wrote itself.', 'checkpointedBytes'),
  figure('processed_bytes', 'Bytes read between first and last barrier.', 'bytesProcessedDuringAlignment'),
  figure(
    'persisted_bytes',
    'Bytes of in-flight data in the checkpoint; 0 if aligned.',
    'bytesPersistedDuringAlignment',
  ),
  figure('records_in_flight', 'Records that waited in blocked channels when alignment ended.', 'recordsInFlight'),
  figure('unaligned', 'Whether the barrier overtook records here.', 'unaligned'),
];

const FAULT_COLUMNS: readonly CsvColumn<OfLife<FaultRecord>>[] = [
  column('scenario', 'Name of the scenario.', ({ life }) => life.scenario),
  column('seed', 'Seed of the life.', ({ life }) => life.seed),
  column('fault_id', 'Id of the fault in its plan.', ({ part }) => part.id),
  column('label', 'Kind of fault, for example `partition/one-way`.', ({ part }) => part.label),
  column('target', 'Nodes it strikes.', ({ part }) => part.target),
  column('started', 'Whether its trigger was reached.', ({ part }) => part.startedAtUs >= 0),
  column('effective', 'Whether it changed anything.', ({ part }) => part.effective),
  column('started_at_us', 'Virtual time of its start, microseconds; empty if never.', ({ part }) =>
    unlessNever(part.startedAtUs),
  ),
  column('ended_at_us', 'Virtual time of its end, microseconds; empty if never.', ({ part }) =>
    unlessNever(part.endedAtUs),
  ),
];

const PROBE_COLUMNS: readonly CsvColumn<OfLife<readonly [string, number]>>[] = [
  column('scenario', 'Name of the scenario.', ({ life }) => life.scenario),
  column('seed', 'Seed of the life.', ({ life }) => life.seed),
  column('probe', 'The rare situation that occurred (docs/probes.md).', ({ part }) => part[0]),
  column('times', 'How often.', ({ part }) => part[1]),
];

const MARGIN_COLUMNS: readonly CsvColumn<OfLife<readonly [MarginSpec, Margin]>>[] = [
  column('scenario', 'Name of the scenario.', ({ life }) => life.scenario),
  column('seed', 'Seed of the life.', ({ life }) => life.seed),
  column('judge', 'Who draws the line.', ({ part }) => part[0].judge),
  column('margin', 'What was measured (docs/margins.md).', ({ part }) => part[0].name),
  column('unit', '`us` or `count`.', ({ part }) => part[0].unit),
  column('value', 'The least in this life: less is nearer, 0 is the line.', ({ part }) => part[1].value),
  column('event', 'Index in the history at which it came so near; empty: the end.', ({ part }) =>
    unlessNever(part[1].at),
  ),
];

/** Only of lives that were asked for their subtasks. */
export const SUBTASKS_FILE = 'subtasks.csv';

function subtaskCells(life: LifeFigures): CsvValue[][] {
  const triggered = new Map(life.checkpointRecords.map((one) => [one.checkpointId, one.triggeredAtUs]));
  return life.subtaskRecords.map((part) => {
    const triggeredAtUs = triggered.get(part.checkpointId) ?? 0;
    return SUBTASK_COLUMNS.map(({ value }) => value({ life, part, triggeredAtUs }));
  });
}

export const CSV_TABLES: readonly CsvTable[] = [
  {
    file: 'lives.csv',
    sentence: 'One row per life.',
    columns: LIFE_COLUMNS,
    cells: (life) => [LIFE_COLUMNS.map(({ value }) => value(life))],
  },
  {
    file: 'checkpoints.csv',
    sentence: 'One row per checkpoint that was triggered.',
    columns: CHECKPOINT_COLUMNS,
    cells: (life) => life.checkpointRecords.map((part) => CHECKPOINT_COLUMNS.map(({ value }) => value({ life, part }))),
  },
  {
    file: SUBTASKS_FILE,
    sentence:
      'One row per checkpoint and subtask it asked for. Written for a single life, and by `sweep --out --subtasks`; fields after `status` are empty for who has not acknowledged.',
    columns: SUBTASK_COLUMNS,
    cells: subtaskCells,
  },
  {
    file: 'faults.csv',
    sentence: 'One row per fault of a plan.',
    columns: FAULT_COLUMNS,
    cells: (life) => life.faultRecords.map((part) => FAULT_COLUMNS.map(({ value }) => value({ life, part }))),
  },
  {
    file: 'margins.csv',
    sentence: 'One row per life and margin that applies to it: how near it came to a violation.',
    columns: MARGIN_COLUMNS,
    cells: (life) =>
      MARGINS.flatMap((spec) => {
        const margin = life.margins[spec.name];
        return margin === undefined ? [] : [MARGIN_COLUMNS.map(({ value }) => value({ life, part: [spec, margin] }))];
      }),
  },
  {
    file: 'probes.csv',
    sentence: 'One row per life and rare situation that occurred in it.',
    columns: PROBE_COLUMNS,
    cells: (life) => Object.entries(life.probes).map((part) => PROBE_COLUMNS.map(({ value }) => value({ life, part }))),
  },
];

/** Cells to CSV text. Without the cast csv-stringify would write truth values as `1` and nothing. */
export function csvText(cells: readonly (readonly CsvValue[])[]): string {
  return cells.length === 0 ? '' : stringify(cells as CsvValue[][], { cast: { boolean: String } });
}

export const csvHeader = (table: CsvTable): string => csvText([table.columns.map(({ name }) => name)]);
export const csvRows = (table: CsvTable, lives: readonly LifeFigures[]): string => csvText(lives.flatMap(table.cells));

/** docs/csv-columns.md. */
export function csvColumnsDocument(): string {
  const parts = CSV_TABLES.map(
    ({ file, sentence, columns }) =>
      `## ${file}\n\n${sentence}\n\n| column | meaning |\n|---|---|\n${columns.map((one) => `| \`${one.name}\` | ${one.sentence} |`).join('\n')}\n`,
  );
  return `# Columns of the CSV files\n\nWritten by \`sweep --out\`, \`run --report\` and \`start\`. All times are virtual, so the same lives give the same bytes\non every machine and for any number of workers. Wall-clock time is in \`lives.jsonl\` only. This file is made from\n\`reports/csv-tables.ts\`; a test keeps it current.\n\n${parts.join('\n')}`;
}

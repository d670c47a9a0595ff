/**
 * The checkpoints of one life as Flink's web interface tells them: the history, and below each checkpoint its tasks and a bar per subtask
 * (start delay, alignment, synchronous and asynchronous part, the way of the acknowledgement), to see at a glance who was slow, and where.
 *
 * Owns: tables and bars. Does not own: figures (the run record; the tasks are added up by sim/statistics/).
 * I1: the same life gives the same bytes; colours come from the page's style sheet.
 * I2: a life that was not asked for its subtasks has the history alone.
 * I3: bars of one checkpoint share one scale, from its trigger to its latest acknowledgement.
 */
import { scaleLinear } from 'd3-scale';
import type { CheckpointRecord, SubtaskRecord } from '../sim/run-record.ts';
import { subtaskEndToEndUs, taskStatistics } from '../sim/statistics/task-statistics.ts';
import { escapeHtml, htmlTable } from './html-text.ts';
import type { LifeFigures } from './life-figures.ts';

/** Checkpoints that are listed, newest first; the CSV files have all. */
const CHECKPOINTS_MAX = 60;
/** Bars of one checkpoint. */
const SUBTASKS_MAX = 64;
const US_PER_SECOND = 1_000_000;
const US_PER_MS = 1_000;

const WIDTH = 960;
const LEFT = 230;
const RIGHT = 90;
const TOP = 22;
const ROW = 16;
const BAR = 11;
const TICKS = 6;

/** The parts of a bar, in the order of time; `rest` is what the acknowledgement took from the task to the coordinator. */
const PARTS = [
  { style: 'delay', name: 'start delay' },
  { style: 'align', name: 'alignment' },
  { style: 'sync', name: 'sync' },
  { style: 'async', name: 'async' },
  { style: 'rest', name: 'acknowledgement under way' },
] as const;

const HISTORY_COLUMNS = [
  { head: 'id', number: true },
  { head: 'status' },
  { head: 'type' },
  { head: 'acknowledged', number: true },
  { head: 'trigger, s', number: true },
  { head: 'latest ack, s', number: true },
  { head: 'end to end, ms', number: true },
  { head: 'checkpointed', number: true },
  { head: 'full state', number: true },
  { head: 'processed', number: true },
  { head: 'persisted', number: true },
];

const TASK_COLUMNS = [
  { head: 'task' },
  { head: 'acknowledged', number: true },
  { head: 'latest ack, s', number: true },
  { head: 'end to end, ms', number: true },
  { head: 'checkpointed', number: true },
  { head: 'full state', number: true },
  { head: 'processed', number: true },
  { head: 'persisted', number: true },
];

export function checkpointHistory(life: LifeFigures): string {
  if (life.checkpointRecords.length === 0) return '<p class="soft">None.</p>';
  const newestFirst = [...life.checkpointRecords].reverse();
  const shown = newestFirst.slice(0, CHECKPOINTS_MAX);
  const rest = newestFirst.length - shown.length;
  const note = rest > 0 ? `<p class="soft">The last ${shown.length}; ${rest} more in checkpoints.csv.</p>` : '';
  const rows = shown.map((one) => ({ cells: historyCells(one) }));
  const parts = partsByCheckpoint(life.subtaskRecords);
  const drill = shown.flatMap((one) => checkpointDetails(one, parts.get(one.checkpointId) ?? []));
  const legend =
    drill.length === 0
      ? ''
      : `<p class="legend">${PARTS.map(({ style, name }) => `<span class="${style}"></span>${name}`).join(' ')}</p>`;
  return `${note}${htmlTable(HISTORY_COLUMNS, rows)}${legend}${drill.join('\n')}`;
}

function historyCells(one: CheckpointRecord): string[] {
  const hasDuration = one.outcome === 'completed' && one.latestAcknowledgedAtUs >= 0;
  return [
    String(one.checkpointId),
    `<span class="c ${one.outcome}">${one.outcome}</span>${one.reason === '' ? '' : ` ${escapeHtml(one.reason)}`}`,
    one.unaligned ? `${one.type}, unaligned` : one.type,
    `${one.acknowledged} of ${one.required}`,
    seconds(one.triggeredAtUs),
    seconds(one.latestAcknowledgedAtUs),
    hasDuration ? milliseconds(one.endToEndUs) : '',
    bytes(one.checkpointedBytes),
    bytes(one.stateBytes),
    bytes(one.bytesProcessed),
    bytes(one.bytesPersisted),
  ];
}

function checkpointDetails(one: CheckpointRecord, parts: readonly SubtaskRecord[]): string[] {
  if (parts.length === 0) return [];
  const byTask = new Map<number, SubtaskRecord[]>();
  for (const part of parts) byTask.set(part.vertex, [...(byTask.get(part.vertex) ?? []), part]);
  const rows = [...byTask.values()].map((ofTask) => {
    const task = taskStatistics(one, 'COMPLETED', ofTask);
    return {
      cells: [
        escapeHtml(ofTask[0]?.task ?? ''),
        `${task.num_acknowledged_subtasks} of ${task.num_subtasks}`,
        task.latest_ack_timestamp < 0 ? '' : (task.latest_ack_timestamp / 1_000).toFixed(3),
        task.end_to_end_duration < 0 ? '' : String(task.end_to_end_duration),
        bytes(task.checkpointed_size),
        bytes(task.state_size),
        bytes(task.processed_data),
        bytes(task.persisted_data),
      ],
    };
  });
  const title = `checkpoint ${one.checkpointId}: <span class="c ${one.outcome}">${one.outcome}</span>, ${one.acknowledged} of ${one.required} subtasks`;
  return [
    `<details class="checkpoint"><summary>${title}</summary>${htmlTable(TASK_COLUMNS, rows)}${subtaskBars(one, parts)}</details>`,
  ];
}

/** One bar per subtask; who has not acknowledged has none. */
function subtaskBars(one: CheckpointRecord, parts: readonly SubtaskRecord[]): string {
  const shown = parts.slice(0, SUBTASKS_MAX);
  const endUs = Math.max(1, ...shown.map((part) => subtaskEndToEndUs(one.triggeredAtUs, part.acknowledgedAtUs)));
  const x = scaleLinear()
    .domain([0, endUs / US_PER_MS])
    .range([LEFT, WIDTH - RIGHT]);
  const counts = new Map<number, number>();
  for (const { vertex } of parts) counts.set(vertex, (counts.get(vertex) ?? 0) + 1);
  const height = TOP + shown.length * ROW + (shown.length < parts.length ? ROW : 0) + 4;
  const ticks = x.ticks(TICKS).map((tick) => {
    const px = fixed(x(tick));
    return `<line class="grid" x1="${px}" x2="${px}" y1="${TOP - 6}" y2="${height}"/><text class="tick" x="${px}" y="${TOP - 9}" text-anchor="middle">${tick} ms</text>`;
  });
  const rows = shown.map((part, index) => {
    const y = TOP + index * ROW;
    const name = `${part.task} (${part.subtask + 1}/${counts.get(part.vertex) ?? 1})`;
    const label = `<text class="label" x="${LEFT - 8}" y="${y + BAR - 1}" text-anchor="end">${escapeHtml(shortened(name))}</text>`;
    return `${label}${barOf(one, part, { y, name, at: (us) => x(us / US_PER_MS) })}`;
  });
  const omitted = parts.length - shown.length;
  const note =
    omitted === 0
      ? ''
      : `<text class="tick" x="${LEFT}" y="${TOP + shown.length * ROW + BAR}">${omitted} more in subtasks.csv</text>`;
  return `<svg class="subtasks" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Subtasks of checkpoint ${one.checkpointId}">\n${[...ticks, ...rows, note].join('\n')}\n</svg>`;
}

function barOf(
  one: CheckpointRecord,
  { metrics, acknowledgedAtUs }: SubtaskRecord,
  { y, name, at }: { readonly y: number; readonly name: string; readonly at: (us: number) => number },
): string {
  if (metrics === undefined)
    return `<text class="tick" x="${LEFT + 4}" y="${y + BAR - 1}">pending or failed: no figures</text>`;
  const endUs = subtaskEndToEndUs(one.triggeredAtUs, acknowledgedAtUs);
  const { startDelayUs, alignmentUs, syncUs, asyncUs } = metrics;
  const lengths = [startDelayUs, alignmentUs, syncUs, asyncUs];
  const restUs = Math.max(0, endUs - lengths.reduce((sum, us) => sum + us, 0));
  let fromUs = 0;
  const rects = [...lengths, restUs].map((lengthUs, index) => {
    const start = at(fromUs);
    fromUs += lengthUs;
    if (lengthUs === 0) return '';
    return `<rect class="${PARTS[index]?.style ?? ''}" x="${fixed(start)}" y="${y}" width="${fixed(at(fromUs) - start)}" height="${BAR}"/>`;
  });
  const figures = PARTS.map(({ name: part }, index) => `${part} ${milliseconds([...lengths, restUs][index] ?? 0)} ms`);
  const title = `${name}: ${figures.join(', ')}; ${bytes(metrics.stateBytes)} of state, ${bytes(metrics.bytesProcessedDuringAlignment)} processed, ${bytes(metrics.bytesPersistedDuringAlignment)} persisted in flight${metrics.unaligned ? ', unaligned' : ''}`;
  const total = `<text class="tick" x="${fixed(at(endUs) + 6)}" y="${y + BAR - 1}">${milliseconds(endUs)} ms</text>`;
  return `<g><title>${escapeHtml(title)}</title>${rects.join('')}${total}</g>`;
}

function partsByCheckpoint(records: readonly SubtaskRecord[]): Map<number, SubtaskRecord[]> {
  const parts = new Map<number, SubtaskRecord[]>();
  for (const part of records) {
    const list = parts.get(part.checkpointId);
    if (list === undefined) parts.set(part.checkpointId, [part]);
    else list.push(part);
  }
  return parts;
}

/** Letters that fit left of the bars. */
const LABEL_LETTERS = 36;

/** The end tells subtasks apart: what is too long loses its middle. */
const shortened = (name: string): string =>
  name.length <= LABEL_LETTERS ? name : `${name.slice(0, LABEL_LETTERS - 14)}…${name.slice(-13)}`;
const seconds = (us: number): string => (us < 0 ? '' : (us / US_PER_SECOND).toFixed(3));
const milliseconds = (us: number): string => String(us / US_PER_MS);
const fixed = (value: number): string => String(Math.round(value * 10) / 10);

const UNITS = ['B', 'KiB', 'MiB', 'GiB'] as const;

function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

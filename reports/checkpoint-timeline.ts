/**
 * The checkpoints and faults of one life over virtual time, as SVG: a bar per checkpoint from trigger to end, a bar per fault
 * from start to end, and below the duration of each completed checkpoint.
 *
 * I1: the same life gives the same bytes. Colours come from the page's style sheet, so that the picture follows light and dark.
 */
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { escapeHtml } from './html-text.ts';
import type { LifeFigures } from './life-figures.ts';

const WIDTH = 960;
const LEFT = 150;
const RIGHT = 20;
const TOP = 24;
const ROW = 16;
const BAR = 11;
const CHART_HEIGHT = 90;
const GAP = 34;
const TICKS = 10;
/** Rows beyond this are left out and counted: the CSV files have all. */
const ROWS_MAX = 60;
const US_PER_SECOND = 1_000_000;
const US_PER_MS = 1_000;
/** What happened at one instant is still to be seen. */
const BAR_WIDTH_MIN = 2;

interface Bar {
  readonly label: string;
  readonly title: string;
  readonly style: string;
  readonly startUs: number;
  readonly endUs: number;
}

type Scale = (value: number) => number;

export function checkpointTimeline(life: LifeFigures): string {
  const bars = [...checkpointBars(life), ...faultBars(life)];
  const shown = bars.slice(0, ROWS_MAX);
  const endUs = Math.max(life.virtualUs, 1, ...shown.map((bar) => bar.endUs));
  const x = scaleLinear()
    .domain([0, endUs / US_PER_SECOND])
    .range([LEFT, WIDTH - RIGHT]);
  const barsEnd = TOP + shown.length * ROW;
  const chartTop = barsEnd + GAP;
  const height = chartTop + CHART_HEIGHT + GAP;
  const at: Scale = (atUs) => x(atUs / US_PER_SECOND);
  const ticks = x.ticks(TICKS).map((tick) => {
    const px = fixed(x(tick));
    return `<line class="grid" x1="${px}" x2="${px}" y1="${TOP - 6}" y2="${chartTop + CHART_HEIGHT}"/><text class="tick" x="${px}" y="${TOP - 10}" text-anchor="middle">${tick} s</text>`;
  });
  const rows = shown.map((bar, index) => barSvg(bar, TOP + index * ROW, at));
  const omitted = bars.length - shown.length;
  const note =
    omitted === 0 ? '' : `<text class="tick" x="${LEFT}" y="${barsEnd + 14}">${omitted} more in the CSV files</text>`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Checkpoints and faults over virtual time">`,
    ...ticks,
    ...rows,
    note,
    durationChart(life, at, chartTop),
    '</svg>',
  ].join('\n');
}

function checkpointBars(life: LifeFigures): Bar[] {
  return life.checkpointRecords.map((record) => ({
    label: `checkpoint ${record.checkpointId}`,
    title: `checkpoint ${record.checkpointId}: ${record.outcome}${record.reason === '' ? '' : `, ${record.reason}`}, ${record.acknowledged} of ${record.required} tasks`,
    style: record.outcome,
    startUs: record.triggeredAtUs,
    endUs: record.outcome === 'pending' ? life.virtualUs : record.endedAtUs,
  }));
}

function faultBars(life: LifeFigures): Bar[] {
  return life.faultRecords
    .filter((record) => record.startedAtUs >= 0)
    .map((record) => ({
      label: record.label,
      title: `${record.id} ${record.label} at ${record.target}${record.effective ? '' : ', without effect'}`,
      style: record.effective ? 'fault' : 'fault idle',
      startUs: record.startedAtUs,
      endUs: record.endedAtUs < 0 ? life.virtualUs : record.endedAtUs,
    }));
}

function barSvg(bar: Bar, y: number, at: Scale): string {
  const start = at(bar.startUs);
  const width = Math.max(BAR_WIDTH_MIN, at(Math.max(bar.endUs, bar.startUs)) - start);
  const label = `<text class="label" x="${LEFT - 8}" y="${y + BAR - 1}" text-anchor="end">${escapeHtml(bar.label)}</text>`;
  return `${label}<rect class="${bar.style}" x="${fixed(start)}" y="${y}" width="${fixed(width)}" height="${BAR}" rx="2"><title>${escapeHtml(bar.title)}</title></rect>`;
}

function durationChart(life: LifeFigures, at: Scale, top: number): string {
  const completed = life.checkpointRecords.filter((record) => record.outcome === 'completed');
  const greatestMs = Math.max(1, ...completed.map((record) => record.endToEndUs / US_PER_MS));
  const y = scaleLinear()
    .domain([0, greatestMs])
    .nice()
    .range([top + CHART_HEIGHT, top]);
  const path = line<(typeof completed)[number]>()
    .x((record) => at(record.triggeredAtUs))
    .y((record) => y(record.endToEndUs / US_PER_MS))
    .digits(1)(completed);
  const dots = completed.map(
    (record) =>
      `<circle class="completed" cx="${fixed(at(record.triggeredAtUs))}" cy="${fixed(y(record.endToEndUs / US_PER_MS))}" r="3"><title>checkpoint ${record.checkpointId}: ${record.endToEndUs / US_PER_MS} ms</title></circle>`,
  );
  const ticks = y
    .ticks(3)
    .map((tick) => `<text class="tick" x="${LEFT - 8}" y="${fixed(y(tick) + 4)}" text-anchor="end">${tick} ms</text>`);
  const title = `<text class="label" x="${LEFT}" y="${top - 10}">duration of completed checkpoints</text>`;
  return [title, ...ticks, `<path class="curve" d="${path ?? ''}"/>`, ...dots].join('\n');
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10);

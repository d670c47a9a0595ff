/** A line plot as a self-contained SVG file: logarithmic x, linear y from 0, a legend. The same data give the same bytes. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { BenchPlot } from '../bench/index.ts';
import { escapeHtml } from './html-text.ts';

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 64, right: 20, top: 64, bottom: 48 };
/** Readable for the colour-blind (Okabe and Ito), on light and dark. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'] as const;
const Y_TICKS = 6;
const LEGEND_WIDTH = 170;

export function linePlot({ title, xAxis, yAxis, series }: BenchPlot): string {
  const points = series.flatMap((one) => one.points);
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((left, right) => left - right);
  const ys = points.map(({ y }) => y);
  const x = scaleLog()
    .domain([Math.min(...xs, 1), Math.max(...xs, 1.001)])
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear()
    .domain([Math.min(0, ...ys), Math.max(1, ...ys)])
    .nice()
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const path = line<(typeof points)[number]>()
    .x((point) => x(point.x))
    .y((point) => y(point.y))
    .digits(1);
  const xTicks = xs.map(
    (tick) =>
      `<line class="g" x1="${fixed(x(tick))}" x2="${fixed(x(tick))}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"/><text x="${fixed(x(tick))}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${tick}</text>`,
  );
  const yTicks = y
    .ticks(Y_TICKS)
    .map(
      (tick) =>
        `<line class="g" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/><text x="${MARGIN.left - 8}" y="${fixed(y(tick) + 4)}" text-anchor="end">${tick}</text>`,
    );
  const lines = series.map((one, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#888';
    const dots = one.points
      .map((point) => `<circle cx="${fixed(x(point.x))}" cy="${fixed(y(point.y))}" r="3" fill="${colour}"/>`)
      .join('');
    const legendX = MARGIN.left + index * LEGEND_WIDTH;
    const legend = `<rect x="${legendX}" y="38" width="12" height="4" fill="${colour}"/><text x="${legendX + 18}" y="44">${escapeHtml(one.name)}</text>`;
    return `<path d="${path([...one.points]) ?? ''}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}${legend}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#1c2328}.t{font-size:15px;font-weight:600}.g{stroke:#8886;stroke-width:.5}.bg{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e4e9ec}.bg{fill:#14181b}}</style>',
    `<rect class="bg" width="${WIDTH}" height="${HEIGHT}"/><text class="t" x="${MARGIN.left}" y="22">${escapeHtml(title)}</text>`,
    ...xTicks,
    ...yTicks,
    ...lines,
    `<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 10}" text-anchor="end">${escapeHtml(xAxis)}</text>`,
    `<text x="${MARGIN.left}" y="${MARGIN.top - 6}">${escapeHtml(yAxis)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10);

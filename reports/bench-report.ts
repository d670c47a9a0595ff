/**
 * A benchmark's result as files: a CSV per table, an SVG per plot, one Markdown summary.
 *
 * I1: virtual and wall-clock figures never stand in one table; each table says which it has.
 */
import type { BenchResult, BenchTable } from '../bench/index.ts';
import { csvText } from './csv-tables.ts';
import { linePlot } from './line-plot.ts';
import { table } from './markdown-summary.ts';

export interface ReportFile {
  readonly name: string;
  readonly text: string;
}

export function benchFiles(result: BenchResult): ReportFile[] {
  return [
    ...result.tables.map((one) => ({
      name: `${one.name}.csv`,
      text: csvText([one.columns.map(({ name }) => name), ...one.rows]),
    })),
    ...result.plots.map((plot) => ({ name: `${plot.name}.svg`, text: linePlot(plot) })),
    { name: `${result.suite}.md`, text: benchMarkdown(result) },
  ];
}

export function benchMarkdown({ suite, tables, plots, notes }: BenchResult): string {
  const parts = [
    `# Suite \`${suite}\``,
    notes.map((note) => `- ${note}`).join('\n'),
    ...plots.map(({ name, title }) => `![${title}](${name}.svg)`),
    ...tables.filter((one) => one.isDetail !== true).map(tableMarkdown),
  ];
  return `${parts.join('\n\n')}\n`;
}

function tableMarkdown({ title, kind, columns, rows, name }: BenchTable): string {
  const clock =
    kind === 'virtual' ? 'Virtual time: exact, the same on every machine.' : 'Wall clock: noisy, of this machine.';
  const legend = columns.map((column) => `- \`${column.name}\`: ${column.sentence}`).join('\n');
  return `## ${title}\n\n${clock} File: ${name}.csv\n\n${table(
    columns.map((column) => column.name),
    rows,
  ).join('\n')}\n\n${legend}`;
}

/** What a person sees of lives: a table of figures and one of faults. */
import Table from 'cli-table3';
import { type DocumentPart, reachedProbes, type SweepSums } from '../reports/index.ts';

const US_PER_MS = 1_000;
const MS_PER_S = 1_000;

export interface FiguresInput {
  readonly sums: SweepSums;
  readonly wallMs: number;
  /** Of a single life; absent for many. */
  readonly latency?: { readonly p50Us: number; readonly p99Us: number; readonly maxUs: number };
}

export function figuresTable({ sums, wallMs, latency }: FiguresInput): string {
  const { verdicts, checkpoints, records } = sums;
  const rows: [string, string][] = [
    [
      sums.lives === 1 ? 'life' : 'lives',
      sums.lives === 1
        ? (Object.entries(verdicts).find(([, count]) => count > 0)?.[0] ?? '')
        : `${grouped(sums.lives)}: ${verdicts.passed} passed, ${verdicts.violated} violated, ${verdicts['not-live']} not live, ${verdicts.inconclusive} inconclusive`,
    ],
    ['simulated time', `${grouped(Math.round(sums.virtualMs / MS_PER_S))} s, ${timesWall(sums.virtualMs, wallMs)}`],
    [
      'wall time',
      `${(wallMs / MS_PER_S).toFixed(2)} s${sums.lives > 1 ? `, ${perSecond(sums.lives, wallMs)} lives a second` : ''}`,
    ],
    ['records', `${grouped(records.in)} in, ${grouped(records.out)} out, ${grouped(records.replayed)} replayed`],
    [
      'checkpoints',
      `${grouped(checkpoints.triggered)} triggered, ${grouped(checkpoints.completed)} completed, ${grouped(checkpoints.aborted)} aborted (${checkpoints.expired} expired, ${checkpoints.declined} declined)`,
    ],
    ['restarts', `${grouped(sums.restarts)}, leader changes ${grouped(sums.failovers)}`],
    [
      'duplicates',
      sums.livesWithDuplicates === 0
        ? 'none seen'
        : `seen in ${grouped(sums.livesWithDuplicates)} ${sums.lives === 1 ? 'life' : 'lives'}`,
    ],
    ...(latency === undefined
      ? []
      : [
          ['latency', `median ${latency.p50Us / US_PER_MS} ms, p99 ${latency.p99Us / US_PER_MS} ms`] as [
            string,
            string,
          ],
        ]),
    ['rare situations', rareText(sums)],
    ['events', grouped(sums.events)],
    ['digest', sums.digest],
  ];
  const figures = plainTable([], rows);
  const faults = Object.entries(sums.faults).map(([label, { planned, effective }]) => [
    label,
    grouped(planned),
    grouped(effective),
  ]);
  return faults.length === 0 ? figures : `${figures}\n${plainTable(['fault', 'planned', 'effective'], faults)}`;
}

function rareText(sums: SweepSums): string {
  const all = reachedProbes(sums);
  return `${all.filter(({ times }) => times > 0).length} of ${all.length} reached`;
}

/** A table without colours; numbers need no alignment of their own in two columns. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    ...(head.length === 0 ? {} : { head: [...head] }),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** What is Markdown in a document, on a terminal: tables are drawn, and marks of code and of weight go. */
export function plainParts(parts: readonly DocumentPart[]): string {
  const plain = (text: string | number): string => String(text).replaceAll(/`|\*\*/g, '');
  const drawn = parts.map((part) =>
    typeof part === 'string'
      ? plain(part)
      : plainTable(
          part.head.map(plain),
          part.rows.map((row) => row.map(plain)),
        ),
  );
  return drawn.join('\n');
}

/** 1234567 as 1,234,567, without asking the machine's locale. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

export const perSecond = (count: number, wallMs: number): number =>
  wallMs > 0 ? Math.round((count * MS_PER_S * 10) / wallMs) / 10 : 0;

const timesWall = (virtualMs: number, wallMs: number): string =>
  wallMs > 0 ? `${grouped(Math.round(virtualMs / wallMs))} times wall time` : 'in no time';

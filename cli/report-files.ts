/**
 * report.html and summary.md of a result folder, made from lives.jsonl.
 *
 * I1: memory is bounded: the page lists at most `LIVES_MAX` lives, failing ones first; the sums are those of all.
 */
import { htmlReport, markdownSummary, type ReportLife, SweepSummary } from '../reports/index.ts';
import { joinPath, packageVersion, write } from './files.ts';
import { storedRows } from './result-store.ts';
import type { LifeRow } from './life-row.ts';
import { NO_LONG_PARTS } from './sweep-run.ts';

const LIVES_MAX = 2_000;
/** Of a life that is only listed, its long parts are not kept. */
const DETAILED_MAX = 24;

export interface ReportFilesOptions {
  readonly folder: string;
  readonly title: string;
  readonly replayOf: (row: LifeRow) => string;
}

export interface ReportFiles {
  readonly lives: number;
  readonly html: string;
  readonly markdown: string;
}

export function writeReport({ folder, title, replayOf }: ReportFilesOptions): ReportFiles {
  const summary = new SweepSummary();
  const failing: ReportLife[] = [];
  const passing: ReportLife[] = [];
  let failures = 0;
  for (const row of storedRows(folder)) {
    summary.add(row);
    const list = row.verdict === 'passed' ? passing : failing;
    if (list === failing) failures += 1;
    if (list.length >= LIVES_MAX) continue;
    const life = { ...row, timeline: [], replay: replayOf(row) };
    list.push(list.length < DETAILED_MAX ? life : { ...life, ...NO_LONG_PARTS });
  }
  const sums = summary.sums();
  const lives = [...failing, ...passing].slice(0, LIVES_MAX);
  const html = joinPath(folder, 'report.html');
  const markdown = joinPath(folder, 'summary.md');
  write(html, htmlReport({ title, engineVersion: packageVersion(), sums, lives }));
  write(markdown, markdownSummary({ title, sums, failures: failing, failureCount: failures }));
  return { lives: sums.lives, html, markdown };
}

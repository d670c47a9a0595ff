/** A sweep as Markdown: for a pull request, an issue, a wiki. */
import { reachedProbes, unreached } from './reached.ts';
import type { SweepSums } from './sweep-summary.ts';

export interface MarkdownInput {
  readonly title: string;
  readonly sums: SweepSums;
  /** All of them, also those that are not listed. */
  readonly failureCount: number;
  readonly failures: readonly {
    readonly seed: string;
    readonly verdict: string;
    readonly signature: string;
    readonly replay: string;
  }[];
}

const FAILURES_MAX = 50;

export function markdownSummary({ title, sums, failures, failureCount }: MarkdownInput): string {
  const { verdicts, checkpoints, records } = sums;
  const lines = [
    `# ${cell(title)}`,
    '',
    ...table(
      ['figure', 'value'],
      [
        ['lives', sums.lives],
        ['passed', verdicts.passed],
        ['violated', verdicts.violated],
        ['not live', verdicts['not-live']],
        ['inconclusive', verdicts.inconclusive],
        ['lives with duplicates', sums.livesWithDuplicates],
        ['virtual time, s', (sums.virtualMs / 1_000).toFixed(3)],
        ['events', sums.events],
        ['records in / out / replayed', `${records.in} / ${records.out} / ${records.replayed}`],
        [
          'checkpoints triggered / completed / aborted',
          `${checkpoints.triggered} / ${checkpoints.completed} / ${checkpoints.aborted}`,
        ],
        ['restarts / failovers', `${sums.restarts} / ${sums.failovers}`],
        ['digest', `\`${sums.digest}\``],
      ],
    ),
    '',
    '## Faults',
    '',
    ...table(
      ['kind', 'planned', 'effective'],
      Object.entries(sums.faults).map(([label, count]) => [label, count.planned, count.effective]),
    ),
  ];
  const never = unreached(sums).probes;
  const probes = reachedProbes(sums).filter(({ times }) => times > 0);
  lines.push(
    '',
    `## Rare situations: ${probes.length} occurred, ${never.length} never`,
    '',
    ...table(
      ['probe', 'lives', 'times'],
      probes.map(({ name, lives, times }) => [name, lives, times]),
    ),
  );
  if (failures.length > 0) {
    const shown = failures
      .slice(0, FAILURES_MAX)
      .map(({ seed, verdict, signature, replay }) => [seed, verdict, signature, `\`${replay}\``]);
    lines.push(
      '',
      `## Failing lives (${failureCount})`,
      '',
      ...table(['seed', 'verdict', 'signature', 'replay'], shown),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A Markdown table; numbers are aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((value) => cell(String(value))).join(' | ')} |`;
  const rule = head.map((_, index) =>
    rows.length > 0 && rows.every((row) => typeof row[index] === 'number') ? '---:' : '---',
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)];
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

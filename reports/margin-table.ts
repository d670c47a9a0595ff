/**
 * How near the lives of a sweep came to a violation, as a table; and docs/margins.md.
 */
import { MARGINS } from '../sim/judges/margins.ts';
import { escapeHtml, htmlTable } from './html-text.ts';
import type { SweepSums } from './sweep-summary.ts';

const US_PER_MS = 1_000;

/** A margin with its unit, for people. */
export const marginText = (unit: 'us' | 'count', value: number): string =>
  unit === 'us' ? `${value / US_PER_MS} ms` : String(value);

export function marginSection({ margins }: Pick<SweepSums, 'margins'>): string {
  const rows = MARGINS.flatMap(({ name, unit, says }) => {
    const nearest = margins[name];
    if (nearest === undefined) return [];
    const { value, scenario, seed, at, lives } = nearest;
    const where = `${escapeHtml(scenario)}, seed ${escapeHtml(seed)}${at < 0 ? ', at the end' : `, event ${at}`}`;
    return [{ cells: [`<code>${name}</code>`, says, marginText(unit, value), where, String(lives)] }];
  });
  if (rows.length === 0) return '';
  const columns = [
    { head: 'judge/margin' },
    { head: 'what was measured' },
    { head: 'least', number: true },
    { head: 'in' },
    { head: 'lives', number: true },
  ];
  return `<h2>Near misses</h2><p>Less is nearer to a violation; 0 is the line.</p>${htmlTable(columns, rows)}`;
}

/** docs/margins.md. */
export function marginsDocument(): string {
  const rows = MARGINS.map(
    ({ name, unit, says }) => `| \`${name}\` | ${unit === 'us' ? 'microseconds' : 'count'} | ${says} |`,
  );
  return `# Near misses

A judge says whether its line was crossed. A margin says how near a life came to it: the least distance seen in that life. Less is
nearer, 0 is the line itself; what does not apply to a life is absent. A sweep without a violation whose margins are never small has not
tested much; a seed whose margin is the smallest of ten thousand is the one to look at.

\`run --json\` and \`lives.jsonl\` have them as \`margins\` with the event at which the life came so near (\`replay --until\`),
\`sweep --json\` the nearest life of each, \`margins.csv\` one row per life and margin, the report a table. They are taken from events of
checkpoints, files, leaders and transactions, none of them per record but that of entries that expire, whose judge looks at each record anyway.
This file is made from [margins.ts](../sim/judges/margins.ts); a test keeps it current.

| judge/margin | unit | what is measured |
|---|---|---|
${rows.join('\n')}

The judge of upgrades has none: a version can read what it begins from or it cannot, and it is refused for a cause that was met or for none.
A RocketMQ-like broker and upserts tell of no transactions, so none of a transaction applies to them; of a pool of transactional ids nobody
can tell from outside whether an id comes back to its own writer, so \`fencing/commit-before-successor\` is that of ids that are used once.
`;
}

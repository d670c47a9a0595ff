/**
 * The HTML report: one file without outside resources, for one life or for thousands.
 *
 * Owns: the page. Does not own: which lives are shown (the caller caps them) and the replay commands.
 * I1: everything that comes from data is escaped; the embedded JSON cannot end its script element.
 * I2: details are drawn for the failing lives and the first ones, at most `DETAILS_MAX`; the table has all that were handed in.
 */
import type { Verdict } from '../sim/judges/verdict.ts';
import { checkpointHistory } from './checkpoint-history.ts';
import { checkpointTimeline } from './checkpoint-timeline.ts';
import { countOf } from './count-of.ts';
import { SCRIPT, STYLE } from './html-style.ts';
import { embeddedJson, escapeHtml, htmlTable } from './html-text.ts';
import type { LifeFigures } from './life-figures.ts';
import { marginSection } from './margin-table.ts';
import { reachedProbes } from './reached.ts';
import type { SweepSums } from './sweep-summary.ts';

export interface ReportLife extends LifeFigures {
  /** The command that lives it again. */
  readonly replay: string;
}

export interface ReportInput {
  readonly title: string;
  readonly engineVersion: string;
  readonly sums: SweepSums;
  /** In the order of the table. */
  readonly lives: readonly ReportLife[];
}

const DETAILS_MAX = 24;
const US_PER_SECOND = 1_000_000;
const US_PER_MS = 1_000;

export function htmlReport(input: ReportInput): string {
  const { title, sums, lives } = input;
  const verdict = overallVerdict(sums);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="soft">Tidemark ${escapeHtml(input.engineVersion)}</p>
<h1>${escapeHtml(title)}: <span class="v ${verdict}">${verdict}</span></h1>
<p class="soft">digest <code>${escapeHtml(sums.digest)}</code></p>
</header>
${figures(sums)}
${faultSection(sums)}
${marginSection(sums)}
${probeSection(sums)}
${livesSection(lives, sums.lives)}
${detailsSection(lives)}
<script type="application/json" id="tidemark-report">${embeddedJson({ version: 1, title, engineVersion: input.engineVersion, sums, lives: lives.map(essence) })}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** What other programs may want from the page. */
function essence({
  scenario,
  seed,
  planHash,
  digest,
  verdict,
  signature,
  replay,
}: ReportLife): Readonly<Record<string, string>> {
  return { scenario, seed, planHash, digest, verdict, signature, replay };
}

function overallVerdict({ verdicts }: SweepSums): keyof SweepSums['verdicts'] {
  return (['violated', 'not-live', 'inconclusive'] as const).find((name) => verdicts[name] > 0) ?? 'passed';
}

function figures(sums: SweepSums): string {
  const items: [string | number, string][] = [
    [sums.lives, sums.lives === 1 ? 'life' : 'lives'],
    [sums.verdicts.passed, 'passed'],
    [sums.verdicts.violated, 'violated'],
    [sums.verdicts['not-live'], 'not live'],
    [sums.verdicts.inconclusive, 'inconclusive'],
    [sums.livesWithDuplicates, 'with duplicates'],
    [`${(sums.virtualMs / 1_000).toFixed(1)} s`, 'virtual time'],
    [sums.records.in, 'records in'],
    [sums.checkpoints.completed, 'checkpoints completed'],
    [sums.checkpoints.aborted, 'checkpoints aborted'],
    [sums.restarts, 'restarts'],
    [sums.failovers, 'failovers'],
  ];
  return `<ul class="figures">${items.map(([value, name]) => `<li><b>${value}</b>${name}</li>`).join('')}</ul>`;
}

function faultSection(sums: SweepSums): string {
  const rows = Object.entries(sums.faults).map(([label, { planned, effective }]) => ({
    cells: [escapeHtml(label), String(planned), String(effective)],
  }));
  if (rows.length === 0) return '<h2>Faults</h2><p class="soft">None were planned.</p>';
  const columns = [{ head: 'kind' }, { head: 'planned', number: true }, { head: 'effective', number: true }];
  return `<h2>Faults</h2>${htmlTable(columns, rows)}`;
}

/** Of a single life those that occurred; of a sweep those too that never did. */
function probeSection(sums: SweepSums): string {
  const all = reachedProbes(sums);
  const shown = sums.lives === 1 ? all.filter(({ times }) => times > 0) : all;
  const rows = shown.map(({ name, area, says, times, lives }) => ({
    cells: [area, `<code>${escapeHtml(name)}</code>`, escapeHtml(says), String(lives), String(times)],
  }));
  const columns = [
    { head: 'area' },
    { head: 'probe' },
    { head: 'what has happened' },
    { head: 'lives', number: true },
    { head: 'times', number: true },
  ];
  const reached = all.filter(({ times }) => times > 0).length;
  return `<h2>Rare situations</h2><p>${reached} of ${all.length} occurred.</p>${htmlTable(columns, rows)}`;
}

function livesSection(lives: readonly ReportLife[], total: number): string {
  const columns = [
    { head: 'scenario' },
    { head: 'seed' },
    { head: 'verdict' },
    { head: 'signature' },
    { head: 'virtual s', number: true },
    { head: 'records out', number: true },
    { head: 'checkpoints', number: true },
    { head: 'restarts', number: true },
    { head: 'digest' },
  ];
  const rows = lives.map((life) => ({
    attributes: ` data-verdict="${life.verdict}"`,
    cells: [
      escapeHtml(life.scenario),
      escapeHtml(life.seed),
      `<span class="v ${life.verdict}">${life.verdict}</span>`,
      escapeHtml(life.signature),
      (life.virtualUs / US_PER_SECOND).toFixed(3),
      String(life.records.out),
      `${life.checkpoints.completed} of ${life.checkpoints.triggered}`,
      String(life.restarts),
      `<code>${escapeHtml(life.digest)}</code>`,
    ],
  }));
  const options = ['passed', 'violated', 'not-live', 'inconclusive'].map((name) => `<option>${name}</option>`).join('');
  const omitted =
    total > lives.length ? `<p class="soft">${lives.length} of ${total} lives are listed; lives.csv has all.</p>` : '';
  return `<h2>Lives</h2><p><label>Show <select id="filter"><option value="">all</option>${options}</select></label></p>${omitted}${htmlTable(columns, rows)}`;
}

function detailsSection(lives: readonly ReportLife[]): string {
  const failing = lives.filter((life) => life.verdict !== 'passed');
  const passing = lives.filter((life) => life.verdict === 'passed');
  const shown = [...failing, ...passing].slice(0, DETAILS_MAX);
  const rest = lives.length - shown.length;
  const note =
    rest > 0
      ? `<p class="soft">Details of ${countOf(shown.length, 'life', 'lives')}, failing ones first; replay any other by its seed.</p>`
      : '';
  return `<h2>Details</h2>${note}${shown.map((life, index) => details(life, index === 0)).join('\n')}`;
}

function details(life: ReportLife, open: boolean): string {
  const { latency } = life;
  const ms = (us: number): string => `${us / US_PER_MS} ms`;
  return `<details${open ? ' open' : ''}><summary>${escapeHtml(life.scenario)}, seed ${escapeHtml(life.seed)}: <span class="v ${life.verdict}">${life.verdict}</span></summary>
<p>Plan <code>${escapeHtml(life.planHash)}</code>, digest <code>${escapeHtml(life.digest)}</code>, ${countOf(life.events, 'event')}. Latency of ${countOf(latency.count, 'record')}: median ${ms(latency.p50Us)}, p99 ${ms(latency.p99Us)}, greatest ${ms(latency.maxUs)}.</p>
<pre>${escapeHtml(life.replay)}</pre>
<h3>Verdicts</h3>${verdictTable(life.verdicts)}
<h3>Checkpoints and faults</h3>${checkpointTimeline(life)}
<h3>Faults</h3>${faultTable(life)}
<h3>Checkpoint history</h3>${checkpointHistory(life)}
</details>`;
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((one) => ({
    cells: [
      escapeHtml(one.judge),
      `<span class="v ${one.outcome}">${one.outcome}</span>`,
      escapeHtml(one.anomaly),
      escapeHtml(one.message),
    ],
  }));
  return htmlTable([{ head: 'judge' }, { head: 'outcome' }, { head: 'anomaly' }, { head: 'finding' }], rows);
}

function faultTable(life: LifeFigures): string {
  if (life.faultRecords.length === 0) return '<p class="soft">None.</p>';
  const at = (us: number): string => (us < 0 ? '' : (us / US_PER_SECOND).toFixed(3));
  const rows = life.faultRecords.map((one) => ({
    cells: [
      escapeHtml(one.id),
      escapeHtml(one.label),
      escapeHtml(one.target),
      at(one.startedAtUs),
      at(one.endedAtUs),
      one.effective ? 'yes' : 'no',
    ],
  }));
  const columns = [
    { head: 'id' },
    { head: 'kind' },
    { head: 'target' },
    { head: 'from, s', number: true },
    { head: 'to, s', number: true },
    { head: 'effective' },
  ];
  return htmlTable(columns, rows);
}

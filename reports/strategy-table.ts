/**
 * Mutants by strategies: the second measured part of docs/mutants.md.
 *
 * I1: no wall clock unless asked for: the same engine, mutants, strategies and data give the same bytes.
 */
import { areOf, countOf } from './count-of.ts';
import type { DocumentPart, TablePart } from './document-part.ts';

/** What one strategy made of one mutant. */
export interface StrategyScore {
  readonly strategy: string;
  /** Hunts, each with the same budget of events. */
  readonly repeats: number;
  readonly kills: number;
  /** Of all hunts, up to the kill or the end of the budget. */
  readonly lives: number;
  readonly events: number;
  /** Of the hunts that ended with a kill, ascending. */
  readonly eventsToKill: readonly number[];
  readonly wallMsToKill: readonly number[];
}

export interface MutantScores {
  readonly slug: string;
  readonly scenario: string;
  readonly scores: readonly StrategyScore[];
  /** Of the cheapest kill. */
  readonly find?: {
    readonly strategy: string;
    readonly signature: string;
    readonly faults: number;
    /** Faults of the smallest plan that fails in the same way; absent: it was not shrunk. */
    readonly faultsShrunk?: number;
    /** File of that plan, which lives the kill again; absent: none was written. */
    readonly planFile?: string;
  };
}

export interface ScoreboardOptions {
  readonly budget: number;
  readonly wall: boolean;
}

export const SCOREBOARD_MARKS = { begin: '<!-- scoreboard -->', end: '<!-- /scoreboard -->' } as const;

const PER = 1_000;

/** Kills in a thousand lives: what is most likely, given when each hunt ended. */
const killRate = ({ kills, lives }: Pick<StrategyScore, 'kills' | 'lives'>): number =>
  lives === 0 ? 0 : (PER * kills) / lives;

/** The lower one of two middle values; undefined unless half of the hunts ended with a kill. */
function medianToKill(ascending: readonly number[], repeats: number): number | undefined {
  return ascending[Math.ceil(repeats / 2) - 1];
}

export function strategyTable(
  mutants: readonly MutantScores[],
  { budget, wall }: ScoreboardOptions,
): readonly DocumentPart[] {
  const strategies = mutants[0]?.scores.map(({ strategy }) => strategy) ?? [];
  const repeats = mutants[0]?.scores[0]?.repeats ?? 0;
  const rows = mutants.map(({ slug, scenario, scores, find }) => [
    `\`${slug}\``,
    `\`${scenario}\``,
    ...scores.map((score) => cell(score, wall)),
    find === undefined ? '' : find.signature,
    find === undefined ? '' : `${find.faults}${find.faultsShrunk === undefined ? '' : ` → ${find.faultsShrunk}`}`,
  ]);
  const head = ['mutant', 'scenario', ...strategies.map((name) => `\`${name}\``), 'judge/anomaly', 'faults'];
  const totals = strategies.map((strategy, index) =>
    totalsOf(
      strategy,
      mutants.map(({ scores }) => scores[index]),
    ),
  );
  const summary: TablePart = {
    head: [
      'strategy',
      'mutants killed',
      'hunts that killed',
      'killed by it alone',
      'kills per 1,000 lives',
      'events per kill',
    ],
    rows: totals.map((total) => [
      `\`${total.strategy}\``,
      total.mutants,
      total.kills,
      mutants.filter(({ scores }) => isAlone(scores, total.strategy)).length,
      total.rate.toFixed(1),
      total.eventsPerKill === undefined ? '' : rounded(total.eventsPerKill),
    ]),
  };
  const killed = mutants.filter(({ find }) => find !== undefined).length;
  const sentence = `${killed} of ${mutants.length} ${areOf(killed)} killed by at least one strategy within ${rounded(budget)} events, ${countOf(repeats, 'hunt')} each.`;
  return [summary, { head, rows }, sentence];
}

/** `120 ‰, 34k`: kills per thousand lives, and events to the first one in the middle hunt. */
function cell(score: StrategyScore, wall: boolean): string {
  if (score.kills === 0) return '–';
  const events = medianToKill(score.eventsToKill, score.repeats);
  const wallMs = medianToKill(score.wallMsToKill, score.repeats);
  const parts = [
    `${killRate(score).toFixed(0)} ‰`,
    ...(events === undefined ? [`${score.kills} of ${score.repeats}`] : [rounded(events)]),
    ...(wall && wallMs !== undefined ? [`${(wallMs / PER).toFixed(1)} s`] : []),
  ];
  return parts.join(', ');
}

const rounded = (events: number): string => `${Math.ceil(events / PER)}k`;

const isAlone = (scores: readonly StrategyScore[], strategy: string): boolean =>
  scores.every((score) => score.kills > 0 === (score.strategy === strategy));

function totalsOf(strategy: string, scores: readonly (StrategyScore | undefined)[]) {
  let [mutants, kills, lives, events] = [0, 0, 0, 0];
  for (const score of scores) {
    if (score === undefined) continue;
    mutants += score.kills > 0 ? 1 : 0;
    kills += score.kills;
    lives += score.lives;
    events += score.events;
  }
  return {
    strategy,
    mutants,
    kills,
    rate: killRate({ kills, lives }),
    eventsPerKill: kills === 0 ? undefined : events / kills,
  };
}

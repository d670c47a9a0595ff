/**
 * What it takes to kill each mutant in its scenario and to shrink the failure: the third measured part of docs/mutants.md.
 *
 * Times are of the wall clock, so they are noise within a factor; lives, events and faults are exact.
 */
import { areOf, countOf } from './count-of.ts';
import type { DocumentPart, TablePart } from './document-part.ts';

export interface SmallestFailure {
  readonly slug: string;
  readonly scenario: string;
  /** Of the mutant, up to the kill or the end of the budget. */
  readonly lives: number;
  readonly events: number;
  /** Absent: none within the budget. */
  readonly kill?: {
    readonly seed: string;
    /** `judge/anomaly`. */
    readonly signature: string;
    /** From the first life to the verdict, the standard engine's life of the same plan included. */
    readonly wallMs: number;
    /** Of the plan that failed. */
    readonly faults: number;
  };
  readonly shrunk?: {
    readonly faults: number;
    readonly wallMs: number;
    readonly lives: number;
    readonly events: number;
    /** Without any fault or choice that is left it does not fail; false: the budget ended first, or one of them is not necessary. */
    readonly isMinimal: boolean;
  };
}

export const SMALLEST_MARKS = { begin: '<!-- smallest failures -->', end: '<!-- /smallest failures -->' } as const;

const SECOND_MS = 1_000;

/** `workers`: threads that the times are of. */
export function smallestFailures(mutants: readonly SmallestFailure[], workers: number): readonly DocumentPart[] {
  const head = [
    'mutant',
    'scenario',
    'lives',
    'events',
    'seconds to kill',
    'judge/anomaly',
    'faults',
    'seconds of shrinking',
    'lives of shrinking',
    'minimal',
  ];
  const rows = mutants.map(({ slug, scenario, lives, events, kill, shrunk }) => [
    `\`${slug}\``,
    `\`${scenario}\``,
    lives,
    events,
    kill === undefined ? '–' : seconds(kill.wallMs),
    kill?.signature ?? '',
    kill === undefined ? '' : `${kill.faults} → ${shrunk?.faults ?? ''}`,
    shrunk === undefined ? '' : seconds(shrunk.wallMs),
    shrunk?.lives ?? '',
    shrunk === undefined ? '' : shrunk.isMinimal ? 'yes' : 'no',
  ]);
  const kills = mutants.flatMap(({ kill }) => (kill === undefined ? [] : [kill]));
  const small = mutants.flatMap(({ shrunk }) => (shrunk === undefined ? [] : [shrunk]));
  const summary: TablePart = {
    head: ['', 'median', 'most'],
    rows: [
      ['seconds to kill', ...middleAndMost(kills.map(({ wallMs }) => wallMs)).map(seconds)],
      ['faults of the smallest failure', ...middleAndMost(small.map(({ faults }) => faults))],
      ['seconds of shrinking', ...middleAndMost(small.map(({ wallMs }) => wallMs)).map(seconds)],
    ],
  };
  const minimal = small.filter(({ isMinimal }) => isMinimal).length;
  const sentence = `${kills.length} of ${mutants.length} ${areOf(kills.length)} killed, ${minimal} of the failures ${areOf(minimal)} proven minimal; ${countOf(workers, 'worker')}.`;
  return [summary, sentence, { head, rows }];
}

/** The lower one of two middle values. */
function middleAndMost(values: readonly number[]): readonly [number, number] {
  const ascending = [...values].sort((a, b) => a - b);
  return [ascending[Math.ceil(ascending.length / 2) - 1] ?? 0, ascending.at(-1) ?? 0];
}

const seconds = (ms: number): string => (ms / SECOND_MS).toFixed(1);

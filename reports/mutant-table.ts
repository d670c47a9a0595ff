/**
 * What finds each mutant, as Markdown: the part of docs/mutants.md that is measured.
 *
 * Owns: the table. Does not own: the hunt (cli/mutant-hunt.ts), its place in a document (marked-document.ts).
 * I1: no wall clock: the same engine, mutants and data give the same bytes.
 */
import { areOf, countOf } from './count-of.ts';
import { table } from './markdown-summary.ts';

/** Seeds 1, 2, 3 ... of one scenario, lived with a mutant until one caught it. */
export interface HuntFigures {
  readonly scenario: string;
  readonly lives: number;
  readonly events: number;
  /** Absent: none of the lives caught it. */
  readonly find?: {
    readonly seed: string;
    readonly verdict: string;
    /** `judge/anomaly` of the worst finding. */
    readonly signature: string;
    /** All of them. */
    readonly anomalies: readonly string[];
  };
}

export interface MutantFigures {
  readonly slug: string;
  readonly bug: string;
  readonly story: string;
  readonly own: HuntFigures;
  /** In the scenarios that tell no story of its own. */
  readonly elsewhere: readonly HuntFigures[];
}

export const MUTANT_MARKS = { begin: '<!-- mutants -->', end: '<!-- /mutants -->' } as const;

export function mutantTable(mutants: readonly MutantFigures[], seeds: number): string {
  const elsewhere = mutants[0]?.elsewhere.map(({ scenario }) => scenario) ?? [];
  const head = [
    'mutant',
    'bug',
    'what is wrong',
    'scenario',
    'first seed',
    'events until then',
    'judge/anomaly',
    ...elsewhere.map((scenario) => `in \`${scenario}\``),
  ];
  const rows = mutants.map(({ slug, bug, story, own, elsewhere: others }) => [
    `\`${slug}\``,
    bug,
    story,
    `\`${own.scenario}\``,
    own.find === undefined ? `**not found in ${own.lives}**` : own.find.seed,
    own.events,
    own.find?.anomalies.join(', ') ?? '',
    ...others.map(({ find, lives }) => find?.seed ?? `not in ${lives}`),
  ]);
  const found = mutants.filter(({ own }) => own.find !== undefined).length;
  const foundIn = elsewhere.map((scenario, index) => {
    const count = mutants.filter((mutant) => mutant.elsewhere[index]?.find !== undefined).length;
    return `${count} in \`${scenario}\``;
  });
  const sentence = `${found} of ${mutants.length} ${areOf(found)} found in their own scenario within ${countOf(seeds, 'seed')}${foundIn.length === 0 ? '' : `, ${foundIn.join(', ')}`}.`;
  return `${table(head, rows).join('\n')}\n\n${sentence}`;
}

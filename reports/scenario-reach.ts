/**
 * What one scenario finds of all mutants: another measured part of docs/mutants.md.
 *
 * Owns: the tables. Does not own: the hunt (cli/mutant-hunt.ts), its place in a document (marked-document.ts).
 * I1: no wall clock: the same engine, mutants and data give the same bytes.
 */
import { countOf } from './count-of.ts';
import type { DocumentPart } from './document-part.ts';
import type { DocumentMarks } from './marked-document.ts';
import type { HuntFigures } from './mutant-table.ts';

/** A mutant and what one scenario, which need not be its own, made of it. */
export interface MutantReach {
  readonly slug: string;
  /** That of the mutant. */
  readonly home: string;
  readonly hunt: HuntFigures;
  /**
   * Lives up to the find that are not event for event those of the standard engine: the wrong decision was asked for, and mattered. That many
   * less one went by without a word of any judge.
   */
  readonly changed: number;
}

export const REACH_MARKS: DocumentMarks = { begin: '<!-- one scenario -->', end: '<!-- /one scenario -->' };

export function reachTable(mutants: readonly MutantReach[], scenario: string, seeds: number): readonly DocumentPart[] {
  const found = mutants.filter(({ hunt }) => hunt.find !== undefined);
  const missed = mutants.filter(({ hunt }) => hunt.find === undefined);
  const unreached = missed.filter(({ changed }) => changed === 0);
  const unseen = missed.filter(({ changed }) => changed > 0);
  const lives = found.map(({ hunt }) => hunt.lives).sort((a, b) => a - b);
  const middle = lives[Math.ceil(lives.length / 2) - 1];
  const sentence =
    `\`${scenario}\` finds ${found.length} of ${mutants.length} within ${countOf(seeds, 'life', 'lives')} each` +
    `${middle === undefined ? '' : `, half of those within ${middle}`}. ` +
    `Of the others ${unreached.length} changed none of its lives, and ${unseen.length} some.`;
  const name = (slug: string): string => `\`${slug}\``;
  const foundRows = found.map(({ slug, hunt, changed }) => [
    name(slug),
    hunt.lives,
    changed,
    hunt.events,
    hunt.find?.signature ?? '',
  ]);
  const missedRows = [...unseen, ...unreached].map(({ slug, home, hunt, changed }) => [
    name(slug),
    name(home),
    changed === 0 ? `none of ${hunt.lives}` : `${changed} of ${hunt.lives}`,
  ]);
  return [
    sentence,
    ...unlessEmpty(['not found', 'its own scenario', 'lives that it changed'], missedRows),
    ...unlessEmpty(['found', 'lives', 'of these changed', 'events until then', 'judge/anomaly'], foundRows),
  ];
}

const unlessEmpty = (
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly DocumentPart[] => (rows.length === 0 ? [] : [{ head, rows }]);

/**
 * What happens again and again is told once: a restart that fails as the one before did, a checkpoint that expires as the one before did.
 *
 * I1: sentences that somebody points at are never folded away, and neither is the first round.
 */
import type { Sentence } from './sentence.ts';

/** Sentences of one round. */
const ROUND_MAX = 12;
/** Rounds behind the first one that are worth a sentence of their own. */
const ROUNDS_MIN = 2;

/** Rounds of sentences that say the same but for numbers become one round, and a sentence that says how often it comes again. */
export function withoutRepetition(sentences: readonly Sentence[]): Sentence[] {
  const shapes = sentences.map(({ text, marks }, index) =>
    marks === undefined ? text.replace(/\d+(?:\.\d+)?/g, '#') : `only ${index}`,
  );
  const told: Sentence[] = [];
  for (let at = 0; at < sentences.length; ) {
    const { length, rounds } = longestAt(shapes, at);
    told.push(...sentences.slice(at, at + length));
    const first = sentences[at + length];
    const last = sentences[at + length * (rounds + 1) - 1];
    if (first !== undefined && last !== undefined && rounds > 0) {
      const what = length === 1 ? 'This comes' : `These ${length} come`;
      told.push({
        at: first.at,
        atUs: first.atUs,
        text: `${what} ${rounds} times more, until ${last.atUs / 1_000_000} s.`,
      });
    }
    at += length * (rounds + 1);
  }
  return told;
}

/** The round that begins here and folds away most; of so many sentences, and so many times more. */
function longestAt(shapes: readonly string[], at: number): { readonly length: number; readonly rounds: number } {
  let best = { length: 1, rounds: 0 };
  for (let length = 1; length <= ROUND_MAX; length += 1) {
    let rounds = 0;
    while (isRound(shapes, { at, length, round: rounds + 1 })) rounds += 1;
    if (rounds >= ROUNDS_MIN && length * rounds > best.length * best.rounds) best = { length, rounds };
  }
  return best;
}

function isRound(
  shapes: readonly string[],
  { at, length, round }: { readonly at: number; readonly length: number; readonly round: number },
): boolean {
  for (let index = 0; index < length; index += 1) {
    const shape = shapes[at + round * length + index];
    if (shape === undefined || shape !== shapes[at + index]) return false;
  }
  return true;
}

/**
 * Delta debugging over a list (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002: ddmin).
 *
 * I1: the answer is 1-minimal: without any single one of its items, it is not so any more. Where `maxParts` is given, without any of so
 *     many equal parts: of hundreds of items that are all needed, asking for each would take longer than it is worth.
 */
import type { Search } from './search.ts';

/** The fewest items that are still needed; `candidateOf` makes what has only these. */
export function* fewestOf<Item, Candidate>(
  items: readonly Item[],
  candidateOf: (kept: readonly Item[]) => Candidate,
  maxParts = Number.POSITIVE_INFINITY,
): Search<readonly Item[], Candidate> {
  if (items.length === 0) return items;
  if ((yield [candidateOf([])]) !== undefined) return [];
  let kept = items;
  let parts = 2;
  while (kept.length > 1) {
    const chunks = inParts(kept, parts);
    // With two parts the complements are the parts themselves.
    const complements = parts === 2 ? [] : chunks.map((chunk) => kept.filter((item) => !chunk.includes(item)));
    const candidates = [...chunks, ...complements];
    const found = yield candidates.map(candidateOf);
    if (found !== undefined) {
      kept = candidates[found] ?? kept;
      parts = found < chunks.length ? 2 : Math.max(2, parts - 1);
    } else if (parts < kept.length && parts < maxParts) {
      parts = Math.min(kept.length, parts * 2);
    } else {
      break;
    }
  }
  return kept;
}

/** Neighbours stay together: as equal as possible, in order, none empty. */
function inParts<Item>(items: readonly Item[], parts: number): (readonly Item[])[] {
  return Array.from({ length: parts }, (_, index) =>
    items.slice(Math.floor((index * items.length) / parts), Math.floor(((index + 1) * items.length) / parts)),
  ).filter((part) => part.length > 0);
}

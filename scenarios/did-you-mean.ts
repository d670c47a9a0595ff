/** The known name that a wrong one was probably meant to be: the nearest by edit distance, if it is near enough. */
export function didYouMean(found: string, known: readonly string[]): string | undefined {
  // Any letter is near to any other.
  if (found.length < 2) return undefined;
  const farthest = Math.max(1, Math.floor(found.length / 3));
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(found.toLowerCase(), name.toLowerCase());
    if (distance <= farthest && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** Up to `most` known names that a wrong one is like, the likest first: near to it, or with its words in them. */
export function namesLike(found: string, known: readonly string[], most: number): string[] {
  const nearest = didYouMean(found, known);
  const words = found
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word.length > 2);
  const likes = known.map((name, index) => ({
    name,
    index,
    common:
      words.filter((word) => name.toLowerCase().includes(word)).length + (name === nearest ? words.length + 1 : 0),
  }));
  likes.sort((a, b) => b.common - a.common || a.index - b.index);
  return likes
    .filter(({ common }) => common > 0)
    .slice(0, most)
    .map(({ name }) => name);
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row += 1) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column += 1) {
      const replacement = a[row - 1] === b[column - 1] ? 0 : 1;
      let distance = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + replacement);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) distance = Math.min(distance, at(row - 2, column - 2) + 1);
      rows[row]?.push(distance);
    }
  }
  return at(a.length, b.length);
}

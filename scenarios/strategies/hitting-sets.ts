/**
 * The smallest sets that have a member in each of some clauses: by branch and bound, smaller ones first.
 *
 * I1: every set that is handed out hits every clause, and without any one of its members misses one.
 * I2: the order is a function of the clauses and the order of their members.
 */

/** At most `count` minimal hitting sets of at most `sizeMax` members that `isWanted` wants. */
export function hittingSets(
  clauses: readonly (readonly string[])[],
  {
    sizeMax,
    count,
    isWanted,
  }: { readonly sizeMax: number; readonly count: number; readonly isWanted: (set: readonly string[]) => boolean },
): (readonly string[])[] {
  const lookup = clauses.map((clause) => new Set(clause));
  const found: (readonly string[])[] = [];
  const seen = new Set<string>();
  const extend = (set: readonly string[], size: number): void => {
    if (found.length >= count) return;
    const missed = lookup.findIndex((clause) => !set.some((member) => clause.has(member)));
    if (missed < 0) {
      const sorted = [...set].sort((a, b) => (a < b ? -1 : 1));
      const name = JSON.stringify(sorted);
      if (set.length !== size || seen.has(name)) return;
      seen.add(name);
      if (isMinimal(set, lookup) && isWanted(sorted)) found.push(sorted);
      return;
    }
    if (set.length >= size) return;
    for (const member of clauses[missed] ?? []) if (!set.includes(member)) extend([...set, member], size);
  };
  for (let size = 1; size <= sizeMax && found.length < count; size += 1) extend([], size);
  return found;
}

const isMinimal = (set: readonly string[], clauses: readonly ReadonlySet<string>[]): boolean =>
  set.every((member) =>
    clauses.some((clause) => clause.has(member) && !set.some((other) => other !== member && clause.has(other))),
  );

/** Records that the reference does without (row X26): given up on the edge on which they were under way. Which they are: given-up-data.ts. */
import type { Lineage } from '../../engine/protocol/stream-elements.ts';
import type { Push } from './reference-functions.ts';

/** By edge, how many records of each lineage: copies of a broadcast share theirs. */
export type LostRecords = ReadonlyMap<number, ReadonlyMap<Lineage, number>>;

/** The way over an edge, which these records do not get to the end of. */
export function withoutLost(target: Push, lost: ReadonlyMap<Lineage, number> | undefined): Push {
  if (lost === undefined) return target;
  const left = new Map(lost);
  return (value, lineage) => {
    const count = left.get(lineage) ?? 0;
    if (count > 0) left.set(lineage, count - 1);
    else target(value, lineage);
  };
}

/**
 * Records that the reference does without, each on the edge on which it was lost: given up while they were under way (row X26, given-up-data.ts), or
 * missed by subtasks that restarted without their producers (row F1, missed-records.ts).
 */
import type { Lineage } from '../../engine/protocol/stream-elements.ts';
import type { Push } from './reference-functions.ts';

/** By edge, how many records of each lineage: copies of a broadcast share theirs. */
export type LostRecords = ReadonlyMap<number, ReadonlyMap<Lineage, number>>;

/** Which records what a life comes to lacks. */
export interface LeftOut {
  /** Of a checkpoint's state, always the same object for the same; undefined: none. */
  before(checkpointId: number): LostRecords | undefined;
}

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

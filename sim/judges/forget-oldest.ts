/**
 * Memory of judges that follow a life of any length: of what comes again and again only the newest is kept.
 *
 * What is kept is far more than can still matter: a checkpoint ends within its time-out, an attempt is heard of for a heartbeat time-out after its
 * end, and the two are seconds where these numbers are hours.
 */

/** Checkpoints, leaders. */
export const EPISODES_KEPT = 512;
/** Attempts, transactions. */
export const PARTS_KEPT = 8_192;

/** Maps and sets iterate in the order of insertion: the first key is the oldest. */
export function forgetOldest<Key>(
  known: { readonly size: number; keys(): Iterator<Key>; delete(key: Key): boolean },
  kept: number,
): void {
  while (known.size > kept) {
    const oldest = known.keys().next();
    if (oldest.done === true) return;
    known.delete(oldest.value);
  }
}

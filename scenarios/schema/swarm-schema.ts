/**
 * The written form of `swarm`: by path, what a seed draws from.
 *
 * Owns: the form. Does not own: whether paths and alternatives make sense (swarm-reader.ts), drawing (swarm.ts).
 */
import { z } from 'zod';

/** In place of alternatives, for `faults` only. */
export const SUBSET = 'subset';

const EXPECTATION = 'expected a list of alternatives, or `subset` for faults';

export const swarmSchema = z.record(
  z.string(),
  z.union(
    [
      z.literal(SUBSET, { error: EXPECTATION }),
      z.array(z.unknown(), { error: EXPECTATION }).min(1, { error: 'expected an alternative' }),
    ],
    { error: EXPECTATION },
  ),
  { error: 'expected a map of paths, each with its alternatives' },
);

/**
 * The written form of `notFor`: by strategy, or `swarm/` and a feature, why a search with it says nothing of this scenario.
 *
 * Owns: the form. Does not own: what it does (strategies/left-out.ts).
 */
import { z } from 'zod';
import { SEARCH_NAMES, SWARM_FEATURE_NAMES } from '../strategies/strategy-names.ts';
import { text } from './scalars.ts';

export const notForSchema = z.partialRecord(z.enum(SEARCH_NAMES), text('the reason, in a sentence'), {
  error: `expected swarm, pct, novelty, crashpoints, lineage, or swarm/ and a feature (${SWARM_FEATURE_NAMES[0]}), each with the reason`,
});

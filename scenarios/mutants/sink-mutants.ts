/** What a two-phase commit may get wrong: a commit that was not confirmed, and transactions that a restore finds. */
import { type Mutant, withWrong } from './mutant.ts';

export const commitErrorLogged: Mutant = {
  slug: 'commit-error-logged',
  bug: 'FLINK-23896',
  story: 'A commit that fails is noted and taken for done; nobody tries again.',
  parts: withWrong({ afterCommit: () => 'done' }),
  scenario: 'sink-outage-before-commit',
  judges: ['exactly-once-output', 'progress'],
};

export const abortIncludesPrecommitted: Mutant = {
  slug: 'abort-includes-precommitted',
  bug: 'FLINK-34554',
  story:
    'A restoring sink aborts every open transaction of its name, those too that the restored checkpoint says to commit.',
  parts: withWrong({ transactionsToKeep: () => [] }),
  scenario: 'jobmanager-crash-before-notify',
  judges: ['exactly-once-output', 'progress'],
};

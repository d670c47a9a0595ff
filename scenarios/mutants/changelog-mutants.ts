/** What checkpoints of a state log may suffer (C15 of bugs.md, row S20): a change in neither part, a file that is swept before its time. */
import { type Mutant, SEE_EARLY_DELETION, withWrong } from './mutant.ts';

export const changelogBoundaryOffByOne: Mutant = {
  slug: 'changelog-boundary-off-by-one',
  bug: 'FLINK-25492',
  story:
    'The snapshot below the log says that it ends behind the next change, which is not in it: when it takes the place of the log, that change is in neither.',
  parts: withWrong({ materializedTo: (next) => next + 1 }),
  scenario: 'changelog',
  judges: [
    'consistent-cut',
    'exactly-once-output',
    'exactly-once-state',
    'checkpoint-lifecycle',
    'restore-audit',
    'savepoints',
    'progress',
  ],
};

export const reservedFilesSwept: Mutant = {
  slug: 'reserved-files-swept',
  bug: 'own (row S20)',
  story:
    'Nobody knows of files that a subtask has written for later checkpoints: a checkpoint that completes meanwhile sweeps them.',
  parts: withWrong({ reservedFiles: 'unknown' }),
  scenario: 'changelog',
  judges: SEE_EARLY_DELETION,
};

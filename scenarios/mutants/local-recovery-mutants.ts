/** What copies of state on the nodes may suffer (row S22): the nearest one is taken for the right one. */
import { type Mutant, withWrong } from './mutant.ts';

export const localCopyOfAnyCheckpoint: Mutant = {
  slug: 'local-copy-of-any-checkpoint',
  bug: 'own (row S22)',
  story:
    'A copy on the node is found by its operator and subtask, whichever checkpoint it is of, and nobody looks at its checksum: one that was ' +
    'written for a checkpoint that failed is restored in the place of the newest.',
  parts: withWrong({ localCopyName: (path) => path.slice(path.lastIndexOf('/') + 1), localCopies: 'trusted' }),
  scenario: 'local-recovery',
  judges: [
    'checkpoint-lifecycle',
    'consistent-cut',
    'exactly-once-output',
    'exactly-once-state',
    'progress',
    'restore-audit',
    'savepoints',
  ],
};

/** What copies of state on the nodes may suffer (row S22): the nearest one is taken for the right one. */
import { type Mutant, withWrong } from './mutant.ts';

/** Whichever looks first at what was restored; or nothing is, ever again. */
const SEE_WRONG_STATE = [
  'checkpoint-lifecycle',
  'consistent-cut',
  'exactly-once-output',
  'exactly-once-state',
  'progress',
  'restore-audit',
  'savepoints',
];

export const localCopyUnchecked: Mutant = {
  slug: 'local-copy-unchecked',
  bug: 'own (row S22)',
  story:
    'A copy on the node is used because it is there; nobody holds it against length and checksum of its file. A bit that has flipped on the ' +
    'disk becomes state, or no restore ever succeeds though the checkpoint is whole.',
  parts: withWrong({ localCopies: 'trusted' }),
  scenario: 'local-recovery',
  judges: SEE_WRONG_STATE,
};

export const localCopyOfAnyCheckpoint: Mutant = {
  slug: 'local-copy-of-any-checkpoint',
  bug: 'own (row S22)',
  story:
    'A copy on the node is found by its operator and subtask, whichever checkpoint it is of, and nobody looks at its checksum: one that was ' +
    'written for a checkpoint that failed is restored in the place of the newest.',
  parts: withWrong({ localCopyName: (path) => path.slice(path.lastIndexOf('/') + 1), localCopies: 'trusted' }),
  scenario: 'local-recovery',
  judges: SEE_WRONG_STATE,
};

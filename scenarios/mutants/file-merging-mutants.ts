/** What may become of files that hold state of several subtasks or checkpoints (row S19): deleted with the first part, or never. */
import { type Mutant, SEE_EARLY_DELETION, withWrong } from './mutant.ts';

const LEFT = ['retention', 'progress'];

export const mergedFileGoesWithItsFirstPart: Mutant = {
  slug: 'merged-file-goes-with-first-part',
  bug: 'own (row S19)',
  story:
    'A TaskManager deletes a file that it merged as soon as any part of it is not in use, with the parts that are.',
  parts: withWrong({ mergedFileDeletion: 'with-first' }),
  scenario: 'file-merging',
  judges: SEE_EARLY_DELETION,
};

export const mergedFileForgottenWithItsFirstPart: Mutant = {
  slug: 'merged-file-forgotten-with-first-part',
  bug: 'own (row S16)',
  story:
    'The registry counts no parts: one that is not in use any more takes the file with it, which is deleted when its TaskManager is lost, or ' +
    'a later run has claimed it.',
  parts: withWrong({ mergedFileUse: 'every-part' }),
  scenario: 'file-merging',
  judges: SEE_EARLY_DELETION,
};

export const lostNoticeKeepsMergedFile: Mutant = {
  slug: 'lost-notice-keeps-merged-file',
  bug: 'FLINK-38347',
  story:
    'A notice sets free what was written for the one checkpoint below the oldest retained: what an aborted checkpoint wrote, or one whose ' +
    'notice was lost, is never deleted.',
  parts: withWrong({ mergedFileNotice: 'last-below' }),
  scenario: 'file-merging',
  judges: LEFT,
};

export const filesOfLostTaskManagerLeft: Mutant = {
  slug: 'files-of-lost-taskmanager-left',
  bug: 'own (row S19)',
  story: "Merged files are their TaskManager's to delete, also when it is gone: nobody looks what the dead have left.",
  parts: withWrong({ mergedFilesOfTheDead: 'left' }),
  scenario: 'file-merging',
  judges: LEFT,
};

/** What an engine may believe of the files of its checkpoints: that what was written is there. */
import { type Mutant, withWrong } from './mutant.ts';

export const ackBeforeFsync: Mutant = {
  slug: 'ack-before-fsync',
  bug: 'FLINK-36421',
  story: 'Files are closed without a sync and acknowledged; a loss of power takes what the server had only in memory.',
  parts: withWrong({ syncBeforeClose: 'none' }),
  scenario: 'storage-filesystem',
  judges: ['exactly-once-state', 'checkpoint-lifecycle', 'consistent-cut', 'progress', 'retention', 'restore-audit'],
};

export const noAtomicRename: Mutant = {
  slug: 'no-atomic-rename',
  bug: 'SPARK-21696',
  story: 'Metadata is written under its last name, where what a crash left of it is taken for the whole.',
  parts: withWrong({ metadataCommit: 'in-place' }),
  scenario: 'storage-filesystem',
  judges: ['exactly-once-state', 'checkpoint-lifecycle', 'consistent-cut', 'progress'],
};

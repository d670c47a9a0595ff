/** What files that checkpoints have in common may suffer (group C of bugs.md): deleted too early, never, or of somebody else. */
import { standardParts } from '../../engine/parts.ts';
import { type Mutant, SEE_EARLY_DELETION, withWrong } from './mutant.ts';

export const registerAfterStore: Mutant = {
  slug: 'register-after-store',
  bug: 'FLINK-6633, FLINK-6640',
  story:
    'What a checkpoint uses is registered when it is in the store, behind the deletion of what nobody uses any more.',
  parts: withWrong({ sharedRegistration: 'after-store' }),
  scenario: 'lsm-incremental',
  judges: SEE_EARLY_DELETION,
};

export const savepointSubsumesBase: Mutant = {
  slug: 'savepoint-subsumes-base',
  bug: 'FLINK-21351',
  story: 'A savepoint that completes lets the files of the checkpoints before it go, on which the next one will build.',
  parts: withWrong({ completedSavepoint: 'subsumes' }),
  scenario: 'lsm-incremental',
  judges: SEE_EARLY_DELETION,
};

export const abortDiscardsReusedFiles: Mutant = {
  slug: 'abort-discards-reused-files',
  bug: 'FLINK-25395',
  story: 'An aborted checkpoint takes all of its files with it, those too that it had from an earlier one.',
  parts: withWrong({ abortedFiles: 'discarded' }),
  scenario: 'lsm-incremental',
  judges: SEE_EARLY_DELETION,
};

export const noClaimLostAfterSecondFailover: Mutant = {
  slug: 'no-claim-lost-after-second-failover',
  bug: 'FLINK-26985',
  story:
    'That files of the snapshot a run was restored from are not its own is known while that snapshot is in the store; a later leader ' +
    'finds them in checkpoints of the run and deletes them with those.',
  parts: withWrong({ notClaimedFiles: 'forgotten' }),
  scenario: 'lsm-savepoints',
  judges: SEE_EARLY_DELETION,
};

export const waitingMetadataForgotten: Mutant = {
  slug: 'waiting-metadata-forgotten',
  bug: 'own (found by a sweep)',
  story:
    'A stored pointer makes the leader forget the metadata of all that it does not name, that of a checkpoint too which waits for its own pointer. When ' +
    'the files in use are gathered anew from what is retained, its files are none of them.',
  parts: withWrong({ unnamedMetadata: 'forgotten' }),
  scenario: 'pointers-in-a-row',
  judges: SEE_EARLY_DELETION,
};

export const unfoundMetadataCountsAsGone: Mutant = {
  slug: 'unfound-metadata-counts-as-gone',
  bug: 'own (found by a sweep)',
  story:
    'Metadata of a retained checkpoint that the storage does not find for a moment counts as deleted by its user: when what an ended run left is looked ' +
    "through, the files that it names are nobody's.",
  parts: withWrong({ unfoundMetadata: 'gone' }),
  scenario: 'unfound-at-the-clean-up',
  judges: SEE_EARLY_DELETION,
};

export const claimForgottenByNextLeader: Mutant = {
  slug: 'claim-forgotten-by-next-leader',
  bug: 'own (row C27)',
  story:
    'The directory of a claimed snapshot is deleted by the leader that drops it, and nobody else knows of it: where that leader dies first, where ' +
    'the deletion fails, or a write comes late, a savepoint stays for ever. So does Flink.',
  parts: withWrong({ claimedSnapshot: 'deleted-when-dropped' }),
  scenario: 'claimed-segments',
  judges: ['retention', 'progress'],
};

export const earlierRunsLeftAlone: Mutant = {
  slug: 'earlier-runs-left-alone',
  bug: 'own (decision 0115)',
  story:
    'A run looks only at files of its own ids. What the one before had begun when it ended, and what came late, stays once the next run has begun.',
  parts: withWrong({ leftOfEarlierRuns: 'left-alone' }),
  scenario: 'cancel-and-restore-retained',
  judges: ['retention', 'progress'],
};

export const partialUploadNotTracked: Mutant = {
  slug: 'partial-upload-not-tracked',
  bug: 'FLINK-30461',
  story:
    'Of shared files only those are ever deleted that somebody acknowledged: a checkpoint that failed half-way leaves the others.',
  parts: withWrong({ sharedGarbage: 'registered-only' }),
  scenario: 'lsm-incremental',
  judges: ['retention', 'progress'],
};

export const clearBeforeAsyncDiscard: Mutant = {
  slug: 'clear-before-async-discard',
  bug: 'FLINK-5660',
  story: 'The list of files to delete is cleared before the deletion, which runs later, has read it.',
  parts: withWrong({ filesToDelete: () => [] }),
  scenario: 'lsm-incremental',
  judges: ['retention', 'progress'],
};

export const segmentNotClipped: Mutant = {
  slug: 'segment-not-clipped',
  bug: 'RocksDBIncrementalRestoreOperation (row S18)',
  story:
    'A segment with rows of other key groups is restored as it is. They come back at the next rescale, as old as they are.',
  parts: withWrong({
    createStateBackend: (options) => standardParts.createStateBackend({ ...options, foreignRows: 'kept' }),
  }),
  scenario: 'lsm-rescale',
  judges: SEE_EARLY_DELETION,
};

export const removalForgottenInMerge: Mutant = {
  slug: 'removal-forgotten-in-merge',
  bug: 'own (row S17)',
  story:
    'A merge of segments forgets a removed row when the level below has no segment, though one further down may have the row: what was removed is back.',
  parts: withWrong({
    createStateBackend: (options) => standardParts.createStateBackend({ ...options, deletedRows: 'until-next-level' }),
  }),
  scenario: 'removed-state',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress', 'restore-audit', 'savepoints'],
};

export const snapshotWithoutWhatIsInHand: Mutant = {
  slug: 'snapshot-without-what-is-in-hand',
  bug: 'own (row S15)',
  story:
    'A snapshot is taken of the store alone: what the last record changed in place, and nobody has put back, is not in it.',
  parts: withWrong({
    createStateBackend: (options) => standardParts.createStateBackend({ ...options, valuesInHand: 'left-out' }),
  }),
  scenario: 'lists-beneath-snapshots',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'restore-audit'],
};

export const fullUsesRestoredFiles: Mutant = {
  slug: 'full-uses-restored-files',
  bug: 'own (rows C7, C27)',
  story:
    'A full checkpoint forgets what its subtasks have written, but not what they were restored from: a run without claim goes on with files that its user may delete.',
  parts: withWrong({ fullCheckpoint: 'of-restored-files' }),
  scenario: 'resume-checkpoint-manually-incremental-itcase',
  judges: ['retention'],
};

export const baseFromUnconfirmed: Mutant = {
  slug: 'base-from-unconfirmed',
  bug: 'own (row S17)',
  story:
    'A subtask builds on whatever it has written, be it for a checkpoint that failed; the leader, which would refuse it, takes its word.',
  parts: withWrong({ incrementalBase: 'uploaded', unknownPlaceholder: 'trusted' }),
  scenario: 'lsm-incremental',
  judges: SEE_EARLY_DELETION,
};

export const placeholderOfDeletedFile: Mutant = {
  slug: 'placeholder-of-deleted-file',
  bug: 'own (row S16)',
  story: 'A checkpoint that names a file which is not registered is completed all the same.',
  parts: withWrong({ unknownPlaceholder: 'trusted' }),
  scenario: 'lsm-incremental',
  judges: SEE_EARLY_DELETION,
};

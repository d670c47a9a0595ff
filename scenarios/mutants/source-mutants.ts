/** What a source may get wrong: what a position means, and the moment it is taken. */
import { LATEST } from '../../engine/protocol/operator-events.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const offsetInclusive: Mutant = {
  slug: 'offset-inclusive',
  bug: 'FLINK-4618',
  story: 'The checkpoint holds the offset of the last record read, and a restore takes it for that of the next one.',
  parts: withWrong({ checkpointedOffset: (nextOffset) => nextOffset - 1 }),
  scenario: 'standard',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const recordBetweenOffsetAndBarrier: Mutant = {
  slug: 'record-between-offset-and-barrier',
  bug: 'FLINK-2098',
  story:
    'A source notes its offsets, emits a further batch, and only then sends the barrier: that batch is read twice.',
  parts: withWrong({ sourcePositions: 'before-batch' }),
  scenario: 'standard',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'checkpoint-lifecycle', 'progress'],
};

export const barrierBeforeOffset: Mutant = {
  slug: 'barrier-before-offset',
  bug: 'FLINK-2098',
  story:
    'A source sends the barrier, emits a further batch, and only then notes its offsets: that batch is in no snapshot.',
  parts: withWrong({ sourcePositions: 'after-next-batch' }),
  scenario: 'standard',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

/** Records that are never read: the life waits for them to its bound, and ends in the middle of a checkpoint. */
const LOST = ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'retention', 'progress'];

export const symbolicLatestInCheckpoint: Mutant = {
  slug: 'symbolic-latest-in-checkpoint',
  bug: 'FLINK-28303 (H5)',
  story:
    'A source that begins at the end of a partition checkpoints "the end" until it has read a record, and a restore takes that for where the partition ends by then.',
  parts: withWrong({ checkpointedSplit: (split, wasRead) => (wasRead ? split : { ...split, offset: LATEST }) }),
  scenario: 'new-partitions',
  judges: LOST,
};

export const positionIgnoresSubrecord: Mutant = {
  slug: 'position-ignores-subrecord',
  bug: 'FLINK-4080 (H6)',
  story: 'A position is an entry of the log, and not how much of its records was emitted: a restore emits those again.',
  parts: withWrong({ checkpointedSplit: (split) => ({ ...split, sub: 0 }) }),
  scenario: 'new-partitions',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const newPartitionBeginsAtLatest: Mutant = {
  slug: 'new-partition-begins-at-latest',
  bug: 'FLIP-288',
  story:
    'A partition that came while the job ran is read from its end, as the source begins in those of before: what came before it was discovered is lost.',
  parts: withWrong({ startOfNewPartition: 'as-configured' }),
  scenario: 'new-partitions',
  judges: LOST,
};

export const splitsBackToNewSource: Mutant = {
  slug: 'splits-back-to-new-source',
  bug: 'row B24',
  story:
    'Splits of a source that a reader forgot when it restarted come back after the switch to the next one, and are handed out as splits of ' +
    'that one: it is asked for records it never had.',
  parts: withWrong({
    splitsToGiveBack: (forgotten, currentSource) =>
      forgotten.map((split) => (split.source === undefined ? split : { ...split, source: currentSource })),
  }),
  scenario: 'hybrid-source',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const splitsBackToDoneReader: Mutant = {
  slug: 'splits-back-to-done-reader',
  bug: 'row B24',
  story:
    'That there is nothing more is noted for the last source of a chain alone: splits of an earlier one that a restarted reader forgot go to ' +
    'readers that have heard it, and may have ended.',
  parts: withWrong({ splitsToDoneReader: 'of-earlier-sources' }),
  scenario: 'hybrid-source',
  judges: ['checkpoint-lifecycle', 'exactly-once-output', 'progress'],
};

export const assignmentsOutliveRestart: Mutant = {
  slug: 'assignments-outlive-restart',
  bug: 'own (row K2)',
  story:
    'What was assigned since the last checkpoint is remembered when the whole job begins again from it. When a region fails before the next one, ' +
    'its splits come back though others have been given what is in them.',
  parts: withWrong({ assignmentsAtReset: 'kept' }),
  scenario: 'splits-across-restarts',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const finishedReaderEndsUnheard: Mutant = {
  slug: 'finished-reader-ends-unheard',
  bug: 'own (found by a sweep)',
  story:
    'A reader that is restored as finished ends before its coordinator has heard that it is there. Where that was lost, the coordinator waits for it, and ' +
    'hands out nothing, for ever.',
  parts: withWrong({ finishedReader: 'ends-at-once' }),
  scenario: 'finished-readers-unheard',
  judges: ['progress'],
};

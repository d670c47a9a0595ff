/** What a source may get wrong: what a position means, and the moment it is taken. */
import { type Mutant, withWrong } from './mutant.ts';

export const offsetInclusive: Mutant = {
  slug: 'offset-inclusive',
  bug: 'FLINK-4618',
  story: 'The checkpoint holds the offset of the last record read, and a restore takes it for that of the next one.',
  parts: withWrong({ checkpointedOffset: (nextOffset) => nextOffset - 1 }),
  scenario: 'standard',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
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

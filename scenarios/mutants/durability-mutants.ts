/** What the coordinator may believe too early: that a checkpoint is durable, or that it is not. */
import { type Mutant, withWrong } from './mutant.ts';

export const notifyBeforeDurable: Mutant = {
  slug: 'notify-before-durable',
  bug: 'FLINK-31077',
  story:
    'Completion is announced, and sinks commit, when all have acknowledged; metadata and pointer are written later.',
  parts: withWrong({ notifyComplete: 'when-acknowledged' }),
  scenario: 'standard',
  judges: ['checkpoint-lifecycle', 'exactly-once-output', 'progress'],
};

export const unknownWriteIsFailure: Mutant = {
  slug: 'unknown-write-is-failure',
  bug: 'FLINK-22494',
  story:
    'A pointer write without an answer counts as failed and the files are deleted, though the pointer may name them.',
  parts: withWrong({ unknownPointerWrite: 'failure' }),
  scenario: 'lost-write-reply',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-state', 'progress', 'retention', 'restore-audit'],
};

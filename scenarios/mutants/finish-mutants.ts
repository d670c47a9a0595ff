/** What the end of bounded input may get wrong: who waits for what, and what is remembered of it (I7 and I8 of the bug list, row C21). */
import { type Mutant, withWrong } from './mutant.ts';

export const finishWithoutFinalCommit: Mutant = {
  slug: 'finish-without-final-commit',
  bug: 'FLINK-23408',
  story: 'Subtasks end when their input has; what came after the last checkpoint is never committed.',
  parts: withWrong({ finalCheckpoint: 'skip' }),
  scenario: 'bounded-input',
  judges: ['exactly-once-output', 'exactly-once-state', 'finishing', 'progress'],
};

export const earlierRunsDeletedAtTheEnd: Mutant = {
  slug: 'earlier-runs-deleted-at-the-end',
  bug: 'own',
  story:
    'The clean-up of a job that has ended deletes all checkpoints of the job, those included that earlier runs left to their user, and ' +
    'from which this run may have been restored without a claim.',
  parts: withWrong({ checkpointsOfEarlierRuns: 'deleted' }),
  scenario: 'checkpoint-after-all-tasks-finished-itcase',
  judges: ['retention', 'savepoints', 'restore-audit'],
};

export const beginTransactionAfterFinish: Mutant = {
  slug: 'begin-txn-after-finish',
  bug: 'FLINK-23473',
  story:
    'The snapshot of a sink whose input ended opens the next transaction, as every snapshot used to; nobody ends it.',
  parts: withWrong({ transactionAfterFinish: 'begun' }),
  scenario: 'bounded-input',
  judges: ['finishing', 'progress'],
};

export const finishTwiceEmitsTwice: Mutant = {
  slug: 'finish-twice-emits-twice',
  bug: 'FLINK-25920',
  story:
    'That operators have finished is not kept in the checkpoint, so a job that fails between final checkpoint and end emits its last ' +
    'records once more.',
  parts: withWrong({ finishedOperators: 'forgotten' }),
  scenario: 'bounded-input',
  judges: ['exactly-once-output'],
};

export const endOfDataSurvivesRestart: Mutant = {
  slug: 'end-of-data-flag-survives-restart',
  bug: 'FLINK-32945',
  story:
    'Who has reached the end of data is known by subtask and outlives a restart, so that the new attempts never make it complete and ' +
    'nobody asks for the final checkpoint.',
  parts: withWrong({ endOfDataAtRestart: 'kept' }),
  scenario: 'final-checkpoint-only',
  judges: ['exactly-once-output', 'exactly-once-state', 'progress'],
};

export const endOfDataUntilReplaced: Mutant = {
  slug: 'end-of-data-until-replaced',
  bug: 'own (found by a sweep)',
  story:
    'Attempts that have failed count as waiting at the end of data until their successors are deployed. The final checkpoint is asked for ' +
    'while a region restarts, and tried again before what was restarted has read to its end, which then waits for another one.',
  parts: withWrong({ endOfDataAtRestart: 'until-replaced' }),
  scenario: 'region-behind-at-the-end',
  judges: ['progress'],
};

export const triggerSourcesOnly: Mutant = {
  slug: 'trigger-sources-only',
  bug: 'FLINK-2491',
  story:
    'A checkpoint is triggered at sources alone. When they have finished, no barrier comes and every further one expires.',
  parts: withWrong({ triggered: 'sources' }),
  scenario: 'finished-pipeline',
  judges: ['exactly-once-output', 'exactly-once-state', 'progress'],
};

/** What operator coordinators may get wrong: the moment of their cut, what passes around it, and what they restore. */
import { type Mutant, withWrong } from './mutant.ts';

export const checkpointDoesNotWaitForEvents: Mutant = {
  slug: 'checkpoint-does-not-wait-for-events',
  bug: 'FLINK-21996',
  story:
    'A checkpoint does not wait until the events that its coordinator sent before are acknowledged. An assignment that was ' +
    'lost is in no state: the enumerator says assigned, no reader has it.',
  parts: withWrong({ coordinatorSnapshot: 'at-once' }),
  scenario: 'split-assignment-under-faults',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const eventsOfTheDeadWaitedFor: Mutant = {
  slug: 'events-of-the-dead-waited-for',
  bug: 'own',
  story:
    'What a subtask had not acknowledged when its region failed stays open, and each later checkpoint waits for it until it expires. The restart of the whole job that follows hides it.',
  parts: withWrong({ eventsOfEndedAttempt: 'waited-for' }),
  scenario: 'split-assignment-under-faults',
  judges: ['checkpoint-lifecycle', 'progress'],
};

export const backlogFlagSurvivesReader: Mutant = {
  slug: 'backlog-flag-survives-reader',
  bug: 'row C5',
  story:
    'A reader that lagged when it failed is taken to lag for ever: nobody is left to say that it caught up, and checkpoints stay rare or off.',
  parts: withWrong({ backlogOfEndedReader: 'kept' }),
  scenario: 'interval-during-backlog',
  judges: ['progress'],
};

export const gatewayStaysOpen: Mutant = {
  slug: 'gateway-stays-open',
  bug: 'FLINK-18641',
  story:
    'What a coordinator sends after its cut may reach the subtask before its barrier, and is then in both snapshots.',
  parts: withWrong({ gatewayAtCheckpoint: 'stays-open' }),
  scenario: 'split-assignment-under-faults',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const noticesAsTheyCome: Mutant = {
  slug: 'notices-as-they-come',
  bug: 'own',
  story:
    'A subtask tells its functions of every notice of completion that arrives: of one twice when its message is doubled, of an older one ' +
    'after a newer one when messages overtake each other.',
  parts: withWrong({ completionNotices: 'as-they-come' }),
  scenario: 'stream-checkpoint-notifier-itcase',
  judges: ['notifications'],
};

export const enumeratorStateNotRestored: Mutant = {
  slug: 'enumerator-state-not-restored',
  bug: 'own',
  story: 'After a failover of the job the enumerator begins from nothing and assigns every partition again.',
  parts: withWrong({ coordinatorStateToRestore: () => undefined }),
  scenario: 'split-assignment-under-faults',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

/** What leaders may get wrong: what outlives them, who they are, and what a successor finds. */
import { type Mutant, withWrong } from './mutant.ts';

export const unknownWriteIsSuccess: Mutant = {
  slug: 'unknown-write-is-success',
  bug: 'FLINK-22494',
  story:
    'A pointer write without an answer counts as done: sinks commit, though the pointer may never have been stored.',
  parts: withWrong({ unknownPointerWrite: 'success' }),
  scenario: 'pointer-write-lost',
  judges: [
    'checkpoint-lifecycle',
    'consistent-cut',
    'exactly-once-output',
    'exactly-once-state',
    'fencing',
    'progress',
    'retention',
    'restore-audit',
  ],
};

export const leaseCountedFromAnswer: Mutant = {
  slug: 'lease-counted-from-answer',
  bug: 'own',
  story:
    'A leader counts its lease from when it was told that it is renewed. The answer was long under way, so another one leads before it stops.',
  parts: withWrong({ leaseCountedFrom: 'answer' }),
  scenario: 'late-lease-answers',
  judges: ['fencing'],
};

export const lateFilesLeft: Mutant = {
  slug: 'late-files-left',
  bug: 'own',
  story:
    'A job that has ended is cleaned up once: a write that a dead machine had sent arrives later, and its file is left for ever.',
  parts: withWrong({ filesOfEndedJob: 'deleted-once' }),
  scenario: 'writes-behind-the-end',
  judges: ['retention', 'progress'],
};

export const deleteDataBeforePointer: Mutant = {
  slug: 'delete-data-before-pointer',
  bug: 'FLINK-22014',
  story: 'The files of the checkpoint that a new one will drop are deleted before the pointer is moved.',
  parts: withWrong({ subsume: 'before-pointer' }),
  scenario: 'pointer-write-lost',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-state', 'progress', 'retention', 'restore-audit'],
};

export const zombieJobManagerCanSubsume: Mutant = {
  slug: 'zombie-jm-can-subsume',
  bug: 'FLINK-6612',
  story:
    'The pointer is written whatever its version: what a leader sent before it was replaced overwrites the pointer of the ' +
    'new one and drops its checkpoints.',
  parts: withWrong({ leaderFencing: 'none' }),
  scenario: 'zombie-jobmanager-writes',
  judges: [
    'checkpoint-lifecycle',
    'consistent-cut',
    'exactly-once-output',
    'exactly-once-state',
    'fencing',
    'progress',
    'retention',
  ],
};

export const unreadableCheckpointSkipped: Mutant = {
  slug: 'unreadable-checkpoint-skipped',
  bug: 'FLINK-22502',
  story: 'A new leader goes without a retained checkpoint whose metadata it cannot read, and restores an older one.',
  parts: withWrong({ unreadableMetadata: 'skip' }),
  scenario: 'zookeeper-jobmanager-crash',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const unreadableCheckpointRemoved: Mutant = {
  slug: 'unreadable-checkpoint-removed',
  bug: 'FLINK-7783',
  story: 'A new leader takes a retained checkpoint whose metadata it cannot read for garbage, and deletes it.',
  parts: withWrong({ unreadableMetadata: 'remove' }),
  scenario: 'zookeeper-jobmanager-crash',
  judges: ['checkpoint-lifecycle', 'exactly-once-output', 'exactly-once-state', 'progress', 'retention'],
};

export const idsFromNewestCheckpoint: Mutant = {
  slug: 'ids-from-newest-checkpoint',
  bug: 'row C8',
  story: 'A new leader counts on from the newest checkpoint: an id that was taken and never completed is taken again.',
  parts: withWrong({ firstIdOfLeader: 'after-newest-checkpoint' }),
  scenario: 'jobmanager-crash-before-metadata',
  judges: ['checkpoint-lifecycle', 'progress', 'exactly-once-output', 'exactly-once-state', 'consistent-cut'],
};

export const suspendedKeepsLeading: Mutant = {
  slug: 'suspended-keeps-leading',
  bug: 'CURATOR-460',
  story: 'A leader that lost its connection to ZooKeeper goes on until it is told that its session is over.',
  parts: withWrong({ suspendedLeadership: 'kept' }),
  scenario: 'leader-flapping',
  judges: ['fencing', 'checkpoint-lifecycle', 'progress'],
};

export const watchLossForgotten: Mutant = {
  slug: 'watch-loss-forgotten',
  bug: 'CURATOR-724',
  story:
    'A contender that reaches ZooKeeper again relies on the watch it had set before; who was ahead of it may be gone.',
  parts: withWrong({ afterReconnect: 'trust-watch' }),
  scenario: 'leader-flapping',
  judges: ['progress'],
};

export const askedOverLostConnection: Mutant = {
  slug: 'asked-over-lost-connection',
  bug: 'own (found by a sweep)',
  story:
    'Who hears that a connection to ZooKeeper is lost and asks again at once asks over that connection. Where leaders tolerate the loss, nobody ever ' +
    'answers, and what waits for it, waits until the next loss.',
  parts: withWrong({ askedAtConnectionLoss: 'sent' }),
  scenario: 'reset-on-the-way',
  judges: ['progress', 'retention'],
};

/** What a restart may get wrong: from where it restores, and what becomes of checkpoints that the old attempt began. */
import { type Mutant, withWrong } from './mutant.ts';

export const restartWithoutRestore: Mutant = {
  slug: 'restart-without-restore',
  bug: 'FLINK-14389',
  story: 'After a failure the tasks are deployed again, but nobody gives them the state of the newest checkpoint.',
  parts: withWrong({ chooseRestore: () => undefined }),
  scenario: 'standard',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const checkpointIdsSortedAsText: Mutant = {
  slug: 'checkpoint-ids-sorted-as-text',
  bug: 'FLINK-6284',
  story: 'The newest checkpoint is sought among ids in the order of text, so 9 is newer than 10.',
  parts: withWrong({
    chooseRestore: ({ completed }) => [...completed].sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1)).at(-1),
  }),
  scenario: 'standard',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-output'],
};

export const ackIgnoresAttempt: Mutant = {
  slug: 'ack-ignores-attempt',
  bug: 'Hazelcast Jet #2503',
  story:
    'Acknowledgements are matched by checkpoint alone, and a restart leaves pending checkpoints be: what the old attempt ' +
    'acknowledged becomes the newest checkpoint while the new attempt runs from an older one.',
  parts: withWrong({ acceptsAcknowledgement: () => true, pendingAtRestart: 'keep' }),
  scenario: 'restart-during-metadata-write',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

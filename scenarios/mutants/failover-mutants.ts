/** What the restart of one region may get wrong: what becomes of pending checkpoints, who restarts, and when the next one is triggered. */
import { tasksToRestart } from '../../engine/jobmanager/failover-strategy.ts';
import { placeSlots } from '../../engine/jobmanager/slot-placement.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const pendingSurvivesFailover: Mutant = {
  slug: 'pending-survives-failover',
  bug: 'FLINK-14389, FLINK-13256',
  story:
    'A region restarts and nobody aborts the pending checkpoints: one that its old attempts have acknowledged completes while the ' +
    'new ones run from an older one.',
  parts: withWrong({ abortsAtRegionFailover: () => false }),
  scenario: 'region-failover',
  judges: ['checkpoint-lifecycle'],
};

export const deadTaskKeepsPending: Mutant = {
  slug: 'dead-task-keeps-pending',
  bug: 'FLINK-7844',
  story:
    'A checkpoint that a failed task has not acknowledged stays pending until it expires, and keeps the next ones from being triggered.',
  parts: withWrong({ abortsAtRegionFailover: ({ owes }) => !owes }),
  scenario: 'region-failover',
  judges: ['checkpoint-lifecycle'],
};

export const triggerWhileRecovering: Mutant = {
  slug: 'trigger-while-recovering',
  bug: 'FLINK-22003, FLINK-22379',
  story: 'The periodic trigger looks at the job, which runs, and not at its tasks, some of which are being restored.',
  parts: withWrong({ mayTrigger: () => true }),
  scenario: 'region-failover',
  judges: ['checkpoint-lifecycle'],
};

export const regionForgetsDownstream: Mutant = {
  slug: 'region-forgets-downstream',
  bug: 'FLIP-1',
  story:
    'Of the region of a failed task only the task and its producers restart; the consumers go on and wait for the old attempts.',
  parts: withWrong({
    tasksToRestart: (strategy, regions, failed) => {
      const last = Math.max(...failed.map(({ vertex }) => vertex));
      return tasksToRestart(strategy, regions, failed).filter(({ vertex }) => vertex <= last);
    },
  }),
  scenario: 'task-exceptions',
  judges: ['exactly-once-output', 'progress'],
};

export const occupiedSlotGivenAway: Mutant = {
  slug: 'occupied-slot-given-away',
  bug: 'own (row F9)',
  story:
    'Slots for a region that restarts are handed out from the first one on, as for a whole job: whoever runs there has company.',
  parts: withWrong({ placeSlots: (question) => placeSlots({ ...question, previous: [] }) }),
  scenario: 'scarce-slots',
  judges: ['bounds'],
};

/** What restarting subtasks without their producers may get wrong (row F1, FLIP-135). */
import { tasksToRestart } from '../../engine/jobmanager/failover-strategy.ts';
import { type Mutant, withWrong } from './mutant.ts';

const SCENARIO = 'approximate-local-recovery-downstream-itcase';

export const approximateForgetsDownstream: Mutant = {
  slug: 'approximate-forgets-downstream',
  bug: 'FLIP-135',
  story:
    'Only the failed task restarts. What is behind it waits for an attempt that is gone, or has seen what the new one does again.',
  parts: withWrong({
    tasksToRestart: (strategy, regions, failed) => {
      const all = tasksToRestart(strategy, regions, failed);
      if (strategy !== 'approximate') return all;
      return all.filter((one) =>
        failed.some(({ vertex, subtask }) => one.vertex === vertex && one.subtask === subtask),
      );
    },
  }),
  scenario: SCENARIO,
  judges: ['exactly-once-output', 'exactly-once-state', 'consistent-cut', 'progress'],
};

export const queueDroppedAtReconnect: Mutant = {
  slug: 'queue-dropped-at-reconnect',
  bug: 'row F1',
  story:
    'Not only what its consumer was sent is lost, but also what waited for it when another attempt took its place.',
  parts: withWrong({ queueAtReconnect: 'dropped' }),
  scenario: SCENARIO,
  judges: ['exactly-once-output', 'exactly-once-state', 'consistent-cut', 'progress'],
};

/** What barriers may get wrong: which of them count, in which order, and when an old checkpoint is over (bugs.md, groups E and F). */
import { type Mutant, withWrong } from './mutant.ts';

export const rpcPerMessageNoOrder: Mutant = {
  slug: 'rpc-per-message-no-order',
  bug: 'FLINK-2339',
  story:
    'Triggers are acted upon in the order in which they happen to be run: one that was overtaken, or comes twice, is taken up late.',
  parts: withWrong({ lateTrigger: 'acted-upon' }),
  scenario: 'concurrent-checkpoints',
  judges: ['checkpoint-lifecycle', 'consistent-cut', 'exactly-once-state', 'progress'],
};

export const newerBarrierDoesNotCancelOlder: Mutant = {
  slug: 'newer-barrier-does-not-cancel-older',
  bug: 'FLINK-2427',
  story:
    'A task that aligns a checkpoint sticks to it, whatever barriers of newer ones come: one that never completes blocks it.',
  parts: withWrong({ newerBarrier: 'is-ignored' }),
  scenario: 'lost-aborts',
  judges: ['checkpoint-lifecycle', 'progress'],
};

export const barrierAcceptOffByOne: Mutant = {
  slug: 'barrier-accept-off-by-one',
  bug: 'FLINK-20654 (a)',
  story:
    'A channel whose barrier was consumed counts as one whose barrier is still to come: what lies behind the barrier is taken for in-flight data.',
  parts: withWrong({ hasDeliveredBarrier: (lastSeen, id) => lastSeen > id }),
  scenario: 'unaligned-timeout',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const processAfterBarrierBeforeSnapshot: Mutant = {
  slug: 'process-after-barrier-before-snapshot',
  bug: 'FLINK-17568',
  story:
    'The first barrier has overtaken, its in-flight data is gathered, and a further buffer is processed before the snapshot.',
  parts: withWrong({ unalignedSnapshot: 'after-next-buffer' }),
  scenario: 'unaligned-backpressure',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const savepointBarrierHasPriority: Mutant = {
  slug: 'savepoint-barrier-has-priority',
  bug: 'FLINK-18252',
  story:
    'Whether a barrier overtakes is asked of the job and not of its checkpoint: that of a savepoint jumps over data nobody keeps.',
  parts: withWrong({
    barrierOvertakes: ({ alignment }, unalignedJob) =>
      unalignedJob && alignment !== 'forced-aligned' && alignment !== 'at-least-once',
  }),
  scenario: 'savepoint-under-backpressure',
  judges: [
    'checkpoint-lifecycle',
    'consistent-cut',
    'exactly-once-output',
    'exactly-once-state',
    'progress',
    'savepoints',
  ],
};

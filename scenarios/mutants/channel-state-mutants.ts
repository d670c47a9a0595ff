/** What channel state may get wrong: what is in it, under which name, and when it ends (bugs.md, group F). */
import { type Mutant, withWrong } from './mutant.ts';

export const overtakenOutputNotPersisted: Mutant = {
  slug: 'overtaken-output-not-persisted',
  bug: 'FLINK-17218',
  story: 'A barrier jumps over the data in an output queue, and that data is in no snapshot.',
  parts: withWrong({ persistsOvertakenOutput: false }),
  scenario: 'unaligned-backpressure',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const multiGateIndexMixup: Mutant = {
  slug: 'multi-gate-index-mixup',
  bug: 'FLINK-20654 (b)',
  story:
    'In-flight data is gathered by the number of the producing subtask, which two inputs share: one takes the place of the other.',
  parts: withWrong({ channelNumber: ({ peer }) => peer }),
  scenario: 'unaligned-backpressure',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const checkpointDuringChannelRecovery: Mutant = {
  slug: 'checkpoint-during-channel-recovery',
  bug: 'FLINK-20654 (c)',
  story:
    'A checkpoint is taken while recovered in-flight data is not consumed yet, and what is left of it is in no snapshot.',
  parts: withWrong({ persistsRecovered: false }),
  scenario: 'unaligned-backpressure',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const creditGrantedAgain: Mutant = {
  slug: 'credit-granted-again',
  bug: 'own (row B15)',
  story:
    'A gate grants a buffer again that its producer was granted before and has not filled: memory grows in place of backpressure.',
  parts: withWrong({ freeBuffers: ({ buffers, queued }) => buffers - queued }),
  scenario: 'unaligned-backpressure',
  judges: ['bounds'],
};

export const restoredOutputWaits: Mutant = {
  slug: 'restored-output-waits',
  bug: 'own',
  story:
    'Output that was restored is sent when further credit comes. Its consumer may have given all of it before the output was there; if that ' +
    'fills the pool, both wait for ever.',
  parts: withWrong({ restoredOutput: 'waits-for-credit' }),
  scenario: 'unaligned-checkpoint-rescale-with-mixed-exchanges-itcase',
  judges: ['progress'],
};

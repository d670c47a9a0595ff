/** What channel state may get wrong: what is in it, under which name, and when it ends (bugs.md, group F). */
import type { StateKind } from '../../engine/protocol/state-handle.ts';
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

export const abortEndsGathering: Mutant = {
  slug: 'abort-ends-gathering',
  bug: 'own (row B6)',
  story:
    'The notice that a checkpoint was aborted ends the gathering of in-flight data, be it for another one: what arrives from then on is in no snapshot.',
  parts: withWrong({ abortEndsGathering: 'of-any' }),
  scenario: 'aborts-beside-unaligned',
  // A life that does not end well ends between a checkpoint and the sweep behind it.
  judges: [
    'consistent-cut',
    'exactly-once-output',
    'exactly-once-state',
    'progress',
    'restore-audit',
    'retention',
    'savepoints',
  ],
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

export const floatingBuffersPerChannel: Mutant = {
  slug: 'floating-buffers-per-channel',
  bug: 'own (row B15)',
  story:
    'Floating buffers are those of a gate. A producer counts them for each of its channels: it gathers a multiple of its pool before it pauses.',
  parts: withWrong({ bufferPool: ({ channels, exclusive, floating }) => channels * (exclusive + floating) }),
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

/** Row X26. The reference does without what lay in channel state, so more that is gone shows as lost, and what came all the same as invented. */
const SEE_WHAT_IS_GIVEN_UP = ['exactly-once-output', 'exactly-once-state', 'consistent-cut', 'progress'];

export const givenUpWithOperatorState: Mutant = {
  slug: 'given-up-with-operator-state',
  bug: 'row X26',
  story:
    'Where in-flight data is given up, operator state goes with it, because only keyed state was thought of: sources begin at the start again.',
  parts: withWrong({ isGivenUp: (state, restored, configured) => restored === configured && state !== 'keyed' }),
  scenario: 'ignore-in-flight-data-itcase',
  judges: [...SEE_WHAT_IS_GIVEN_UP, 'restore-audit'],
};

export const givenUpAtEveryRestore: Mutant = {
  slug: 'given-up-at-every-restore',
  bug: 'row X26',
  story: 'The id is not compared: in-flight data is given up at every restore, not at that of one checkpoint.',
  parts: withWrong({ isGivenUp: (state) => isOfChannel(state) }),
  scenario: 'ignore-in-flight-data-itcase',
  judges: SEE_WHAT_IS_GIVEN_UP,
};

export const givenUpOutputRestored: Mutant = {
  slug: 'given-up-output-restored',
  bug: 'row X26',
  story:
    'Only the state of input channels is given up. What producers had not sent yet is restored, and comes behind a gap.',
  parts: withWrong({
    isGivenUp: (state, restored, configured) => restored === configured && state === 'input-channel',
  }),
  scenario: 'ignore-in-flight-data-itcase',
  judges: SEE_WHAT_IS_GIVEN_UP,
};

const isOfChannel = (state: StateKind): boolean => state === 'input-channel' || state === 'output-channel';

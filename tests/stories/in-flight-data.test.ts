/** Data under way as part of a checkpoint, each story with the rule and without it (rows B6, B7, B10, B18, B19, B20, B23, X26). */
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../sim/run-record.ts';
import { type Story, story } from './story.ts';

const keep = { keepHistory: true } as const;
const OUTPUT_OR_STATE = ['consistent-cut', 'exactly-once-output', 'exactly-once-state', 'progress'];

/** Two inputs, full channels; a machine goes when a checkpoint with in-flight data is complete. */
const restored = (scenario = 'unaligned-backpressure'): Story =>
  story({ scenario })
    .crash('taskmanager-1', { point: 'completed', checkpoint: 3 }, 0.3)
    .crash('taskmanager-2', { point: 'completed', checkpoint: 6 }, 0.3);
const isFound = (tale: Story, variant: string): void =>
  expect(OUTPUT_OR_STATE).toEqual(expect.arrayContaining(tale.fails(variant).slice(0, 1)));
const heldInFlight = ({ checkpointRecords }: RunRecord): number[] =>
  checkpointRecords.filter(({ bytesPersisted }) => bytesPersisted > 0).map(({ checkpointId }) => checkpointId);

describe('Cluster: in-flight data', () => {
  it('B7: what a barrier overtakes in an output queue is in its snapshot', () => {
    expect(heldInFlight(restored().passes(keep))).toEqual(expect.arrayContaining([3, 6]));
    isFound(restored(), 'overtaken-output-not-persisted');
  });

  it('B23: channels of two inputs are told apart, and each input waits for its own barriers', () => {
    restored().reaches('in-flight-data-in-snapshot').passes();
    isFound(restored(), 'multi-gate-index-mixup');
  });

  it('B18, B20, B6: what was recovered and is not consumed yet is in the next checkpoint, too, and before what is new', () => {
    const tale = (): Story => restored().crash('taskmanager-3', { point: 'completed', checkpoint: 4 }, 0.3);
    tale().reaches('in-flight-data-in-snapshot').passes();
    isFound(tale(), 'checkpoint-during-channel-recovery');
  });

  it('B6, B8: a channel stands behind its barrier once that is consumed: what follows is not in flight', () => {
    restored('unaligned-timeout').reaches('alignment-timed-out').passes();
    isFound(restored('unaligned-timeout'), 'barrier-accept-off-by-one');
  });

  it('B19: at another parallelism both ends of an exchange hand over what they held', () => {
    const tale = (): Story =>
      story({ scenario: 'unaligned-rescale' })
        .rescale(5, { point: 'completed', checkpoint: 2 })
        .rescale(2, { point: 'completed', checkpoint: 5 });
    tale().reaches('in-flight-data-taken-over').passes();
    isFound(tale(), 'rescaled-output-forgotten');
  });

  it('X26: what is given up stays away, as the job is rescaled, too', () => {
    const { records } = story({ scenario: 'ignore-in-flight-data-itcase' })
      .rescale(2, { point: 'completed', checkpoint: 3 })
      .reaches('in-flight-data-given-up')
      .reaches('restored-at-other-parallelism')
      .passes();
    expect(records.out).toBeLessThan(records.in);
  });
});

/** Barriers that are not met by all: ended channels, checkpoints given up, exchanges that keep their order (rows B1, B2, B3, B10, B11). */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { checkpointOf, eventsOf, liveIt } from '../support/lives.ts';
import { type Story, story } from './story.ts';

type Checkpointing = Partial<SimulationPlan['engine']['checkpoint']>;
const SECOND = 1_000_000;
const withCheckpoints = (scenario: string, checkpointing: Checkpointing): Story =>
  story({ scenario, engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, ...checkpointing } }) });

/** Vertices that ever took a snapshot before all barriers were there. */
const overtakenAt = (record: RunRecord): Set<number> => {
  const vertices = eventsOf(record).flatMap((event) =>
    event.kind === 'acknowledge-sent' && event.metrics.unaligned ? [event.vertex] : [],
  );
  return new Set(vertices);
};

describe('Cluster: barriers', () => {
  it('B1: the barrier of a newer checkpoint ends the alignment of one that will never be complete', () => {
    /* Sources there hear neither the trigger nor the end of the third; those behind them have the other barriers of it. */
    const tale = (): Story => story({ scenario: 'lost-aborts' }).deafen('jobmanager-1', 'taskmanager-1', 2.9, 0.95);
    const record = tale().reaches('newer-barrier-gave-up-alignment').passes();
    expect(checkpointOf(record, 3)).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-expired' });
    expect(checkpointOf(record, 4)?.outcome).toBe('completed');
    const stuck = liveIt({ ...tale().plan(), variant: 'newer-barrier-does-not-cancel-older' });
    expect(checkpointOf(stuck, 4)?.outcome).toBe('aborted');
  });

  it('B2: a channel that ends during an alignment counts as its last barrier: no checkpoint waits until it expires', () => {
    const record = withCheckpoints('partially-finished-sources', { intervalUs: 0.3 * SECOND, timeoutUs: 5 * SECOND })
      .pause('taskmanager-2', 5.2, 0.8)
      .reaches('channel-ended-during-alignment')
      .passes();
    expect(record.checkpoints.expired).toBe(0);
  });

  it('B3: the marker of a checkpoint is there before any of its barriers: those that come later are dropped, and nobody waits for the rest', () => {
    /*
     * A source sleeps until its checkpoint has expired, and one machine does not hear that. So what aligns there goes on and sends its
     * barriers; the markers of another machine, which has given up, have come before them.
     */
    const record = withCheckpoints('stream-checkpointing-itcase', { intervalUs: 2 * SECOND, timeoutUs: 0.7 * SECOND })
      .pause('taskmanager-3', { point: 'triggered', checkpoint: 2 }, 1.2)
      .deafen('jobmanager-1', 'taskmanager-1', 4.6, 0.3)
      .passes({ keepHistory: true });
    const there = record.history.filter(({ node }) => node === 'taskmanager-1').map(({ event }) => event);
    const verticesOf = (kind: 'notify-aborted-received' | 'decline-sent' | 'alignment-started' | 'alignment-done') =>
      there.flatMap((event) => (event.kind === kind && event.checkpointId === 2 ? [event.vertex] : []));
    expect(verticesOf('notify-aborted-received')).toEqual([]);
    expect(verticesOf('alignment-done')).toEqual([1, 1]);
    // The three vertices behind it, two subtasks of each.
    expect(verticesOf('decline-sent').sort((a, b) => a - b)).toEqual([2, 2, 3, 3, 4, 4]);
    expect(verticesOf('alignment-started')).toEqual([1, 1]);
    expect(there.some((event) => event.kind === 'probe' && event.probe === 'barrier-of-the-past')).toBe(true);
  });

  it('B10: behind an exchange that keeps its order barriers overtake again, with a time-out, too (FLINK-33693)', () => {
    const scenario = 'unaligned-checkpoint-rescale-with-mixed-exchanges-itcase';
    const record = withCheckpoints(scenario, { alignedTimeoutUs: 100_000 })
      .crash('taskmanager-1', { point: 'completed', checkpoint: 9 })
      .passes({ keepHistory: true });
    const overtaken = overtakenAt(record);
    // 2 gets its input by rescaling, 3 by forwarding; the others behind them by keys, dealt out and at one place.
    expect([...overtaken]).not.toContain(2);
    expect(overtaken).toContain(7);
  });

  it('B11: what broadcasts is aligned, and with it every input of who gets it; what lies in front of that is not', () => {
    const record = story({ scenario: 'broadcast-rules' })
      .crash('taskmanager-1', { point: 'completed', checkpoint: 3 })
      .passes({ keepHistory: true });
    // 0 and 1 are the sources, 2 has the keyed events and a copy of every rule.
    expect(overtakenAt(record)).toEqual(new Set([0, 1]));
  });
});

/** Barriers that are not met by all: ended channels, checkpoints given up, exchanges that keep their order (rows B2, B3, B10). */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import { type Story, story } from './story.ts';

type Checkpointing = Partial<SimulationPlan['engine']['checkpoint']>;
const SECOND = 1_000_000;
const withCheckpoints = (scenario: string, checkpointing: Checkpointing): Story =>
  story({ scenario, engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, ...checkpointing } }) });

describe('Cluster: barriers', () => {
  it('B2: a channel that ends during an alignment counts as its last barrier: no checkpoint waits until it expires', () => {
    const record = withCheckpoints('partially-finished-sources', { intervalUs: 0.3 * SECOND, timeoutUs: 5 * SECOND })
      .pause('taskmanager-2', 5.2, 0.8)
      .reaches('channel-ended-during-alignment')
      .passes();
    expect(record.checkpoints.expired).toBe(0);
  });

  it('B10: behind an exchange that keeps its order barriers overtake again, with a time-out, too (FLINK-33693)', () => {
    const scenario = 'unaligned-checkpoint-rescale-with-mixed-exchanges-itcase';
    const record = withCheckpoints(scenario, { alignedTimeoutUs: 100_000 })
      .crash('taskmanager-1', { point: 'completed', checkpoint: 9 })
      .passes({ keepHistory: true });
    const overtaken = new Set<number>();
    for (const { event } of record.history)
      if (event.kind === 'acknowledge-sent' && event.metrics.unaligned) overtaken.add(event.vertex);
    // 2 gets its input by rescaling, 3 by forwarding; the others behind them by keys, dealt out and at one place.
    expect([...overtaken]).not.toContain(2);
    expect(overtaken).toContain(7);
  });
});

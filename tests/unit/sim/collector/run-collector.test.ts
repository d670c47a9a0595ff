/** The figures of a run: counted from a hand-made history. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { LatencyHistogram } from '../../../../sim/collector/latency-histogram.ts';
import { RunCollector } from '../../../../sim/collector/run-collector.ts';
import { countGraph, KEYS, SmallLife } from '../judges/small-life.ts';

function figuresOf(life: SmallLife) {
  const collector = new RunCollector({ graph: countGraph([0, 1]), readableAtUs: (index) => index });
  for (const entry of life.history) collector.observe(entry);
  return collector.figures();
}

describe('run collector', () => {
  it('completed, aborted and pending checkpoints: one record each, with the worst figures of the tasks', () => {
    const life = new SmallLife(KEYS);
    life.lead(1);
    life.checkpoint({ id: 1, offsets: [2, 1] });
    life.trigger(2);
    life.acknowledge(2, 1);
    const aborted = {
      kind: 'checkpoint-aborted',
      epoch: leaderEpoch(1),
      checkpointId: checkpointId(2),
      triggeredAtUs: micros(0),
    } as const;
    life.tell({ ...aborted, reason: 'checkpoint-expired', acknowledged: 1, required: 4 });
    life.trigger(3);
    life.tell({
      ...aborted,
      checkpointId: checkpointId(3),
      reason: 'checkpoint-declined',
      acknowledged: 0,
      required: 4,
    });
    life.trigger(4);
    const { checkpointRecords, checkpoints, stateBytes } = figuresOf(life);
    expect(checkpoints).toEqual({ triggered: 4, completed: 1, aborted: 2, expired: 1, declined: 1 });
    expect(checkpointRecords.map(({ outcome }) => outcome)).toEqual(['completed', 'aborted', 'aborted', 'pending']);
    expect(checkpointRecords[0]).toMatchObject({
      endToEndUs: 50,
      alignmentUsMax: 8,
      recordsInFlight: 20,
      acknowledged: 4,
      required: 4,
    });
    expect(checkpointRecords[1]).toMatchObject({ reason: 'checkpoint-expired', acknowledged: 1 });
    expect(stateBytes).toBe(400);
  });

  it('the timeline: tasks of completed checkpoints, from trigger to acknowledgement', () => {
    const life = new SmallLife(KEYS);
    const triggeredAtUs = life.atUs + 10;
    life.checkpoint({ id: 1, offsets: [2, 1] });
    life.trigger(2);
    life.acknowledge(2, 1);
    const { timeline } = figuresOf(life);
    expect(timeline.map(({ task }) => task)).toEqual([
      'words -> keep (1/2)',
      'words -> keep (2/2)',
      'count -> out (1/2)',
      'count -> out (2/2)',
    ]);
    expect(timeline[0]).toMatchObject({ checkpointId: 1, startUs: triggeredAtUs, endUs: triggeredAtUs + 10 });
  });

  it('restarts, failovers, probes, output and its latency (K14)', () => {
    const life = new SmallLife(KEYS);
    life.lead(1);
    life.lead(2);
    life.tell({ kind: 'restart-scheduled', epoch: leaderEpoch(2), cause: 'taskmanager-lost', delayUs: micros(1) });
    life.tell({ kind: 'probe', probe: 'late-acknowledgement' });
    life.tell({ kind: 'probe', probe: 'late-acknowledgement' });
    life.tell({ kind: 'fault-effective', fault: 'f1', faultKind: 'crash' }, nodeId('world'));
    life.commit('out-0-3-1', [
      ['a', 1, 0],
      ['b', 1, 2],
    ]);
    const figures = figuresOf(life);
    expect(figures).toMatchObject({
      restarts: 1,
      failovers: 1,
      probes: { 'late-acknowledgement': 2 },
      records: { in: 0, out: 2, replayed: 0 },
    });
    expect(figures.latency).toEqual({ count: 2, p50Us: 89, p99Us: 90, maxUs: 90 });
    expect([...figures.effectiveFaults]).toEqual([['f1', 7]]);
  });
});

describe('latency histogram', () => {
  it('nothing: zeros', () => {
    expect(new LatencyHistogram().toRecord()).toEqual({ count: 0, p50Us: 0, p99Us: 0, maxUs: 0 });
  });

  it('quantiles: at most one part in 32 above the exact value, never above the maximum', () => {
    for (const scale of [1, 37, 1_000, 999_983]) {
      const histogram = new LatencyHistogram();
      for (let value = 1; value <= 1_000; value += 1) histogram.add(value * scale);
      const { count, p50Us, p99Us, maxUs } = histogram.toRecord();
      expect([count, maxUs]).toEqual([1_000, 1_000 * scale]);
      for (const [got, exact] of [
        [p50Us, 500 * scale],
        [p99Us, 990 * scale],
      ] as const) {
        expect(got).toBeGreaterThanOrEqual(exact);
        expect(got).toBeLessThanOrEqual(Math.min(maxUs, Math.ceil(exact * (33 / 32))));
      }
    }
  });

  it('values beyond the range share the last bucket; the maximum stays exact', () => {
    const histogram = new LatencyHistogram();
    histogram.add(2 ** 40);
    expect(histogram.toRecord()).toMatchObject({ count: 1, maxUs: 2 ** 40 });
  });
});

/** Wall clocks that are wrong change figures and the moment of a time-out, never results (rows B8, B13, C3, G8). */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';
import { story } from './story.ts';

const HOUR_US = 3_600_000_000;

/** The same life with these clocks on all TaskManagers, no faults. */
function livedWith(scenario: string, offsetUs: number): RunRecord {
  const plan: SimulationPlan = { ...planOf(scenario, '1'), faults: [] };
  const nodes = [1, 2, 3].map((number) => nodeId(`taskmanager-${number}`));
  const clocks = nodes.map((node) => ({ node, offsetUs, driftPpm: 0 }));
  const record = liveIt({ ...plan, cluster: { ...plan.cluster, clocks } }, { keepHistory: true, subtasks: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

const startDelays = ({ subtaskRecords }: RunRecord): number[] =>
  subtaskRecords.flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics.startDelayUs]));

describe('wall clocks', () => {
  it('that are wrong change no trigger: interval and min-pause are measured by the monotonic clock (C3, G8)', () => {
    const triggers = (record: RunRecord): number[] =>
      record.checkpointRecords.map(({ triggeredAtUs }) => triggeredAtUs);
    const calm = story().passes();
    const set = story().stepsClock('jobmanager-1', 5, 3_600).stepsClock('taskmanager-1', 7, -3_600).passes();
    expect(triggers(set)).toEqual(triggers(calm));
    expect(set.digest).not.toBe(calm.digest);
  });

  it('that are ahead add to the start delay, those that are behind make it 0 and never negative (B13)', () => {
    const [right, ahead, behind] = [0, HOUR_US, -HOUR_US].map((offsetUs) =>
      startDelays(livedWith('crash-during-alignment', offsetUs)),
    );
    expect(ahead).toEqual(right?.map((delay) => delay + HOUR_US));
    expect(new Set(behind)).toEqual(new Set([0]));
    expect(Math.max(...(right ?? []))).toBeGreaterThan(0);
  });

  it('decide when an alignment times out: at once where they are ahead, never where they are behind (B8)', () => {
    const [ahead, behind] = [HOUR_US, -HOUR_US].map((offsetUs) => {
      const { checkpointRecords, probes } = livedWith('unaligned-timeout', offsetUs);
      return { unaligned: checkpointRecords.filter(({ unaligned }) => unaligned).length, probes };
    });
    expect(ahead?.unaligned).toBeGreaterThan(3);
    expect(behind?.unaligned).toBe(0);
    expect(Object.keys(behind?.probes ?? {})).not.toContain('alignment-timed-out');
  });

  it('of the leader show how long a checkpoint took, and a clock that is set back shows no negative length (7.2)', () => {
    const { checkpointRecords } = story({ engine: (engine) => engine })
      .stepsClock('jobmanager-1', { point: 'triggered', checkpoint: 2 }, 100)
      .stepsClock('jobmanager-1', { point: 'triggered', checkpoint: 3 }, -200)
      .passes();
    const took = (id: number): number | undefined =>
      checkpointRecords.find(({ checkpointId }) => checkpointId === id)?.endToEndUs;
    expect(took(2)).toBeGreaterThan(100_000_000);
    expect(took(3)).toBe(0);
  });
});

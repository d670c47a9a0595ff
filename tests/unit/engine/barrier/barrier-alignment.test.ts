/** What options mean for barriers, and which edges let them overtake (rows B8, B10, B11). */
import { describe, expect, it } from 'vitest';
import {
  alignmentTimeLeftUs,
  isTimeoutable,
  mayCarryChannelState,
  optionsOnEdge,
  overtakes,
  supportsUnaligned,
  withoutForce,
} from '../../../../engine/barrier/barrier-alignment.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { CheckpointOptions } from '../../../../engine/protocol/checkpoint-options.ts';
import { ALIGNED } from '../../../support/engine-values.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';

const UNALIGNED: CheckpointOptions = { ...ALIGNED, alignment: 'unaligned' };
const TIMEOUTABLE: CheckpointOptions = { ...ALIGNED, alignedTimeoutUs: 50 };

describe('barrier alignment', () => {
  it('B5, B8: unaligned overtakes, aligned with a time-out may later, aligned without never', () => {
    expect([UNALIGNED, TIMEOUTABLE, ALIGNED].map(overtakes)).toEqual([true, false, false]);
    expect([UNALIGNED, TIMEOUTABLE, ALIGNED].map(isTimeoutable)).toEqual([false, true, false]);
    expect([UNALIGNED, TIMEOUTABLE, ALIGNED].map(mayCarryChannelState)).toEqual([true, true, false]);
  });

  it('B11: a savepoint never overtakes, whatever its options say', () => {
    for (const snapshot of ['savepoint', 'suspend-savepoint', 'terminate-savepoint'] as const) {
      for (const options of [UNALIGNED, TIMEOUTABLE]) {
        expect(overtakes({ ...options, snapshot })).toBe(false);
        expect(isTimeoutable({ ...options, snapshot })).toBe(false);
        expect(mayCarryChannelState({ ...options, snapshot })).toBe(false);
      }
    }
  });

  it.each([
    ['unaligned', UNALIGNED],
    ['timeoutable', TIMEOUTABLE],
  ] as const)('B10: %s is forced aligned on an edge that cannot, and reverts behind it (FLINK-33693)', (_, options) => {
    const forced = optionsOnEdge(options, false);
    expect(forced.alignment).toBe('forced-aligned');
    expect(overtakes(forced) || isTimeoutable(forced)).toBe(false);
    expect(mayCarryChannelState(forced)).toBe(true);
    expect(withoutForce(forced)).toEqual(options);
    expect(optionsOnEdge(forced, true)).toEqual(options);
    expect(optionsOnEdge(forced, false)).toEqual(forced);
  });

  it('B10: an aligned checkpoint is the same on every edge', () => {
    expect(optionsOnEdge(ALIGNED, false)).toEqual(ALIGNED);
    expect(optionsOnEdge(ALIGNED, true)).toEqual(ALIGNED);
  });

  it('B11: hash, rebalance and global let barriers overtake; pointwise, broadcast and custom edges do not (FLINK-39162)', () => {
    const all = ['hash', 'rebalance', 'global', 'forward', 'rescale', 'broadcast', 'custom'] as const;
    const supported = all.map((partitioning) => {
      const only = edge(0, 0, 1, partitioning);
      return supportsUnaligned(jobGraph([sourceVertex(0, 2), vertex(1, 2)], [only]), only);
    });
    expect(supported).toEqual([true, true, true, false, false, false, false]);
  });

  it('B11: one edge that cannot forces all edges into its vertex, and no others', () => {
    const edges = [edge(0, 0, 2, 'hash'), edge(1, 1, 2, 'broadcast'), edge(2, 0, 3, 'hash')];
    const graph = jobGraph([sourceVertex(0, 2), sourceVertex(1, 2), vertex(2, 2), vertex(3, 2)], edges);
    expect(edges.map((one) => supportsUnaligned(graph, one))).toEqual([false, false, true]);
  });

  it('B8: the time left counts from the trigger and is never negative', () => {
    const barrier = { triggeredAtUs: micros(100), options: TIMEOUTABLE };
    expect([100, 120, 150, 900].map((nowUs) => alignmentTimeLeftUs(barrier, nowUs))).toEqual([50, 30, 0, 0]);
  });
});

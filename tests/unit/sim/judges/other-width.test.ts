/** The other parallelism at which the restore audit restores a snapshot. */
import { describe, expect, it } from 'vitest';
import { keyGroupRangeOf } from '../../../../engine/job/key-groups.ts';
import type { JobGraph } from '../../../../engine/job/job-graph.ts';
import { slotsNeeded } from '../../../../engine/job/scaled-graph.ts';
import { checkpointId } from '../../../../engine/foundation/ids.ts';
import { otherWidth, touchingWidth } from '../../../../sim/judges/other-width.ts';
import { planOf } from '../../../support/lives.ts';
import { LeftByALife } from '../../../support/left-by-a-life.ts';

const graphOf = (maxParallelism: number): JobGraph => ({ vertices: [{ maxParallelism }] }) as unknown as JobGraph;

describe('the width of the restore audit', () => {
  it.each([4, 5, 6])('from %i subtasks: one begins with the last key group of an old one', (now) => {
    const width = touchingWidth(graphOf(128), now, 24) ?? 0;
    expect(width).toBeGreaterThan(now);
    const begins = Array.from({ length: width }, (_, subtask) => keyGroupRangeOf(subtask, width, 128).start);
    const ends = Array.from({ length: now }, (_, subtask) => keyGroupRangeOf(subtask, now, 128).end);
    expect(begins.some((begin) => ends.includes(begin))).toBe(true);
  });

  it('where none within the bound touches there is none', () => {
    expect(touchingWidth(graphOf(128), 2, 24)).toBeUndefined();
  });

  it('else a checkpoint is tried one subtask wider or narrower', () => {
    const { graph } = new LeftByALife(planOf('quickstart', '1')).job;
    const widthFor = (id: number): number => {
      const other = otherWidth(graph, { checkpointId: checkpointId(id), states: [] } as never);
      return other === undefined ? 0 : slotsNeeded(other.vertices);
    };
    const now = slotsNeeded(graph.vertices);
    expect([widthFor(1), widthFor(2), widthFor(3)].every((width) => Math.abs(width - now) === 1)).toBe(true);
  });
});

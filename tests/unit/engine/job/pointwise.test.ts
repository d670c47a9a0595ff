/** Pointwise exchanges (row B11; Flink: EdgeManagerBuildUtil). */
import { describe, expect, it } from 'vitest';
import { consumersOf, feedsSubtask, isPointwise } from '../../../../engine/job/pointwise.ts';

const WIDTHS = [1, 2, 3, 4, 5, 7, 12, 20, 21];

describe('rescale', () => {
  it.each([
    {
      producers: 2,
      consumers: 4,
      shares: [
        [0, 1],
        [2, 3],
      ],
    },
    { producers: 4, consumers: 2, shares: [[0], [0], [1], [1]] },
    { producers: 2, consumers: 3, shares: [[0, 1], [2]] },
    { producers: 3, consumers: 2, shares: [[0], [1], [1]] },
  ])('$producers producers share $consumers consumers out as Flink does', ({ producers, consumers, shares }) => {
    const found = shares.map((_, producer) => {
      const { first, end } = consumersOf(producer, { producers, consumers });
      return Array.from({ length: end - first }, (__, index) => first + index);
    });
    expect(found).toEqual(shares);
  });

  it('I1: for every pair of widths each producer feeds somebody and each consumer is fed, evenly but for one', () => {
    for (const producers of WIDTHS) {
      for (const consumers of WIDTHS) {
        const fedBy = new Array<number>(consumers).fill(0);
        for (let producer = 0; producer < producers; producer += 1) {
          const { first, end } = consumersOf(producer, { producers, consumers });
          expect(end).toBeGreaterThan(first);
          for (let consumer = first; consumer < end; consumer += 1) fedBy[consumer] = (fedBy[consumer] ?? 0) + 1;
        }
        expect(Math.min(...fedBy)).toBeGreaterThan(0);
        expect(Math.max(...fedBy) - Math.min(...fedBy)).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('feedsSubtask', () => {
  const widths = () => ({ producers: 2, consumers: 4 });

  it('forward leads to the same index, rescale to its share, everything else everywhere', () => {
    expect(feedsSubtask({ partitioning: 'forward' }, 1, 1, widths)).toBe(true);
    expect(feedsSubtask({ partitioning: 'forward' }, 1, 0, widths)).toBe(false);
    expect(feedsSubtask({ partitioning: 'rescale' }, 1, 2, widths)).toBe(true);
    expect(feedsSubtask({ partitioning: 'rescale' }, 1, 1, widths)).toBe(false);
    for (const partitioning of ['hash', 'rebalance', 'broadcast', 'global', 'custom'] as const) {
      expect(feedsSubtask({ partitioning }, 1, 0, widths), partitioning).toBe(true);
      expect(isPointwise({ partitioning })).toBe(false);
    }
  });
});

import { expectExactlyOnce } from 'tidemark/testing';
import { expect, it } from 'vitest';
import { loyaltyPoints } from './loyalty-points.mjs';
import { loyaltyPointsFixed } from './loyalty-points-fixed.mjs';
import { input } from './purchases.mjs';

it('points survive whatever breaks', async () => {
  await expectExactlyOnce(loyaltyPointsFixed, { input, seeds: 60 });
});
it('points that are gathered in memory do not', async () => {
  await expect(expectExactlyOnce(loyaltyPoints, { input, seeds: 60 })).rejects.toThrow(/exactly-once.*state/s);
});

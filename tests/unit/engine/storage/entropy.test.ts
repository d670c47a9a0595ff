import { describe, expect, it } from 'vitest';
import { checkpointIdOf } from '../../../../engine/protocol/checkpoint-paths.ts';
import { liesUnder, withEntropy } from '../../../../engine/storage/entropy.ts';

describe('entropy', () => {
  it('T7: paths of state get prefixes of their own, and are found where the layout has them', () => {
    const paths = Array.from({ length: 64 }, (_, n) => `checkpoints/job/chk-${n}/count-0.keyed`);
    const placed = paths.map(withEntropy);
    expect(new Set(placed.map((path) => path.slice(0, 4))).size).toBeGreaterThan(48);
    placed.forEach((path, n) => {
      expect(path.slice(5)).toBe(paths[n]);
      expect(liesUnder(path, 'checkpoints/job/')).toBe(true);
      expect(liesUnder(path, 'checkpoints/other/')).toBe(false);
      expect(checkpointIdOf(path, 'checkpoints/job/')).toBe(n);
    });
    expect(liesUnder('checkpoints/job/chk-1/_metadata', 'checkpoints/job/')).toBe(true);
  });
});

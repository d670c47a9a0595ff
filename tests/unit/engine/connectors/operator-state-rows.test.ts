import { describe, expect, it } from 'vitest';
import { decodeSourceOffsets, encodeSourceOffsets } from '../../../../engine/connectors/operator-state-rows.ts';

const OFFSETS = [
  { partition: 3, offset: 2_000_000_000 },
  { partition: 0, offset: 0 },
];

describe('operator state of connectors', () => {
  it('K4: positions come back as written, in order', () => {
    expect(decodeSourceOffsets(encodeSourceOffsets(OFFSETS))).toEqual(OFFSETS);
    expect(decodeSourceOffsets(encodeSourceOffsets([]))).toEqual([]);
  });

  it('T9: a flipped byte anywhere is refused', () => {
    const bytes = encodeSourceOffsets(OFFSETS);
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      expect(() => decodeSourceOffsets(flipped), `byte ${at}`).toThrow();
    }
  });
});

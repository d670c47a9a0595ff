import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { damageOf } from '../../../../engine/state/file-damage.ts';

const BYTES = Uint8Array.from({ length: 40 }, (_, index) => index * 7);
const FILE = { bytes: BYTES.length, checksum: crc32c(BYTES) };

describe('damage of a file', () => {
  it('T9: any flipped bit of any byte is found, and so is any missing end', () => {
    expect(damageOf(FILE, BYTES)).toBeUndefined();
    for (let at = 0; at < BYTES.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const rotten = BYTES.slice();
        rotten[at] = (rotten[at] ?? 0) ^ (1 << bit);
        expect(damageOf(FILE, rotten)?.offset, `bit ${bit} of byte ${at}`).toBe(0);
      }
      expect(damageOf(FILE, BYTES.slice(0, at))).toMatchObject({ offset: at });
    }
  });
});

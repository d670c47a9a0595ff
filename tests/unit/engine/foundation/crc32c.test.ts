/** CRC32C against its published check values and a bitwise model. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c, maskedCrc32c } from '../../../../engine/foundation/crc32c.ts';

function bitwise(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('crc32c: the check value and the vectors of RFC 3720 (I1)', () => {
  expect(crc32c(Uint8Array.from('123456789', (c) => c.charCodeAt(0)))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('crc32c: any range of any bytes, same as bit by bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), fc.nat(70), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length);
      const end = Math.min(Math.max(a, b), bytes.length);
      expect(crc32c(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)));
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('masked crc32c: files that end with their checksum differ in theirs, as with the plain one they do not (I3)', () => {
  const withFooter = (content: number, footer: (bytes: Uint8Array) => number): number => {
    const file = new Uint8Array(24).fill(content);
    new DataView(file.buffer).setUint32(20, footer(file.subarray(0, 20)), true);
    return crc32c(file);
  };
  expect(withFooter(1, crc32c)).toBe(withFooter(2, crc32c));
  expect(withFooter(1, maskedCrc32c)).not.toBe(withFooter(2, maskedCrc32c));
});

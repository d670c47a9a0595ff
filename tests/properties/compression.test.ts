/** Row S14: whatever is compressed comes back, and whatever is not what was compressed is found, never misread. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptData } from '../../engine/foundation/byte-reader.ts';
import { compressBlock, compressedBound, decompressBlock } from '../../engine/foundation/lz4-block.ts';
import { toCanonical } from '../../engine/state/canonical-savepoint.ts';
import {
  bytesInside,
  compressed,
  isCompressed,
  restorableFile,
  uncompressed,
} from '../../engine/state/compressed-state-file.ts';
import { listState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { BACKENDS } from '../support/state-backends.ts';

/** Bytes with repetitions near and far, as state has them, beside bytes that are noise. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(30)), { maxLength: 40, size: 'max' })
  .map((parts) =>
    Uint8Array.from(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => [...bytes]).flat())),
  );
const anyBytes = fc.oneof(repetitive, fc.uint8Array({ maxLength: 2_000, size: 'max' }));

const whole = (bytes: Uint8Array, length: number): Uint8Array =>
  decompressBlock(bytes, { start: 0, end: bytes.length, length });

test('S14: any bytes come back, and need no more room than the bound', () => {
  const property = fc.property(anyBytes, (bytes) => {
    const block = compressBlock(bytes);
    expect(block.length).toBeLessThanOrEqual(compressedBound(bytes.length));
    expect(whole(block, bytes.length)).toEqual(bytes);
    expect(compressBlock(bytes)).toEqual(block);
  });
  fc.assert(property, { numRuns: 400, seed: 14 });
});

test('S14: a match beyond the reach of a distance is not used, long runs and long literals have their length bytes', () => {
  const noise = Uint8Array.from({ length: 70_000 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 13) & 0xff);
  const far = Uint8Array.from([...noise, ...noise.subarray(0, 500), ...new Uint8Array(5_000)]);
  const block = compressBlock(far);
  expect(whole(block, far.length)).toEqual(far);
  expect(compressBlock(new Uint8Array(100_000)).length).toBeLessThan(500);
});

test('S14: the block of another implementation is read (reference lz4: a match that overlaps itself)', () => {
  const block = Uint8Array.from([0x1f, 0x61, 0x01, 0x00, 0x01, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61]);
  expect(whole(block, 26)).toEqual(new Uint8Array(26).fill(0x61));
});

test('S14: damage never crashes the decoder nor makes it read or write outside: the length asked for, or CorruptData', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  const property = fc.property(anyBytes, damage, fc.nat(3_000), (bytes, flips, length) => {
    const block = compressBlock(bytes);
    for (const [at, value] of flips) block[at % block.length] = value;
    for (const asked of [bytes.length, length]) {
      try {
        expect(whole(block, asked).length).toBe(asked);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptData);
      }
    }
    const noise = bytes.length === 0 ? Uint8Array.of(0x10) : bytes;
    expect(() => whole(noise.subarray(0, 1), length + 300)).toThrow(CorruptData);
  });
  fc.assert(property, { numRuns: 600, seed: 15 });
});

/** A keyed state file with several key groups. */
function stateFile(): Uint8Array {
  const backend = BACKENDS[0]?.create({
    keySerializer: Types.string as never,
    keyGroups: { start: 0, end: 7 },
    maxParallelism: 8,
  });
  for (let key = 0; key < 40; key += 1) {
    backend?.setCurrentKey(`airport-${key}`);
    backend?.getState(listState('list', Types.string)).addAll(['delayed', 'delayed', 'on time', `gate ${key}`]);
  }
  return backend?.snapshot().write() ?? new Uint8Array();
}

test.each([
  ['a keyed state file', (file: Uint8Array) => file],
  ['a canonical savepoint', toCanonical],
])('S14: %s comes back byte for byte, smaller in between, and every flipped byte of it is found', (_what, form) => {
  const file = form(stateFile());
  const small = compressed(file);
  expect(small.length).toBeLessThan(file.length * 0.7);
  expect([isCompressed(file), isCompressed(small), bytesInside(small)]).toEqual([false, true, file.length]);
  expect(uncompressed(small)).toEqual(file);
  expect(restorableFile(small)).toEqual(restorableFile(file));
  for (let at = 4; at < small.length; at += 1) {
    const damaged = small.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x20;
    expect(() => uncompressed(damaged)).toThrow(CorruptData);
  }
  // A damaged magic is no envelope: then it is no state file either.
  const damaged = small.slice();
  damaged[0] = 0;
  expect(() =>
    BACKENDS[0]
      ?.create({ keySerializer: Types.string as never, keyGroups: { start: 0, end: 7 }, maxParallelism: 8 })
      .restore(restorableFile(damaged)),
  ).toThrow(CorruptData);
});

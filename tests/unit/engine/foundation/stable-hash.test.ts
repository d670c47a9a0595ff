/** Known answers of the hashes: from MurmurHash3's public test vectors and Java's documented hash codes. */
import { expect, test } from 'vitest';
import {
  hashBytes,
  javaStringHash,
  keyHashCode,
  mix32,
  murmurHash,
} from '../../../../engine/foundation/stable-hash.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

test.each([
  // MurmurHash3_x86_32, seed 0, of the four bytes in little-endian order; negative results are negated (row S1).
  [0, 0x2362f9de],
  [-1, 0x76293b50],
  [0x87654321 | 0, 0x100000000 - 0xf55b516b],
  [0x74736574, 0x100000000 - 0xba6bd213],
])('murmurHash: the code %i has its known hash', (code, hash) => {
  expect(murmurHash(code)).toBe(hash);
});

test('murmurHash: codes of any sign, never a negative hash', () => {
  for (let code = -50_000; code < 50_000; code++) expect(murmurHash(code * 40_503)).toBeGreaterThanOrEqual(0);
});

test('S4, javaStringHash: strings hash as in Java', () => {
  expect(javaStringHash('')).toBe(0);
  expect(javaStringHash('hello')).toBe(99_162_322);
  expect(javaStringHash('polygenelubricants')).toBe(-2_147_483_648);
});

test('S4, keyHashCode: the code of a key is the same in every process: numbers and booleans hash as in Java', () => {
  expect(keyHashCode(42)).toBe(42);
  expect(keyHashCode(-42)).toBe(-42);
  expect(keyHashCode(4_294_967_296)).toBe(1);
  expect(keyHashCode(-4_294_967_296)).toBe(-1);
  expect(keyHashCode(9_007_199_254_740_991)).toBe(-1 ^ 0x1fffff);
  expect(keyHashCode(1.5)).toBe(0x3ff80000);
  expect(keyHashCode(0.1)).toBe((0x3fb99999 ^ 0x9999999a) | 0);
  expect(keyHashCode(Number.NaN)).toBe(0x7ff80000);
  expect(keyHashCode(-0)).toBe(keyHashCode(0));
  expect(keyHashCode(true)).toBe(1231);
  expect(keyHashCode(false)).toBe(1237);
});

test('hashBytes: the public vectors of MurmurHash3', () => {
  expect(hashBytes(ascii(''), 0, 0)).toBe(0);
  expect(hashBytes(ascii('test'), 0, 4)).toBe(0xba6bd213);
  expect(hashBytes(ascii('Hello, world!'), 0, 13)).toBe(0xc0363e43);
  expect(hashBytes(ascii('The quick brown fox jumps over the lazy dog'), 0, 43)).toBe(0x2e4ff723);
  expect(hashBytes(ascii('xxtestyy'), 2, 6)).toBe(0xba6bd213);
});

test('mix32: order matters and the result is unsigned', () => {
  expect(mix32(1, 2)).not.toBe(mix32(2, 1));
  for (let i = 0; i < 1000; i++) expect(mix32(i, -i)).toBe(mix32(i, -i) >>> 0);
});

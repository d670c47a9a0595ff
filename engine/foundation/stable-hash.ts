/**
 * Hashes that are the same on every machine, engine and version: 32-bit integer arithmetic only.
 *
 * Owns Flink's key hashing (`MathUtils.murmurHash` over Java's `hashCode`), so that keys land in the key groups a Flink
 * user expects, and two general hashes for digests. Called by key groups, digests and auditors.
 *
 * I1: no floating point enters a hash except as its IEEE 754 bits; NaN has one bit pattern.
 * I2: `murmurHash` is never negative; `mix32` and `hashBytes` are unsigned 32-bit integers.
 * I3: keys that a `Map` treats as equal hash alike (0 and -0, NaN and NaN).
 */

import { assert } from './assert.ts';

/** What a stream can be keyed by. Objects and arrays have no stable hash and are refused by the type (row S4). */
export type StateKey = string | number | boolean;

const TWO_TO_32 = 4_294_967_296;
const INT32_MIN = -2_147_483_648;
/** Java's `Boolean.hashCode`. */
const TRUE_HASH = 1231;
const FALSE_HASH = 1237;
/** Java's canonical NaN is 0x7ff8000000000000; its hash is the high word. */
const NAN_HASH = 0x7ff8_0000;

const doubleBits = new DataView(new ArrayBuffer(8));

/** Flink's `MathUtils.murmurHash`: MurmurHash3 of one 4-byte block with seed 0, made non-negative. */
export function murmurHash(code: number): number {
  let h = Math.imul(code, 0xcc9e2d51);
  h = (h << 15) | (h >>> 17);
  h = Math.imul(h, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  h = finalize(h ^ 4);
  if (h >= 0) return h;
  return h === INT32_MIN ? 0 : -h;
}

/** Java's `String.hashCode`: h = 31 * h + c over UTF-16 code units, as a signed 32-bit integer. */
export function javaStringHash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return h;
}

/**
 * Java's `hashCode` of a key: Integer inside the 32-bit range, Long for other safe integers, Double for the rest.
 * A number has one hash here; in Java `1`, `1L` and `1.0` differ by their static type, which JavaScript has not.
 */
export function keyHashCode(key: StateKey): number {
  if (typeof key === 'string') return javaStringHash(key);
  if (typeof key === 'number') return numberHash(key);
  assert(typeof key === 'boolean', 'a state key is a string, a number or a boolean');
  return key ? TRUE_HASH : FALSE_HASH;
}

/** Folds `b` into the running hash `a`. Order matters. Unsigned 32 bits. */
export function mix32(a: number, b: number): number {
  let h = a ^ scramble(b | 0);
  h = (h << 13) | (h >>> 19);
  return finalize((Math.imul(h, 5) + 0xe6546b64) | 0) >>> 0;
}

/** MurmurHash3 (x86, 32 bits, seed 0) of `bytes[start, end)`. Unsigned 32 bits. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  assert(0 <= start && start <= end && end <= bytes.length, 'the hashed range lies inside the bytes');
  let h = 0;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    h ^= scramble(
      byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24),
    );
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; i < end; i++, shift += 8) tail |= byteAt(bytes, i) << shift;
  h ^= scramble(tail);
  return finalize(h ^ (end - start)) >>> 0;
}

function numberHash(value: number): number {
  if (Number.isSafeInteger(value)) {
    const low = value | 0;
    if (low === value) return low;
    return low ^ (Math.floor(value / TWO_TO_32) | 0);
  }
  if (Number.isNaN(value)) return NAN_HASH;
  doubleBits.setFloat64(0, value);
  return doubleBits.getInt32(0) ^ doubleBits.getInt32(4);
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

function finalize(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

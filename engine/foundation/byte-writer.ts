/**
 * A growing byte array that everything binary is written to: state files, channel buffers, metadata.
 *
 * Owns the primitive encodings, all little-endian; `ByteReader` is its mirror. Knows nothing of what is written.
 *
 * I1: the same calls give the same bytes; NaN has one bit pattern.
 * I2: strings are written as UTF-8, and a lone surrogate as the three bytes of its code point ("WTF-8"), so that
 *     every JavaScript string comes back unit by unit and each string has exactly one encoding.
 * I3: `toBytes` and `slice` return copies; the writer may be used on, truncated or reset without touching them.
 */

import { assert } from './assert.ts';
import { maskedCrc32c } from './crc32c.ts';

const INITIAL_CAPACITY = 256;
/** What a writer keeps when it is reset: more than the usual state file of a subtask, little beside a process. */
const KEPT_BYTES = 1_048_576;
const TWO_TO_31 = 2_147_483_648;
const UINT32_MAX = 4_294_967_295;
/** The longest varuint: eight groups of seven bits hold 56 bits, a safe integer has 53. */
const MAX_VARUINT_BYTES = 8;
/** Up to this length a loop is faster than `TypedArray.set`, which needs a view. */
const SHORT_COPY_BYTES = 48;

export class ByteWriter {
  #bytes: Uint8Array;
  /** Made with the first float. */
  #view: DataView | undefined;
  #position = 0;

  constructor(capacity: number = INITIAL_CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Number of bytes written. */
  get position(): number {
    return this.#position;
  }

  writeByte(value: number): void {
    assert(value >= 0 && value <= 255 && Number.isInteger(value), 'a byte is an integer from 0 to 255');
    this.#reserve(1);
    this.#bytes[this.#position++] = value;
  }

  writeInt32(value: number): void {
    assert(value === (value | 0), 'an int32 fits in 32 signed bits');
    this.#reserve(4);
    this.#putUint32(this.#position, value);
    this.#position += 4;
  }

  writeUint32(value: number): void {
    assert(value === value >>> 0, 'a uint32 fits in 32 unsigned bits');
    this.#reserve(4);
    this.#putUint32(this.#position, value);
    this.#position += 4;
  }

  writeFloat64(value: number): void {
    this.#reserve(8);
    this.#view ??= new DataView(this.#bytes.buffer);
    this.#view.setFloat64(this.#position, Number.isNaN(value) ? Number.NaN : value, true);
    this.#position += 8;
  }

  /** LEB128 of a non-negative safe integer. */
  writeVarUint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a varuint is a non-negative safe integer');
    this.#reserve(MAX_VARUINT_BYTES);
    this.#putVarUint(value);
  }

  /** Zigzag LEB128 of a safe integer. -0 becomes 0. */
  writeVarInt(value: number): void {
    assert(Number.isSafeInteger(value), 'a varint is a safe integer');
    this.#reserve(MAX_VARUINT_BYTES + 1);
    // The zigzag number 2 * magnitude + sign may need 54 bits, so its lowest seven bits are split off first.
    const sign = value < 0 ? 1 : 0;
    const magnitude = sign === 1 ? -(value + 1) : value;
    const first = ((magnitude % 64) << 1) | sign;
    if (magnitude < 64) {
      this.#bytes[this.#position++] = first;
      return;
    }
    this.#bytes[this.#position++] = first | 0x80;
    this.#putVarUint(Math.floor(magnitude / 64));
  }

  /** Length in bytes as varuint, then UTF-8 (I2). */
  writeString(value: string): void {
    const { length } = value;
    this.#reserve(MAX_VARUINT_BYTES + length);
    const start = this.#position;
    this.#putVarUint(length);
    const bytes = this.#bytes;
    let position = this.#position;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) {
        this.#position = start;
        this.#writeNonAsciiString(value);
        return;
      }
      bytes[position++] = unit;
    }
    this.#position = position;
  }

  /** The bytes of `bytes[start, end)` without a length. */
  writeBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    assert(0 <= start && start <= end && end <= bytes.length, 'the written range lies inside the bytes');
    const length = end - start;
    this.#reserve(length);
    if (length <= SHORT_COPY_BYTES) {
      for (let i = 0; i < length; i++) this.#bytes[this.#position + i] = bytes[start + i] ?? 0;
    } else {
      this.#bytes.set(bytes.subarray(start, end), this.#position);
    }
    this.#position += length;
  }

  /** Overwrites four bytes that were written before, for lengths and offsets that are known late. */
  patchUint32(position: number, value: number): void {
    assert(position >= 0 && position + 4 <= this.#position, 'a patch lies inside what was written');
    assert(value >= 0 && value <= UINT32_MAX, 'a uint32 fits in 32 unsigned bits');
    this.#putUint32(position, value);
  }

  /** Opens a stretch of bytes that will be preceded by its length. Close it with {@link endLengthPrefixed}. */
  beginLengthPrefixed(): number {
    this.writeByte(0);
    return this.#position;
  }

  /** Writes the length as varuint before the bytes since `start`; bytes move only if the length needs a second byte. */
  endLengthPrefixed(start: number): void {
    const length = this.#position - start;
    assert(start > 0 && length >= 0, 'a length-prefixed stretch was opened');
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    const extra = varUintLength(length) - 1;
    this.#reserve(extra);
    this.#bytes.copyWithin(start + extra, start, this.#position);
    this.#position = start - 1;
    this.#putVarUint(length);
    this.#position += length;
  }

  /** A copy of everything written. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#position);
  }

  /** A copy of the written bytes from `start` to `end`. */
  slice(start: number, end: number = this.#position): Uint8Array {
    assert(0 <= start && start <= end && end <= this.#position, 'a slice lies inside what was written');
    return this.#bytes.slice(start, end);
  }

  /** What a checksum is computed over, without a copy; valid until the next write. */
  view(start = 0, end: number = this.#position): Uint8Array {
    assert(0 <= start && start <= end && end <= this.#position, 'a view lies inside what was written');
    return this.#bytes.subarray(start, end);
  }

  /** The checksum to be stored behind the written bytes from `start` to `end`. */
  maskedChecksum(start = 0, end: number = this.#position): number {
    assert(0 <= start && start <= end && end <= this.#position, 'a checksum is over what was written');
    return maskedCrc32c(this.#bytes, start, end);
  }

  /** Forgets everything written from `position` on and keeps the memory. */
  truncate(position: number): void {
    assert(position >= 0 && position <= this.#position, 'a writer is truncated to what was written');
    this.#position = position;
  }

  /** Forgets everything written, and keeps memory enough for the next of the usual size. */
  reset(): void {
    this.#position = 0;
    if (this.#bytes.length <= KEPT_BYTES) return;
    this.#bytes = new Uint8Array(INITIAL_CAPACITY);
    this.#view = undefined;
  }

  #writeNonAsciiString(value: string): void {
    const encodedLength = utf8Length(value);
    this.#reserve(MAX_VARUINT_BYTES + encodedLength);
    this.#putVarUint(encodedLength);
    const expectedEnd = this.#position + encodedLength;
    for (let i = 0; i < value.length; i++) {
      const codePoint = value.codePointAt(i) ?? 0;
      if (codePoint > 0xffff) i++;
      this.#putCodePoint(codePoint);
    }
    assert(this.#position === expectedEnd, 'the measured and the written length of a string agree');
  }

  #putCodePoint(codePoint: number): void {
    const bytes = this.#bytes;
    if (codePoint < 0x80) {
      bytes[this.#position++] = codePoint;
    } else if (codePoint < 0x800) {
      bytes[this.#position++] = 0xc0 | (codePoint >> 6);
      bytes[this.#position++] = 0x80 | (codePoint & 0x3f);
    } else if (codePoint < 0x1_0000) {
      bytes[this.#position++] = 0xe0 | (codePoint >> 12);
      bytes[this.#position++] = 0x80 | ((codePoint >> 6) & 0x3f);
      bytes[this.#position++] = 0x80 | (codePoint & 0x3f);
    } else {
      bytes[this.#position++] = 0xf0 | (codePoint >> 18);
      bytes[this.#position++] = 0x80 | ((codePoint >> 12) & 0x3f);
      bytes[this.#position++] = 0x80 | ((codePoint >> 6) & 0x3f);
      bytes[this.#position++] = 0x80 | (codePoint & 0x3f);
    }
  }

  /** The caller has reserved the room. */
  #putVarUint(value: number): void {
    let rest = value;
    while (rest >= TWO_TO_31) {
      this.#bytes[this.#position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.#bytes[this.#position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#position++] = rest;
  }

  /** The low 32 bits, signed or not. The caller has reserved the room. */
  #putUint32(position: number, value: number): void {
    const bytes = this.#bytes;
    bytes[position] = value;
    bytes[position + 1] = value >>> 8;
    bytes[position + 2] = value >>> 16;
    bytes[position + 3] = value >>> 24;
  }

  #reserve(count: number): void {
    if (this.#position + count > this.#bytes.length) this.#grow(this.#position + count);
  }

  #grow(needed: number): void {
    assert(needed <= UINT32_MAX, 'one writer holds less than 4 GiB');
    const grown = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), UINT32_MAX));
    grown.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = grown;
    this.#view = undefined;
  }
}

function varUintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++;
  return length;
}

function utf8Length(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const codePoint = value.codePointAt(i) ?? 0;
    if (codePoint < 0x80) length += 1;
    else if (codePoint < 0x800) length += 2;
    else if (codePoint < 0x1_0000) length += 3;
    else {
      length += 4;
      i++;
    }
  }
  return length;
}

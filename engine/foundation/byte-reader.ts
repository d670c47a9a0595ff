/**
 * Reads what `ByteWriter` wrote. Everything it reads came from a disk or a network and is not trusted.
 *
 * Owns the bounds checks and the name of the place where data is bad. Does not own checksums: a file format checks
 * those first, so that what this class refuses is a bug or a hostile file rather than a flipped bit.
 *
 * I1: no read returns a byte from outside [start, end); instead `CorruptData` is thrown with the offset.
 * I2: offsets are positions in the whole byte array, so that they name a place in the file.
 * I3: `readBytes` returns a view, not a copy; whoever keeps it copies it.
 */

import { assert } from './assert.ts';

/** Bytes are not what their format says. */
export class CorruptData extends Error {
  override readonly name = 'CorruptData';
  /** Where in the byte array, in bytes from its beginning. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} (at byte ${String(offset)})`);
    this.offset = offset;
  }
}

/** Up to this length appending single characters gives a flat string; longer ones are decoded in chunks. */
const SHORT_STRING_BYTES = 12;
const CHUNK_UNITS = 1024;
const chunk = new Uint16Array(CHUNK_UNITS);
/** Floats are read here: readers are many and short-lived, and a view of each one's bytes would cost more than eight copies. */
const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    assert(0 <= start && start <= end && end <= bytes.length, 'the read range lies inside the bytes');
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  /** Where what can be read ends. */
  get end(): number {
    return this.#end;
  }

  /** Goes on reading somewhere else in front of the end. */
  moveTo(position: number): void {
    assert(0 <= position && position <= this.#end, 'a position lies in front of the end');
    this.#position = position;
  }

  /** Number of bytes that can still be read. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  readByte(): number {
    this.#need(1);
    return this.#bytes[this.#position++] ?? 0;
  }

  readInt32(): number {
    return this.#readInt32();
  }

  readUint32(): number {
    return this.#readInt32() >>> 0;
  }

  readFloat64(): number {
    this.#need(8);
    this.#position += 8;
    for (let i = 0; i < 8; i++) floatBytes[i] = this.#bytes[this.#position - 8 + i] ?? 0;
    return floatView.getFloat64(0, true);
  }

  readVarUint(): number {
    const first = this.readByte();
    return first < 0x80 ? first : this.#readLongVarUint(first & 0x7f, 128);
  }

  readVarInt(): number {
    const first = this.readByte();
    const low = (first & 0x7f) >> 1;
    const magnitude = first < 0x80 ? low : this.#readLongVarUint(low, 64);
    return (first & 1) === 0 ? magnitude : -magnitude - 1;
  }

  readString(): string {
    const length = this.readVarUint();
    this.#need(length);
    const end = this.#position + length;
    if (length > SHORT_STRING_BYTES) return this.#readLongString(end);
    let text = '';
    while (this.#position < end) {
      const byte = this.#bytes[this.#position] ?? 0;
      if (byte >= 0x80) return text + this.#readLongString(end);
      text += String.fromCharCode(byte);
      this.#position++;
    }
    return text;
  }

  /** The next `length` bytes as a view (I3). */
  readBytes(length: number): Uint8Array {
    this.skip(length);
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  skip(length: number): void {
    assert(length >= 0, 'a length is not negative');
    this.#need(length);
    this.#position += length;
  }

  /** Throws `CorruptData` naming the current place. For decoders that find a value their format does not know. */
  refuse(message: string): never {
    throw new CorruptData(message, this.#position);
  }

  #readInt32(): number {
    this.#need(4);
    const bytes = this.#bytes;
    const at = this.#position;
    this.#position = at + 4;
    return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  }

  #need(count: number): void {
    if (this.#end - this.#position < count) throw new CorruptData('the data ends too early', this.#position);
  }

  #readLongVarUint(low: number, firstScale: number): number {
    let value = low;
    let scale = firstScale;
    for (;;) {
      const byte = this.readByte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) this.refuse('a variable-length integer is a safe integer');
      if (byte < 0x80) return value;
      scale *= 128;
      if (scale > Number.MAX_SAFE_INTEGER) this.refuse('a variable-length integer has at most eight bytes');
    }
  }

  #readLongString(end: number): string {
    let text = '';
    let units = 0;
    while (this.#position < end) {
      // A code point may need two units.
      if (units >= CHUNK_UNITS - 1) {
        text += chunkToString(units);
        units = 0;
      }
      const codePoint = this.#readCodePoint(end);
      if (codePoint > 0xffff) {
        chunk[units++] = 0xd800 + ((codePoint - 0x1_0000) >> 10);
        chunk[units++] = 0xdc00 + ((codePoint - 0x1_0000) & 0x3ff);
      } else {
        chunk[units++] = codePoint;
      }
    }
    return text + chunkToString(units);
  }

  #readCodePoint(end: number): number {
    const lead = this.#bytes[this.#position++] ?? 0;
    if (lead < 0x80) return lead;
    if (lead >= 0xc2 && lead <= 0xdf) return ((lead & 0x1f) << 6) | this.#readContinuation(end);
    if (lead >= 0xe0 && lead <= 0xef) {
      const codePoint = ((lead & 0x0f) << 12) | (this.#readContinuation(end) << 6) | this.#readContinuation(end);
      return codePoint >= 0x800 ? codePoint : this.refuse('UTF-8 uses the shortest form');
    }
    if (lead < 0xf0 || lead > 0xf4) this.refuse('a UTF-8 sequence begins with a lead byte');
    const high = ((lead & 0x07) << 18) | (this.#readContinuation(end) << 12);
    const codePoint = high | (this.#readContinuation(end) << 6) | this.#readContinuation(end);
    const valid = codePoint >= 0x1_0000 && codePoint <= 0x10_ffff;
    return valid ? codePoint : this.refuse('a four-byte sequence is a supplementary code point');
  }

  #readContinuation(end: number): number {
    if (this.#position >= end) this.refuse('a UTF-8 sequence ends inside its string');
    const byte = this.#bytes[this.#position++] ?? 0;
    if ((byte & 0xc0) !== 0x80) this.refuse('a UTF-8 sequence goes on with continuation bytes');
    return byte & 0x3f;
  }
}

function chunkToString(units: number): string {
  // Neither spread nor an iterator: both make an object per unit.
  return units === 0 ? '' : String.fromCharCode.apply(null, chunk.subarray(0, units) as unknown as number[]);
}

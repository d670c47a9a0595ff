/** ByteWriter and ByteReader are mirrors of each other; the reader refuses what the writer cannot have written. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../../../engine/foundation/byte-writer.ts';

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1);
  write(out);
  return out.toBytes();
}

const anyString = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 40 });

test('byte writer: a sequence of values of all forms, read back in order', () => {
  const value = fc.tuple(fc.maxSafeInteger(), fc.maxSafeNat(), fc.double(), anyString, fc.integer(), fc.uint8Array());
  fc.assert(
    fc.property(fc.array(value, { maxLength: 8 }), (values) => {
      const bytes = written((out) => {
        for (const [int, nat, double, text, int32, raw] of values) {
          out.writeVarInt(int);
          out.writeVarUint(nat);
          out.writeFloat64(double);
          out.writeString(text);
          out.writeInt32(int32);
          out.writeUint32(int32 >>> 0);
          out.writeVarUint(raw.length);
          out.writeBytes(raw);
        }
      });
      const input = new ByteReader(bytes);
      for (const [int, nat, double, text, int32, raw] of values) {
        expect(Object.is(input.readVarInt(), int === 0 ? 0 : int)).toBe(true);
        expect(input.readVarUint()).toBe(nat);
        expect(Object.is(input.readFloat64(), double)).toBe(true);
        expect(input.readString() === text).toBe(true);
        expect(input.readInt32()).toBe(int32);
        expect(input.readUint32()).toBe(int32 >>> 0);
        expect([...input.readBytes(input.readVarUint())]).toEqual([...raw]);
      }
      expect(input.remaining).toBe(0);
    }),
    { seed: 2, numRuns: 300 },
  );
});

test('byte writer: the extreme safe integers come back', () => {
  for (const int of [0, 63, 64, -64, -65, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    expect(new ByteReader(written((out) => out.writeVarInt(int))).readVarInt()).toBe(int);
  }
  expect(written((out) => out.writeVarInt(-1))).toEqual(Uint8Array.of(1));
  expect(written((out) => out.writeVarUint(300))).toEqual(Uint8Array.of(0xac, 0x02));
});

test('byte writer: text agrees with UTF-8, and lone surrogates survive (I2)', () => {
  for (const text of ['', 'plain', 'grüße', '漢字', '😀'.repeat(600), `a${'é'.repeat(3000)}`]) {
    const bytes = written((out) => out.writeString(text));
    expect(Buffer.from(bytes).includes(Buffer.from(text, 'utf8'))).toBe(true);
    expect(new ByteReader(bytes).readString()).toBe(text);
  }
  for (const text of ['\ud800', '\udc00\ud800', 'x\udfffy']) {
    expect(new ByteReader(written((out) => out.writeString(text))).readString()).toBe(text);
  }
});

test('byte writer: a length-prefixed stretch, whether its length needs one byte or three', () => {
  for (const length of [0, 127, 128, 40_000]) {
    const bytes = written((out) => {
      const start = out.beginLengthPrefixed();
      out.writeBytes(new Uint8Array(length).fill(7));
      out.endLengthPrefixed(start);
      out.writeByte(9);
    });
    const input = new ByteReader(bytes);
    expect(input.readVarUint()).toBe(length);
    expect(input.readBytes(length).every((byte) => byte === 7)).toBe(true);
    expect(input.readByte()).toBe(9);
  }
});

test('byte writer: values out of range are refused', () => {
  const out = new ByteWriter();
  expect(() => out.writeVarUint(-1)).toThrow();
  expect(() => out.writeVarInt(1.5)).toThrow();
  expect(() => out.writeVarInt(2 ** 53)).toThrow();
  expect(() => out.writeByte(256)).toThrow();
  expect(() => out.writeUint32(-1)).toThrow();
  expect(() => out.writeInt32(2 ** 31)).toThrow();
});

test('byte reader: reading past the end names the offset (I1)', () => {
  const input = new ByteReader(Uint8Array.of(1, 2, 3));
  input.skip(2);
  expect(() => input.readInt32()).toThrow(new CorruptData('the data ends too early', 2));
  expect(() => new ByteReader(Uint8Array.of(5, 65)).readString()).toThrow(CorruptData);
  expect(() => new ByteReader(new Uint8Array(9).fill(255)).readVarUint()).toThrow(CorruptData);
  expect(() => new ByteReader(Uint8Array.of(1, 0x80)).readString()).toThrow(CorruptData);
  expect(() => new ByteReader(Uint8Array.of(2, 0xc0, 0x80)).readString()).toThrow(CorruptData);
  expect(() => new ByteReader(Uint8Array.of(2, 0xe2, 0x82, 0xac)).readString()).toThrow(CorruptData);
});

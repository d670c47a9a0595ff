/**
 * The key of a row in the store: which key group, which state, which key, and of a map which of its entries.
 *
 *     uint16 key group, big endian | varuint length, state name | varuint length, key | user key to the end
 *
 * A row key is held as a byte string: one character per byte. Its order is the order of the bytes, so rows are sorted and compared
 * without a loop of our own. Owns the layout. Invariants: I1 rows of one key group are neighbours, so a range of key groups is cut out
 * of a segment in one piece (row S18); I2 no row key of one key is a prefix of one of another key, so a prefix is one key's.
 */
import type { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';

/** One character per byte. */
export type ByteString = string;

/** A row key in its parts. */
export interface RowPlace {
  readonly keyGroup: number;
  readonly state: string;
  readonly key: Uint8Array;
  /** Empty where the state is no map. */
  readonly userKey: Uint8Array;
}

const scratch = new ByteWriter();

/** Of all rows of a state in a key group. */
export function groupPrefix(keyGroup: number, state: string): ByteString {
  scratch.truncate(0);
  scratch.writeByte(keyGroup >> 8);
  scratch.writeByte(keyGroup & 0xff);
  scratch.writeString(state);
  return toByteString(scratch.view());
}

/** What follows it for one key. */
export function lengthPrefixed(write: (out: ByteWriter) => void): ByteString {
  scratch.truncate(0);
  const start = scratch.beginLengthPrefixed();
  write(scratch);
  scratch.endLengthPrefixed(start);
  return toByteString(scratch.view());
}

/** The user key of a map entry. */
export function plain(write: (out: ByteWriter) => void): ByteString {
  scratch.truncate(0);
  write(scratch);
  return toByteString(scratch.view());
}

export const keyGroupOfRow = (row: ByteString): number => row.charCodeAt(0) * 256 + row.charCodeAt(1);

/** Throws `CorruptData` where the bytes are no row key. */
export function readRowPlace(input: ByteReader, length: number): RowPlace {
  const end = input.position + length;
  const keyGroup = input.readByte() * 256 + input.readByte();
  const state = input.readString();
  const key = input.readBytes(input.readVarUint());
  if (input.position > end) input.refuse('a row key ends where it says');
  return { keyGroup, state, key, userKey: input.readBytes(end - input.position) };
}

export function toByteString(bytes: Uint8Array): ByteString {
  let text = '';
  for (let i = 0; i < bytes.length; i += 1) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}

export function toBytes(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

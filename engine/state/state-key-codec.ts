/**
 * A state key of any type as bytes that say which it is. Apart from the serializer, because whoever reads over a value needs it, too.
 *
 * Invariant I1: 0 and -0 are one key, as the tables of a backend have it.
 */
import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';

const TAG_FALSE = 0;
const TAG_TRUE = 1;
const TAG_INTEGER = 2;
const TAG_DOUBLE = 3;
const TAG_STRING = 4;

export function writeStateKey(value: StateKey, out: ByteWriter): void {
  if (typeof value === 'string') {
    out.writeByte(TAG_STRING);
    out.writeString(value);
  } else if (typeof value === 'boolean') {
    out.writeByte(value ? TAG_TRUE : TAG_FALSE);
  } else if (Number.isSafeInteger(value)) {
    out.writeByte(TAG_INTEGER);
    out.writeVarInt(value);
  } else {
    assert(typeof value === 'number', 'a state key is a string, a number or a boolean');
    out.writeByte(TAG_DOUBLE);
    out.writeFloat64(value);
  }
}

/** Throws `CorruptData`. */
export function readStateKey(input: ByteReader): StateKey {
  switch (input.readByte()) {
    case TAG_FALSE:
      return false;
    case TAG_TRUE:
      return true;
    case TAG_INTEGER:
      return input.readVarInt();
    case TAG_DOUBLE:
      return input.readFloat64();
    case TAG_STRING:
      return input.readString();
    default:
      return input.refuse('a state key begins with a known tag');
  }
}

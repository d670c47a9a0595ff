/**
 * The binary form of serializer snapshots, shared by the headers of keyed and operator state files.
 *
 * Called by the two file formats only.
 *
 * I1: read(write(s)) equals s.
 * I2: nesting is limited, so that hostile bytes cannot exhaust the stack.
 */

import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { SerializerField, SerializerSnapshot } from './type-serializer.ts';

/** Types nest a handful deep in practice; a job that declares a deeper one is refused (declared-states.ts). */
export const TYPE_NESTING_MAX = 64;

/** How deep its parts lie. */
export function nestingOf({ fields = [] }: SerializerSnapshot): number {
  return fields.reduce((deepest, { serializer }) => Math.max(deepest, 1 + nestingOf(serializer)), 0);
}

export function writeSerializerSnapshot(snapshot: SerializerSnapshot, out: ByteWriter, depth = 0): void {
  assert(depth <= TYPE_NESTING_MAX, 'I2: a type is nested at most 64 deep');
  out.writeString(snapshot.name);
  out.writeVarUint(snapshot.version);
  // 0 says "no fields", which differs from an empty composite.
  out.writeVarUint(snapshot.fields === undefined ? 0 : snapshot.fields.length + 1);
  for (const field of snapshot.fields ?? []) {
    out.writeString(field.name);
    writeSerializerSnapshot(field.serializer, out, depth + 1);
  }
}

export function readSerializerSnapshot(input: ByteReader, depth = 0): SerializerSnapshot {
  if (depth > TYPE_NESTING_MAX) input.refuse('a type is nested at most 64 deep');
  const name = input.readString();
  const version = input.readVarUint();
  const fieldCountPlusOne = input.readVarUint();
  if (fieldCountPlusOne === 0) return { name, version };
  const fields: SerializerField[] = [];
  for (let i = 1; i < fieldCountPlusOne; i++) {
    fields.push({ name: input.readString(), serializer: readSerializerSnapshot(input, depth + 1) });
  }
  return { name, version, fields };
}

/** Goes behind it, for readers who have no use for it. */
export function skipSerializerSnapshot(input: ByteReader, depth = 0): void {
  if (depth > TYPE_NESTING_MAX) input.refuse('a type is nested at most 64 deep');
  input.skip(input.readVarUint());
  input.readVarUint();
  for (let left = input.readVarUint(); left > 1; left -= 1) {
    input.skip(input.readVarUint());
    skipSerializerSnapshot(input, depth + 1);
  }
}

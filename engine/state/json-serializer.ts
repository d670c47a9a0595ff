/**
 * The serializer of any JSON value: a tag byte, then the value.
 *
 * Owns the binary form of JSON and its canonical order. Object keys are written in code-unit order, so that two objects
 * that are equal but were built in different orders have the same bytes, and audits can compare hashes of state.
 * A restored object therefore lists its keys in that order: a function must not depend on the key order of an object.
 *
 * I1: equal JSON values have equal bytes.
 * I2: whatever JSON cannot say (undefined, NaN, infinities, functions, class instances) is refused when written.
 * I3: a key named `__proto__` is data like any other.
 * I4: nesting is limited in both directions, so that hostile bytes cannot exhaust the stack.
 */

import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { SerializerSnapshot, TypeSerializer } from './type-serializer.ts';

/** A JSON value as TypeScript sees it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

const TAG_NULL = 0;
const TAG_FALSE = 1;
const TAG_TRUE = 2;
const TAG_INTEGER = 3;
const TAG_DOUBLE = 4;
const TAG_STRING = 5;
const TAG_ARRAY = 6;
const TAG_OBJECT = 7;
/** Deeper than any sensible state, far below the depth of the call stack. */
const MAX_DEPTH = 256;

export class JsonSerializer implements TypeSerializer<JsonValue> {
  readonly snapshot: SerializerSnapshot = { name: 'json', version: 1 };
  readonly immutable = false;

  serialize(value: JsonValue, out: ByteWriter): void {
    writeValue(value, out, 0);
  }

  deserialize(input: ByteReader): JsonValue {
    return readJson(input);
  }

  copy(value: JsonValue): JsonValue {
    return copyValue(value, 0);
  }
}

export const readJson = (input: ByteReader): JsonValue => readValue(input, 0);

function writeValue(value: JsonValue, out: ByteWriter, depth: number): void {
  assert(depth <= MAX_DEPTH, 'I4: a JSON value is nested at most 256 deep');
  if (value === null) {
    out.writeByte(TAG_NULL);
  } else if (typeof value === 'string') {
    out.writeByte(TAG_STRING);
    out.writeString(value);
  } else if (typeof value === 'number') {
    writeNumber(value, out);
  } else if (typeof value === 'boolean') {
    out.writeByte(value ? TAG_TRUE : TAG_FALSE);
  } else if (isArray(value)) {
    out.writeByte(TAG_ARRAY);
    out.writeVarUint(value.length);
    for (const element of value) writeValue(element, out, depth + 1);
  } else {
    writeObject(value, out, depth);
  }
}

function writeNumber(value: number, out: ByteWriter): void {
  assert(Number.isFinite(value), 'I2: a JSON number is finite');
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    out.writeByte(TAG_INTEGER);
    out.writeVarInt(value);
  } else {
    out.writeByte(TAG_DOUBLE);
    out.writeFloat64(value);
  }
}

function writeObject(value: JsonObject, out: ByteWriter, depth: number): void {
  assertPlain(value);
  const keys = Object.keys(value).sort(byCodeUnits);
  out.writeByte(TAG_OBJECT);
  out.writeVarUint(keys.length);
  for (const key of keys) {
    out.writeString(key);
    writeValue(present(value[key]), out, depth + 1);
  }
}

function readValue(input: ByteReader, depth: number): JsonValue {
  if (depth > MAX_DEPTH) input.refuse('a JSON value is nested at most 256 deep');
  switch (input.readByte()) {
    case TAG_NULL:
      return null;
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
    case TAG_ARRAY:
      return readArray(input, depth);
    case TAG_OBJECT:
      return readObject(input, depth);
    default:
      return input.refuse('a JSON value begins with a known tag');
  }
}

function readArray(input: ByteReader, depth: number): JsonValue {
  const length = input.readVarUint();
  const array: JsonValue[] = [];
  for (let i = 0; i < length; i++) array.push(readValue(input, depth + 1));
  return array;
}

function readObject(input: ByteReader, depth: number): JsonValue {
  const size = input.readVarUint();
  const object: Record<string, JsonValue> = {};
  for (let i = 0; i < size; i++) {
    const key = input.readString();
    setOwn(object, key, readValue(input, depth + 1));
  }
  return object;
}

function copyValue(value: JsonValue, depth: number): JsonValue {
  assert(depth <= MAX_DEPTH, 'I4: a JSON value is nested at most 256 deep');
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map((element) => copyValue(element, depth + 1));
  assertPlain(value);
  const copy: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) setOwn(copy, key, copyValue(present(value[key]), depth + 1));
  return copy;
}

/** Assigning to `__proto__` would change the prototype instead of adding a key (I3). */
function setOwn(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function present(value: JsonValue | undefined): JsonValue {
  assert(value !== undefined, 'I2: a JSON value is not undefined');
  return value;
}

function assertPlain(value: object): void {
  assert(typeof value === 'object', 'I2: a JSON value is null, a boolean, a number, a string, an array or an object');
  const prototype: unknown = Object.getPrototypeOf(value);
  assert(prototype === Object.prototype || prototype === null, 'I2: a JSON object is not an instance of a class');
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * The types that state can be made of, as serializers (Flink: Types, TypeInformation).
 *
 * Owns the binary form of each type and its snapshot. Users combine these; nothing else of the engine knows how a
 * value looks as bytes. A serializer asserts the type it writes, because state in the wrong form is found late and dear.
 *
 * I1: deserialize(serialize(v)) equals v; only `int` turns -0 into 0, integers having one zero.
 * I2: equal values have equal bytes.
 * I3: composite values are copied deeply, down to immutable parts, which are shared.
 */

import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import { EnumSerializer, RecordSerializer } from './evolving-types.ts';
import { JsonSerializer } from './json-serializer.ts';
import { INCOMPATIBLE, readerOf, resolveComposite, resolveSchema } from './schema-compatibility.ts';
import { readStateKey, writeStateKey } from './state-key-codec.ts';
import type { SerializerField, SerializerSnapshot, TypeSerializer, SchemaCompatibility } from './type-serializer.ts';

const TAG_FALSE = 0;
const TAG_TRUE = 1;
const ABSENT = 0;
const PRESENT = 1;

class StringSerializer implements TypeSerializer<string> {
  readonly snapshot: SerializerSnapshot = { name: 'string', version: 1 };
  readonly immutable = true;

  serialize(value: string, out: ByteWriter): void {
    assert(typeof value === 'string', 'a value of type string is a string');
    out.writeString(value);
  }

  deserialize(input: ByteReader): string {
    return input.readString();
  }

  copy(value: string): string {
    return value;
  }
}

class IntSerializer implements TypeSerializer<number> {
  readonly snapshot: SerializerSnapshot = { name: 'int', version: 1 };
  readonly immutable = true;

  serialize(value: number, out: ByteWriter): void {
    out.writeVarInt(value);
  }

  deserialize(input: ByteReader): number {
    return input.readVarInt();
  }

  copy(value: number): number {
    return value;
  }
}

/** Also reads what was written as integers: each of them is a double (row S13). An integer has 53 bits here, so there is no wider one. */
class DoubleSerializer implements TypeSerializer<number> {
  readonly snapshot: SerializerSnapshot = { name: 'double', version: 1 };
  readonly immutable = true;

  serialize(value: number, out: ByteWriter): void {
    assert(typeof value === 'number', 'a value of type double is a number');
    out.writeFloat64(value);
  }

  deserialize(input: ByteReader): number {
    return input.readFloat64();
  }

  copy(value: number): number {
    return value;
  }

  resolveSchema({ name, version }: SerializerSnapshot): SchemaCompatibility<number> {
    if (name !== 'int' || version !== 1) return INCOMPATIBLE;
    return { kind: 'compatible-after-migration', read: (input) => input.readVarInt() };
  }
}

class BooleanSerializer implements TypeSerializer<boolean> {
  readonly snapshot: SerializerSnapshot = { name: 'boolean', version: 1 };
  readonly immutable = true;

  serialize(value: boolean, out: ByteWriter): void {
    assert(typeof value === 'boolean', 'a value of type boolean is a boolean');
    out.writeByte(value ? TAG_TRUE : TAG_FALSE);
  }

  deserialize(input: ByteReader): boolean {
    const tag = input.readByte();
    if (tag !== TAG_TRUE && tag !== TAG_FALSE) input.refuse('a boolean is 0 or 1');
    return tag === TAG_TRUE;
  }

  copy(value: boolean): boolean {
    return value;
  }
}

/** Any state key. Knows 0 and -0 as one key, as the tables of a backend do. */
class KeySerializer implements TypeSerializer<StateKey> {
  readonly snapshot: SerializerSnapshot = { name: 'key', version: 1 };
  readonly immutable = true;

  serialize(value: StateKey, out: ByteWriter): void {
    writeStateKey(value, out);
  }

  deserialize(input: ByteReader): StateKey {
    return readStateKey(input);
  }

  copy(value: StateKey): StateKey {
    return value;
  }
}

class ListSerializer<T> implements TypeSerializer<T[]> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable = false;
  readonly #element: TypeSerializer<T>;

  constructor(element: TypeSerializer<T>) {
    this.#element = element;
    this.snapshot = { name: 'list', version: 1, fields: [{ name: 'element', serializer: element.snapshot }] };
  }

  serialize(value: readonly T[], out: ByteWriter): void {
    assert(Array.isArray(value), 'a value of type list is an array');
    out.writeVarUint(value.length);
    for (const element of value) this.#element.serialize(element, out);
  }

  deserialize(input: ByteReader): T[] {
    const length = input.readVarUint();
    const list: T[] = [];
    for (let i = 0; i < length; i++) list.push(this.#element.deserialize(input));
    return list;
  }

  copy(value: readonly T[]): T[] {
    return this.#element.immutable ? value.slice() : value.map((element) => this.#element.copy(element));
  }

  resolveSchema({ name, version, fields = [] }: SerializerSnapshot): SchemaCompatibility<T[]> {
    if (name !== 'list' || version !== 1) return INCOMPATIBLE;
    return resolveComposite<T[]>({
      parts: [this.#element],
      written: [fields[0]?.serializer],
      rebuilt: ([element]) => new ListSerializer(element as TypeSerializer<T>),
      read: (input, [read]) => Array.from({ length: input.readVarUint() }, () => read?.(input) as T),
    });
  }
}

class TupleSerializer implements TypeSerializer<unknown[]> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable = false;
  readonly #elements: readonly TypeSerializer<unknown>[];

  constructor(elements: readonly TypeSerializer<unknown>[]) {
    this.#elements = elements;
    this.snapshot = { name: 'tuple', version: 1, fields: elements.map(tupleField) };
  }

  serialize(value: readonly unknown[], out: ByteWriter): void {
    assert(Array.isArray(value) && value.length === this.#elements.length, 'a tuple has the length of its type');
    this.#elements.forEach((element, i) => {
      element.serialize(value[i], out);
    });
  }

  deserialize(input: ByteReader): unknown[] {
    return this.#elements.map((element) => element.deserialize(input));
  }

  copy(value: readonly unknown[]): unknown[] {
    return this.#elements.map((element, i) => element.copy(value[i]));
  }

  resolveSchema({ name, version, fields = [] }: SerializerSnapshot): SchemaCompatibility<unknown[]> {
    if (name !== 'tuple' || version !== 1) return INCOMPATIBLE;
    return resolveComposite<unknown[]>({
      parts: this.#elements,
      written: fields.map(({ serializer }) => serializer),
      rebuilt: (elements) => new TupleSerializer(elements),
      read: (input, readers) => readers.map((read) => read(input)),
    });
  }
}

class RowSerializer implements TypeSerializer<Record<string, unknown>> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable = false;
  readonly #names: readonly string[];
  readonly #serializers: readonly TypeSerializer<unknown>[];

  constructor(fields: readonly (readonly [string, TypeSerializer<unknown>])[]) {
    for (const [name] of fields) assertFieldName(name);
    this.#names = fields.map(([name]) => name);
    this.#serializers = fields.map(([, serializer]) => serializer);
    this.snapshot = {
      name: 'row',
      version: 1,
      fields: fields.map(([name, serializer]) => ({ name, serializer: serializer.snapshot })),
    };
  }

  serialize(value: Record<string, unknown>, out: ByteWriter): void {
    assert(typeof value === 'object' && value !== null, 'a value of type row is an object');
    for (let i = 0; i < this.#names.length; i++) this.#serializers[i]?.serialize(value[this.#names[i] ?? ''], out);
  }

  deserialize(input: ByteReader): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < this.#names.length; i++) row[this.#names[i] ?? ''] = this.#serializers[i]?.deserialize(input);
    return row;
  }

  copy(value: Record<string, unknown>): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i] ?? '';
      row[name] = this.#serializers[i]?.copy(value[name]);
    }
    return row;
  }

  /** The fields of a row are fixed; what they hold may evolve. */
  resolveSchema({ name, version, fields = [] }: SerializerSnapshot): SchemaCompatibility<Record<string, unknown>> {
    const isSameShape = fields.every((field, i) => field.name === this.#names[i]);
    if (name !== 'row' || version !== 1 || !isSameShape) return INCOMPATIBLE;
    return resolveComposite<Record<string, unknown>>({
      parts: this.#serializers,
      written: fields.map(({ serializer }) => serializer),
      rebuilt: (types) => new RowSerializer(types.map((type, i) => [this.#names[i] ?? '', type] as const)),
      read: (input, readers) => Object.fromEntries(readers.map((read, i) => [this.#names[i] ?? '', read(input)])),
    });
  }
}

class NullableSerializer<T> implements TypeSerializer<T | null> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable: boolean;
  readonly #inner: TypeSerializer<T>;

  constructor(inner: TypeSerializer<T>) {
    this.#inner = inner;
    this.immutable = inner.immutable;
    this.snapshot = { name: 'nullable', version: 1, fields: [{ name: 'value', serializer: inner.snapshot }] };
  }

  serialize(value: T | null, out: ByteWriter): void {
    out.writeByte(value === null ? ABSENT : PRESENT);
    if (value !== null) this.#inner.serialize(value, out);
  }

  deserialize(input: ByteReader): T | null {
    const tag = input.readByte();
    if (tag !== ABSENT && tag !== PRESENT) input.refuse('a nullable value is absent (0) or present (1)');
    return tag === ABSENT ? null : this.#inner.deserialize(input);
  }

  copy(value: T | null): T | null {
    return value === null ? null : this.#inner.copy(value);
  }

  /** What was never null may become nullable. */
  resolveSchema(written: SerializerSnapshot): SchemaCompatibility<T | null> {
    if (written.name !== 'nullable') {
      const inner = resolveSchema(this.#inner, written);
      if (inner.kind === 'incompatible') return INCOMPATIBLE;
      return { kind: 'compatible-after-migration', read: readerOf(this.#inner, inner) };
    }
    return resolveComposite<T | null>({
      parts: [this.#inner],
      written: [written.fields?.[0]?.serializer],
      rebuilt: ([inner]) => new NullableSerializer(inner as TypeSerializer<T>),
      read: (input, [read]) => (input.readByte() === PRESENT ? (read?.(input) as T) : null),
    });
  }
}

/** The serializers that users combine. */
export const Types = {
  string: new StringSerializer(),
  /** A safe integer, zigzag varint. */
  int: new IntSerializer(),
  /** Any number, 8 bytes. */
  double: new DoubleSerializer(),
  boolean: new BooleanSerializer(),
  /** Any JSON value, self-describing, in canonical key order. */
  json: new JsonSerializer(),
  /** Any state key, self-describing. */
  key: new KeySerializer(),

  list<T>(element: TypeSerializer<T>): TypeSerializer<T[]> {
    return new ListSerializer(element);
  },

  tuple<T extends unknown[]>(elements: readonly [...{ [I in keyof T]: TypeSerializer<T[I]> }]): TypeSerializer<T> {
    // The element types of a mapped tuple are lost in the loop that handles them; the signature keeps them.
    return new TupleSerializer(elements) as unknown as TypeSerializer<T>;
  },

  /** Plain objects; the fields are written in this order, and fields that are not named here are not stored. */
  row<T extends object>(fields: { readonly [K in keyof T]: TypeSerializer<T[K]> }): TypeSerializer<T> {
    const entries = Object.entries<TypeSerializer<unknown>>(fields);
    return new RowSerializer(entries) as unknown as TypeSerializer<T>;
  },

  /**
   * Plain objects whose fields may come and go between versions of a job. `defaults`: what older state has in place of fields that were
   * added since.
   */
  record<T extends object>(
    fields: { readonly [K in keyof T]: TypeSerializer<T[K]> },
    defaults: Partial<NoInfer<T>> = {},
  ): TypeSerializer<T> {
    const entries = Object.entries<TypeSerializer<unknown>>(fields);
    for (const [name] of entries) assertFieldName(name);
    return new RecordSerializer(entries, defaults as Record<string, unknown>) as unknown as TypeSerializer<T>;
  },

  /** One of these symbols; later versions of a job may know more. */
  enumeration<S extends string>(...symbols: readonly S[]): TypeSerializer<S> {
    return new EnumSerializer(symbols) as unknown as TypeSerializer<S>;
  },

  nullable<T>(inner: TypeSerializer<T>): TypeSerializer<T | null> {
    return new NullableSerializer(inner);
  },
} as const;

function tupleField(serializer: TypeSerializer<unknown>, index: number): SerializerField {
  return { name: String(index), serializer: serializer.snapshot };
}

/** Names like numbers would be reordered by the language, and `__proto__` is not a field. */
function assertFieldName(name: string): void {
  assert(name !== '__proto__', 'a row field is not named __proto__');
  assert(String(Number(name) >>> 0) !== name, 'a row field is not named like an array index', { name });
}

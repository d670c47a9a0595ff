/**
 * Types whose form may change between versions of a job (row S13; Flink: PojoSerializer, EnumSerializer).
 *
 * A record gains fields, with what older state has in their place, and loses fields. An enumeration gains symbols, and its symbols may
 * change places: bytes number them as they were first written, so a serializer that finds another order takes that one.
 *
 * I1: what older state lacks is the default, a copy for each value; a field without a default cannot be added;
 * I2: a symbol of an enumeration is never taken away: bytes might mean it;
 * I3: a field keeps its name; a renamed field is one that is lost and one that is new.
 */
import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import { INCOMPATIBLE, readerOf, resolveComposite, resolveSchema, skipOf } from './schema-compatibility.ts';
import type { SerializerSnapshot, TypeSerializer, Read, SchemaCompatibility } from './type-serializer.ts';

type Fields = Record<string, unknown>;

export class RecordSerializer implements TypeSerializer<Fields> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable = false;
  readonly #names: readonly string[];
  readonly #types: readonly TypeSerializer<unknown>[];
  readonly #defaults: Readonly<Fields>;

  constructor(fields: readonly (readonly [string, TypeSerializer<unknown>])[], defaults: Readonly<Fields>) {
    this.#names = fields.map(([name]) => name);
    this.#types = fields.map(([, type]) => type);
    this.#defaults = defaults;
    const described = fields.map(([name, type]) => ({ name, serializer: type.snapshot }));
    this.snapshot = { name: 'record', version: 1, fields: described };
  }

  serialize(value: Fields, out: ByteWriter): void {
    assert(typeof value === 'object' && value !== null, 'a value of type record is an object');
    for (let i = 0; i < this.#names.length; i++) this.#types[i]?.serialize(value[this.#names[i] ?? ''], out);
  }

  deserialize(input: ByteReader): Fields {
    const record: Fields = {};
    for (let i = 0; i < this.#names.length; i++) record[this.#names[i] ?? ''] = this.#types[i]?.deserialize(input);
    return record;
  }

  copy(value: Fields): Fields {
    const record: Fields = {};
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i] ?? '';
      record[name] = this.#types[i]?.copy(value[name]);
    }
    return record;
  }

  /** A row has the form of a record, so a job may go over to records. */
  resolveSchema(written: SerializerSnapshot): SchemaCompatibility<Fields> {
    if ((written.name !== 'record' && written.name !== 'row') || written.version !== 1) return INCOMPATIBLE;
    const before = written.fields ?? [];
    const names = before.map(({ name }) => name);
    const keepsShape = names.length === this.#names.length && names.every((name, i) => name === this.#names[i]);
    if (!keepsShape) return this.#migrated(before);
    return resolveComposite<Fields>({
      parts: this.#types,
      written: before.map(({ serializer }) => serializer),
      rebuilt: (types) =>
        new RecordSerializer(
          types.map((type, i) => [this.#names[i] ?? '', type] as const),
          this.#defaults,
        ),
      read: (input, readers) => Object.fromEntries(readers.map((read, i) => [this.#names[i] ?? '', read(input)])),
    });
  }

  /** Fields came or went, or changed places. */
  #migrated(before: NonNullable<SerializerSnapshot['fields']>): SchemaCompatibility<Fields> {
    const steps: { readonly name: string | undefined; readonly read: Read<unknown> }[] = [];
    for (const { name, serializer } of before) {
      const type = this.#types[this.#names.indexOf(name)];
      const compatibility = type === undefined ? INCOMPATIBLE : resolveSchema(type, serializer);
      if (type !== undefined && compatibility.kind === 'incompatible') return INCOMPATIBLE;
      const read = type === undefined ? skipOf(serializer) : readerOf(type, compatibility);
      if (read === undefined) return INCOMPATIBLE;
      steps.push({ name: type === undefined ? undefined : name, read });
    }
    const added = this.#names.filter((name) => !before.some((field) => field.name === name));
    if (added.some((name) => !Object.hasOwn(this.#defaults, name))) return INCOMPATIBLE;
    return {
      kind: 'compatible-after-migration',
      read: (input) => {
        const found: Fields = {};
        for (const { name, read } of steps) {
          const value = read(input);
          if (name !== undefined) found[name] = value;
        }
        for (const name of added) found[name] = this.#defaults[name];
        // In the order of the present fields, defaults copied (I1).
        return this.copy(found);
      },
    };
  }
}

export class EnumSerializer implements TypeSerializer<string> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable = true;
  readonly #symbols: readonly string[];

  constructor(symbols: readonly string[]) {
    assert(new Set(symbols).size === symbols.length, 'the symbols of an enumeration differ');
    this.#symbols = symbols;
    this.snapshot = { name: 'enum', version: 1, fields: symbols.map((name) => ({ name, serializer: SYMBOL })) };
  }

  serialize(value: string, out: ByteWriter): void {
    const index = this.#symbols.indexOf(value);
    assert(index >= 0, 'a value of an enumeration is one of its symbols', { value });
    out.writeVarUint(index);
  }

  deserialize(input: ByteReader): string {
    return this.#symbols[input.readVarUint()] ?? input.refuse('an enumeration has a symbol of this number');
  }

  copy(value: string): string {
    return value;
  }

  resolveSchema(written: SerializerSnapshot): SchemaCompatibility<string> {
    if (written.name !== 'enum' || written.version !== 1) return INCOMPATIBLE;
    const before = written.fields?.map(({ name }) => name) ?? [];
    if (before.some((symbol) => !this.#symbols.includes(symbol))) return INCOMPATIBLE;
    const added = this.#symbols.filter((symbol) => !before.includes(symbol));
    return { kind: 'compatible-after-reconfiguration', serializer: new EnumSerializer([...before, ...added]) };
  }
}

/** What a symbol is described by: it has no form of its own. */
const SYMBOL: SerializerSnapshot = { name: 'symbol', version: 1 };

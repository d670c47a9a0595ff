/**
 * How values become bytes and how a stored description of that is compared with the present one.
 *
 * Owns the serializer contract and its snapshot (Flink: TypeSerializer, TypeSerializerSnapshot). The snapshot is
 * written into every state file, so that restore can refuse bytes it would misread. Does not own any concrete type.
 *
 * I1: deserialize(serialize(v)) equals v, and equal values give equal bytes.
 * I2: a copy shares nothing mutable with its original; if `immutable` holds, the value itself is a copy.
 * I3: bytes are read only as the snapshot they were written with allows (schema-compatibility.ts).
 */

import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';

/** A named part of a composite serializer. */
export interface SerializerField {
  readonly name: string;
  readonly serializer: SerializerSnapshot;
}

/** What a state file remembers of the serializer that wrote it. */
export interface SerializerSnapshot {
  /** Name of the kind of type, as `row` or `int`. */
  readonly name: string;
  /** Version of the binary form. */
  readonly version: number;
  /** The parts of a composite type, in the order they are written. */
  readonly fields?: readonly SerializerField[];
}

/** Reads a value of the present type from bytes of an earlier form. */
export type Read<T> = (input: ByteReader) => T;

/** What a serializer says of bytes that are described differently (Flink: TypeSerializerSchemaCompatibility). */
export type SchemaCompatibility<T> =
  | { readonly kind: 'compatible-as-is' }
  /** Every value is read by `read` and written anew. */
  | { readonly kind: 'compatible-after-migration'; readonly read: Read<T> }
  /** Bytes stay as they are, if this serializer takes the place of the present one. */
  | { readonly kind: 'compatible-after-reconfiguration'; readonly serializer: TypeSerializer<T> }
  | { readonly kind: 'incompatible' };

/** Writes, reads and copies values of one type. Methods, not function properties, so that it is covariant in T. */
export interface TypeSerializer<T> {
  readonly snapshot: SerializerSnapshot;
  /** Whether values can be shared between a snapshot and the user without a copy. */
  readonly immutable: boolean;
  serialize(value: T, out: ByteWriter): void;
  deserialize(input: ByteReader): T;
  copy(value: T): T;
  /** What can be done with bytes of a form that is described differently (row S13). Absent: nothing. */
  resolveSchema?(written: SerializerSnapshot): SchemaCompatibility<T>;
}

/** State that was stored does not fit the job that restores it (Flink: StateMigrationException). */
export class IncompatibleState extends Error {
  override readonly name = 'IncompatibleState';
}

/** Whether keys written by one serializer are keys of another: only if nothing differs, for keys may not evolve (row S13). */
export function checkCompatibility(
  written: SerializerSnapshot,
  current: SerializerSnapshot,
): 'compatible-as-is' | 'incompatible' {
  return sameSnapshot(written, current) ? 'compatible-as-is' : 'incompatible';
}

/** A readable form for messages, as `row@1(id: int@1, tags: list@1(element: string@1))`. */
export function describeSerializer(snapshot: SerializerSnapshot): string {
  const fields = snapshot.fields?.map((field) => `${field.name}: ${describeSerializer(field.serializer)}`);
  return `${snapshot.name}@${String(snapshot.version)}${fields === undefined ? '' : `(${fields.join(', ')})`}`;
}

export function sameSnapshot(a: SerializerSnapshot, b: SerializerSnapshot): boolean {
  return a.name === b.name && a.version === b.version && sameFields(a.fields, b.fields);
}

function sameFields(a: readonly SerializerField[] | undefined, b: readonly SerializerField[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((field, i) => sameField(field, b[i]));
}

function sameField(a: SerializerField, b: SerializerField | undefined): boolean {
  return b !== undefined && a.name === b.name && sameSnapshot(a.serializer, b.serializer);
}

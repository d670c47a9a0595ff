/**
 * How values become bytes and how a stored description of that is compared with the present one.
 *
 * Owns the serializer contract and its snapshot (Flink: TypeSerializer, TypeSerializerSnapshot). The snapshot is
 * written into every state file, so that restore can refuse bytes it would misread. Does not own any concrete type.
 *
 * I1: deserialize(serialize(v)) equals v, and equal values give equal bytes.
 * I2: a copy shares nothing mutable with its original; if `immutable` holds, the value itself is a copy.
 * I3: bytes are read only with a serializer whose snapshot is compatible with the one they were written with.
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

/** Writes, reads and copies values of one type. Methods, not function properties, so that it is covariant in T. */
export interface TypeSerializer<T> {
  readonly snapshot: SerializerSnapshot;
  /** Whether values can be shared between a snapshot and the user without a copy. */
  readonly immutable: boolean;
  serialize(value: T, out: ByteWriter): void;
  deserialize(input: ByteReader): T;
  copy(value: T): T;
}

/** Whether bytes written by one serializer can be read by another (Flink: TypeSerializerSchemaCompatibility). */
export type SerializerCompatibility = 'compatible-as-is' | 'incompatible';

/** State that was stored does not fit the job that restores it (Flink: StateMigrationException). */
export class IncompatibleState extends Error {
  override readonly name = 'IncompatibleState';
}

/** Equal descriptions are compatible, all others are not; evolution will refine this answer. */
export function checkCompatibility(written: SerializerSnapshot, current: SerializerSnapshot): SerializerCompatibility {
  return sameSnapshot(written, current) ? 'compatible-as-is' : 'incompatible';
}

/** A readable form for messages, as `row@1(id: int@1, tags: list@1(element: string@1))`. */
export function describeSerializer(snapshot: SerializerSnapshot): string {
  const fields = snapshot.fields?.map((field) => `${field.name}: ${describeSerializer(field.serializer)}`);
  return `${snapshot.name}@${String(snapshot.version)}${fields === undefined ? '' : `(${fields.join(', ')})`}`;
}

function sameSnapshot(a: SerializerSnapshot, b: SerializerSnapshot): boolean {
  return a.name === b.name && a.version === b.version && sameFields(a.fields, b.fields);
}

function sameFields(a: readonly SerializerField[] | undefined, b: readonly SerializerField[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((field, i) => sameField(field, b[i]));
}

function sameField(a: SerializerField, b: SerializerField | undefined): boolean {
  return b !== undefined && a.name === b.name && sameSnapshot(a.serializer, b.serializer);
}

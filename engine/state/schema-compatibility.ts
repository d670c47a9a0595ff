/**
 * Whether a serializer can go on from bytes of an earlier form, and how (row S13; Flink: TypeSerializerSchemaCompatibility,
 * CompositeTypeSerializerSnapshot).
 *
 * Owns the four answers and how those of parts make that of the whole. Does not own: what each type allows (the types themselves).
 *
 * I1: an answer other than `incompatible` never yields a value that the written bytes do not mean;
 * I2: the worst part decides: incompatible, then migration, then reconfiguration;
 * I3: equal descriptions are compatible as they are, whatever a type says of the rest.
 */
import type { ByteReader } from '../foundation/byte-reader.ts';
import { readJson } from './json-serializer.ts';
import { readStateKey } from './state-key-codec.ts';
import {
  type Read,
  type SchemaCompatibility,
  type SerializerSnapshot,
  sameSnapshot,
  type TypeSerializer,
} from './type-serializer.ts';

export const AS_IS = { kind: 'compatible-as-is' } as const;
export const INCOMPATIBLE = { kind: 'incompatible' } as const;
/** Names the form of a value behind the time of its last access (time-to-live.ts). */
export const STAMPED = 'ttl';

export function resolveSchema<T>(serializer: TypeSerializer<T>, written: SerializerSnapshot): SchemaCompatibility<T> {
  if (sameSnapshot(serializer.snapshot, written)) return AS_IS;
  if (written.name === STAMPED && serializer.snapshot.name !== STAMPED) return withoutStamp(serializer, written);
  return serializer.resolveSchema?.(written) ?? INCOMPATIBLE;
}

/** Entries expired when this was written, and do not any more (row S12): the time before the value is read over. */
function withoutStamp<T>(
  serializer: TypeSerializer<T>,
  { version, fields }: SerializerSnapshot,
): SchemaCompatibility<T> {
  const value = fields?.[1]?.serializer;
  const found = value === undefined || version !== 1 ? INCOMPATIBLE : resolveSchema(serializer, value);
  if (found.kind === 'incompatible') return INCOMPATIBLE;
  const read = readerOf(serializer, found);
  return {
    kind: 'compatible-after-migration',
    read: (input) => {
      input.readVarInt();
      return read(input);
    },
  };
}

/** How a value of the written form is read. Not asked of what is incompatible. */
export function readerOf<T>(serializer: TypeSerializer<T>, compatibility: SchemaCompatibility<T>): Read<T> {
  if (compatibility.kind === 'compatible-after-migration') return compatibility.read;
  const active = compatibility.kind === 'compatible-after-reconfiguration' ? compatibility.serializer : serializer;
  return (input) => active.deserialize(input);
}

/** The type of a whole in terms of its parts. */
export interface Composite<T> {
  readonly parts: readonly TypeSerializer<unknown>[];
  /** Of the parts, in the same order. */
  readonly written: readonly (SerializerSnapshot | undefined)[];
  /** The same whole of other parts. */
  rebuilt(parts: readonly TypeSerializer<unknown>[]): TypeSerializer<T>;
  /** A value of the whole, whose parts are read so. */
  read(input: ByteReader, parts: readonly Read<unknown>[]): T;
}

/** I2, where the whole has kept its shape. */
export function resolveComposite<T>({ parts, written, rebuilt, read }: Composite<T>): SchemaCompatibility<T> {
  const found = parts.map((part, index) => {
    const before = written[index];
    return before === undefined ? INCOMPATIBLE : resolveSchema(part, before);
  });
  if (written.length !== parts.length || found.some(({ kind }) => kind === 'incompatible')) return INCOMPATIBLE;
  if (found.some(({ kind }) => kind === 'compatible-after-migration')) {
    const readers = parts.map((part, index) => readerOf(part, found[index] ?? AS_IS));
    return { kind: 'compatible-after-migration', read: (input) => read(input, readers) };
  }
  if (found.every(({ kind }) => kind === 'compatible-as-is')) return AS_IS;
  const active = parts.map((part, index) => {
    const answer = found[index];
    return answer?.kind === 'compatible-after-reconfiguration' ? answer.serializer : part;
  });
  return { kind: 'compatible-after-reconfiguration', serializer: rebuilt(active) };
}

/** Reads over a value of a form that only its description is left of; undefined: no value of this type can be read over. */
export function skipOf(snapshot: SerializerSnapshot): Read<void> | undefined {
  const parts = snapshot.fields?.map(({ serializer }) => skipOf(serializer)) ?? [];
  const known = parts.filter((part) => part !== undefined);
  if (snapshot.version !== 1 || (snapshot.name !== 'enum' && known.length !== parts.length)) return undefined;
  const skipAll: Read<void> = (input) => {
    for (const skip of known) skip(input);
  };
  switch (snapshot.name) {
    case 'string':
      return (input) => input.skip(input.readVarUint());
    case 'int':
      return (input) => void input.readVarInt();
    case 'enum':
      return (input) => void input.readVarUint();
    case 'double':
      return (input) => input.skip(8);
    case 'boolean':
      return (input) => input.skip(1);
    case 'key':
      return (input) => void readStateKey(input);
    case 'json':
      return (input) => void readJson(input);
    case 'row':
    case 'record':
    case 'tuple':
    case STAMPED:
      return skipAll;
    case 'nullable':
      return (input) => {
        if (input.readByte() === 1) skipAll(input);
      };
    case 'list':
    case 'map':
      return (input) => {
        for (let left = input.readVarUint(); left > 0; left -= 1) skipAll(input);
      };
    default:
      return undefined;
  }
}

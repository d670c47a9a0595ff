/** How files of keyed state, of whatever kind, say what they hold. */
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { KeyGroupRange } from '../job/key-groups.ts';
import { readSerializerSnapshot, writeSerializerSnapshot } from './serializer-snapshot-codec.ts';
import { STATE_KINDS, type StateKind } from './state-descriptor.ts';
import type { SerializerSnapshot } from './type-serializer.ts';

/** What a file says of one state. */
export interface StateMetaInfo {
  readonly name: string;
  readonly kind: StateKind;
  /** The serializer of the values as they are stored. */
  readonly serializer: SerializerSnapshot;
}

/** What describes a file apart from its entries. */
export interface KeyedStateHeader {
  readonly keySerializer: SerializerSnapshot;
  readonly maxParallelism: number;
  readonly keyGroups: KeyGroupRange;
  readonly states: readonly StateMetaInfo[];
}

/** Key serializer, max parallelism, first and last key group; states: name, kind, serializer. */
export function writeKeyedStateHeader(header: KeyedStateHeader, out: ByteWriter): void {
  const { keySerializer, maxParallelism, keyGroups, states } = header;
  writeSerializerSnapshot(keySerializer, out);
  out.writeVarUint(maxParallelism);
  out.writeVarUint(keyGroups.start);
  out.writeVarUint(keyGroups.end);
  out.writeVarUint(states.length);
  for (const { name, kind, serializer } of states) {
    out.writeString(name);
    out.writeByte(STATE_KINDS.indexOf(kind));
    writeSerializerSnapshot(serializer, out);
  }
}

/** Throws `CorruptData`. */
export function readKeyedStateHeader(input: ByteReader): KeyedStateHeader {
  const keySerializer = readSerializerSnapshot(input);
  const maxParallelism = input.readVarUint();
  const keyGroups = { start: input.readVarUint(), end: input.readVarUint() };
  return { keySerializer, maxParallelism, keyGroups, states: readStates(input) };
}

/** The end of a header, for readers that check the rest before. Throws `CorruptData`. */
export function readStates(input: ByteReader): StateMetaInfo[] {
  return Array.from({ length: input.readVarUint() }, (): StateMetaInfo => {
    const name = input.readString();
    const kind = STATE_KINDS[input.readByte()] ?? input.refuse('a state has a known kind');
    return { name, kind, serializer: readSerializerSnapshot(input) };
  });
}

/** How files of keyed state that are no plain state files say what they hold: manifests and logs share it. */
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { KeyedStateHeader, StateMetaInfo } from './keyed-state-file.ts';
import { readSerializerSnapshot, writeSerializerSnapshot } from './serializer-snapshot-codec.ts';
import { STATE_KINDS } from './state-descriptor.ts';

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
  const states = Array.from({ length: input.readVarUint() }, (): StateMetaInfo => {
    const name = input.readString();
    const kind = STATE_KINDS[input.readByte()] ?? input.refuse('a state has a known kind');
    return { name, kind, serializer: readSerializerSnapshot(input) };
  });
  return { keySerializer, maxParallelism, keyGroups, states };
}

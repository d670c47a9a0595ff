/**
 * The file of an operator state snapshot: named lists whose elements can be dealt out to other subtasks.
 *
 *     'TMOS'  uint32 format version
 *     states  varuint count, each: name | serializer | varuint element count | length-prefixed elements
 *     uint32  CRC32C of everything above
 *
 * Owns the layout. Elements carry their lengths, so that redistribution (rows S5 to S7) moves bytes and needs no
 * serializer.
 *
 * I1: nothing is handed out before the checksum over the whole file was verified.
 * I2: encode(decode(bytes)) equals bytes.
 */

import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { crc32c } from '../foundation/crc32c.ts';
import { readSerializerSnapshot, writeSerializerSnapshot } from './serializer-snapshot-codec.ts';
import type { SerializerSnapshot } from './type-serializer.ts';

/** One named list as bytes. */
export interface OperatorStateBytes {
  readonly name: string;
  /** The serializer of an element. */
  readonly serializer: SerializerSnapshot;
  readonly elements: readonly Uint8Array[];
}

/** 'TMOS' as it reads in a hex dump. */
const MAGIC = 0x53_4f_4d_54;
const FORMAT_VERSION = 1;
const PREFIX_BYTES = 8;
const CHECKSUM_BYTES = 4;
/** Files are written here, one at a time. */
const scratch = new ByteWriter();

export function encodeOperatorStateFile(states: readonly OperatorStateBytes[]): Uint8Array {
  const out = scratch;
  out.reset();
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  out.writeVarUint(states.length);
  for (const state of states) {
    out.writeString(state.name);
    writeSerializerSnapshot(state.serializer, out);
    out.writeVarUint(state.elements.length);
    for (const element of state.elements) {
      out.writeVarUint(element.length);
      out.writeBytes(element);
    }
  }
  out.writeUint32(out.checksum());
  return out.toBytes();
}

/** Verifies a file and returns its lists in the order written. The elements are views of `bytes`. */
export function decodeOperatorStateFile(bytes: Uint8Array): OperatorStateBytes[] {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < PREFIX_BYTES) throw new CorruptData('an operator state file is longer', bytes.length);
  const input = new ByteReader(bytes, 0, end);
  if (input.readUint32() !== MAGIC) throw new CorruptData('an operator state file begins with TMOS', 0);
  if (input.readUint32() !== FORMAT_VERSION) throw new CorruptData('an operator state file has format version 1', 4);
  if (crc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32()) {
    throw new CorruptData('the file does not match its checksum', end);
  }
  const states: OperatorStateBytes[] = [];
  const stateCount = input.readVarUint();
  for (let i = 0; i < stateCount; i++) states.push(readState(input));
  if (input.remaining !== 0) input.refuse('the states fill the file');
  return states;
}

function readState(input: ByteReader): OperatorStateBytes {
  const name = input.readString();
  const serializer = readSerializerSnapshot(input);
  const count = input.readVarUint();
  const elements: Uint8Array[] = [];
  for (let i = 0; i < count; i++) elements.push(input.readBytes(input.readVarUint()));
  return { name, serializer, elements };
}

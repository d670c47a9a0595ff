/**
 * The file of an operator state snapshot: named lists whose elements can be dealt out to other subtasks.
 *
 *     'TMOS'  uint32 format version
 *     states  varuint count, each: name | mode | serializer | varuint element count | length-prefixed elements
 *             (version 1 has no mode: every list is dealt out)
 *     uint32  masked CRC32C of everything above
 *
 * Owns the layout. Elements carry their lengths, so that redistribution (rows S5 to S7) moves bytes and needs no
 * serializer.
 *
 * I1: nothing is handed out before the checksum over the whole file was verified.
 * I2: encode(decode(bytes)) equals bytes.
 */

import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import { type OperatorStateList, REDISTRIBUTION_MODES, type RedistributionMode } from '../protocol/state-handle.ts';
import {
  readSerializerSnapshot,
  skipSerializerSnapshot,
  writeSerializerSnapshot,
} from './serializer-snapshot-codec.ts';
import type { SerializerSnapshot } from './type-serializer.ts';

/** One named list as bytes. */
export interface OperatorStateBytes {
  readonly name: string;
  readonly mode: RedistributionMode;
  /** The serializer of an element. */
  readonly serializer: SerializerSnapshot;
  readonly elements: readonly Uint8Array[];
}

/** 'TMOS' as it reads in a hex dump. */
const MAGIC = 0x53_4f_4d_54;
const FORMAT_VERSION = 2;
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
    out.writeByte(REDISTRIBUTION_MODES.indexOf(state.mode));
    writeSerializerSnapshot(state.serializer, out);
    out.writeVarUint(state.elements.length);
    for (const element of state.elements) {
      out.writeVarUint(element.length);
      out.writeBytes(element);
    }
  }
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** Verifies a file and returns its lists in the order written. The elements are views of `bytes`. */
export function decodeOperatorStateFile(bytes: Uint8Array): OperatorStateBytes[] {
  return readFile(bytes).map(({ name, mode, serializer, elements }) => ({
    name,
    mode,
    serializer,
    elements: elements.map(({ view }) => view),
  }));
}

/** Only those elements that a handle stands for; a list of which it names none comes out empty. */
export function decodeElements(bytes: Uint8Array, lists: readonly OperatorStateList[]): OperatorStateBytes[] {
  const wanted = new Map(lists.map(({ name, offsets }) => [name, new Set(offsets)]));
  return readFile(bytes).map(({ name, mode, serializer, elements }) => ({
    name,
    mode,
    serializer,
    elements: elements.filter(({ offset }) => wanted.get(name)?.has(offset) === true).map(({ view }) => view),
  }));
}

/** What a handle on the whole file says of it. For whoever has just written the file: it is not verified. */
export function listsOf(bytes: Uint8Array): readonly OperatorStateList[] {
  const input = new ByteReader(bytes, PREFIX_BYTES, bytes.length - CHECKSUM_BYTES);
  const lists: OperatorStateList[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const name = input.readString();
    const mode = readMode(input);
    skipSerializerSnapshot(input);
    const offsets: number[] = [];
    for (let elements = input.readVarUint(); elements > 0; elements -= 1) {
      offsets.push(input.position);
      input.skip(input.readVarUint());
    }
    lists.push({ name, mode, offsets });
  }
  return lists;
}

/** The bytes of the element that begins, with its length, at an offset that `listsOf` gave. */
export function elementAt(bytes: Uint8Array, offset: number): Uint8Array {
  const input = new ByteReader(bytes, offset, bytes.length - CHECKSUM_BYTES);
  return input.readBytes(input.readVarUint());
}

interface Element {
  /** Where its length prefix begins. */
  readonly offset: number;
  readonly view: Uint8Array;
}

type ReadState = Omit<OperatorStateBytes, 'elements'> & { readonly elements: readonly Element[] };

function readFile(bytes: Uint8Array): ReadState[] {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < PREFIX_BYTES) throw new CorruptData('an operator state file is longer', bytes.length);
  const input = new ByteReader(bytes, 0, end);
  if (input.readUint32() !== MAGIC) throw new CorruptData('an operator state file begins with TMOS', 0);
  const version = input.readUint32();
  if (version < 1 || version > FORMAT_VERSION)
    throw new CorruptData(`an operator state file has format version 1 to ${FORMAT_VERSION}`, 4);
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32()) {
    throw new CorruptData('the file does not match its checksum', end);
  }
  const states: ReadState[] = [];
  const stateCount = input.readVarUint();
  for (let i = 0; i < stateCount; i++) states.push(readState(input, version));
  if (input.remaining !== 0) input.refuse('the states fill the file');
  return states;
}

function readState(input: ByteReader, version: number): ReadState {
  const name = input.readString();
  const mode = version < 2 ? 'split-distribute' : readMode(input);
  const serializer = readSerializerSnapshot(input);
  const count = input.readVarUint();
  const elements: Element[] = [];
  for (let i = 0; i < count; i++) {
    const offset = input.position;
    elements.push({ offset, view: input.readBytes(input.readVarUint()) });
  }
  return { name, mode, serializer, elements };
}

const readMode = (input: ByteReader): RedistributionMode =>
  REDISTRIBUTION_MODES[input.readByte()] ?? input.refuse('a list has a known mode');

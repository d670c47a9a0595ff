/**
 * The canonical form of keyed state in a savepoint: readable by every backend, whatever wrote it (row C26, FLIP-41; Flink:
 * FullSnapshotAsyncWriter, SavepointRestoreOperation).
 *
 *     'TMCS'  uint32 format version
 *     key serializer | max parallelism | first and last key group | states: name, kind, serializer
 *     per key group with entries: uint32 key group + 1, per state varint entry count,
 *             entries (length-prefixed key, length-prefixed value) in the order of the bytes of their keys
 *     uint32  0
 *     uint32  masked CRC32C of everything above
 *
 * Owns the layout and its translation from and to a keyed state file. Does not own: the native files of a backend.
 * I1: the bytes are a function of the state: they do not depend on the backend, nor on the order in which it keeps its entries.
 * I2: nothing is handed out before the checksum was verified.
 */
import { compareBytes } from '../foundation/byte-order.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import {
  decodeKeyedStateFile,
  encodeKeyedStateFile,
  type KeyedStateHeader,
  locateKeyedStateEntries,
} from './keyed-state-file.ts';
import { readKeyedStateHeader, writeKeyedStateHeader } from './keyed-state-header-codec.ts';

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** 'TMCS' as it reads in a hex dump. */
const MAGIC = 0x53_43_4d_54;
const FORMAT_VERSION = 1;
const CHECKSUM_BYTES = 4;

export function isCanonical(bytes: Uint8Array): boolean {
  return bytes.length > CHECKSUM_BYTES && new ByteReader(bytes).readUint32() === MAGIC;
}

/** From the file of a keyed state snapshot. */
export function toCanonical(file: Uint8Array): Uint8Array {
  const header = decodeKeyedStateFile(file);
  const index = new Map(header.states.map(({ name }, state) => [name, state]));
  const groups = new Map<number, Entry[][]>();
  locateKeyedStateEntries(file, (name, keyGroup, place) => {
    const states = groups.get(keyGroup) ?? header.states.map((): Entry[] => []);
    groups.set(keyGroup, states);
    const key = file.slice(place.keyStart, place.keyEnd);
    states[index.get(name) ?? 0]?.push({ key, value: file.slice(place.valueStart, place.valueEnd) });
  });
  const out = new ByteWriter();
  writeHeader(header, out);
  for (let keyGroup = header.keyGroups.start; keyGroup <= header.keyGroups.end; keyGroup += 1) {
    const states = groups.get(keyGroup);
    if (states === undefined) continue;
    out.writeUint32(keyGroup + 1);
    for (const entries of states) writeEntries(entries, out);
  }
  out.writeUint32(0);
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** To the file that a backend restores. */
export function fromCanonical(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - CHECKSUM_BYTES;
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32())
    throw new CorruptData('a canonical savepoint matches its checksum', end);
  const input = new ByteReader(bytes, 0, end);
  const header = readHeader(input);
  const groups = new Map<number, Entry[][]>();
  for (let marker = input.readUint32(); marker !== 0; marker = input.readUint32())
    groups.set(
      marker - 1,
      header.states.map(() => readEntries(input)),
    );
  if (input.remaining !== 0) input.refuse('a canonical savepoint ends with its last key group');
  return encodeKeyedStateFile(header, (state, keyGroup, out) => {
    const entries = groups.get(keyGroup)?.[state] ?? [];
    for (const entry of entries) writeEntry(entry, out);
    return entries.length;
  });
}

/** Where the parts of a canonical savepoint end that belong together: its header, then each key group. */
export function canonicalSections(bytes: Uint8Array): readonly number[] {
  const input = new ByteReader(bytes, 0, bytes.length - CHECKSUM_BYTES);
  const { states } = readHeader(input);
  const ends: number[] = [];
  for (let end = input.position; input.readUint32() !== 0; end = input.position) {
    ends.push(end);
    for (let state = 0; state < states.length; state += 1) readEntries(input);
  }
  return [...ends, bytes.length];
}

function writeHeader(header: KeyedStateHeader, out: ByteWriter): void {
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  writeKeyedStateHeader(header, out);
}

function readHeader(input: ByteReader): KeyedStateHeader {
  if (input.readUint32() !== MAGIC) input.refuse('a canonical savepoint begins with TMCS');
  if (input.readUint32() !== FORMAT_VERSION) input.refuse('a canonical savepoint has format version 1');
  return readKeyedStateHeader(input);
}

function writeEntries(entries: readonly Entry[], out: ByteWriter): void {
  out.writeVarUint(entries.length);
  for (const entry of [...entries].sort((a, b) => compareBytes(a.key, b.key))) writeEntry(entry, out);
}

function writeEntry({ key, value }: Entry, out: ByteWriter): void {
  out.writeVarUint(key.length);
  out.writeBytes(key);
  out.writeVarUint(value.length);
  out.writeBytes(value);
}

function readEntries(input: ByteReader): Entry[] {
  const entries: Entry[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const key = input.readBytes(input.readVarUint());
    entries.push({ key, value: input.readBytes(input.readVarUint()) });
  }
  return entries;
}

/**
 * The file of a keyed state snapshot: real bytes, addressable by key group, self-describing, checksummed.
 *
 *     'TMKS'  uint32 format version  uint32 header length
 *     header  key serializer | max parallelism | first and last key group
 *             states: name, kind, serializer | per key group: uint32 offset, uint32 length (0: no entries)
 *     uint32  masked CRC32C of everything above
 *     blocks  per key group with entries: per state uint32 entry count, uint32 byte length,
 *             entries (length-prefixed key, length-prefixed value); then uint32 masked CRC32C of the block
 *     uint32  masked CRC32C of everything above
 *
 * Owns the layout. Does not know the values: entries carry their lengths, so that an auditor can hash them without a
 * serializer. Flink's heap snapshot has the same parts but no checksum (row T9).
 *
 * I1: equal contents in equal order give equal bytes.
 * I2: no entry is handed out before the checksum over the whole file was verified; any flipped byte is `CorruptData`.
 * I3: the key groups of a file are exactly its range; each block lies inside the file, behind the one before.
 */

import { assert } from '../foundation/assert.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import { type KeyGroupRange, MAX_PARALLELISM_UPPER_BOUND } from '../job/key-groups.ts';
import {
  type KeyedStateHeader,
  readStates,
  type StateMetaInfo,
  writeKeyedStateHeader,
} from './keyed-state-header-codec.ts';
import { readSerializerSnapshot } from './serializer-snapshot-codec.ts';

export type { KeyedStateHeader, StateMetaInfo };

/** Where the entries of one state in one key group are. */
export interface StateSection {
  /** Index in `states` of the file. */
  readonly state: number;
  readonly keyGroup: number;
  readonly entryCount: number;
  /** First byte of the first entry. */
  readonly start: number;
  /** First byte behind the last entry. */
  readonly end: number;
}

/** A verified file; entries are read on demand. */
export interface KeyedStateFile extends KeyedStateHeader {
  /** Sections that have entries, by key group, then state. */
  readonly sections: readonly StateSection[];
}

/** Writes the entries of one state in one key group, each by `writeLengthPrefixed` parts; returns their number. */
export type SectionWriter = (state: number, keyGroup: number, out: ByteWriter) => number;

/** 'TMKS' as it reads in a hex dump. */
const MAGIC = 0x53_4b_4d_54;
const FORMAT_VERSION = 1;
const PREFIX_BYTES = 12;
const CHECKSUM_BYTES = 4;
const SLOT_BYTES = 8;
/** Files are written here, one at a time. */
const scratch = new ByteWriter();

interface Block {
  readonly keyGroup: number;
  readonly offset: number;
  /** Without the checksum. */
  readonly length: number;
}

interface ParsedHeader extends KeyedStateHeader {
  readonly blocks: readonly Block[];
}

/** Writes a file. The sections are asked for by key group, then by state. */
export function encodeKeyedStateFile(header: KeyedStateHeader, writeSection: SectionWriter): Uint8Array {
  const out = scratch;
  out.reset();
  const tableStart = writeHeader(header, out);
  for (let keyGroup = header.keyGroups.start; keyGroup <= header.keyGroups.end; keyGroup++) {
    const offset = out.position;
    if (!writeBlock(header.states.length, keyGroup, writeSection, out)) {
      out.truncate(offset);
      continue;
    }
    const slot = tableStart + (keyGroup - header.keyGroups.start) * SLOT_BYTES;
    out.patchUint32(slot, offset);
    out.patchUint32(slot + 4, out.position - offset);
    out.writeUint32(out.maskedChecksum(offset));
  }
  const headerEnd = tableStart + groupCount(header.keyGroups) * SLOT_BYTES;
  out.patchUint32(headerEnd, out.maskedChecksum(0, headerEnd));
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** Verifies a file and reads all but its entries. */
export function decodeKeyedStateFile(bytes: Uint8Array): KeyedStateFile {
  const { keySerializer, maxParallelism, keyGroups, states, blocks } = verifiedHeader(bytes);
  const sections: StateSection[] = [];
  const input = new ByteReader(bytes);
  for (const block of blocks) {
    const end = enterBlock(input, block);
    for (let state = 0; state < states.length; state++) {
      const entryCount = input.readUint32();
      const length = input.readUint32();
      const start = input.position;
      input.skip(length);
      if (entryCount > 0) sections.push({ state, keyGroup: block.keyGroup, entryCount, start, end: start + length });
    }
    if (input.position !== end) input.refuse('the sections of a block fill it');
  }
  return { keySerializer, maxParallelism, keyGroups, states, sections };
}

/** Verifies a file and reads what describes it. */
export function decodeKeyedStateHeader(bytes: Uint8Array): KeyedStateHeader {
  return verifiedHeader(bytes);
}

/** Where the parts of a file end that are read on their own: the header, then the block of each key group. */
export function keyedFileSections(bytes: Uint8Array): readonly number[] {
  const starts = readHeader(bytes).blocks.map(({ offset }) => offset);
  return [...starts, bytes.length];
}

/** Where the key and the value of an entry lie in its file. One object is reused for all entries of a visit. */
export interface EntryPlace {
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

/** Visits every entry of a file as bytes, for auditors. The views share the memory of `bytes`. */
export function readKeyedStateEntries(
  bytes: Uint8Array,
  visit: (stateName: string, keyGroup: number, keyBytes: Uint8Array, valueBytes: Uint8Array) => void,
): void {
  locateKeyedStateEntries(bytes, (name, keyGroup, place) => {
    const key = bytes.subarray(place.keyStart, place.keyEnd);
    visit(name, keyGroup, key, bytes.subarray(place.valueStart, place.valueEnd));
  });
}

/** Visits the place of every entry of a file, for auditors who look at many: a view costs more than what they do with it. */
export function locateKeyedStateEntries(
  bytes: Uint8Array,
  visit: (stateName: string, keyGroup: number, place: EntryPlace) => void,
): void {
  const place: EntryPlace = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 };
  const { states, blocks } = verifiedHeader(bytes);
  const input = new ByteReader(bytes);
  for (const block of blocks) {
    const blockEnd = enterBlock(input, block);
    for (const { name } of states) {
      const entryCount = input.readUint32();
      const length = input.readUint32();
      const end = input.position + length;
      if (end > blockEnd) input.refuse('a section lies inside its block');
      for (let i = 0; i < entryCount; i++) {
        const keyLength = input.readVarUint();
        place.keyStart = input.position;
        input.skip(keyLength);
        place.keyEnd = input.position;
        const valueLength = input.readVarUint();
        place.valueStart = input.position;
        input.skip(valueLength);
        place.valueEnd = input.position;
        if (place.valueEnd > end) input.refuse('an entry lies inside its section');
        visit(name, block.keyGroup, place);
      }
      if (input.position !== end) input.refuse('the entries of a section fill it');
    }
    if (input.position !== blockEnd) input.refuse('the sections of a block fill it');
  }
}

function verifiedHeader(bytes: Uint8Array): ParsedHeader {
  const damage = keyedFileDamage(bytes);
  if (damage !== undefined) throw damage;
  return readHeader(bytes);
}

/** Goes to the beginning of a block; returns where it ends. */
function enterBlock(input: ByteReader, { offset, length }: Block): number {
  const end = offset + length;
  if (end > input.end) throw new CorruptData('a block lies inside the file', offset);
  input.moveTo(offset);
  return end;
}

/** Returns the position of the offset table. */
function writeHeader(header: KeyedStateHeader, out: ByteWriter): number {
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  out.writeUint32(0);
  writeKeyedStateHeader(header, out);
  const tableStart = out.position;
  for (let i = 0; i < groupCount(header.keyGroups); i++) {
    out.writeUint32(0);
    out.writeUint32(0);
  }
  out.patchUint32(8, out.position - PREFIX_BYTES);
  out.writeUint32(0);
  return tableStart;
}

/** Whether the block has entries; if not, what was written is of no use. */
function writeBlock(stateCount: number, keyGroup: number, writeSection: SectionWriter, out: ByteWriter): boolean {
  let total = 0;
  for (let state = 0; state < stateCount; state++) {
    const start = out.position;
    out.writeUint32(0);
    out.writeUint32(0);
    const entryCount = writeSection(state, keyGroup, out);
    out.patchUint32(start, entryCount);
    out.patchUint32(start + 4, out.position - start - SLOT_BYTES);
    total += entryCount;
  }
  return total > 0;
}

/** The footer decides; the other checksums only say where the damage is (I2). */
export function keyedFileDamage(bytes: Uint8Array): CorruptData | undefined {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < PREFIX_BYTES + CHECKSUM_BYTES) return new CorruptData('a keyed state file is longer', bytes.length);
  const prefix = new ByteReader(bytes);
  if (prefix.readUint32() !== MAGIC) return new CorruptData('a keyed state file begins with TMKS', 0);
  if (prefix.readUint32() !== FORMAT_VERSION) return new CorruptData('a keyed state file has format version 1', 4);
  if (maskedCrc32c(bytes, 0, end) === new ByteReader(bytes, end).readUint32()) return undefined;
  const headerEnd = PREFIX_BYTES + prefix.readUint32();
  if (!checksumHolds(bytes, 0, headerEnd)) return new CorruptData('the header does not match its checksum', 0);
  for (const { keyGroup, offset, length } of readHeader(bytes).blocks) {
    if (checksumHolds(bytes, offset, offset + length)) continue;
    return new CorruptData(`the block of key group ${String(keyGroup)} does not match its checksum`, offset);
  }
  return new CorruptData('the file does not match its checksum', end);
}

function checksumHolds(bytes: Uint8Array, start: number, end: number): boolean {
  if (end + CHECKSUM_BYTES > bytes.length) return false;
  return maskedCrc32c(bytes, start, end) === new ByteReader(bytes, end).readUint32();
}

function readHeader(bytes: Uint8Array): ParsedHeader {
  const headerEnd = PREFIX_BYTES + new ByteReader(bytes, 8).readUint32();
  const input = new ByteReader(bytes, PREFIX_BYTES, Math.min(headerEnd, bytes.length));
  const keySerializer = readSerializerSnapshot(input);
  const maxParallelism = input.readVarUint();
  const keyGroups = { start: input.readVarUint(), end: input.readVarUint() };
  const bounded = keyGroups.start <= keyGroups.end && keyGroups.end < maxParallelism;
  if (!bounded || maxParallelism > MAX_PARALLELISM_UPPER_BOUND)
    input.refuse('the key groups lie below the maximum parallelism');
  const states = readStates(input);
  const blocks = readOffsetTable(input, keyGroups, headerEnd + CHECKSUM_BYTES);
  if (input.remaining !== 0) input.refuse('the offset table ends the header');
  return { keySerializer, maxParallelism, keyGroups, states, blocks };
}

/** Blocks follow each other without gaps (I3). */
function readOffsetTable(input: ByteReader, keyGroups: KeyGroupRange, firstOffset: number): Block[] {
  const blocks: Block[] = [];
  let expected = firstOffset;
  for (let keyGroup = keyGroups.start; keyGroup <= keyGroups.end; keyGroup++) {
    const offset = input.readUint32();
    const length = input.readUint32();
    if (length === 0) continue;
    if (offset !== expected) input.refuse('a block begins where the one before ends');
    blocks.push({ keyGroup, offset, length });
    expected = offset + length + CHECKSUM_BYTES;
  }
  return blocks;
}

function groupCount(range: KeyGroupRange): number {
  assert(range.start <= range.end, 'a key-group range is not empty', { range });
  return range.end - range.start + 1;
}

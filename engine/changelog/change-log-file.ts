/**
 * A stretch of the state log as a file: changes in the order in which they were made (Flink: StateChangeSet in StateChangeFormat).
 *
 *     'TMCL'  uint32 format version
 *     key serializer | max parallelism | first and last key group | states: name, kind, serializer
 *     varuint number of the first change, varuint count
 *     changes: varuint length, row key (it begins with the key group); varuint 0 (gone) or value length + 1, value
 *     uint32  masked CRC32C of everything above
 *
 * Owns the layout. Does not own: what a row means (row-key.ts), which stretches make a log (changelog-manifest.ts).
 * I1: nothing is handed out before the checksum was verified.
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import { type ByteString, toByteString } from '../lsm/row-key.ts';
import type { Row } from '../lsm/segment-file.ts';
import type { KeyedStateHeader } from '../state/keyed-state-file.ts';
import { readKeyedStateHeader, writeKeyedStateHeader } from '../state/keyed-state-header-codec.ts';

/** 'TMCL' as it reads in a hex dump. */
const MAGIC = 0x4c_43_4d_54;
const FORMAT_VERSION = 1;
const CHECKSUM_BYTES = 4;

export interface ChangeLogFile extends KeyedStateHeader {
  /** Number of the first change. */
  readonly from: number;
  readonly rows: readonly Row[];
}

export function isChangeLog(bytes: Uint8Array): boolean {
  return bytes.length > CHECKSUM_BYTES && new ByteReader(bytes).readUint32() === MAGIC;
}

/** One more change behind those in `out`. */
export function writeChange(row: ByteString, value: Uint8Array | undefined, out: ByteWriter): void {
  out.writeVarUint(row.length);
  for (let i = 0; i < row.length; i += 1) out.writeByte(row.charCodeAt(i));
  out.writeVarUint(value === undefined ? 0 : value.length + 1);
  if (value !== undefined) out.writeBytes(value);
}

/** `changes`: as `writeChange` wrote them, `count` of them. */
export function encodeChangeLog(
  header: KeyedStateHeader,
  { from, count, changes }: { readonly from: number; readonly count: number; readonly changes: ByteWriter },
): Uint8Array {
  const out = new ByteWriter();
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  writeKeyedStateHeader(header, out);
  out.writeVarUint(from);
  out.writeVarUint(count);
  out.writeBytes(changes.view());
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** Throws `CorruptData`. */
export function decodeChangeLog(bytes: Uint8Array): ChangeLogFile {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < CHECKSUM_BYTES) throw new CorruptData('a log of changes is longer', bytes.length);
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32())
    throw new CorruptData('a log of changes matches its checksum', end);
  const input = new ByteReader(bytes, 0, end);
  if (input.readUint32() !== MAGIC) input.refuse('a log of changes begins with TMCL');
  if (input.readUint32() !== FORMAT_VERSION) input.refuse('a log of changes has format version 1');
  const header = readKeyedStateHeader(input);
  const from = input.readVarUint();
  const rows: Row[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const row = toByteString(input.readBytes(input.readVarUint()));
    const length = input.readVarUint();
    rows.push([row, length === 0 ? undefined : input.readBytes(length - 1).slice()]);
  }
  if (input.remaining !== 0) input.refuse('a log of changes ends with its last change');
  return { ...header, from, rows };
}

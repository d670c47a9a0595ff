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
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import { type ByteString, toByteString } from '../lsm/row-key.ts';
import type { Row } from '../lsm/segment-file.ts';
import { decodeKeyedFrame, encodeKeyedFrame, isKeyedFrame, type KeyedFrameFormat } from '../state/keyed-frame.ts';
import type { KeyedStateHeader } from '../state/keyed-state-file.ts';

const FORMAT: KeyedFrameFormat = { file: 'a log of changes', letters: 'TMCL', magic: 0x4c_43_4d_54 };

export interface ChangeLogFile extends KeyedStateHeader {
  /** Number of the first change. */
  readonly from: number;
  readonly rows: readonly Row[];
}

export const isChangeLog = (bytes: Uint8Array): boolean => isKeyedFrame(FORMAT, bytes);

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
  return encodeKeyedFrame(FORMAT, header, (out) => {
    out.writeVarUint(from);
    out.writeVarUint(count);
    out.writeBytes(changes.view());
  });
}

/** Throws `CorruptData`. */
export function decodeChangeLog(bytes: Uint8Array): ChangeLogFile {
  return decodeKeyedFrame(FORMAT, bytes, { readContent, last: 'change' });
}

function readContent(input: ByteReader): Omit<ChangeLogFile, keyof KeyedStateHeader> {
  const from = input.readVarUint();
  const rows: Row[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const row = toByteString(input.readBytes(input.readVarUint()));
    const length = input.readVarUint();
    rows.push([row, length === 0 ? undefined : input.readBytes(length - 1).slice()]);
  }
  return { from, rows };
}

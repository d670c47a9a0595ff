/**
 * A keyed state file or canonical savepoint in compressed form, key group by key group (row S14; Flink: SnappyStreamCompressionDecorator).
 *
 *     'TMCZ'  uint32 format version  byte codec  varuint number of sections
 *     each    varuint length, varuint compressed length, compressed bytes; the header first, then one section per key group
 *     uint32  masked CRC32C of everything above
 *
 * Owns the envelope and which codecs there are. Does not own: what is inside, which is a file of its own, checksums and all. So whoever reads
 * state looks here first, and a job may be restored whatever its own setting is: the file says how it was written.
 *
 * I1: `uncompressed(compressed(file))` is `file`; bytes that are no envelope are a file as they are;
 * I2: nothing is handed out before the checksum was verified.
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import { compressBlock, decompressBlock } from '../foundation/lz4-block.ts';
import { canonicalSections, fromCanonical, isCanonical } from './canonical-savepoint.ts';
import { keyedFileSections } from './keyed-state-file.ts';

/** 'TMCZ' as it reads in a hex dump. */
const MAGIC = 0x5a_43_4d_54;
const FORMAT_VERSION = 1;
const CHECKSUM_BYTES = 4;
/** Codecs by their number in files: append only. */
const CODECS = ['lz4'] as const;
/** Longer than any section there will be: what is not believed, so that damage cannot ask for memory. */
const SECTION_BYTES_MAX = 1_073_741_824;

export function isCompressed(bytes: Uint8Array): boolean {
  return bytes.length > CHECKSUM_BYTES && new ByteReader(bytes).readUint32() === MAGIC;
}

/** `file`: a keyed state file or a canonical savepoint. */
export function compressed(file: Uint8Array): Uint8Array {
  const ends = isCanonical(file) ? canonicalSections(file) : keyedFileSections(file);
  const out = new ByteWriter();
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  out.writeByte(CODECS.indexOf('lz4'));
  out.writeVarUint(ends.length);
  let start = 0;
  for (const end of ends) {
    const block = compressBlock(file.subarray(start, end));
    out.writeVarUint(end - start);
    out.writeVarUint(block.length);
    out.writeBytes(block);
    start = end;
  }
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** The file itself, if it is not compressed. */
export function uncompressed(bytes: Uint8Array): Uint8Array {
  if (!isCompressed(bytes)) return bytes;
  const end = bytes.length - CHECKSUM_BYTES;
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32())
    throw new CorruptData('a compressed state file matches its checksum', end);
  const input = new ByteReader(bytes, 4, end);
  if (input.readUint32() !== FORMAT_VERSION) input.refuse('a compressed state file has format version 1');
  if (CODECS[input.readByte()] === undefined) input.refuse('a compressed state file names a known codec');
  const out = new ByteWriter();
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const length = input.readVarUint();
    const stored = input.readVarUint();
    if (length > SECTION_BYTES_MAX) input.refuse('a section has at most a gibibyte');
    const start = input.position;
    input.skip(stored);
    out.writeBytes(decompressBlock(bytes, { start, end: start + stored, length }));
  }
  if (input.remaining !== 0) input.refuse('the sections fill a compressed state file');
  return out.toBytes();
}

/** How many bytes will come of a compressed file whose checksum was verified; 0 for any other. */
export function bytesInside(bytes: Uint8Array): number {
  if (!isCompressed(bytes)) return 0;
  const input = new ByteReader(bytes, 9, bytes.length - CHECKSUM_BYTES);
  let inside = 0;
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    inside += input.readVarUint();
    input.skip(input.readVarUint());
  }
  return inside;
}

/** The file a backend restores, whatever form it was written in. */
export function restorableFile(bytes: Uint8Array): Uint8Array {
  const file = uncompressed(bytes);
  return isCanonical(file) ? fromCanonical(file) : file;
}

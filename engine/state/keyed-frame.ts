/**
 * The frame of a file that says of which keyed state it is and then lists something: manifests and stretches of a state log.
 *
 *     magic  uint32 format version
 *     key serializer | max parallelism | first and last key group | states: name, kind, serializer
 *     content
 *     uint32  masked CRC32C of everything above
 *
 * Owns the frame. Does not own: what is in it (manifest-file.ts, changelog-manifest.ts, change-log-file.ts).
 * Invariant I1: nothing is handed out before the checksum was verified.
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import type { KeyedStateHeader } from './keyed-state-file.ts';
import { readKeyedStateHeader, writeKeyedStateHeader } from './keyed-state-header-codec.ts';

export interface KeyedFrameFormat {
  /** For messages, with its article. */
  readonly file: string;
  /** Four letters as they read in a hex dump. */
  readonly letters: string;
  readonly magic: number;
}

const FORMAT_VERSION = 1;
const CHECKSUM_BYTES = 4;

export function isKeyedFrame({ magic }: KeyedFrameFormat, bytes: Uint8Array): boolean {
  return bytes.length > CHECKSUM_BYTES && new ByteReader(bytes).readUint32() === magic;
}

export function encodeKeyedFrame(
  { magic }: KeyedFrameFormat,
  header: KeyedStateHeader,
  writeContent: (out: ByteWriter) => void,
): Uint8Array {
  const out = new ByteWriter();
  out.writeUint32(magic);
  out.writeUint32(FORMAT_VERSION);
  writeKeyedStateHeader(header, out);
  writeContent(out);
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** `last`: what the content ends with, for the message. Throws `CorruptData`. */
export function decodeKeyedFrame<T>(
  { file, letters, magic }: KeyedFrameFormat,
  bytes: Uint8Array,
  { readContent, last }: { readonly readContent: (input: ByteReader) => T; readonly last: string },
): KeyedStateHeader & T {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < CHECKSUM_BYTES) throw new CorruptData(`${file} is longer`, bytes.length);
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32())
    throw new CorruptData(`${file} matches its checksum`, end);
  const input = new ByteReader(bytes, 0, end);
  if (input.readUint32() !== magic) input.refuse(`${file} begins with ${letters}`);
  if (input.readUint32() !== FORMAT_VERSION) input.refuse(`${file} has format version 1`);
  const header = readKeyedStateHeader(input);
  const content = readContent(input);
  if (input.remaining !== 0) input.refuse(`${file} ends with its last ${last}`);
  return { ...header, ...content };
}

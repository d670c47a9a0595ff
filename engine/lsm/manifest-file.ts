/**
 * The manifest of a snapshot in segments: what the states are and on which level each segment lies (RocksDB: MANIFEST, CURRENT, OPTIONS).
 *
 *     'TMLM'  uint32 format version
 *     key serializer | max parallelism | first and last key group | states: name, kind, serializer
 *     varuint segment count, per segment varuint level and length; uint32 CRC32C of everything above
 *
 * Written anew by every checkpoint; segments are shared. Where they lie says the state handle, in the order of the manifest.
 * Invariant I1: nothing is handed out before the checksum was verified.
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import type { KeyedStateHeader } from '../state/keyed-state-file.ts';
import { readKeyedStateHeader, writeKeyedStateHeader } from '../state/keyed-state-header-codec.ts';

export interface ManifestSegment {
  /** 0 is the newest. */
  readonly level: number;
  readonly bytes: number;
}

export interface Manifest extends KeyedStateHeader {
  /** By level, within a level oldest first. */
  readonly segments: readonly ManifestSegment[];
}

/** 'TMLM' as it reads in a hex dump. */
const MAGIC = 0x4d_4c_4d_54;
const FORMAT_VERSION = 1;
const CHECKSUM_BYTES = 4;

export function isManifest(bytes: Uint8Array): boolean {
  return bytes.length > CHECKSUM_BYTES && new ByteReader(bytes).readUint32() === MAGIC;
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  const { segments } = manifest;
  const out = new ByteWriter();
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  writeKeyedStateHeader(manifest, out);
  out.writeVarUint(segments.length);
  for (const { level, bytes } of segments) {
    out.writeVarUint(level);
    out.writeVarUint(bytes);
  }
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

export function decodeManifest(bytes: Uint8Array): Manifest {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < CHECKSUM_BYTES) throw new CorruptData('a manifest is longer', bytes.length);
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32())
    throw new CorruptData('a manifest matches its checksum', end);
  const input = new ByteReader(bytes, 0, end);
  if (input.readUint32() !== MAGIC) input.refuse('a manifest begins with TMLM');
  if (input.readUint32() !== FORMAT_VERSION) input.refuse('a manifest has format version 1');
  const header = readKeyedStateHeader(input);
  const segments = Array.from({ length: input.readVarUint() }, () => ({
    level: input.readVarUint(),
    bytes: input.readVarUint(),
  }));
  if (input.remaining !== 0) input.refuse('a manifest ends with its last segment');
  return { ...header, segments };
}

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
import { decodeKeyedFrame, encodeKeyedFrame, isKeyedFrame, type KeyedFrameFormat } from '../state/keyed-frame.ts';
import type { KeyedStateHeader } from '../state/keyed-state-file.ts';

export interface ManifestSegment {
  /** 0 is the newest. */
  readonly level: number;
  readonly bytes: number;
}

export interface Manifest extends KeyedStateHeader {
  /** By level, within a level oldest first. */
  readonly segments: readonly ManifestSegment[];
}

const FORMAT: KeyedFrameFormat = { file: 'a manifest', letters: 'TMLM', magic: 0x4d_4c_4d_54 };

export const isManifest = (bytes: Uint8Array): boolean => isKeyedFrame(FORMAT, bytes);

export function encodeManifest(manifest: Manifest): Uint8Array {
  const { segments } = manifest;
  return encodeKeyedFrame(FORMAT, manifest, (out) => {
    out.writeVarUint(segments.length);
    for (const { level, bytes } of segments) {
      out.writeVarUint(level);
      out.writeVarUint(bytes);
    }
  });
}

export function decodeManifest(bytes: Uint8Array): Manifest {
  return decodeKeyedFrame(FORMAT, bytes, {
    readContent: (input) => ({
      segments: Array.from({ length: input.readVarUint() }, () => ({
        level: input.readVarUint(),
        bytes: input.readVarUint(),
      })),
    }),
    last: 'segment',
  });
}

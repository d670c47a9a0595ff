/**
 * What a checkpoint with a state log is made of: the newest materialised snapshot, and the stretches of the log since (row S20; Flink:
 * ChangelogStateBackendHandle).
 *
 *     'TMCM'  uint32 format version
 *     key serializer | max parallelism | first and last key group | states: name, kind, serializer
 *     varuint number of the first change that is not in the snapshot, varuint files of the snapshot (0: there is none)
 *     varuint stretches of the log, per stretch varuint number of its first change and of the first behind it
 *     uint32  masked CRC32C of everything above
 *
 * Files are named by the state handle, in this order: those of the snapshot (its own file or manifest, then what that lists), then the
 * stretches. The first file says by itself what it is, so a snapshot of any backend can be below the log.
 * Invariants:
 *   I1 stretches follow each other without gaps, from the first change that is not in the snapshot or before it;
 *   I2 a change whose number lies below that is in the snapshot, and is not replayed;
 *   I3 nothing is handed out before the checksum was verified.
 */
import type { ByteReader } from '../foundation/byte-reader.ts';
import { decodeKeyedFrame, encodeKeyedFrame, isKeyedFrame, type KeyedFrameFormat } from '../state/keyed-frame.ts';
import type { KeyedStateHeader } from '../state/keyed-state-file.ts';

export interface LogStretch {
  /** Number of the first change. */
  readonly from: number;
  /** Of the first change behind it. */
  readonly to: number;
}

export interface ChangelogManifest extends KeyedStateHeader {
  /** Number of the first change that is not in the snapshot. */
  readonly materializedTo: number;
  /** Files of the snapshot; 0: the state was empty when the log began. */
  readonly snapshotFiles: number;
  readonly log: readonly LogStretch[];
}

const FORMAT: KeyedFrameFormat = { file: 'a changelog manifest', letters: 'TMCM', magic: 0x4d_43_4d_54 };

export const isChangelogManifest = (bytes: Uint8Array): boolean => isKeyedFrame(FORMAT, bytes);

export function encodeChangelogManifest(manifest: ChangelogManifest): Uint8Array {
  return encodeKeyedFrame(FORMAT, manifest, (out) => {
    out.writeVarUint(manifest.materializedTo);
    out.writeVarUint(manifest.snapshotFiles);
    out.writeVarUint(manifest.log.length);
    for (const { from, to } of manifest.log) {
      out.writeVarUint(from);
      out.writeVarUint(to);
    }
  });
}

/** Throws `CorruptData`. */
export function decodeChangelogManifest(bytes: Uint8Array): ChangelogManifest {
  return decodeKeyedFrame(FORMAT, bytes, { readContent, last: 'stretch' });
}

function readContent(input: ByteReader): Omit<ChangelogManifest, keyof KeyedStateHeader> {
  const materializedTo = input.readVarUint();
  const snapshotFiles = input.readVarUint();
  const log: LogStretch[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const stretch = { from: input.readVarUint(), to: input.readVarUint() };
    const before = log.at(-1);
    const follows = before === undefined ? stretch.from <= materializedTo : stretch.from === before.to;
    if (!follows || stretch.to <= stretch.from) input.refuse('I1: the stretches of a log follow each other');
    log.push(stretch);
  }
  return { materializedTo, snapshotFiles, log };
}

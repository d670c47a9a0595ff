/**
 * What was restored of a state that no function has registered yet: bytes as they came, which go into every snapshot (rows S13, C31).
 *
 * Owned by the backend that keeps state as objects; it is turned into objects when a function asks for it.
 */
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateMetaInfo, StateSection } from './keyed-state-file.ts';

/** Restored entries of a state that is not registered; never changed once made, so that snapshots share it. */
export interface UnclaimedState {
  readonly meta: StateMetaInfo;
  readonly entryCount: number;
  readonly sections: ReadonlyMap<number, UnclaimedSection>;
}

interface UnclaimedSection {
  readonly bytes: Uint8Array;
  readonly section: StateSection;
}

/** One state of a snapshot: how to write its entries of a key group. */
export interface SnapshotPart {
  readonly meta: StateMetaInfo;
  readonly entryCount: number;
  write(keyGroup: number, out: ByteWriter): number;
  release(): void;
}

export function snapshotUnclaimed({ meta, entryCount, sections }: UnclaimedState): SnapshotPart {
  return {
    meta,
    entryCount,
    write(keyGroup, out) {
      const found = sections.get(keyGroup);
      if (found === undefined) return 0;
      out.writeBytes(found.bytes, found.section.start, found.section.end);
      return found.section.entryCount;
    },
    release() {
      // The bytes are shared, nothing was kept for this snapshot.
    },
  };
}

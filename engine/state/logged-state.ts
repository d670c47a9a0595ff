/**
 * What checkpoints ask of keyed state whose changes are logged (row S20; Flink: ChangelogKeyedStateBackend, StateChangelogWriter,
 * MaterializationManager).
 *
 * Owns the vocabulary. Implemented by engine/changelog/; used by the subtask, which writes the files and knows where they lie.
 */
import type { SegmentHandle } from '../protocol/state-handle.ts';

/** A file that never changes, of a snapshot or of the log. */
export interface LogPiece {
  /** Of this backend, never used for another. */
  readonly id: string;
  /** Size, as far as it is known before the file is made. */
  readonly estimatedBytes: number;
  /** Entries that are read to make it. */
  readonly entryCount: number;
  /** Made when it is first asked for. */
  bytes(): Uint8Array;
  /** It is, as it is, a file of the checkpoint that was restored. */
  readonly origin: SegmentHandle | undefined;
}

/** The state at one moment, to be written as a snapshot below the log. */
export interface Materialization {
  /** Number of the first change that is not in it. */
  readonly upTo: number;
  readonly pieces: readonly LogPiece[];
  /** Gives back what was kept for it; a second release does nothing. */
  release(): void;
}

/** A checkpoint: the manifest, and the files that it lists. */
export interface LoggedSnapshot {
  readonly manifest: Uint8Array;
  readonly pieces: readonly LogPiece[];
  /** Set where there is no snapshot to build on: the checkpoint waits for this one. */
  readonly materialization: Materialization | undefined;
}

export interface LoggedState {
  /** Bytes logged since this was last asked. */
  takeLoggedBytes(): number;
  readonly hasFull: boolean;
  /** Stretches that are full, each told of once: they can be written before a checkpoint asks for them. */
  takeFull(): readonly LogPiece[];
  /** The synchronous part of a checkpoint. `isFull`: nothing of before is used, nor will be. */
  checkpoint(isFull: boolean): LoggedSnapshot;
  /** The synchronous part of a materialisation; undefined: nothing changed since the last one. */
  materialize(): Materialization | undefined;
  /** It is durable: the log before it is cut off. Ignored when a newer one is, or a full checkpoint came between. */
  materialized(materialization: Materialization): void;
  /** Ids of the files that the next checkpoint may be made of. */
  livePieces(): readonly string[];
}

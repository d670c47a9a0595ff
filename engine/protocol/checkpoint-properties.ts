/**
 * What kind of snapshot a request asks for, and what may become of it (rows C6, C7, C26; Flink: CheckpointProperties, SnapshotType).
 *
 * Owns: the closed list of kinds. Does not own: how a kind is taken (checkpoint-options.ts says what of it travels to the tasks).
 */
import type { SavepointFormat, SharingStrategy, SnapshotType } from './checkpoint-options.ts';

/** Row C6: what a person may ask for. `configured` is what the job does by itself. */
export type CheckpointKind = 'configured' | 'full' | 'incremental';

export interface CheckpointProperties {
  readonly snapshot: SnapshotType;
  readonly sharing: SharingStrategy;
  /** Of savepoints only. */
  readonly format?: SavepointFormat;
  /** Passes the limit of concurrent checkpoints and the minimum pause (row C2). */
  readonly isForced: boolean;
}

export const PERIODIC_CHECKPOINT: CheckpointProperties = {
  snapshot: 'checkpoint',
  sharing: 'forward-backward',
  isForced: false,
};

/** Flink: CheckpointProperties.forCheckpoint; a full one is CheckpointType.FULL_CHECKPOINT. */
export const checkpointProperties = (kind: CheckpointKind): CheckpointProperties =>
  kind === 'full' ? { ...PERIODIC_CHECKPOINT, sharing: 'forward' } : PERIODIC_CHECKPOINT;

/** Flink: forSavepoint. A savepoint is forced only where barriers are aligned: one unaligned checkpoint runs at a time. */
export const savepointProperties = (
  snapshot: Exclude<SnapshotType, 'checkpoint'>,
  format: SavepointFormat,
  isUnaligned: boolean,
): CheckpointProperties => ({ snapshot, sharing: 'no-sharing', format, isForced: !isUnaligned });

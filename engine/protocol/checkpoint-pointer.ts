/**
 * The pointer to the retained checkpoints: one versioned value in the coordination store (row F16). Only what it names may be
 * restored (invariant G1). Written by compare-and-set, so that a leader that was replaced cannot move it.
 */
import { type CheckpointId, type LeaderEpoch, leaderEpoch } from '../foundation/ids.ts';

export interface RetainedCheckpoint {
  readonly id: CheckpointId;
  /** Path of its `_metadata` in checkpoint storage. */
  readonly metadata: string;
}

export interface CheckpointPointer {
  /** Leader that wrote it. */
  readonly epoch: LeaderEpoch;
  /** Oldest first, newest last. */
  readonly completed: readonly RetainedCheckpoint[];
}

const NOTHING: CheckpointPointer = { epoch: leaderEpoch(0), completed: [] };

/** Keys in the coordination store. */
export const leaderKey = (jobId: string): string => `${jobId}/leader`;
export const pointerKey = (jobId: string): string => `${jobId}/checkpoints`;
export const counterKey = (jobId: string): string => `${jobId}/checkpoint-id`;

/** Value under `leaderKey`. */
export interface LeaderLease {
  readonly epoch: LeaderEpoch;
  readonly holder: string;
  /** Process that holds it: a restarted JobManager is another holder. */
  readonly incarnation: number;
  /** Rises with each renewal, so that watchers see that the holder lives. */
  readonly renewal: number;
}

export const encodePointer = (pointer: CheckpointPointer): string => JSON.stringify(pointer);
/** The empty text: the job has ended and its pointer was removed; it names nothing. */
export const decodePointer = (value: string): CheckpointPointer =>
  value === '' ? NOTHING : (JSON.parse(value) as CheckpointPointer);
export const encodeLease = (lease: LeaderLease): string => JSON.stringify(lease);
export const decodeLease = (value: string): LeaderLease => JSON.parse(value) as LeaderLease;

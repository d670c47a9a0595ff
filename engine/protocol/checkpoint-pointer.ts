/**
 * The pointer to the retained checkpoints: one versioned value in the coordination store (row F16). Only what it names may be
 * restored (invariant G1). Written by compare-and-set, so that a leader that was replaced cannot move it.
 */
import type { BackendName } from './configuration.ts';
import { type CheckpointId, type LeaderEpoch, leaderEpoch } from '../foundation/ids.ts';
import { directoryOfMetadata } from './savepoint-paths.ts';

export interface RetainedCheckpoint {
  readonly id: CheckpointId;
  /** Path of its `_metadata` in checkpoint storage. */
  readonly metadata: string;
  /** It is a savepoint (row C16); only a restored one is here (row C12). */
  readonly isSavepoint?: true;
  /** Row C27: of a snapshot the run was restored from. `user`: never touched; `claimed`: deleted like an own one. */
  readonly owner?: 'user' | 'claimed';
}

/** Why and with what a run of the job is over. */
export interface JobEnd {
  readonly status: 'finished' | 'canceled' | 'failed';
  /** Trigger id of the request that ended it; empty: nobody asked. */
  readonly by: string;
  /** Directory of the savepoint it stopped with, or else of the newest checkpoint that was kept. */
  readonly location?: string;
  /** Of a failure that no restart can mend, for whoever submitted the job. */
  readonly reason?: string;
}

/** One run of the job, from a submission to its end (Flink: the job graph store and the job result store). */
export interface JobRun {
  /** Counts submissions from 1. */
  readonly run: number;
  /** Trigger id of the submission; empty for the first run. */
  readonly by: string;
  /** Ids up to this one belong to earlier runs: what those kept is not this run's to delete (C7 in bugs.md). */
  readonly floor: number;
  /** `_metadata` of what earlier runs retained or were restored from, but for what was claimed; nobody needs anything else up to `floor`. */
  readonly kept?: readonly string[];
  /** Row C27: directories of snapshots that were claimed, as long as something may be left in them. Absent: none. */
  readonly claimed?: readonly string[];
  /** Row S24: where its keyed state lives. Absent: as the configuration says. */
  readonly backend?: BackendName;
  /** Row X38: whether state of several subtasks goes into one file. Absent: as the configuration says. */
  readonly fileMerging?: boolean;
  /** Row S24: which version of the job runs. Absent: the first. */
  readonly version?: number;
  /** Row C31: state that no operator claims is left behind, whoever leads when the run is deployed. */
  readonly allowNonRestored?: true;
  /** Row C7: the first checkpoint is full, until one is in the store. */
  readonly fullFirst: boolean;
  readonly ended?: JobEnd;
}

export const FIRST_RUN: JobRun = { run: 1, by: '', floor: 0, fullFirst: false };

export interface CheckpointPointer {
  /** Leader that wrote it. */
  readonly epoch: LeaderEpoch;
  /** Oldest first, newest last. */
  readonly completed: readonly RetainedCheckpoint[];
  /** Absent: the first run. In the same value as the checkpoints, so that a run and what it may restore change in one step. */
  readonly job?: JobRun;
}

/** Row C27: directories of what a run has claimed and does not retain any more: to be deleted, whoever dropped it. */
export function droppedClaims(
  { claimed = [] }: Pick<JobRun, 'claimed'>,
  retained: readonly RetainedCheckpoint[],
): readonly string[] {
  if (claimed.length === 0) return claimed;
  const directories = new Set(retained.map(({ metadata }) => directoryOfMetadata(metadata)));
  return claimed.filter((directory) => !directories.has(directory));
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

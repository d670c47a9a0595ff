/** Where the pieces of a snapshot lie, as acknowledgements and `_metadata` say it. */

/**
 * How the elements of a list are dealt out when the parallelism changes (rows S5 to S7; Flink: OperatorStateHandle.Mode): each to one
 * subtask, all to every subtask, or one whole copy to each.
 */
export const REDISTRIBUTION_MODES = ['split-distribute', 'union', 'broadcast'] as const;
export type RedistributionMode = (typeof REDISTRIBUTION_MODES)[number];

/** One named list of operator state, and the elements of it that a handle stands for. */
export interface OperatorStateList {
  readonly name: string;
  readonly mode: RedistributionMode;
  /** Where in the file each element begins; fewer than are there when the others went to another subtask. */
  readonly offsets: readonly number[];
}

/**
 * A state handle says where a piece of snapshot lies (Flink: StreamStateHandle, KeyGroupsStateHandle, OperatorStateHandle).
 * Small state travels inline in the acknowledgement and is stored in `_metadata` (row T3).
 */
export type StateKind = 'keyed' | 'operator' | 'input-channel' | 'output-channel';

/** Part of a channel state file: what was under way on one channel (row B17). */
export interface ChannelSection {
  /** Index of the edge in the job graph. */
  readonly edge: number;
  /** Subtask at the other end: the producer's for input channels, the consumer's for output channels. */
  readonly peer: number;
  /** Of the section in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** One immutable file of keyed state that many checkpoints may have in common (row S17). */
export interface SegmentHandle {
  /** Object path: no two files ever have the same, so with `offset` it is also the file's key in the shared-state registry (FLINK-29913). */
  readonly path: string;
  /** Where it begins in a merged file. Absent: it is the whole of `path`. */
  readonly offset?: number;
  readonly bytes: number;
  readonly checksum: number;
  /**
   * In an acknowledgement only: the JobManager knows the file from an earlier one; size and checksum are 0 (Flink:
   * PlaceholderStreamStateHandle).
   */
  readonly isPlaceholder?: true;
}

export interface StateHandle {
  /** Uid of the operator whose state this is; channel state belongs to the head of its chain (input) or its tail (output). */
  readonly operator: string;
  readonly state: StateKind;
  /** Object path below the checkpoint storage; empty for inline state. */
  readonly path: string;
  /** Where it begins in a merged file, which holds others beside it (row S19; Flink: SegmentFileStateHandle). Absent: it is the whole of `path`. */
  readonly offset?: number;
  /** The state itself when it is inline. */
  readonly inline?: Uint8Array;
  readonly bytes: number;
  /** CRC32C over the bytes; restore verifies it. */
  readonly checksum: number;
  /** Inclusive key-group range; of keyed state only. */
  readonly keyGroups?: { readonly start: number; readonly end: number };
  /** Of operator state: its lists. Absent: the state belongs to its subtask and cannot be redistributed (row S9). */
  readonly lists?: readonly OperatorStateList[];
  /** Of keyed state in segments: those that the manifest lists, in its order; the manifest is what `path` or `inline` is. */
  readonly segments?: readonly SegmentHandle[];
  /** Of channel state only. With `vertex` and `subtask` of the subtask's state this is what a rescaled restore maps (row B19). */
  readonly channels?: readonly ChannelSection[];
}

/** What a file is that a handle names, or a part of one: its key in the shared-state registry. */
export const logicalFileKey = ({ path, offset }: Pick<SegmentHandle, 'path' | 'offset'>): string =>
  offset === undefined ? path : `${path}@${offset}`;

/** Of the bytes behind a path, those that a handle means; fewer when the file is too short. */
export const logicalBytes = (
  { offset, bytes }: Pick<SegmentHandle, 'offset' | 'bytes'>,
  physical: Uint8Array,
): Uint8Array => (offset === undefined ? physical : physical.subarray(offset, offset + bytes));

/**
 * How far a subtask was at the end of its input. `task`: it had ended and has no state (Flink: FinishedOperatorSubtaskState, and
 * FullyFinishedOperatorState when all of a vertex have). `operators`: they had finished before the snapshot, which has their state (Flink:
 * TaskStateSnapshot.isTaskFinished).
 */
export type FinishedState = 'task' | 'operators';

/** What one subtask contributed to a checkpoint. */
export interface SubtaskState {
  readonly vertex: number;
  readonly subtask: number;
  readonly handles: readonly StateHandle[];
  /** Absent: its input had not ended. */
  readonly finished?: FinishedState;
}

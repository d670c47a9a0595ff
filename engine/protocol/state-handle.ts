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
export interface StateHandle {
  /** Uid of the operator whose state this is. */
  readonly operator: string;
  readonly state: 'keyed' | 'operator';
  /** Object path below the checkpoint storage; empty for inline state. */
  readonly path: string;
  /** The state itself when it is inline. */
  readonly inline?: Uint8Array;
  readonly bytes: number;
  /** CRC32C over the bytes; restore verifies it. */
  readonly checksum: number;
  /** Inclusive key-group range; absent for operator state. */
  readonly keyGroups?: { readonly start: number; readonly end: number };
  /** Of operator state: its lists. Absent: the state belongs to its subtask and cannot be redistributed (row S9). */
  readonly lists?: readonly OperatorStateList[];
}

/** What one subtask contributed to a checkpoint. */
export interface SubtaskState {
  readonly vertex: number;
  readonly subtask: number;
  readonly handles: readonly StateHandle[];
}

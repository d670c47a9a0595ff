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

export interface StateHandle {
  /** Uid of the operator whose state this is; channel state belongs to the head of its chain (input) or its tail (output). */
  readonly operator: string;
  readonly state: StateKind;
  /** Object path below the checkpoint storage; empty for inline state. */
  readonly path: string;
  /** The state itself when it is inline. */
  readonly inline?: Uint8Array;
  readonly bytes: number;
  /** CRC32C over the bytes; restore verifies it. */
  readonly checksum: number;
  /** Inclusive key-group range; of keyed state only. */
  readonly keyGroups?: { readonly start: number; readonly end: number };
  /** Of channel state only. With `vertex` and `subtask` of the subtask's state this is what a rescaled restore maps (row B19). */
  readonly channels?: readonly ChannelSection[];
}

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

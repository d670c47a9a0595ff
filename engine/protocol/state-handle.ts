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

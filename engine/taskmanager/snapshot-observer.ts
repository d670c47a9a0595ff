/**
 * Whoever audits snapshots from outside: it is shown the live keyed state at the barrier, behind the synchronous part of the snapshot and in
 * its action (decision 0129), and what a subtask goes on waiting for when it has read of a checkpoint that it will not take part in.
 *
 * It must neither change nor keep what it is shown. The engine has none; a harness that judges lets one in (TaskEnvironment).
 */
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { KeyedOperatorState } from '../state/keyed-state-backend.ts';

export interface SnapshotMoment {
  readonly checkpointId: CheckpointId;
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

export interface SnapshotObserver {
  atBarrier(moment: SnapshotMoment, keyed: readonly KeyedOperatorState[]): void;
  /**
   * A cancellation marker (row B3) was read, or a barrier that the subtask passes over: of the past, or of a checkpoint that was aborted.
   * `aligning`: the checkpoint whose barriers it collects behind that, 0 when none. In the mailbox action that read it, after what followed from it.
   */
  passedOver(moment: SnapshotMoment, aligning: number): void;
}

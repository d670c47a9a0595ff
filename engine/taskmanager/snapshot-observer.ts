/**
 * Whoever audits snapshots from outside: it is shown the live keyed state at the barrier, before the synchronous part is taken.
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
}

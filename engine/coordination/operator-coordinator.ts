/**
 * The part of an operator that runs in the JobManager (rows C24, K1, F4; Flink: OperatorCoordinator, OperatorCoordinator.Context).
 *
 * The contract, in the order of a life: `resetToCheckpoint` (after a failover of the whole job or of the JobManager), `start`, then
 * for each attempt of a subtask `executionAttemptReady`, its events, and `subtaskFailed`; where only a region restarts,
 * `subtaskReset` follows, and comes before the next attempt is ready.
 *
 * Invariants the caller keeps:
 *   I1 an event sent before the snapshot of checkpoint n was taken is handled by the subtask before its barrier n; one sent after
 *      it, after the barrier (subtask-gateway.ts);
 *   I2 `resetToCheckpoint(n)` implies that n is complete; a coordinator may not hear of it by `notifyCheckpointComplete`;
 *   I3 a coordinator is not rolled back when a region restarts: it hears `subtaskReset` with the checkpoint *the subtask* restores.
 */
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { EventFromOperator, EventToOperator } from '../protocol/operator-events.ts';

/** A way to one attempt of one subtask. It is void when the attempt has ended (Flink: OperatorCoordinator.SubtaskGateway). */
export interface OperatorSubtask {
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  sendEvent(event: EventToOperator, out: Out): void;
}

/** One attempt, as events and failures name it. */
export interface SubtaskAttempt {
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
}

/** What a snapshot became; undefined: it failed, and with it the checkpoint. Flink: a future of bytes. */
export type SnapshotDone = (bytes: Uint8Array | undefined, nowUs: Micros, out: Out) => void;

export interface OperatorCoordinator {
  start(out: Out): void;
  /** Its state is what it is when `done` is called; until then its events still belong before the checkpoint. */
  checkpointCoordinator(
    at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros },
    out: Out,
    done: SnapshotDone,
  ): void;
  notifyCheckpointComplete(checkpointId: CheckpointId, out: Out): void;
  notifyCheckpointAborted(checkpointId: CheckpointId, out: Out): void;
  /** How many subtasks there are from the `resetToCheckpoint` on that follows; of coordinators that need to know. */
  deployedWith?(parallelism: number): void;
  /** `bytes` is undefined when the checkpoint holds nothing of it, or (id 0) there is no checkpoint: begin empty (row C18). */
  resetToCheckpoint(checkpointId: CheckpointId, bytes: Uint8Array | undefined, out: Out): void;
  executionAttemptReady(gateway: OperatorSubtask, out: Out): void;
  handleEventFromOperator(from: SubtaskAttempt, event: EventFromOperator, out: Out): void;
  subtaskFailed(of: SubtaskAttempt, out: Out): void;
  subtaskReset(subtask: number, restored: CheckpointId, out: Out): void;
  /** It has finished; of coordinators that need to know. */
  subtaskFinished?(of: SubtaskAttempt): void;
  /** Of coordinators that ask an outside system: what came to the JobManager. False: it is of somebody else. */
  handleMessage?(message: EngineMessage, nowUs: Micros, out: Out): boolean;
  handleTimer?(timer: string, nowUs: Micros, out: Out): boolean;
  /** Row C5; absent: never (Flink: SplitEnumeratorContext.setIsProcessingBacklog). */
  readonly isProcessingBacklog?: boolean;
}

/** What the checkpoint coordinator asks of the job and tells it (Flink: SchedulerBase as CheckpointCoordinator sees it). */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { CheckpointedSubtask } from './checkpoint-plan.ts';
import type { SubtaskOfAttempt } from './pending-checkpoint.ts';

export type DeployedScale = Pick<CheckpointMetadata, 'operators' | 'highestParallelism' | 'backend'>;

export interface CoordinatorHost {
  readonly jobAttempt: number;
  subtasks(): readonly CheckpointedSubtask[];
  /** Any attempt this leader ever deployed. */
  subtaskOf(attempt: ExecutionAttemptId): SubtaskOfAttempt | undefined;
  sendToTask(attempt: ExecutionAttemptId, message: EngineMessage, out: Out): void;
  /** `blamed`: the attempt whose fault it is; when that is not the current one, nothing is to be done (FLINK-20675). */
  tooManyFailures(nowUs: Micros, out: Out, blamed?: ExecutionAttemptId): void;
  /** Another leader moved the pointer. */
  superseded(nowUs: Micros, out: Out): void;
  /** A checkpoint of the running job has completed, or was given up. */
  checkpointEnded(isCompleted: boolean, nowUs: Micros, out: Out): void;
  /** How wide the job is deployed: part of `_metadata` (rows S3, C31). */
  deployedScale(): DeployedScale;
  /** No write that decides about a checkpoint is unanswered any more. */
  settled(nowUs: Micros, out: Out): void;
}

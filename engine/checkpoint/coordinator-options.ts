/**
 * What the checkpoint coordinator is given, and what it asks of the job it checkpoints (Flink: the constructor of CheckpointCoordinator).
 *
 * Owns: these contracts. Does not own: any behaviour.
 */
import type { RequestClient } from '../clients/request-client.ts';
import type { CheckpointedCoordinators } from '../coordination/checkpointed-coordinators.ts';
import type { ExecutionAttemptId, LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { EngineMessage, StorageReply } from '../protocol/messages.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { CheckpointedSubtask } from './checkpoint-plan.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import type { SubtaskOfAttempt } from './pending-checkpoint.ts';

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
  deployedScale(): Pick<CheckpointMetadata, 'operators' | 'highestParallelism'>;
  /** No write that decides about a checkpoint is unanswered any more. */
  settled(nowUs: Micros, out: Out): void;
}

export interface CoordinatorOptions {
  readonly jobId: string;
  readonly graph: Pick<JobGraph, 'edges'>;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly host: CoordinatorHost;
  readonly storage: RequestClient<StorageReply>;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  /** Operator coordinators of the job; default: none. */
  readonly coordinators?: CheckpointedCoordinators;
  /** Last id ever used and the version of the counter that says so. */
  readonly counter: { readonly value: number; readonly version: number };
}

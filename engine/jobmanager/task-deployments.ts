/**
 * What each execution is told when it is deployed: its channels and its share of the restored state (row F4; Flink:
 * TaskDeploymentDescriptorFactory).
 */
import { StateAssignment } from '../checkpoint/state-assignment.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { JobScale } from '../protocol/job-scale.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import type { Execution, ExecutionGraph } from './execution-graph.ts';

export interface TaskDeploymentsOptions {
  /** As it is deployed. */
  readonly graph: JobGraph;
  /** Undefined: as the job was written. */
  readonly scale: JobScale | undefined;
  readonly executions: ExecutionGraph;
  /** The checkpoint the job is restored from; undefined on a start from scratch. */
  readonly restored: CheckpointMetadata | undefined;
  readonly parts: EngineParts;
}

/** Of one deployment of the job; asked again when a message was lost. */
export class TaskDeployments {
  readonly #options: TaskDeploymentsOptions;
  readonly #restore: { readonly checkpointId: CheckpointId; readonly assignment: StateAssignment } | undefined;

  constructor(options: TaskDeploymentsOptions) {
    this.#options = options;
    const { graph, restored, parts } = options;
    if (restored === undefined) return;
    const { checkpointId } = restored;
    this.#restore = { checkpointId, assignment: new StateAssignment({ graph, restored, parts }) };
  }

  of(execution: Execution): TaskDeployment {
    const { executions, scale } = this.#options;
    const { attempt, vertex, subtask, slot } = execution;
    const place = { attempt, vertex, subtask, slot, inputs: executions.inputsOf(execution) };
    const deployment = scale === undefined ? place : { ...place, scale };
    if (this.#restore === undefined) return deployment;
    const { checkpointId, assignment } = this.#restore;
    const state = assignment.of(vertex, subtask);
    return { ...deployment, restore: { checkpointId, state: state.handles.length === 0 ? [] : [state] } };
  }
}

/**
 * What each execution is told when it is deployed: its channels and its share of the restored state (row F4; Flink:
 * TaskDeploymentDescriptorFactory).
 */
import { finishedStateOf } from '../checkpoint/finished-state.ts';
import { StateAssignment } from '../checkpoint/state-assignment.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { JobScale } from '../protocol/job-scale.ts';
import type { BackendName } from '../protocol/configuration.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { TaskDeployment, TaskRestore } from '../protocol/task.ts';
import type { Execution, ExecutionGraph } from './execution-graph.ts';

export interface TaskDeploymentsOptions {
  /** As it is deployed. */
  readonly graph: JobGraph;
  /** Undefined: as the job was written. */
  readonly scale: JobScale | undefined;
  readonly executions: ExecutionGraph;
  readonly parts: EngineParts;
  /** Row X26; undefined: of none. */
  readonly withoutChannelStateOf: number | undefined;
  /** Of the run; undefined: as the configuration says. */
  readonly backend: BackendName | undefined;
  /** Of the run; undefined: as the configuration says. */
  readonly fileMerging: boolean | undefined;
  /** Of the run; undefined: the first. */
  readonly version: number | undefined;
}

/** Of one deployment of the job, the restarts of single regions included; asked again when a message was lost. */
export class TaskDeployments {
  readonly #options: TaskDeploymentsOptions;
  /** By checkpoint: a region that restarts alone restores a newer one than the rest. */
  readonly #assignments = new WeakMap<CheckpointMetadata, StateAssignment>();

  constructor(options: TaskDeploymentsOptions) {
    this.#options = options;
  }

  of(execution: Execution): TaskDeployment {
    const { graph, executions, scale, backend, fileMerging, version } = this.#options;
    const { attempt, vertex, subtask, slot, restored } = execution;
    const place = { attempt, vertex, subtask, slot, inputs: executions.inputsOf(execution) };
    const deployment = {
      ...place,
      ...(scale === undefined ? {} : { scale }),
      ...(backend === undefined ? {} : { backend }),
      ...(fileMerging === undefined ? {} : { fileMerging }),
      ...(version === undefined ? {} : { version }),
    };
    if (restored === undefined) return deployment;
    const assignment = this.#assignmentOf(restored);
    const state = assignment.of(vertex, subtask);
    const takenOver = assignment.takenOver(vertex, subtask);
    const jobVertex = graph.vertices[vertex];
    const finished = jobVertex && finishedStateOf(restored.states, jobVertex, subtask);
    const restore: TaskRestore = {
      checkpointId: restored.checkpointId,
      state: state.handles.length === 0 ? [] : [state],
      ...(takenOver.length === 0 ? {} : { takenOver }),
      ...(finished === undefined ? {} : { finished }),
    };
    return { restore, ...deployment };
  }

  #assignmentOf(restored: CheckpointMetadata): StateAssignment {
    const known = this.#assignments.get(restored);
    if (known !== undefined) return known;
    const { graph, parts, withoutChannelStateOf } = this.#options;
    const assignment = new StateAssignment({ graph, restored, parts, withoutChannelStateOf });
    this.#assignments.set(restored, assignment);
    return assignment;
  }
}

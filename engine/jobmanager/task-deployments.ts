/**
 * What each execution is told when it is deployed: its channels and its share of the restored state (row F4; Flink:
 * TaskDeploymentDescriptorFactory).
 */
import { finishedStateOf } from '../checkpoint/finished-state.ts';
import { assignState } from '../checkpoint/state-assignment.ts';
import { assert } from '../foundation/assert.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import type { Execution, ExecutionGraph } from './execution-graph.ts';

/** `restored`: the checkpoint the job is restored from; undefined on a start from scratch. */
export function deploymentOf(
  execution: Execution,
  job: {
    readonly graph: JobGraph;
    readonly executions: ExecutionGraph;
    readonly restored: CheckpointMetadata | undefined;
  },
): TaskDeployment {
  const { attempt, vertex, subtask, slot } = execution;
  const { graph, executions, restored } = job;
  const jobVertex = graph.vertices[vertex];
  assert(jobVertex !== undefined, 'an execution belongs to a vertex of the job', { vertex });
  const deployment = { attempt, vertex, subtask, slot, inputs: executions.inputsOf(execution) };
  if (restored === undefined) return deployment;
  const state = assignState(restored.states, jobVertex, subtask);
  const finished = finishedStateOf(restored.states, jobVertex, subtask);
  const restore = { checkpointId: restored.checkpointId, state };
  return { ...deployment, restore: finished === undefined ? restore : { ...restore, finished } };
}

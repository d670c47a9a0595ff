/**
 * What a checkpoint says about subtasks that had finished, and whether it can be restored (row C22; Flink: VertexFinishedStateChecker).
 * Pure.
 *
 * Differs from Flink: a finished subtask of a vertex that has not finished as a whole is restored as finished, not started anew without
 * state (decision 0015).
 */
import { type JobGraph, type JobVertex, operatorStatesOf } from '../job/job-graph.ts';
import { isPointwise } from '../job/pointwise.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { FinishedState, SubtaskState } from '../protocol/state-handle.ts';
import type { OperatorStateDescriptor } from '../state/operator-state-descriptor.ts';

/** Of all subtasks of a vertex, how many had ended. */
type VertexProgress = 'none' | 'some' | 'all';

/**
 * As what a subtask is restored. At another parallelism marks count only if all subtasks of the vertex have one: then all had ended, or
 * all had at least finished their operators (`finishedStateProblem` refuses the rest).
 */
export function finishedStateOf(
  states: readonly SubtaskState[],
  vertex: Pick<JobVertex, 'index' | 'parallelism'>,
  subtask: number,
): FinishedState | undefined {
  const ofVertex = states.filter((state) => state.vertex === vertex.index);
  if (ofVertex.length === vertex.parallelism) return ofVertex.find((state) => state.subtask === subtask)?.finished;
  if (ofVertex.length === 0 || ofVertex.some(({ finished }) => finished === undefined)) return undefined;
  return ofVertex.every(({ finished }) => finished === 'task') ? 'task' : 'operators';
}

/**
 * Whether a vertex of another parallelism than its state had finished in part: what its subtasks hold is then of two kinds, and cannot be
 * dealt out anew (Flink refuses it, too).
 */
export function isFinishedInPart(graph: JobGraph, { states }: Pick<CheckpointMetadata, 'states'>): boolean {
  return graph.vertices.some(({ index, parallelism }) => {
    const ofVertex = states.filter(({ vertex }) => vertex === index);
    if (ofVertex.length === 0 || ofVertex.length === parallelism) return false;
    return ofVertex.some(({ finished }) => finished !== ofVertex[0]?.finished);
  });
}

/** A sentence that says why the checkpoint contradicts itself; undefined when it does not. */
export function finishedStateProblem(
  graph: JobGraph,
  { states }: Pick<CheckpointMetadata, 'states'>,
): string | undefined {
  if (!states.some(({ finished }) => finished === 'task')) return undefined;
  for (const { vertex, subtask, finished, handles } of states) {
    if (finished === 'task' && handles.length > 0)
      return `subtask ${subtask} of vertex ${vertex} has finished and has state`;
  }
  for (const { index, name, parallelism } of graph.vertices) {
    const progress = progressOf(states, index);
    if (progress === 'none') continue;
    if (progress === 'some' && states.filter(({ vertex }) => vertex === index).length !== parallelism)
      return `${name} had finished in part and cannot be restored with another parallelism`;
    for (const edge of graph.edges) {
      const producer = graph.vertices[edge.from];
      if (edge.to !== index || producer === undefined) continue;
      const before = progressOf(states, edge.from);
      const isAllowed = before === 'all' || (before === 'some' && progress === 'some' && isPointwise(edge));
      if (!isAllowed)
        return `${name} has finished (${progress}), though ${producer.name} before it has not (${before})`;
    }
  }
  return undefined;
}

/**
 * Row C21: whether a user function's union list would lose what finished subtasks had in it, while others still run and would be given it
 * at a restore. (What sources and sinks keep so needs no rule: the mark says which partitions were read, and nothing of the sink is open.)
 */
export function lacksUnionOfFinished(graph: Pick<JobGraph, 'vertices'>, states: readonly SubtaskState[]): boolean {
  if (!states.some(({ finished }) => finished !== undefined)) return false;
  return graph.vertices.some(({ index, operators }) => {
    const ofVertex = states.filter(({ vertex }) => vertex === index);
    const isPart =
      ofVertex.some(({ finished }) => finished !== undefined) &&
      ofVertex.some(({ finished }) => finished === undefined);
    return isPart && operators.some((operator) => operatorStatesOf(operator).some(isUnion));
  });
}

const isUnion = (descriptor: OperatorStateDescriptor): boolean =>
  descriptor.kind === 'operator-list' && descriptor.mode === 'union';

function progressOf(states: readonly SubtaskState[], vertex: number): VertexProgress {
  const ofVertex = states.filter((state) => state.vertex === vertex);
  const ended = ofVertex.filter(({ finished }) => finished === 'task').length;
  if (ended === 0) return 'none';
  return ended === ofVertex.length ? 'all' : 'some';
}

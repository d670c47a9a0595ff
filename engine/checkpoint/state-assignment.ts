/**
 * Which piece of a checkpoint goes to which subtask (rows S2, S8; Flink: StateAssignmentOperation). Pure.
 * Keyed state goes where its key groups lie now; operator state stays with its subtask, at unchanged parallelism.
 */
import { assert } from '../foundation/assert.ts';
import type { JobVertex } from '../job/job-graph.ts';
import { keyGroupRangeOf } from '../job/key-groups.ts';
import type { SubtaskState } from '../protocol/state-handle.ts';

export function assignState(
  states: readonly SubtaskState[],
  vertex: JobVertex,
  subtask: number,
): readonly SubtaskState[] {
  const ofVertex = states.filter((state) => state.vertex === vertex.index);
  const highest = ofVertex.reduce((most, state) => Math.max(most, state.subtask), -1);
  assert(highest < vertex.parallelism, 'a checkpoint is restored at the parallelism it was taken', {
    vertex: vertex.name,
    highest,
  });
  const range = keyGroupRangeOf(subtask, vertex.parallelism, vertex.maxParallelism);
  return ofVertex
    .map((state) => ({
      ...state,
      handles: state.handles.filter(({ keyGroups }) =>
        keyGroups === undefined
          ? state.subtask === subtask
          : keyGroups.start <= range.end && keyGroups.end >= range.start,
      ),
    }))
    .filter((state) => state.handles.length > 0);
}

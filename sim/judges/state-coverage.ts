/**
 * Whether the handles of a checkpoint, taken together, are the whole state: every key group of every keyed operator exactly once, whatever
 * the parallelism was. A key group that is missing is state lost at the next restore; one that is there twice is state of two moments.
 */
import { type JobGraph, keySerializerOf, operatorStatesOf } from '../../engine/job/job-graph.ts';
import type { CheckpointMetadata } from '../../engine/protocol/metadata-file.ts';

/** What is wrong; undefined when nothing is. `ended`: key groups of subtasks that had ended and have no state any more, by operator. */
export function keyGroupProblem(
  metadata: CheckpointMetadata,
  graph: JobGraph,
  ended: ReadonlyMap<string, readonly Range[]> = new Map(),
): string | undefined {
  for (const { operators, maxParallelism } of graph.vertices) {
    for (const operator of operators) {
      const { uid } = operator;
      if (keySerializerOf(operator) === undefined) continue;
      const groups = metadata.operators.find((known) => known.uid === uid)?.maxParallelism ?? maxParallelism;
      const problem = coverageProblem(rangesOf(metadata, uid, ended.get(uid) ?? []), groups);
      if (problem !== undefined) return `of ${uid}, ${problem}`;
    }
  }
  return undefined;
}

/** Every subtask that runs writes the operator state of its functions, if only to say that there is none. Undefined: nothing is wrong. */
export function operatorStateProblem({ states }: CheckpointMetadata, graph: JobGraph): string | undefined {
  for (const { index, operators } of graph.vertices) {
    for (const operator of operators) {
      if (operatorStatesOf(operator).length === 0) continue;
      const { uid } = operator;
      const silent = states.find(
        ({ vertex, finished, handles }) =>
          vertex === index &&
          finished !== 'task' &&
          !handles.some((handle) => handle.operator === uid && handle.state === 'operator'),
      );
      if (silent !== undefined) return `operator state of ${uid} of subtask ${String(silent.subtask)} is in no handle`;
    }
  }
  return undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function rangesOf({ states }: CheckpointMetadata, uid: string, ended: readonly Range[]): readonly Range[] {
  const inHandles = states.flatMap(({ handles }) =>
    handles.flatMap(({ operator, keyGroups }) => (operator === uid && keyGroups !== undefined ? [keyGroups] : [])),
  );
  return [...inHandles, ...ended].sort((a, b) => a.start - b.start || a.end - b.end);
}

function coverageProblem(ranges: readonly Range[], keyGroups: number): string | undefined {
  let next = 0;
  for (const { start, end } of ranges) {
    if (start > next) return `key group ${String(next)} is in no handle`;
    if (start < next) return `key group ${String(start)} is in two handles`;
    next = end + 1;
  }
  return next === keyGroups ? undefined : `key groups end at ${String(next)} of ${String(keyGroups)}`;
}

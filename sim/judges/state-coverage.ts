/**
 * Whether the handles of a checkpoint, taken together, are the whole state: every key group of every keyed operator exactly once, whatever
 * the parallelism was. A key group that is missing is state lost at the next restore; one that is there twice is state of two moments.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { CheckpointMetadata } from '../../engine/protocol/metadata-file.ts';

/** What is wrong; undefined when nothing is. `ended`: key groups of subtasks that had ended and have no state any more, by operator. */
export function keyGroupProblem(
  metadata: CheckpointMetadata,
  graph: JobGraph,
  ended: ReadonlyMap<string, readonly Range[]> = new Map(),
): string | undefined {
  for (const { operators, maxParallelism } of graph.vertices) {
    for (const { uid, kind } of operators) {
      if (kind !== 'process' && kind !== 'co-process') continue;
      const groups = metadata.operators.find((operator) => operator.uid === uid)?.maxParallelism ?? maxParallelism;
      const problem = coverageProblem(rangesOf(metadata, uid, ended.get(uid) ?? []), groups);
      if (problem !== undefined) return `of ${uid}, ${problem}`;
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

/**
 * Whether a job may be restored from a checkpoint, and with how many key groups (rows S3, C31; Flink: Checkpoints.loadAndValidateCheckpoint,
 * StateAssignmentOperation.checkParallelismPreconditions). Pure.
 *
 * I1: the number of key groups of state never changes: a job that chose none adopts it, one that chose another is refused;
 * I2: operators that a changed chaining has put into one vertex must agree on it (FLINK-40113: silently remapped, state was lost);
 * I3: state that no operator claims is refused, unless it is said to be given up (Flink: allowNonRestoredState).
 */
import type { JobGraph, JobVertex } from '../job/job-graph.ts';
import { operatorsOf } from '../job/scaled-graph.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';

export type Compatibility =
  | { readonly kind: 'compatible'; readonly graph: JobGraph }
  | { readonly kind: 'refused'; readonly why: string };

export interface RestoreQuestion {
  /** As it shall be deployed. */
  readonly graph: JobGraph;
  readonly restored: Pick<CheckpointMetadata, 'states' | 'operators'>;
  readonly allowNonRestoredState: boolean;
}

/** The graph to deploy: the given one, or one with the maximum parallelism of the state. */
export function fitToState({ graph, restored, allowNonRestoredState }: RestoreQuestion): Compatibility {
  const withState = new Set(restored.states.flatMap(({ handles }) => handles.map(({ operator }) => operator)));
  const claimed = new Set(graph.vertices.flatMap(operatorsOf));
  const unclaimed = [...withState].find((uid) => !claimed.has(uid));
  if (unclaimed !== undefined && !allowNonRestoredState) {
    return { kind: 'refused', why: `No operator of the job has the uid '${unclaimed}', of which there is state` };
  }
  const stored = new Map(
    restored.operators.filter(({ uid }) => withState.has(uid)).map(({ uid, maxParallelism }) => [uid, maxParallelism]),
  );
  const vertices: JobVertex[] = [];
  for (const vertex of graph.vertices) {
    const fitted = fitVertex(vertex, stored);
    if (typeof fitted === 'string') return { kind: 'refused', why: fitted };
    vertices.push(fitted);
  }
  const isSame = vertices.every((vertex, index) => vertex === graph.vertices[index]);
  return { kind: 'compatible', graph: isSame ? graph : { ...graph, vertices } };
}

/** Text: why not. */
function fitVertex(vertex: JobVertex, stored: ReadonlyMap<string, number>): JobVertex | string {
  let found: { readonly uid: string; readonly maxParallelism: number } | undefined;
  for (const uid of operatorsOf(vertex)) {
    const maxParallelism = stored.get(uid);
    if (maxParallelism === undefined) continue;
    if (found !== undefined && found.maxParallelism !== maxParallelism) {
      return `'${found.uid}' and '${uid}' are chained, but their state has ${found.maxParallelism} and ${maxParallelism} key groups`;
    }
    found = { uid, maxParallelism };
  }
  if (found === undefined || found.maxParallelism === vertex.maxParallelism) return vertex;
  const { uid, maxParallelism } = found;
  if (vertex.hasExplicitMaxParallelism === true) {
    return `The job sets a maximum parallelism of ${vertex.maxParallelism}, but the state of '${uid}' has ${maxParallelism} key groups`;
  }
  if (vertex.parallelism > maxParallelism) {
    return `The parallelism ${vertex.parallelism} of '${vertex.name}' is above the ${maxParallelism} key groups of its state`;
  }
  return { ...vertex, maxParallelism };
}

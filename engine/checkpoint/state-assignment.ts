/**
 * Which piece of a checkpoint goes to which subtask of a deployment (rows S5 to S9; Flink: StateAssignmentOperation). Pure; made once
 * per deployment.
 *
 * State is found by the uid of its operator, not by vertex: a changed chaining finds it again (row C31).
 * I1: keyed state goes to every subtask whose key groups it overlaps; which of them it keeps is decided when it is read (row S8);
 * I2: operator state without a mode of redistribution stays with its subtask and cannot be rescaled (row S9);
 * I3: in-flight data that somebody gave up goes to nobody, at whatever parallelism; everything else of the checkpoint does (row X26).
 */
import { assert } from '../foundation/assert.ts';
import type { JobGraph, JobVertex } from '../job/job-graph.ts';
import { keyGroupRangeOf } from '../job/key-groups.ts';
import { operatorsOf } from '../job/scaled-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { StateHandle, SubtaskState } from '../protocol/state-handle.ts';
import { InFlightAssignment } from './in-flight-assignment.ts';

export interface StateAssignmentOptions {
  /** As it is deployed. */
  readonly graph: JobGraph;
  readonly restored: Pick<CheckpointMetadata, 'checkpointId' | 'states' | 'operators'>;
  readonly parts: Pick<EngineParts, 'repartitionOperatorState' | 'rescaledInFlight' | 'isGivenUp'>;
  /** Id of the checkpoint whose channel state is given up; undefined: of none. */
  readonly withoutChannelStateOf?: number | undefined;
}

/** Handles of one operator by the subtask that gets them. */
type OfSubtasks = readonly (readonly StateHandle[])[];

export class StateAssignment {
  readonly #options: StateAssignmentOptions;
  readonly #inFlight: InFlightAssignment;
  readonly #byVertex = new Map<number, readonly SubtaskState[]>();
  /** What the checkpoint has of each operator. */
  #byOperator: ReadonlyMap<string, readonly SubtaskState[]> | undefined;

  constructor(options: StateAssignmentOptions) {
    this.#options = { ...options, restored: withoutGivenUp(options) };
    this.#inFlight = new InFlightAssignment(this.#options);
  }

  /** What a subtask restores: one entry per subtask, all handles of its operators in it. */
  of(vertex: number, subtask: number): SubtaskState {
    let states = this.#byVertex.get(vertex);
    if (states === undefined) {
      const jobVertex = this.#options.graph.vertices[vertex];
      assert(jobVertex !== undefined, 'state is assigned to a vertex of the job', { vertex });
      states = this.#assign(jobVertex);
      this.#byVertex.set(vertex, states);
    }
    const state = states[subtask];
    assert(state !== undefined, 'a subtask index is below the parallelism', { vertex, subtask });
    return state;
  }

  /** In-flight data of rescaled exchanges that is handed to a subtask beside its state (row B19). */
  takenOver(vertex: number, subtask: number): readonly StateHandle[] {
    const jobVertex = this.#options.graph.vertices[vertex];
    assert(jobVertex !== undefined, 'state is assigned to a vertex of the job', { vertex });
    return this.#inFlight.takenOver(jobVertex, subtask);
  }

  #assign(vertex: JobVertex): readonly SubtaskState[] {
    const pieces = operatorsOf(vertex).flatMap((uid) => [this.#keyed(uid, vertex), this.#operator(uid, vertex)]);
    return Array.from({ length: vertex.parallelism }, (_, subtask) => ({
      vertex: vertex.index,
      subtask,
      handles: [...pieces.flatMap((piece) => piece[subtask] ?? []), ...this.#inFlight.restored(vertex, subtask)],
    }));
  }

  /** Row S8. */
  #keyed(uid: string, { parallelism, maxParallelism }: JobVertex): OfSubtasks {
    const handles = this.#handlesOf(uid).flatMap((state) => state.handles.filter((handle) => handle.state === 'keyed'));
    if (handles.length === 0) return [];
    return Array.from({ length: parallelism }, (_, subtask) => {
      const range = keyGroupRangeOf(subtask, parallelism, maxParallelism);
      return handles.filter(({ keyGroups }) => {
        assert(keyGroups !== undefined, 'a keyed handle names its key groups', { uid });
        return keyGroups.start <= range.end && keyGroups.end >= range.start;
      });
    });
  }

  #operator(uid: string, { parallelism }: JobVertex): OfSubtasks {
    const states = this.#handlesOf(uid).map(({ subtask, handles }) => ({
      subtask,
      handles: handles.filter((handle) => handle.state === 'operator'),
    }));
    const before = this.#parallelismOf(uid, states);
    const reported = states.filter(({ handles }) => handles.length > 0);
    const isFixed = reported.some(({ handles }) => handles.some(({ lists }) => lists === undefined));
    if (!isFixed) {
      return this.#options.parts.repartitionOperatorState({
        states: reported,
        oldParallelism: before,
        newParallelism: parallelism,
      });
    }
    assert(before === parallelism, 'I2: state without a mode of redistribution is restored at its parallelism', {
      uid,
    });
    return Array.from({ length: parallelism }, (_, subtask) =>
      reported.filter((state) => state.subtask === subtask).flatMap(({ handles }) => handles),
    );
  }

  /** By old subtask. */
  #handlesOf(uid: string): readonly SubtaskState[] {
    this.#byOperator ??= byOperator(this.#options.restored.states);
    return this.#byOperator.get(uid) ?? [];
  }

  #parallelismOf(uid: string, states: readonly { readonly subtask: number }[]): number {
    const known = this.#options.restored.operators.find((operator) => operator.uid === uid)?.parallelism;
    return known ?? states.reduce((most, { subtask }) => Math.max(most, subtask + 1), 0);
  }
}

/** I3. Flink: StateAssignmentOperation.assignAttemptState, which does not ask for channel state then. */
function withoutGivenUp({
  restored,
  parts,
  withoutChannelStateOf,
}: StateAssignmentOptions): StateAssignmentOptions['restored'] {
  if (withoutChannelStateOf === undefined) return restored;
  const isKept = ({ state }: StateHandle): boolean =>
    !parts.isGivenUp(state, restored.checkpointId, withoutChannelStateOf);
  const states = restored.states.map((state) => ({ ...state, handles: state.handles.filter(isKept) }));
  return { ...restored, states };
}

/** Each operator's handles alone, in the order of the checkpoint. */
function byOperator(states: readonly SubtaskState[]): ReadonlyMap<string, readonly SubtaskState[]> {
  const found = new Map<string, SubtaskState[]>();
  for (const state of states) {
    for (const uid of new Set(state.handles.map(({ operator }) => operator))) {
      const own = { ...state, handles: state.handles.filter(({ operator }) => operator === uid) };
      const known = found.get(uid);
      if (known === undefined) found.set(uid, [own]);
      else known.push(own);
    }
  }
  return found;
}

/**
 * Which in-flight data of a checkpoint goes to which subtask of a deployment (rows B18, B19; Flink: TaskStateAssignment,
 * StateAssignmentOperation.reDistributeInputChannelStates and reDistributeResultSubpartitionStates). Pure; made once per deployment.
 *
 * An exchange whose two ends are as wide as they were gives everything back to the channel it was on, at both ends. At one that was
 * rescaled the channels are no more: producers get nothing back, and each consumer is handed what lay in the input and in the output of
 * every old channel towards those old consumers whose records it may own now. It keeps what the new topology sends it (decision 0024).
 *
 * I1: every section of every file goes to some subtask; those of a rescaled hash exchange to all that may own a record in it;
 * I2: sections come in the order in which their data was under way: first all input, then all output state;
 * I3: an exchange that cannot be rescaled (forward, rescale, broadcast) holds no in-flight data (row B11).
 */
import { assert } from '../foundation/assert.ts';
import type { JobEdge, JobGraph, JobVertex } from '../job/job-graph.ts';
import { operatorsOf } from '../job/scaled-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { ChannelSection, StateHandle, SubtaskState } from '../protocol/state-handle.ts';
import { downstreamMapper, oldSubtasksOf } from './subtask-state-mapper.ts';

export interface InFlightQuestion {
  /** As it is deployed. */
  readonly graph: JobGraph;
  readonly restored: Pick<CheckpointMetadata, 'states' | 'operators'>;
  readonly parts: Pick<EngineParts, 'rescaledInFlight'>;
}

type Wants = (section: ChannelSection, state: SubtaskState) => boolean;

export class InFlightAssignment {
  readonly #graph: JobGraph;
  readonly #operators: CheckpointMetadata['operators'];
  /** Those that hold in-flight data, by old subtask. */
  readonly #states: readonly SubtaskState[];
  readonly #ends: EngineParts['rescaledInFlight'];
  readonly #rescaled: ReadonlyMap<number, JobEdge>;

  constructor({ graph, restored, parts }: InFlightQuestion) {
    this.#ends = parts.rescaledInFlight;
    this.#graph = graph;
    this.#operators = restored.operators;
    this.#states = restored.states
      .map((state) => ({ ...state, handles: state.handles.filter(({ channels }) => channels !== undefined) }))
      .filter(({ handles }) => handles.length > 0)
      .sort((a, b) => a.subtask - b.subtask);
    const rescaled = graph.edges.filter(({ from, to }) => this.#isRescaled(from) || this.#isRescaled(to));
    this.#rescaled = new Map(rescaled.map((edge) => [edge.index, edge]));
  }

  /** What goes back into the subtask's own channels. */
  restored(vertex: JobVertex, subtask: number): StateHandle[] {
    if (this.#states.length === 0) return [];
    return this.#handles(vertex, (section, state) => state.subtask === subtask && !this.#rescaled.has(section.edge));
  }

  /** What the subtask is handed of rescaled exchanges that lead to it. */
  takenOver(vertex: JobVertex, subtask: number): StateHandle[] {
    if (this.#states.length === 0) return [];
    const edges = [...this.#rescaled.values()].filter(({ to }) => to === vertex.index);
    if (edges.length === 0) return [];
    const wanted = new Map<number, ReadonlySet<number>>();
    const owns = ({ edge }: ChannelSection, oldConsumer: number): boolean => {
      const found = this.#rescaled.get(edge);
      if (found?.to !== vertex.index) return false;
      const olds = wanted.get(edge) ?? new Set(this.#oldConsumers(found, vertex, subtask));
      wanted.set(edge, olds);
      return olds.has(oldConsumer);
    };
    const input = this.#handles(vertex, (section, state) => owns(section, state.subtask), 'input-channel');
    if (this.#ends === 'consumers') return input;
    const producers = new Set(edges.map(({ from }) => from));
    const output = [...producers].flatMap((producer) => {
      const from = this.#graph.vertices[producer];
      assert(from !== undefined, 'an edge leads from a vertex', { producer });
      return this.#handles(from, (section) => owns(section, section.peer), 'output-channel');
    });
    return [...input, ...output];
  }

  /** The part of each handle of the vertex's operators that is wanted; handles without one are left out. */
  #handles(vertex: JobVertex, wants: Wants, kind?: StateHandle['state']): StateHandle[] {
    const uids = new Set(operatorsOf(vertex));
    return this.#states.flatMap((state) =>
      state.handles.flatMap((handle) => {
        if (!uids.has(handle.operator) || (kind !== undefined && handle.state !== kind)) return [];
        const channels = (handle.channels ?? []).filter((section) => wants(section, state));
        return channels.length === 0 ? [] : [{ ...handle, channels }];
      }),
    );
  }

  #oldConsumers(edge: JobEdge, vertex: JobVertex, subtask: number): readonly number[] {
    return oldSubtasksOf({
      mapper: downstreamMapper(edge.partitioning),
      newSubtask: subtask,
      oldParallelism: this.#oldParallelism(vertex),
      newParallelism: vertex.parallelism,
    });
  }

  #isRescaled(index: number): boolean {
    const vertex = this.#graph.vertices[index];
    return vertex !== undefined && this.#oldParallelism(vertex) !== vertex.parallelism;
  }

  /** Files of before parallelism was noted come from jobs that could not be rescaled. */
  #oldParallelism(vertex: JobVertex): number {
    const uids = new Set(operatorsOf(vertex));
    return this.#operators.find(({ uid }) => uids.has(uid))?.parallelism ?? vertex.parallelism;
  }
}

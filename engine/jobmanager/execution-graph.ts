/**
 * Every subtask of the deployed job with the attempt that runs it, or ran it last (Flink: ExecutionGraph, ExecutionVertex, Execution).
 *
 * Owns: which attempt runs where and in which state. Does not own: deciding about it.
 * Invariants: I1 a subtask has exactly one current attempt; one that has ended stays its current attempt until it is deployed anew, so
 * that nobody takes the subtask for one that runs (A7 in bugs.md); I2 what is `live` may still run somewhere, what is not cannot.
 */
import { assert } from '../foundation/assert.ts';
import { type ExecutionAttemptId, executionAttemptId, type NodeId } from '../foundation/ids.ts';
import type { JobGraph } from '../job/job-graph.ts';
import { feedsSubtask } from '../job/pointwise.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { ExecutionState, InputChannelDescriptor } from '../protocol/task.ts';
import type { ExecutionVertexId } from './pipelined-regions.ts';
import type { SlotPlace } from './slot-placement.ts';

export interface Execution {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
  readonly slot: number;
  readonly node: NodeId;
  /** Process it was deployed to. */
  readonly incarnation: number;
  readonly isSource: boolean;
  /** The checkpoint its state comes from; undefined on a start from scratch. */
  readonly restored: CheckpointMetadata | undefined;
  /** `canceling` from the moment it is to end, `canceled` when it has ended for certain. */
  state: ExecutionState;
  /** Heartbeats in a row that did not list it. */
  missed: number;
}

/** What attempts that are deployed together have in common. */
export interface Deployment {
  /** Place by subtask index: subtask i of every vertex shares a slot. */
  readonly slots: readonly (SlotPlace | undefined)[];
  readonly firstAttempt: number;
  readonly restored?: CheckpointMetadata | undefined;
}

export class ExecutionGraph {
  readonly #graph: JobGraph;
  /** Current attempts by vertex, then subtask. */
  readonly #current: Execution[][];
  readonly #byAttempt = new Map<ExecutionAttemptId, Execution>();
  /** Those that have not ended; undefined when it must be gathered anew. */
  #live: readonly Execution[] | undefined;

  /** Subtask i of every vertex goes to slot i (slot sharing); vertices in topological order, sources first. */
  constructor(options: Deployment & { readonly graph: JobGraph }) {
    this.#graph = options.graph;
    this.#current = options.graph.vertices.map(() => []);
    const subtasks = options.graph.vertices.flatMap(({ index, parallelism }) =>
      Array.from({ length: parallelism }, (_, subtask) => ({ vertex: index, subtask })),
    );
    this.deploy(subtasks, options);
  }

  get isEmpty(): boolean {
    return this.all().length === 0;
  }
  /** Row C4: nothing stands in the way of checkpoints. */
  get allRunningOrFinished(): boolean {
    return this.#current.every((subtasks) =>
      subtasks.every(({ state }) => state === 'running' || state === 'finished'),
    );
  }
  get allFinished(): boolean {
    return this.#current.every((subtasks) => subtasks.every(({ state }) => state === 'finished'));
  }

  /** Attempts that may still run somewhere, by vertex, then subtask. */
  all(): readonly Execution[] {
    this.#live ??= this.#current.flatMap((subtasks) => subtasks.filter(isLive));
    return this.#live;
  }
  /** The current attempt of every subtask, ended ones included. */
  current(): readonly Execution[] {
    return this.#current.flat();
  }
  on(node: NodeId): readonly Execution[] {
    return this.all().filter((execution) => execution.node === node);
  }
  /** A live attempt. */
  of(attempt: ExecutionAttemptId): Execution | undefined {
    const execution = this.#byAttempt.get(attempt);
    return execution !== undefined && isLive(execution) ? execution : undefined;
  }
  at({ vertex, subtask }: ExecutionVertexId): Execution {
    const execution = this.#current[vertex]?.[subtask];
    assert(execution !== undefined, 'every subtask was deployed', { vertex, subtask });
    return execution;
  }

  /** It has ended for certain: canceled, or its process is gone. */
  remove(attempt: ExecutionAttemptId): void {
    const execution = this.of(attempt);
    if (execution === undefined) return;
    execution.state = 'canceled';
    this.#live = undefined;
  }

  /** New attempts for these subtasks, whose last ones have ended; returned in the given order. */
  deploy(subtasks: readonly ExecutionVertexId[], deployment: Deployment): readonly Execution[] {
    return subtasks.map((of, index) => {
      const execution = this.#newExecution(of, deployment, index);
      const subtasksOfVertex = this.#current[of.vertex];
      assert(subtasksOfVertex !== undefined, 'a subtask belongs to a vertex of the job', { vertex: of.vertex });
      const before = subtasksOfVertex[of.subtask];
      assert(before === undefined || !isLive(before), 'a subtask is deployed anew when its last attempt has ended', {
        attempt: before?.attempt,
      });
      if (before !== undefined) this.#byAttempt.delete(before.attempt);
      subtasksOfVertex[of.subtask] = execution;
      this.#byAttempt.set(execution.attempt, execution);
      this.#live = undefined;
      return execution;
    });
  }

  /** Channels of a subtask's gate, by edge then producer subtask. */
  inputsOf(execution: Execution): readonly InputChannelDescriptor[] {
    const channels: InputChannelDescriptor[] = [];
    for (const edge of this.#graph.edges) {
      if (edge.to !== execution.vertex) continue;
      const producers = this.#current[edge.from] ?? [];
      const consumers = this.#current[edge.to] ?? [];
      const widths = () => ({ producers: producers.length, consumers: consumers.length });
      for (const producer of producers) {
        if (!feedsSubtask(edge, producer.subtask, execution.subtask, widths)) continue;
        channels.push({
          producerNode: producer.node,
          producerAttempt: producer.attempt,
          producerSubtask: producer.subtask,
          edge: edge.index,
          subpartition: execution.subtask,
        });
      }
    }
    return channels;
  }

  #newExecution({ vertex, subtask }: ExecutionVertexId, deployment: Deployment, index: number): Execution {
    const jobVertex = this.#graph.vertices[vertex];
    const place = deployment.slots[subtask];
    assert(jobVertex !== undefined && place !== undefined, 'there is a slot for each subtask index', {
      vertex,
      subtask,
    });
    return {
      attempt: executionAttemptId(deployment.firstAttempt + index),
      vertex,
      subtask,
      slot: place.slot,
      node: place.taskManager.node,
      incarnation: place.taskManager.incarnation,
      isSource: jobVertex.source !== undefined,
      restored: deployment.restored,
      state: 'deploying',
      missed: 0,
    };
  }
}

const isLive = ({ state }: Execution): boolean => state !== 'canceled';

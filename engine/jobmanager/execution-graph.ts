/**
 * The execution attempts of one deployment of the job (Flink: ExecutionGraph, Execution).
 *
 * Owns: which attempt runs where and in which state. Does not own: deciding about it.
 */
import { assert } from '../foundation/assert.ts';
import { type ExecutionAttemptId, executionAttemptId, type NodeId } from '../foundation/ids.ts';
import type { JobEdge, JobGraph } from '../job/job-graph.ts';
import type { ExecutionState, InputChannelDescriptor } from '../protocol/task.ts';
import type { RegisteredTaskManager } from './task-manager-registry.ts';

export interface Execution {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
  readonly slot: number;
  readonly node: NodeId;
  /** Process it was deployed to. */
  readonly incarnation: number;
  readonly isSource: boolean;
  state: ExecutionState;
  /** Heartbeats in a row that did not list it. */
  missed: number;
}

export class ExecutionGraph {
  readonly #graph: JobGraph;
  readonly #executions = new Map<ExecutionAttemptId, Execution>();

  /** Subtask i of every vertex goes to slot i (slot sharing); vertices in topological order, sources first. */
  constructor(options: {
    graph: JobGraph;
    slots: readonly { readonly taskManager: RegisteredTaskManager; readonly slot: number }[];
    firstAttempt: number;
  }) {
    this.#graph = options.graph;
    let next = options.firstAttempt;
    for (const vertex of options.graph.vertices) {
      for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) {
        const place = options.slots[subtask];
        assert(place !== undefined, 'there is a slot for each subtask index', { vertex: vertex.name, subtask });
        const attempt = executionAttemptId(next);
        next += 1;
        this.#executions.set(attempt, {
          attempt,
          vertex: vertex.index,
          subtask,
          slot: place.slot,
          node: place.taskManager.node,
          incarnation: place.taskManager.incarnation,
          isSource: vertex.source !== undefined,
          state: 'deploying',
          missed: 0,
        });
      }
    }
  }

  get isEmpty(): boolean {
    return this.#executions.size === 0;
  }
  get allRunning(): boolean {
    for (const { state } of this.#executions.values()) if (state !== 'running') return false;
    return true;
  }

  all(): readonly Execution[] {
    return [...this.#executions.values()];
  }
  on(node: NodeId): readonly Execution[] {
    return this.all().filter((execution) => execution.node === node);
  }
  of(attempt: ExecutionAttemptId): Execution | undefined {
    return this.#executions.get(attempt);
  }

  /** It has ended for certain: canceled, or its process is gone. */
  remove(attempt: ExecutionAttemptId): void {
    this.#executions.delete(attempt);
  }

  /** Channels of a subtask's gate, by edge then producer subtask. */
  inputsOf(execution: Execution): readonly InputChannelDescriptor[] {
    const channels: InputChannelDescriptor[] = [];
    for (const edge of this.#graph.edges) {
      if (edge.to !== execution.vertex) continue;
      for (const producer of this.all()) {
        if (producer.vertex !== edge.from || !feeds(edge, producer.subtask, execution.subtask)) continue;
        channels.push({
          producerNode: producer.node,
          producerAttempt: producer.attempt,
          edge: edge.index,
          subpartition: execution.subtask,
        });
      }
    }
    return channels;
  }
}

const feeds = (edge: JobEdge, producerSubtask: number, consumerSubtask: number): boolean =>
  edge.partitioning !== 'forward' || producerSubtask === consumerSubtask;

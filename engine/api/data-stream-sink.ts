/** The end of a stream (Flink: DataStreamSink): what its author may still say of the sink. */
import { InvalidJob } from './invalid-job.ts';
import type { StreamGraph, StreamNode } from './stream-graph.ts';

/** A sink; there is nothing behind it. */
export class DataStreamSink {
  readonly #graph: StreamGraph;
  readonly #node: StreamNode;

  constructor(graph: StreamGraph, node: StreamNode) {
    this.#graph = graph;
    this.#node = node;
  }

  uid(uid: string): this {
    this.#graph.setUid(this.#node, uid);
    return this;
  }

  name(name: string): this {
    this.#node.name = name;
    return this;
  }

  /** Number of subtasks of the sink, where it differs from the environment's. */
  setParallelism(parallelism: number): this {
    this.#node.parallelism = checkedParallelism(parallelism);
    return this;
  }

  /** The sink is a vertex of its own. */
  disableChaining(): this {
    this.#node.chaining = 'never';
    return this;
  }
}

export function checkedParallelism(parallelism: number): number {
  if (!Number.isInteger(parallelism) || parallelism < 1)
    throw new InvalidJob(`A parallelism of ${parallelism} is not a positive integer.`);
  return parallelism;
}

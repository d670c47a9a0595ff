/** The end of a stream (Flink: DataStreamSink): what its author may still say of the sink. */
import { InvalidJob } from './invalid-job.ts';
import type { StreamGraph, StreamNode } from './stream-graph.ts';

/** A sink; there is nothing behind it. */
export class DataStreamSink {
  readonly #graph: StreamGraph;
  /** The writer, and the committer behind it if there is one. */
  readonly #nodes: readonly StreamNode[];

  constructor(graph: StreamGraph, nodes: readonly StreamNode[]) {
    this.#graph = graph;
    this.#nodes = nodes;
  }

  uid(uid: string): this {
    for (const node of this.#nodes) this.#graph.setUid(node, node.body.kind === 'sink' ? uid : `${uid}-committer`);
    return this;
  }

  name(name: string): this {
    for (const node of this.#nodes) if (node.body.kind === 'sink') node.name = name;
    return this;
  }

  /** Number of subtasks of the sink, where it differs from the environment's. There is one global committer. */
  setParallelism(parallelism: number): this {
    const checked = checkedParallelism(parallelism);
    for (const node of this.#nodes) {
      const isGlobal = node.body.kind === 'committer' && node.body.sink.kafka?.committer === 'global';
      if (!isGlobal) node.parallelism = checked;
    }
    return this;
  }

  /** The sink is a vertex of its own. */
  disableChaining(): this {
    for (const node of this.#nodes) node.chaining = 'never';
    return this;
  }
}

export function checkedParallelism(parallelism: number): number {
  if (!Number.isInteger(parallelism) || parallelism < 1)
    throw new InvalidJob(`A parallelism of ${parallelism} is not a positive integer.`);
  return parallelism;
}

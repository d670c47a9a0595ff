/**
 * The job as its author wrote it: one node per operator, not yet chained (Flink: StreamGraph).
 *
 * Owns: the list of nodes in the order they were written. Does not own: chaining and vertices (job-graph-generator.ts), nor the
 * typed face over it (data-stream.ts). Types are erased here: what flows between two nodes is `unknown`.
 *
 * I1: a node only reads from nodes before it, so the order of the list is topological.
 * I2: union, keyBy, rebalance, broadcast and the like make no node: they live on the inputs of the node that follows.
 */
import type { StateKey } from '../job/functions.ts';
import type { OperatorSpec, SourceSpec } from '../job/job-graph.ts';
import { InvalidJob } from './invalid-job.ts';

/** How the records of an input are dealt to the subtasks; `default` is forward where the parallelism agrees, else rebalance. */
export type Exchange = 'default' | 'hash' | 'rebalance' | 'broadcast' | 'rescale' | 'global' | 'custom';

/** One stream that a node reads. A union has several on the same logical input. */
export interface StreamInput {
  /** Id of the node that produces it. */
  readonly from: number;
  /** Logical input: 1 only for the second input of a co-process. */
  readonly input: 0 | 1;
  readonly exchange: Exchange;
  /** Within a sink. */
  readonly sinkInternal?: true;
  /** Present for `hash` and `custom`. */
  readonly key?: (value: unknown) => StateKey;
  /** Present for `custom`. */
  readonly partitioner?: (key: StateKey, consumers: number) => number;
  /** Id of the side output that is read; absent: the main output. */
  readonly sideOutput?: string;
}

/** An operator without what its author may still set. */
export type OperatorBody = OperatorSpec extends infer O
  ? O extends OperatorSpec
    ? Omit<O, 'uid' | 'name' | 'workNanoseconds'>
    : never
  : never;

export interface StreamNode {
  readonly id: number;
  readonly body: { readonly kind: 'source'; readonly source: SourceSpec } | OperatorBody;
  inputs: readonly StreamInput[];
  /** Shown to people. */
  name: string;
  /** What its state is stored under; undefined until given or generated. */
  uid: string | undefined;
  parallelism: number;
  /** Whether it may share a vertex with its neighbours (Flink: ChainingStrategy): with both, with what follows only, with none. */
  chaining: 'always' | 'head' | 'never';
  /** Of its function, for each record; 0: nothing beyond what the hardware charges. */
  workNanoseconds: number;
}

/** What a node is made of, apart from its place in the list. */
export interface StreamNodeInput {
  readonly body: StreamNode['body'];
  readonly inputs: readonly StreamInput[];
  readonly name: string;
  readonly uid?: string;
  readonly parallelism: number;
}

/** Flink: pipeline.auto-watermark-interval. */
const WATERMARK_INTERVAL_MS = 200;

export class StreamGraph {
  watermarkIntervalMs = WATERMARK_INTERVAL_MS;
  readonly #nodes: StreamNode[] = [];

  get nodes(): readonly StreamNode[] {
    return this.#nodes;
  }

  /** All nodes behind this one are parts of its sink: committables flow between them, which are never in-flight data (rows B11, K8). */
  enclose({ id }: StreamNode): void {
    for (const node of this.#nodes) {
      if (node.id <= id) continue;
      if (node.body.kind === 'source' || node.body.kind === 'sink')
        throw new InvalidJob(
          `'${node.name}' cannot be part of a sink: between its writer and its end only committables flow.`,
        );
      node.inputs = node.inputs.map((input) => ({ ...input, sinkInternal: true }));
    }
  }

  add(input: StreamNodeInput): StreamNode {
    const id = this.#nodes.length;
    const node: StreamNode = { ...input, id, uid: undefined, chaining: 'always', workNanoseconds: 0 };
    this.#nodes.push(node);
    if (input.uid !== undefined) this.setUid(node, input.uid);
    return node;
  }

  /** Refuses an empty uid and one that another operator has: state is found again by it. */
  setUid(node: StreamNode, uid: string): void {
    if (uid.trim() === '')
      throw new InvalidJob(`The uid of '${node.name}' is empty. Give it a name or leave uid() out.`);
    const owner = this.#nodes.find((other) => other.uid === uid && other.id !== node.id);
    if (owner !== undefined) {
      throw new InvalidJob(
        `The uid '${uid}' is used twice, by '${owner.name}' and by '${node.name}'. State is stored under the uid: every operator needs its own.`,
      );
    }
    node.uid = uid;
  }
}

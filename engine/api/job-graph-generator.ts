/**
 * Stream graph -> job graph: chains operators into vertices, numbers them, checks the whole (Flink: StreamingJobGraphGenerator).
 *
 * Operators are chained when a record can be handed over by a direct call: one input edge, forward, equal parallelism. Flink chains
 * trees, ours are lines: an operator with two consumers ends its chain, so that a vertex has one output. An author may cut a chain.
 *
 * I1: every edge goes from a lower to a higher vertex index; a vertex is numbered by its head, and heads are in written order.
 * I2: every operator lies in exactly one vertex, and only the head of a vertex reads edges.
 * I3: the graph is a function of what was written: uids that nobody gave are kind and number, in written order.
 */
import type { JobEdge, JobGraph, JobVertex, OperatorSpec, SourceSpec } from '../job/job-graph.ts';
import { assert } from '../foundation/assert.ts';
import { checkDeclaredStates } from './declared-states.ts';
import { InvalidJob } from './invalid-job.ts';
import type { StreamGraph, StreamInput, StreamNode } from './stream-graph.ts';

export interface JobGraphSettings {
  readonly jobId: string;
  readonly name: string;
  /** Number of key groups of a vertex with this parallelism. */
  readonly maxParallelismOf: (parallelism: number) => number;
  /** The job says it itself. */
  readonly hasExplicitMaxParallelism: boolean;
}

export function generateJobGraph(graph: StreamGraph, settings: JobGraphSettings): JobGraph {
  const nodes = graph.nodes;
  validate(nodes);
  const uids = uidsOf(nodes);
  const chains = chainsOf(nodes);
  const vertexOfNode = new Map<number, number>();
  for (const [index, chain] of chains.entries()) for (const node of chain) vertexOfNode.set(node.id, index);
  const vertices = chains.map((chain, index) => vertexOf(chain, { index, uids, settings }));
  const edges = edgesOf(chains, nodes, vertexOfNode);
  const time = nodes.some(caresForEventTime) ? { usesEventTime: true as const } : {};
  return { jobId: settings.jobId, name: settings.name, vertices, edges, ...time };
}

function caresForEventTime({ body }: StreamNode): boolean {
  switch (body.kind) {
    case 'source':
      return body.source.watermarks !== undefined;
    case 'watermarks':
    case 'window':
    case 'pattern':
      return true;
    case 'process':
    case 'co-process':
      return body.function.create().onTimer !== undefined;
    default:
      return false;
  }
}

function validate(nodes: readonly StreamNode[]): void {
  if (nodes.length === 0) throw new InvalidJob('The job is empty: begin with fromLog() and end with sinkTo().');
  if (!nodes.some((node) => node.body.kind === 'sink'))
    throw new InvalidJob('The job has no sink, so nothing of it could be seen: end a stream with sinkTo().');
  const read = new Set(nodes.flatMap((node) => node.inputs.map((input) => input.from)));
  for (const node of nodes) {
    const isEnd = node.body.kind === 'sink' || node.inputs.some(({ sinkInternal }) => sinkInternal === true);
    if (!isEnd && !read.has(node.id))
      throw new InvalidJob(`Nobody reads '${node.name}': end its stream with sinkTo() or remove it.`);
    const { name, body } = node;
    const broadcastStates = body.kind === 'broadcast-process' ? body.broadcastStates : [];
    if ('function' in body) checkDeclaredStates({ name, broadcastStates, ...body.function });
  }
}

/** The given uids, and `map-1`, `map-2` ... for the rest. */
function uidsOf(nodes: readonly StreamNode[]): ReadonlyMap<number, string> {
  const taken = new Set(nodes.flatMap((node) => (node.uid === undefined ? [] : [node.uid])));
  const uids = new Map<number, string>();
  for (const node of nodes) {
    let uid = node.uid;
    for (let number = 1; uid === undefined; number += 1) {
      const candidate = `${node.body.kind}-${number}`;
      if (!taken.has(candidate)) uid = candidate;
    }
    taken.add(uid);
    uids.set(node.id, uid);
  }
  return uids;
}

/** The nodes of each vertex, head first. */
function chainsOf(nodes: readonly StreamNode[]): StreamNode[][] {
  const consumers = new Map<number, number>();
  for (const node of nodes)
    for (const input of node.inputs) consumers.set(input.from, (consumers.get(input.from) ?? 0) + 1);
  const chainOfTail = new Map<number, StreamNode[]>();
  const chains: StreamNode[][] = [];
  for (const node of nodes) {
    const producer = chainedProducer(node, nodes, consumers);
    const chain = producer === undefined ? undefined : chainOfTail.get(producer.id);
    if (chain === undefined) {
      const started = [node];
      chains.push(started);
      chainOfTail.set(node.id, started);
    } else {
      chain.push(node);
      chainOfTail.set(node.id, chain);
    }
  }
  return chains;
}

/** The operator that hands its records to this one by a direct call, if any. */
function chainedProducer(
  node: StreamNode,
  nodes: readonly StreamNode[],
  consumers: ReadonlyMap<number, number>,
): StreamNode | undefined {
  const [input, ...more] = node.inputs;
  if (input === undefined || more.length > 0) return undefined;
  const producer = producerOf(input, nodes);
  const isForward = partitioningOf(input, producer, node) === 'forward';
  if (node.chaining !== 'always' || producer.chaining === 'never') return undefined;
  // A side output leaves its operator over an exchange, so that the end of a chain is the only place where outputs part.
  if (input.sideOutput !== undefined) return undefined;
  return isForward && consumers.get(producer.id) === 1 ? producer : undefined;
}

function vertexOf(
  chain: readonly StreamNode[],
  place: { index: number; uids: ReadonlyMap<number, string>; settings: JobGraphSettings },
): JobVertex {
  const [head] = chain;
  assert(head !== undefined, 'a chain has a head');
  // Whatever the job is rescaled to, there is one global committer.
  const isGlobal = head.body.kind === 'committer' && head.body.sink.kafka?.committer === 'global';
  const maxParallelism = isGlobal ? 1 : place.settings.maxParallelismOf(head.parallelism);
  if (head.parallelism > maxParallelism)
    throw new InvalidJob(
      `'${head.name}' has a parallelism of ${head.parallelism}, above the maximum parallelism ${maxParallelism}.`,
    );
  const operators: OperatorSpec[] = [];
  let source: (SourceSpec & { uid: string; name: string }) | undefined;
  for (const node of chain) {
    const uid = place.uids.get(node.id);
    assert(uid !== undefined, 'I3: every operator has a uid');
    if (node.body.kind === 'source') source = { ...node.body.source, uid, name: node.name };
    else operators.push({ ...node.body, uid, name: node.name, ...workOf(node) });
  }
  const name = chain.map((node) => node.name).join(' -> ');
  const explicit = place.settings.hasExplicitMaxParallelism ? { hasExplicitMaxParallelism: true as const } : {};
  const shape = { index: place.index, name, parallelism: head.parallelism, maxParallelism, ...explicit, operators };
  return source === undefined ? shape : { ...shape, source };
}

const workOf = ({ workNanoseconds }: StreamNode): { workNanoseconds?: number } =>
  workNanoseconds === 0 ? {} : { workNanoseconds };

function edgesOf(
  chains: readonly (readonly StreamNode[])[],
  nodes: readonly StreamNode[],
  vertexOfNode: ReadonlyMap<number, number>,
): JobEdge[] {
  const edges: JobEdge[] = [];
  for (const [to, chain] of chains.entries()) {
    const [head] = chain;
    assert(head !== undefined, 'a chain has a head');
    for (const input of head.inputs) {
      const producer = producerOf(input, nodes);
      const from = vertexOfNode.get(producer.id);
      assert(from !== undefined && from < to, 'I1: an edge goes from a lower to a higher vertex', { from, to });
      const edge: JobEdge = {
        index: edges.length,
        from,
        to,
        input: input.input,
        partitioning: partitioningOf(input, producer, head),
      };
      const { key, partitioner, sideOutput, sinkInternal } = input;
      edges.push({
        ...edge,
        ...(key === undefined ? {} : { key }),
        ...(partitioner === undefined ? {} : { partitioner }),
        ...(sideOutput === undefined ? {} : { sideOutput }),
        ...(sinkInternal === undefined ? {} : { sinkInternal }),
      });
    }
  }
  return edges;
}

function partitioningOf(input: StreamInput, producer: StreamNode, consumer: StreamNode): JobEdge['partitioning'] {
  if (input.exchange !== 'default') return input.exchange;
  return producer.parallelism === consumer.parallelism ? 'forward' : 'rebalance';
}

function producerOf(input: StreamInput, nodes: readonly StreamNode[]): StreamNode {
  const producer = nodes[input.from];
  assert(producer !== undefined, 'an input comes from a node of the graph', { from: input.from });
  return producer;
}

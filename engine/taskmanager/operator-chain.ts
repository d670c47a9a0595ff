/**
 * The chained operators of one subtask, built from tail to head (Flink: OperatorChain).
 *
 * Owns: operators, state backends, the sink. Does not own: when records come or snapshots are taken.
 */
import { TransactionalSink, type SinkHost } from '../connectors/transactional-sink.ts';
import { assert } from '../foundation/assert.ts';
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { JobVertex, OperatorSpec } from '../job/job-graph.ts';
import { type KeyGroupRange, keyGroupRangeOf } from '../job/key-groups.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import { KeyedCoProcessOperator, KeyedProcessOperator } from '../operators/keyed-operators.ts';
import { FilterOperator, FlatMapOperator, MapOperator } from '../operators/stateless-operators.ts';
import { fromCanonical, isCanonical } from '../state/canonical-savepoint.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';
import { recordBytesOf, type TaskEnvironment } from './task-environment.ts';

export interface OperatorChainOptions {
  readonly environment: TaskEnvironment;
  readonly vertex: JobVertex;
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  /** Behind the last operator: the channels. */
  readonly tail: ElementConsumer;
  readonly sinkHost: SinkHost;
  /** Keyed state files of an operator, to be read before its function opens. */
  readonly keyedStateOf: (operator: string) => readonly Uint8Array[];
}

export interface KeyedOperatorState {
  readonly operator: string;
  readonly backend: KeyedStateBackend;
  readonly keyGroups: KeyGroupRange;
}

export class OperatorChain {
  /** Entry for records of logical input 0 and 1. */
  readonly heads: readonly [ElementConsumer, ElementConsumer];
  readonly keyed: readonly KeyedOperatorState[];
  readonly sink: TransactionalSink | undefined;

  constructor(options: OperatorChainOptions) {
    const keyed: KeyedOperatorState[] = [];
    let sink: TransactionalSink | undefined;
    let heads: readonly [ElementConsumer, ElementConsumer] = [options.tail, options.tail];
    for (const spec of [...options.vertex.operators].reverse()) {
      const next = heads[0];
      if (spec.kind === 'sink') {
        assert(next === options.tail && sink === undefined, 'a sink is the last operator of its chain', {
          uid: spec.uid,
        });
        sink = createSink(spec, options);
        heads = [sink, sink];
      } else {
        heads = createOperator(spec, next, options, keyed);
      }
    }
    this.heads = heads;
    this.keyed = keyed;
    this.sink = sink;
  }
}

function createOperator(
  spec: Exclude<OperatorSpec, { kind: 'sink' }>,
  next: ElementConsumer,
  options: OperatorChainOptions,
  keyed: KeyedOperatorState[],
): readonly [ElementConsumer, ElementConsumer] {
  switch (spec.kind) {
    case 'map':
      return single(new MapOperator(spec.map, next));
    case 'filter':
      return single(new FilterOperator(spec.filter, next));
    case 'flat-map':
      return single(new FlatMapOperator(spec.flatMap, next));
    case 'process': {
      const backend = createBackend(spec, options, keyed);
      return single(new KeyedProcessOperator(spec, { ...subtaskOf(options), backend, next }));
    }
    case 'co-process': {
      const backend = createBackend(spec, options, keyed);
      return new KeyedCoProcessOperator(spec, { ...subtaskOf(options), backend, next }).inputs;
    }
    default:
      throw new RangeError(`unknown operator ${String(spec satisfies never)}`);
  }
}

const single = (consumer: ElementConsumer): readonly [ElementConsumer, ElementConsumer] => [consumer, consumer];
const subtaskOf = (options: OperatorChainOptions): { subtask: number; parallelism: number } => ({
  subtask: options.subtask,
  parallelism: options.vertex.parallelism,
});

function createBackend(
  spec: Extract<OperatorSpec, { kind: 'process' | 'co-process' }>,
  options: OperatorChainOptions,
  keyed: KeyedOperatorState[],
): KeyedStateBackend {
  const { vertex, subtask, environment } = options;
  const keyGroups = keyGroupRangeOf(subtask, vertex.parallelism, vertex.maxParallelism);
  const backend = environment.parts.createStateBackend({
    keySerializer: spec.keySerializer,
    keyGroups,
    maxParallelism: vertex.maxParallelism,
  });
  for (const bytes of options.keyedStateOf(spec.uid))
    backend.restore(isCanonical(bytes) ? fromCanonical(bytes) : bytes);
  keyed.push({ operator: spec.uid, backend, keyGroups });
  return backend;
}

function createSink(spec: Extract<OperatorSpec, { kind: 'sink' }>, options: OperatorChainOptions): TransactionalSink {
  const { environment, subtask, attempt, sinkHost, vertex } = options;
  return new TransactionalSink({
    uid: spec.uid,
    spec: spec.sink,
    subtask,
    attempt,
    store: environment.services.sink,
    parts: environment.parts,
    host: sinkHost,
    recordBytes: recordBytesOf(environment.graph, vertex.index),
    requestTimeoutUs: environment.configuration.runtime.requestTimeoutUs,
    lingerUs: environment.configuration.runtime.bufferTimeoutUs,
    firstRequestId: 1,
  });
}

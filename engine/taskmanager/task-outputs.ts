/**
 * All result partitions of a subtask behind one consumer: every record goes to each edge (Flink: RecordWriterOutput,
 * BroadcastingOutputCollector).
 */
import { assert, InvariantViolation } from '../foundation/assert.ts';
import type { NodeId } from '../foundation/ids.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { Out } from '../protocol/actor.ts';
import type { AllRecordsProcessed, EngineMessage } from '../protocol/messages.ts';
import type { StreamBuffer } from '../protocol/stream-elements.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import { ResultPartition } from './result-partition.ts';
import { recordBytesOf, type TaskEnvironment } from './task-environment.ts';

type PartitionRequest = Extract<EngineMessage, { kind: 'partition-request' }>;
type AddCredit = Extract<EngineMessage, { kind: 'add-credit' }>;

export class TaskOutputs implements ElementConsumer {
  readonly #partitions: readonly ResultPartition[];

  constructor(environment: TaskEnvironment, deployment: TaskDeployment) {
    const { graph, configuration } = environment;
    const { bufferBytes, exclusiveBuffersPerChannel, floatingBuffersPerGate } = configuration.runtime;
    this.#partitions = graph.edges
      .filter((edge) => edge.from === deployment.vertex)
      .map((edge) => {
        const consumer = graph.vertices[edge.to];
        assert(consumer !== undefined, 'an edge leads to a vertex', { edge: edge.index });
        return new ResultPartition({
          edge,
          producer: deployment.attempt,
          subtask: deployment.subtask,
          consumerParallelism: consumer.parallelism,
          consumerMaxParallelism: consumer.maxParallelism,
          recordBytes: recordBytesOf(graph, deployment.vertex),
          bufferBytes,
          bufferPool: consumer.parallelism * exclusiveBuffersPerChannel + floatingBuffersPerGate,
        });
      });
  }

  get isAvailable(): boolean {
    for (const partition of this.#partitions) if (!partition.isAvailable) return false;
    return true;
  }

  get hasOpenRecords(): boolean {
    for (const partition of this.#partitions) if (partition.hasOpenRecords) return true;
    return false;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    for (const partition of this.#partitions) partition.emit(value, timestampUs, lineage);
  }

  connect(request: PartitionRequest, node: NodeId, out: Out): void {
    this.#of(request.edge).connect({ ...request, node }, out);
  }

  addCredit(message: AddCredit, out: Out): void {
    this.#of(message.edge).addCredit(message.subpartition, message.consumer, message.credit, out);
  }

  allRecordsProcessed(message: AllRecordsProcessed): void {
    this.#of(message.edge).allRecordsProcessed(message.subpartition, message.consumer);
  }

  /** Everything written was processed by its consumers. */
  get isProcessed(): boolean {
    return this.#partitions.every((partition) => partition.isProcessed);
  }

  flush(out: Out): void {
    for (const partition of this.#partitions) partition.flush(out);
  }

  sendAll(out: Out): void {
    for (const partition of this.#partitions) partition.sendAll(out);
  }

  broadcastEvent(event: StreamBuffer, out: Out): void {
    for (const partition of this.#partitions) partition.broadcastEvent(event, out);
  }

  reaches(node: NodeId): boolean {
    return this.#partitions.some((partition) => partition.reaches(node));
  }

  #of(edge: number): ResultPartition {
    for (const partition of this.#partitions) if (partition.edge === edge) return partition;
    throw new InvariantViolation('a request names an edge of this subtask', { edge });
  }
}

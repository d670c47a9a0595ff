/**
 * All result partitions of a subtask behind one consumer: every record goes to each edge (Flink: RecordWriterOutput,
 * BroadcastingOutputCollector).
 *
 * Owns: the form a barrier takes on each edge (rows B10, B11) and the timer that lets one overtake late (row B8).
 */
import {
  alignmentTimeLeftUs,
  asUnaligned,
  isTimeoutable,
  optionsOnEdge,
  supportsUnaligned,
} from '../barrier/barrier-alignment.ts';
import type { ChannelBuffers } from '../channel-state/channel-state-file.ts';
import type { ChannelStateWriter } from '../channel-state/channel-state-writer.ts';
import { assert, InvariantViolation } from '../foundation/assert.ts';
import type { NodeId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { ElementConsumer, SideOutputConsumer } from '../operators/element-consumer.ts';
import type { UserCode } from '../operators/user-code.ts';
import type { Out } from '../protocol/actor.ts';
import type { AllRecordsProcessed, EngineMessage } from '../protocol/messages.ts';
import type { CheckpointBarrier, StreamBuffer } from '../protocol/stream-elements.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import { type OnOvertaken, ResultPartition } from './result-partition.ts';
import { recordBytesOf, type TaskEnvironment } from './task-environment.ts';
import { probe } from '../protocol/probes.ts';

type PartitionRequest = Extract<EngineMessage, { kind: 'partition-request' }>;
type NewBufferSize = Extract<EngineMessage, { kind: 'new-buffer-size' }>;
type AddCredit = Extract<EngineMessage, { kind: 'add-credit' }>;

const OVERTAKE_TIMER = 'overtake';
const FLUSH_TIMER = 'flush';

export interface TaskOutputsOptions {
  readonly environment: TaskEnvironment;
  readonly deployment: TaskDeployment;
  readonly channelState: ChannelStateWriter;
  /** Marks the calls of key selectors. */
  readonly userCode?: UserCode;
}

export class TaskOutputs implements ElementConsumer, SideOutputConsumer {
  readonly #partitions: readonly ResultPartition[];
  /** Of them, those of the main output. */
  readonly #main: readonly ResultPartition[];
  /** The others, by the id of their side output. */
  readonly #side = new Map<string, ResultPartition[]>();
  readonly #environment: TaskEnvironment;
  readonly #channelState: ChannelStateWriter;
  /** Edges on which a barrier may overtake, by index (row B11). */
  readonly #unalignedEdges: ReadonlySet<number>;
  /** Keeps its place until the timer says otherwise. */
  #queuedBarrier: CheckpointBarrier | undefined;
  #flushArmed = false;

  constructor({ environment, deployment, channelState, userCode }: TaskOutputsOptions) {
    const { graph, configuration } = environment;
    this.#environment = environment;
    this.#channelState = channelState;
    const outgoing = graph.edges.filter((edge) => edge.from === deployment.vertex);
    this.#unalignedEdges = new Set(
      configuration.checkpoint.unaligned
        ? outgoing.filter((edge) => supportsUnaligned(graph, edge)).map(({ index }) => index)
        : [],
    );
    const { bufferBytes, exclusiveBuffersPerChannel, floatingBuffersPerGate, overdraftBuffers } = configuration.runtime;
    this.#partitions = outgoing.map((edge) => {
      const consumer = graph.vertices[edge.to];
      assert(consumer !== undefined, 'an edge leads to a vertex', { edge: edge.index });
      return new ResultPartition({
        edge,
        producer: deployment.attempt,
        subtask: deployment.subtask,
        producerParallelism: graph.vertices[deployment.vertex]?.parallelism ?? 1,
        consumerParallelism: consumer.parallelism,
        consumerMaxParallelism: consumer.maxParallelism,
        recordBytes: recordBytesOf(graph, deployment.vertex),
        bufferBytes,
        bufferPool: environment.parts.bufferPool({
          channels: consumer.parallelism,
          exclusive: exclusiveBuffersPerChannel,
          floating: floatingBuffersPerGate,
        }),
        overdraftBuffers,
        ...(userCode === undefined ? {} : { userCode }),
        ...(this.#reconnects ? { reconnects: environment.parts.queueAtReconnect } : {}),
        barrierLeft: (barrier, out) => channelState.outputLeft(barrier.checkpointId, out),
      });
    });
    this.#main = this.#partitions.filter((_, at) => outgoing[at]?.sideOutput === undefined);
    for (const [at, partition] of this.#partitions.entries()) {
      const tag = outgoing[at]?.sideOutput;
      if (tag !== undefined) this.#side.set(tag, [...(this.#side.get(tag) ?? []), partition]);
    }
  }

  get isAvailable(): boolean {
    for (const partition of this.#partitions) if (!partition.isAvailable) return false;
    return true;
  }

  /** The subtask cannot finish its record: it takes no snapshot (row B15). */
  get isStuck(): boolean {
    for (const partition of this.#partitions) if (partition.isStuck) return true;
    return false;
  }

  get hasOpenRecords(): boolean {
    for (const partition of this.#partitions) if (partition.hasOpenRecords) return true;
    return false;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    for (const partition of this.#main) partition.emit(value, timestampUs, lineage);
  }

  processSide(tag: string, value: unknown, timestampUs: number, lineage: number): void {
    for (const partition of this.#side.get(tag) ?? []) partition.emit(value, timestampUs, lineage);
  }

  connect(request: PartitionRequest, node: NodeId, out: Out): void {
    this.#of(request.edge).connect({ node, ...request }, out);
  }

  addCredit(message: AddCredit, out: Out): void {
    this.#of(message.edge).addCredit(message.subpartition, message.consumer, message.credit, out);
  }

  resizeBuffers({ edge, subpartition, consumer, bytes }: NewBufferSize): void {
    this.#of(edge).resizeBuffers(subpartition, consumer, bytes);
  }

  allRecordsProcessed(message: AllRecordsProcessed): void {
    this.#of(message.edge).allRecordsProcessed(message.subpartition, message.consumer);
  }

  /** Everything written was processed by its consumers. */
  get isProcessed(): boolean {
    return this.#partitions.every((partition) => partition.isProcessed);
  }

  /** What the mailbox action wrote leaves soon, if it does not fill a buffer before. */
  armFlush(out: Out): void {
    if (this.#flushArmed || !this.hasOpenRecords) return;
    this.#flushArmed = true;
    out.setTimer(FLUSH_TIMER, micros(this.#environment.configuration.runtime.bufferTimeoutUs));
  }

  /** False: it is another timer. */
  flushTimer(timer: string, out: Out): boolean {
    if (timer !== FLUSH_TIMER) return false;
    this.#flushArmed = false;
    this.flush(out);
    return true;
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

  /** Rows B7-B11: on each edge in its place or ahead of everything, as options and edge say. */
  broadcastBarrier(barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    const { parts, configuration } = this.#environment;
    for (const partition of this.#partitions) {
      const options = optionsOnEdge(barrier.options, this.#unalignedEdges.has(partition.edge));
      const onEdge = { ...barrier, options };
      if (parts.barrierOvertakes(options, configuration.checkpoint.unaligned)) {
        partition.broadcastPriority(onEdge, this.#overtaken(onEdge, partition.edge), out);
      } else {
        if (isTimeoutable(options)) this.#queueBarrier(onEdge, partition.subpartitionCount, nowUs, out);
        partition.broadcastEvent(onEdge, out);
      }
    }
  }

  /** Row B18: restored in-flight data goes out before anything new. */
  recover(channels: readonly ChannelBuffers[]): void {
    for (const { edge, peer, buffers } of channels) this.#of(edge).recover(peer, buffers);
  }

  handleTimer(timer: string, out: Out): boolean {
    if (timer !== OVERTAKE_TIMER) return false;
    const barrier = this.#queuedBarrier;
    this.#queuedBarrier = undefined;
    if (barrier === undefined || this.#channelState.checkpointId !== barrier.checkpointId) return true;
    const overtaking = asUnaligned(barrier);
    probe(out, 'queued-barrier-overtook');
    for (const partition of this.#partitions) {
      const overtaken = this.#overtaken(overtaking, partition.edge);
      const decided: OnOvertaken = (peer, buffers) => {
        overtaken(peer, buffers);
        this.#channelState.outputLeft(barrier.checkpointId, out);
      };
      partition.prioritize(overtaking, decided, out);
    }
    return true;
  }

  /** Row B8: what is in front of it when it leaves, or overtakes, decides what is persisted. */
  #queueBarrier(barrier: CheckpointBarrier, channels: number, nowUs: Micros, out: Out): void {
    for (let left = channels; left > 0; left -= 1) this.#channelState.expectOutput(barrier.checkpointId);
    this.#queuedBarrier = barrier;
    out.setTimer(OVERTAKE_TIMER, micros(alignmentTimeLeftUs(barrier, this.#environment.wallClock(nowUs))));
  }

  #overtaken({ checkpointId }: CheckpointBarrier, edge: number): OnOvertaken {
    return (peer, buffers) => {
      if (this.#environment.parts.persistsOvertakenOutput) {
        this.#channelState.outputOvertaken(checkpointId, { edge, peer, buffers });
      }
    };
  }

  /** Its connections are lost. False: this subtask goes on without the consumers it had there (row F1). */
  loses(node: NodeId): boolean {
    if (!this.#partitions.some((partition) => partition.reaches(node))) return false;
    if (!this.#reconnects) return true;
    for (const partition of this.#partitions) partition.disconnect(node);
    return false;
  }

  get #reconnects(): boolean {
    return this.#environment.configuration.runtime.failoverStrategy === 'approximate';
  }

  #of(edge: number): ResultPartition {
    for (const partition of this.#partitions) if (partition.edge === edge) return partition;
    throw new InvariantViolation('a request names an edge of this subtask', { edge });
  }
}

/**
 * What a subtask writes to one edge: a queue of buffers per consumer, sent as credit allows (row B15; Flink:
 * PipelinedResultPartition, RecordWriter).
 *
 * Owns: open and finished buffers, sequence numbers, credit. Does not own: when to flush (the subtask's timer does).
 * Invariants:
 *   I1 elements leave a subpartition in the order they were written, events included; but a barrier that overtakes leaves first, and
 *      what it overtook is handed to the channel state in that very action (row B7);
 *   I2 a data buffer is sent only against a credit; an event at the head needs none (Flink: isAvailable);
 *   I3 sequence numbers of a channel rise by one from 0 (row B12), for each consumer of a subpartition anew;
 *   I4 a subpartition has one consumer. Where `reconnects` is set a later attempt takes over from an earlier (Flink:
 *      PipelinedApproximateSubpartition): it is sent what no other was, from the next buffer on, old barriers included; what was sent is gone.
 */
import { isTimeoutable } from '../barrier/barrier-alignment.ts';
import { assert } from '../foundation/assert.ts';
import { Fifo } from '../foundation/fifo.ts';
import { type CheckpointId, type ExecutionAttemptId, type NodeId, taskMailbox } from '../foundation/ids.ts';
import type { StateKey } from '../job/functions.ts';
import type { JobEdge } from '../job/job-graph.ts';
import { consumersOf, type SubtaskRange } from '../job/pointwise.ts';
import { keyGroupOf, subtaskOf } from '../job/key-groups.ts';
import type { UserCode } from '../operators/user-code.ts';
import type { Out, Target } from '../protocol/actor.ts';
import { probe } from '../protocol/probes.ts';
import type { CheckpointBarrier, DataBuffer, StreamBuffer } from '../protocol/stream-elements.ts';

export interface ResultPartitionOptions {
  readonly edge: JobEdge;
  readonly producer: ExecutionAttemptId;
  readonly subtask: number;
  readonly producerParallelism: number;
  readonly consumerParallelism: number;
  readonly consumerMaxParallelism: number;
  readonly recordBytes: number;
  readonly bufferBytes: number;
  /** Finished buffers that may wait before the subtask must pause. */
  readonly bufferPool: number;
  /** Marks the calls of the key selector. */
  readonly userCode?: UserCode;
  /** Finished buffers that a record in progress may add to them. */
  readonly overdraftBuffers: number;
  /** Row F1; absent: a consumer that restarts has this producer restart with it. `kept`: what is queued waits for the next consumer. */
  readonly reconnects?: 'kept' | 'dropped';
  /** A barrier that waited its turn and might have overtaken left (row B7). */
  readonly barrierLeft: (barrier: CheckpointBarrier, out: Out) => void;
}

/** Remembered routes of keys; cleared when full, so that memory is bounded. */
const ROUTES_MAX = 65_536;

class Subpartition {
  /** The open buffer: its first `openRecords` places count. The arrays stay, a finished buffer gets copies that fit. */
  readonly values: unknown[] = [];
  readonly timestampsUs: number[] = [];
  readonly lineages: number[] = [];
  openRecords = 0;
  /** Of the open buffer, and of those begun after it (row B16). */
  recordsPerBuffer: number;
  nextRecordsPerBuffer: number;
  readonly queue = new Fifo<StreamBuffer>();
  /** Barriers that overtook and have no consumer yet. */
  priority: StreamBuffer[] | undefined;
  target: Target | undefined;
  consumer: ExecutionAttemptId | undefined;
  channel = 0;
  credit = 0;
  sequence = 0;
  /** Its consumer has read up to the end of data (Flink: AckAllUserRecordsProcessed). */
  isProcessed = false;

  constructor(recordsPerBuffer: number) {
    this.recordsPerBuffer = recordsPerBuffer;
    this.nextRecordsPerBuffer = recordsPerBuffer;
  }
}

export class ResultPartition {
  readonly #options: ResultPartitionOptions;
  readonly #subpartitions: Subpartition[] = [];
  readonly #routes = new Map<StateKey, number>();
  #queuedData = 0;
  #openRecords = 0;
  #next = 0;
  /** The subpartitions that somebody reads: all but on a pointwise edge. */
  readonly #read: SubtaskRange;

  constructor(options: ResultPartitionOptions) {
    this.#options = options;
    const records = recordsIn(options.bufferBytes, options.recordBytes);
    for (let index = 0; index < options.consumerParallelism; index += 1)
      this.#subpartitions.push(new Subpartition(records));
    this.#read = readSubpartitions(options);
    this.#next =
      options.edge.partitioning === 'rescale' ? this.#read.first : options.subtask % options.consumerParallelism;
  }

  get edge(): number {
    return this.#options.edge.index;
  }

  /** False: the subtask must not write more records until buffers have been sent (backpressure). */
  get isAvailable(): boolean {
    return this.#queuedData < this.#options.bufferPool;
  }

  /** True when the record in progress took more than the overdraft: the subtask is stuck in it until buffers were sent (row B15). */
  get isStuck(): boolean {
    return this.#queuedData > this.#options.bufferPool + this.#options.overdraftBuffers;
  }

  /** True when some record waits in a buffer that is not full yet. */
  get hasOpenRecords(): boolean {
    return this.#openRecords > 0;
  }

  emit(value: unknown, timestampUs: number, lineage: number): void {
    const { edge, subtask, consumerParallelism } = this.#options;
    switch (edge.partitioning) {
      case 'hash':
        this.#append(this.#routeOf(value), value, timestampUs, lineage);
        return;
      case 'forward':
        this.#append(subtask % consumerParallelism, value, timestampUs, lineage);
        return;
      case 'rebalance':
        this.#append(this.#next, value, timestampUs, lineage);
        this.#next = this.#next + 1 === consumerParallelism ? 0 : this.#next + 1;
        return;
      case 'rescale':
        this.#append(this.#next, value, timestampUs, lineage);
        this.#next = this.#next + 1 === this.#read.end ? this.#read.first : this.#next + 1;
        return;
      case 'global':
        this.#append(0, value, timestampUs, lineage);
        return;
      case 'custom':
        this.#append(this.#chosenFor(value), value, timestampUs, lineage);
        return;
      case 'broadcast':
        for (let index = 0; index < consumerParallelism; index += 1) this.#append(index, value, timestampUs, lineage);
        return;
      default:
        throw new RangeError(`unknown partitioning ${String(edge.partitioning satisfies never)}`);
    }
  }

  /** A consumer asks for its subpartition; a repeated request of the same attempt changes nothing. */
  connect(
    request: { node: NodeId; consumer: ExecutionAttemptId; subpartition: number; channel: number; credit: number },
    out: Out,
  ): void {
    const subpartition = this.#at(request.subpartition);
    if (subpartition.consumer === request.consumer) return;
    if (subpartition.consumer !== undefined) {
      assert(this.#options.reconnects !== undefined, 'a subpartition is consumed by one attempt', { request });
      // A request of its predecessor came late.
      if (request.consumer < subpartition.consumer) return;
      this.#release(subpartition);
      probe(out, 'consumer-reconnected');
    }
    subpartition.consumer = request.consumer;
    subpartition.channel = request.channel;
    subpartition.credit = request.credit;
    subpartition.target = { node: request.node, mailbox: taskMailbox(request.consumer), via: 'connection' };
    this.#send(subpartition, out);
  }

  /** The connection to consumers on this node is gone: what they were not sent waits for those who take over (I4). */
  disconnect(node: NodeId): void {
    for (const subpartition of this.#subpartitions) {
      if (subpartition.target?.node === node) subpartition.target = undefined;
    }
  }

  addCredit(index: number, consumer: ExecutionAttemptId, credit: number, out: Out): void {
    const subpartition = this.#at(index);
    if (subpartition.consumer !== consumer) return;
    subpartition.credit += credit;
    this.#send(subpartition, out);
  }

  /** Row B16: applies to buffers begun from now on; one that is open keeps its size. */
  resizeBuffers(index: number, consumer: ExecutionAttemptId, bytes: number): void {
    const subpartition = this.#at(index);
    if (subpartition.consumer !== consumer) return;
    subpartition.nextRecordsPerBuffer = recordsIn(
      Math.min(bytes, this.#options.bufferBytes),
      this.#options.recordBytes,
    );
    if (subpartition.openRecords === 0) subpartition.recordsPerBuffer = subpartition.nextRecordsPerBuffer;
  }

  /** The consumer reached the end of data. */
  allRecordsProcessed(index: number, consumer: ExecutionAttemptId): void {
    const subpartition = this.#at(index);
    if (subpartition.consumer === consumer) subpartition.isProcessed = true;
  }

  /** Every consumer reached the end of data. */
  get isProcessed(): boolean {
    const { first, end } = this.#read;
    for (let index = first; index < end; index += 1) if (!this.#at(index).isProcessed) return false;
    return true;
  }

  /** Closes every open buffer and sends what credit allows. */
  flush(out: Out): void {
    if (this.#openRecords > 0) {
      for (const subpartition of this.#subpartitions) if (subpartition.openRecords > 0) this.#finish(subpartition);
    }
    this.sendAll(out);
  }

  /** Sends what credit allows. */
  sendAll(out: Out): void {
    for (const subpartition of this.#subpartitions) {
      if (subpartition.queue.length > 0) this.#send(subpartition, out);
    }
  }

  /** Puts an event behind everything written so far on every channel (row B9: the barrier follows all earlier records). */
  broadcastEvent(event: StreamBuffer, out: Out): void {
    for (const subpartition of this.#subpartitions) {
      if (subpartition.openRecords > 0) this.#finish(subpartition);
      subpartition.queue.push(event);
      this.#send(subpartition, out);
    }
  }

  /** Row B5: the barrier leaves ahead of everything; `overtaken` is told what it jumped over, by consumer subtask. */
  broadcastPriority(barrier: CheckpointBarrier, overtaken: OnOvertaken, out: Out): void {
    this.#subpartitions.forEach((subpartition, index) => {
      if (subpartition.openRecords > 0) this.#finish(subpartition);
      overtaken(index, dataInFrontOf(subpartition.queue, undefined));
      this.#sendFirst(subpartition, barrier, out);
    });
  }

  /** Row B8: those of its barriers that still wait behind data come to the front. */
  prioritize(barrier: CheckpointBarrier, overtaken: OnOvertaken, out: Out): void {
    const id = barrier.checkpointId;
    this.#subpartitions.forEach((subpartition, index) => {
      const data = dataInFrontOf(subpartition.queue, id);
      const isIt = (buffer: StreamBuffer): boolean => buffer.kind === 'barrier' && buffer.checkpointId === id;
      if (subpartition.queue.take(isIt) === undefined) return;
      overtaken(index, data);
      this.#sendFirst(subpartition, barrier, out);
    });
  }

  /** Row B18: what was under way to a consumer when the restored checkpoint was taken; before anything new is written. */
  recover(index: number, buffers: readonly DataBuffer[]): void {
    const { queue } = this.#at(index);
    assert(this.#openRecords === 0, 'recovered output comes before new output', { index });
    for (const buffer of buffers) queue.push(buffer);
    this.#queuedData += buffers.length;
  }

  get subpartitionCount(): number {
    return this.#subpartitions.length;
  }

  /** True when a consumer or producer of this partition runs on `node`. */
  reaches(node: NodeId): boolean {
    return this.#subpartitions.some((subpartition) => subpartition.target?.node === node);
  }

  /** Row B11: such an edge carries no in-flight data, so nobody asks this question again for another topology. */
  #chosenFor(value: unknown): number {
    const { edge, consumerParallelism, userCode } = this.#options;
    const { key, partitioner } = edge;
    assert(key !== undefined && partitioner !== undefined, 'a custom edge has a partitioner and a key selector');
    if (userCode !== undefined) userCode.isRunning = true;
    const chosen = partitioner(key(value), consumerParallelism);
    if (!Number.isInteger(chosen) || chosen < 0 || chosen >= consumerParallelism)
      throw new RangeError(`the partitioner names subtask ${chosen} of ${consumerParallelism}`);
    if (userCode !== undefined) userCode.isRunning = false;
    return chosen;
  }

  #routeOf(value: unknown): number {
    const { edge, consumerParallelism, consumerMaxParallelism } = this.#options;
    const selector = edge.key;
    assert(selector !== undefined, 'a hash edge has a key selector');
    const { userCode } = this.#options;
    if (userCode !== undefined) userCode.isRunning = true;
    const key = selector(value);
    if (userCode !== undefined) userCode.isRunning = false;
    let route = this.#routes.get(key);
    if (route === undefined) {
      route = subtaskOf(keyGroupOf(key, consumerMaxParallelism), consumerParallelism, consumerMaxParallelism);
      if (this.#routes.size >= ROUTES_MAX) this.#routes.clear();
      this.#routes.set(key, route);
    }
    return route;
  }

  #release(subpartition: Subpartition): void {
    subpartition.sequence = 0;
    subpartition.isProcessed = false;
    if (this.#options.reconnects === 'kept') return;
    const { queue } = subpartition;
    for (let buffer = queue.shift(); buffer !== undefined; buffer = queue.shift()) {
      if (buffer.kind === 'data') this.#queuedData -= 1;
    }
  }

  #at(index: number): Subpartition {
    const subpartition = this.#subpartitions[index];
    assert(subpartition !== undefined, 'a subpartition index lies within the consumer parallelism');
    return subpartition;
  }

  #append(index: number, value: unknown, timestampUs: number, lineage: number): void {
    const subpartition = this.#at(index);
    const at = subpartition.openRecords;
    subpartition.values[at] = value;
    subpartition.timestampsUs[at] = timestampUs;
    subpartition.lineages[at] = lineage;
    subpartition.openRecords = at + 1;
    this.#openRecords += 1;
    if (at + 1 >= subpartition.recordsPerBuffer) this.#finish(subpartition);
  }

  #finish(subpartition: Subpartition): void {
    const records = subpartition.openRecords;
    subpartition.queue.push({
      kind: 'data',
      values: subpartition.values.slice(0, records),
      timestampsUs: subpartition.timestampsUs.slice(0, records),
      lineages: subpartition.lineages.slice(0, records),
      bytes: records * this.#options.recordBytes,
    });
    subpartition.openRecords = 0;
    subpartition.recordsPerBuffer = subpartition.nextRecordsPerBuffer;
    this.#openRecords -= records;
    this.#queuedData += 1;
  }

  #sendFirst(subpartition: Subpartition, barrier: CheckpointBarrier, out: Out): void {
    if (subpartition.priority === undefined) subpartition.priority = [barrier];
    else subpartition.priority.push(barrier);
    this.#send(subpartition, out);
  }

  #send(subpartition: Subpartition, out: Out): void {
    const target = subpartition.target;
    if (target === undefined) return;
    const queue = subpartition.queue;
    if (subpartition.priority !== undefined) {
      for (const barrier of subpartition.priority) this.#dispatch(subpartition, target, barrier, out);
      subpartition.priority = undefined;
    }
    for (let buffer = queue.peek(); buffer !== undefined; buffer = queue.peek()) {
      if (buffer.kind === 'data') {
        if (subpartition.credit === 0) return;
        assert(this.#queuedData > 0, 'a data buffer that leaves was counted, restored ones included');
        subpartition.credit -= 1;
        this.#queuedData -= 1;
      }
      queue.shift();
      this.#dispatch(subpartition, target, buffer, out);
      if (buffer.kind === 'barrier' && isTimeoutable(buffer.options)) this.#options.barrierLeft(buffer, out);
    }
  }

  #dispatch(subpartition: Subpartition, target: Target, buffer: StreamBuffer, out: Out): void {
    out.send(target, {
      kind: 'buffer',
      producer: this.#options.producer,
      channel: subpartition.channel,
      sequence: subpartition.sequence,
      backlog: subpartition.queue.length,
      buffer,
    });
    subpartition.sequence += 1;
  }
}

function readSubpartitions({
  edge,
  subtask,
  producerParallelism,
  consumerParallelism,
}: ResultPartitionOptions): SubtaskRange {
  if (edge.partitioning === 'forward')
    return { first: subtask % consumerParallelism, end: (subtask % consumerParallelism) + 1 };
  if (edge.partitioning !== 'rescale') return { first: 0, end: consumerParallelism };
  return consumersOf(subtask, { producers: producerParallelism, consumers: consumerParallelism });
}

const recordsIn = (bufferBytes: number, recordBytes: number): number =>
  Math.max(1, Math.floor(bufferBytes / Math.max(1, recordBytes)));

/** Told what a barrier jumped over on the way to one consumer subtask. */
export type OnOvertaken = (subpartition: number, buffers: readonly DataBuffer[]) => void;

/** Data in a queue, up to the barrier of `id` if that is given. */
function dataInFrontOf(queue: Fifo<StreamBuffer>, id: CheckpointId | undefined): DataBuffer[] {
  const data: DataBuffer[] = [];
  let isBehind = false;
  queue.forEach((buffer) => {
    if (buffer.kind === 'barrier' && buffer.checkpointId === id) isBehind = true;
    if (!isBehind && buffer.kind === 'data') data.push(buffer);
  });
  return data;
}

/**
 * What a subtask reads: one queue of buffers per channel, credits granted to the producers (row B15; Flink: SingleInputGate,
 * RemoteInputChannel, BufferManager).
 *
 * Owns: queues, sequence check, credits. Does not own: which channel is blocked (the barrier handler decides).
 * Invariants:
 *   I1 a channel's buffers are taken in sequence without gaps; a gap is reported, never skipped (row B12);
 *   I2 credits granted and not used plus data buffers queued never exceed exclusive plus floating buffers of the channel (judge 8);
 *   I3 channels that are not blocked are served round robin;
 *   I4 recovered data lies in front of everything its producer sends, and the producer has no credit until it is consumed (row B18): it
 *      counts against no credit and cannot pile up over recoveries.
 */
import { assert } from '../foundation/assert.ts';
import { Fifo } from '../foundation/fifo.ts';
import { type CheckpointId, type ExecutionAttemptId, type NodeId, taskMailbox } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { BufferMessage } from '../protocol/messages.ts';
import type { CheckpointBarrier, DataBuffer, StreamBuffer } from '../protocol/stream-elements.ts';
import type { InputChannelDescriptor, WhyFailed } from '../protocol/task.ts';

export interface InputGateOptions {
  readonly consumer: ExecutionAttemptId;
  readonly channels: readonly InputChannelDescriptor[];
  readonly exclusiveBuffers: number;
  readonly floatingBuffers: number;
  /** Row F1; absent: the subtask never restarts without its producers. */
  readonly isApproximate?: boolean;
  readonly parts: Pick<EngineParts, 'freeBuffers'>;
}

class InputChannel {
  readonly descriptor: InputChannelDescriptor;
  readonly target: Target;
  readonly queue = new Fifo<StreamBuffer>();
  expectedSequence = 0;
  /** Data buffers in the queue that came against a credit. */
  queuedData = 0;
  /** Data buffers of restored channel state at the head of the queue. */
  recovered = 0;
  /** Credits the producer holds. */
  granted: number;
  floating = 0;
  backlog = 0;
  /** Its end of partition was read: the producer matters no more. */
  ended = false;

  constructor(descriptor: InputChannelDescriptor, credit: number) {
    this.descriptor = descriptor;
    this.target = {
      node: descriptor.producerNode,
      mailbox: taskMailbox(descriptor.producerAttempt),
      via: 'connection',
    };
    this.granted = credit;
  }
}

export class InputGate {
  readonly #consumer: ExecutionAttemptId;
  readonly #channels: readonly InputChannel[];
  readonly #exclusive: number;
  readonly #isApproximate: boolean;
  readonly #freeBuffers: EngineParts['freeBuffers'];
  #floatingFree: number;
  #cursor = 0;
  #queued = 0;

  constructor(options: InputGateOptions) {
    this.#consumer = options.consumer;
    this.#exclusive = options.exclusiveBuffers;
    this.#isApproximate = options.isApproximate === true;
    this.#floatingFree = options.floatingBuffers;
    this.#freeBuffers = options.parts.freeBuffers;
    this.#channels = options.channels.map((descriptor) => new InputChannel(descriptor, options.exclusiveBuffers));
  }

  get channelCount(): number {
    return this.#channels.length;
  }

  /** Buffers waiting in all channels. */
  get queuedBuffers(): number {
    return this.#queued;
  }

  /** Data records waiting in channels for which `isBlocked` holds. */
  recordsIn(isBlocked: (channel: number) => boolean): number {
    let records = 0;
    this.#channels.forEach((channel, index) => {
      if (!isBlocked(index)) return;
      channel.queue.forEach((buffer) => {
        if (buffer.kind === 'data') records += buffer.values.length;
      });
    });
    return records;
  }

  isFedBy(node: NodeId): boolean {
    return this.#channels.some((channel) => !channel.ended && channel.descriptor.producerNode === node);
  }

  /** Producers on a node, or of one channel, that have sent nothing; said where the subtask could restart without them (row F1). */
  unreachable(where: NodeId | number): Pick<WhyFailed, 'unreachable'> {
    if (!this.#isApproximate) return {};
    const unreachable = this.#channels
      .filter(({ descriptor }, index) => index === where || descriptor.producerNode === where)
      .filter(({ expectedSequence, ended }) => expectedSequence === 0 && !ended)
      .map(({ descriptor }) => descriptor.producerAttempt);
    return { unreachable };
  }

  /** Tells the producer that everything it wrote was processed (row C23). */
  acknowledgeAllRecords(index: number, out: Out): void {
    const { descriptor, target } = this.#at(index);
    const { edge, subpartition } = descriptor;
    out.send(target, { kind: 'all-records-processed', edge, subpartition, consumer: this.#consumer });
  }

  /** Nothing more comes on this channel, whatever becomes of its producer. */
  end(index: number): void {
    this.#at(index).ended = true;
  }

  get isFinished(): boolean {
    return this.#channels.every(({ ended }) => ended);
  }

  /** Asks the producer of a channel for its subpartition. */
  request(index: number, out: Out): void {
    const channel = this.#at(index);
    const { producerAttempt, edge, subpartition } = channel.descriptor;
    out.send(channel.target, {
      kind: 'partition-request',
      producer: producerAttempt,
      edge,
      subpartition,
      consumer: this.#consumer,
      channel: index,
      credit: channel.granted,
    });
  }

  /** Row B18: what was under way on the channel when the restored checkpoint was taken. Before its producer is asked. */
  recover(index: number, buffers: readonly DataBuffer[]): void {
    const channel = this.#at(index);
    assert(
      channel.expectedSequence === 0 && channel.queue.length === channel.recovered,
      'I4: recovered data comes first',
    );
    for (const buffer of buffers) channel.queue.push(buffer);
    channel.recovered += buffers.length;
    this.#queued += buffers.length;
    if (channel.recovered > 0) channel.granted = 0;
  }

  /** Data waiting in the queue of a channel, in front of the barrier of `checkpointId` if that waits there too (row B6). */
  dataInFrontOf(index: number, checkpointId: CheckpointId, withRecovered: boolean): DataBuffer[] {
    const channel = this.#at(index);
    const data: DataBuffer[] = [];
    let recovered = channel.recovered;
    let isBehind = false;
    channel.queue.forEach((buffer) => {
      if (buffer.kind === 'barrier' && buffer.checkpointId === checkpointId) isBehind = true;
      if (isBehind || buffer.kind !== 'data') return;
      recovered -= 1;
      if (withRecovered || recovered < 0) data.push(buffer);
    });
    return data;
  }

  /** Takes the barrier out of its channel's queue, ahead of what lies in front of it (row B8; Flink: convertToPriorityEvent). */
  pullBarrier(index: number, checkpointId: CheckpointId): CheckpointBarrier | undefined {
    const channel = this.#at(index);
    const isIt = (buffer: StreamBuffer): boolean => buffer.kind === 'barrier' && buffer.checkpointId === checkpointId;
    const barrier = channel.queue.length === 0 ? undefined : channel.queue.take(isIt);
    if (barrier?.kind !== 'barrier') return undefined;
    this.#queued -= 1;
    return barrier;
  }

  /**
   * False when the sequence has a gap: the task must fail. `isPriority`: an event that overtook is checked and not queued, its
   * receiver acts at once. Sequence numbers are given when a buffer leaves its producer, so there it has its own place.
   */
  enqueue(message: BufferMessage, isPriority = false): boolean {
    const channel = this.#at(message.channel);
    const { buffer } = message;
    if (message.producer !== channel.descriptor.producerAttempt) return false;
    if (message.sequence !== channel.expectedSequence) return false;
    channel.expectedSequence += 1;
    channel.backlog = message.backlog;
    if (isPriority) return true;
    channel.queue.push(buffer);
    this.#queued += 1;
    if (buffer.kind === 'data') {
      assert(channel.granted > 0, 'a data buffer comes against a credit');
      channel.granted -= 1;
      channel.queuedData += 1;
    }
    return true;
  }

  /** Whether there is something to read; asking does not take a channel's turn (I3). */
  hasNext(isBlocked: (channel: number) => boolean): boolean {
    if (this.#queued === 0) return false;
    for (let index = 0; index < this.#channels.length; index += 1) {
      const channel = this.#channels[index];
      if (channel !== undefined && channel.queue.length > 0 && !isBlocked(index)) return true;
    }
    return false;
  }

  /** Next channel with something to read that is not blocked, and its turn is over; -1 when there is none. */
  nextChannel(isBlocked: (channel: number) => boolean): number {
    if (this.#queued === 0) return -1;
    const count = this.#channels.length;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#cursor + step) % count;
      const channel = this.#channels[index];
      if (channel !== undefined && channel.queue.length > 0 && !isBlocked(index)) {
        this.#cursor = (index + 1) % count;
        return index;
      }
    }
    return -1;
  }

  /** Data buffers here and announced by the producers. */
  get buffersInUse(): number {
    let buffers = 0;
    for (const { queuedData, recovered, backlog } of this.#channels) buffers += queuedData + recovered + backlog;
    return buffers;
  }

  /** Row B16: tells every producer of the size of further buffers. */
  announceBufferSize(bytes: number, out: Out): void {
    for (const { target, descriptor } of this.#channels) {
      const { edge, subpartition } = descriptor;
      out.send(target, { kind: 'new-buffer-size', edge, subpartition, consumer: this.#consumer, bytes });
    }
  }

  /** Takes the head of a channel and gives the producer new credit. */
  take(index: number, out: Out): StreamBuffer {
    const channel = this.#at(index);
    const buffer = channel.queue.shift();
    assert(buffer !== undefined, 'only a channel with a buffer is taken from');
    this.#queued -= 1;
    if (buffer.kind === 'data') {
      if (channel.recovered > 0) channel.recovered -= 1;
      else channel.queuedData -= 1;
    }
    this.#grant(channel, out);
    return buffer;
  }

  #grant(channel: InputChannel, out: Out): void {
    if (channel.recovered > 0) return;
    while (channel.backlog > channel.floating + this.#exclusive - channel.queuedData && this.#floatingFree > 0) {
      channel.floating += 1;
      this.#floatingFree -= 1;
    }
    if (channel.backlog === 0 && channel.floating > 0) {
      const idle = Math.min(
        channel.floating,
        this.#exclusive + channel.floating - channel.queuedData - channel.granted,
      );
      channel.floating -= idle;
      this.#floatingFree += idle;
    }
    const buffers = this.#exclusive + channel.floating;
    const free = this.#freeBuffers({ buffers, queued: channel.queuedData, granted: channel.granted });
    if (free <= 0 || (channel.backlog === 0 && free < this.#exclusive)) return;
    channel.granted += free;
    out.send(channel.target, {
      kind: 'add-credit',
      edge: channel.descriptor.edge,
      subpartition: channel.descriptor.subpartition,
      consumer: this.#consumer,
      credit: free,
    });
  }

  #at(index: number): InputChannel {
    const channel = this.#channels[index];
    assert(channel !== undefined, 'a channel index lies within the gate');
    return channel;
  }
}

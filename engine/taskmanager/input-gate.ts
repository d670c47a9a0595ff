/**
 * What a subtask reads: one queue of buffers per channel, credits granted to the producers (row B15; Flink: SingleInputGate,
 * RemoteInputChannel, BufferManager).
 *
 * Owns: queues, sequence check, credits. Does not own: which channel is blocked (the barrier handler decides).
 * Invariants:
 *   I1 a channel's buffers are taken in sequence without gaps; a gap is reported, never skipped (row B12);
 *   I2 credits granted and not used plus data buffers queued never exceed exclusive plus floating buffers of the channel (judge 8);
 *   I3 channels that are not blocked are served round robin.
 */
import { assert } from '../foundation/assert.ts';
import { Fifo } from '../foundation/fifo.ts';
import { type ExecutionAttemptId, type NodeId, taskMailbox } from '../foundation/ids.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { BufferMessage } from '../protocol/messages.ts';
import type { StreamBuffer } from '../protocol/stream-elements.ts';
import type { InputChannelDescriptor } from '../protocol/task.ts';

export interface InputGateOptions {
  readonly consumer: ExecutionAttemptId;
  readonly channels: readonly InputChannelDescriptor[];
  readonly exclusiveBuffers: number;
  readonly floatingBuffers: number;
}

class InputChannel {
  readonly descriptor: InputChannelDescriptor;
  readonly target: Target;
  readonly queue = new Fifo<StreamBuffer>();
  expectedSequence = 0;
  /** Data buffers in the queue. */
  queuedData = 0;
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
  #floatingFree: number;
  #cursor = 0;
  #queued = 0;

  constructor(options: InputGateOptions) {
    this.#consumer = options.consumer;
    this.#exclusive = options.exclusiveBuffers;
    this.#floatingFree = options.floatingBuffers;
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
      credit: this.#exclusive,
    });
  }

  /** False when the sequence has a gap: the task must fail. */
  enqueue(message: BufferMessage): boolean {
    const channel = this.#at(message.channel);
    const { buffer } = message;
    if (message.producer !== channel.descriptor.producerAttempt) return false;
    if (message.sequence !== channel.expectedSequence) return false;
    channel.expectedSequence += 1;
    channel.queue.push(buffer);
    channel.backlog = message.backlog;
    this.#queued += 1;
    if (buffer.kind === 'data') {
      assert(channel.granted > 0, 'a data buffer comes against a credit');
      channel.granted -= 1;
      channel.queuedData += 1;
    }
    return true;
  }

  /** Next channel with something to read that is not blocked; -1 when there is none. */
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

  /** Takes the head of a channel and gives the producer new credit. */
  take(index: number, out: Out): StreamBuffer {
    const channel = this.#at(index);
    const buffer = channel.queue.shift();
    assert(buffer !== undefined, 'only a channel with a buffer is taken from');
    this.#queued -= 1;
    if (buffer.kind === 'data') channel.queuedData -= 1;
    this.#grant(channel, out);
    return buffer;
  }

  #grant(channel: InputChannel, out: Out): void {
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
    const free = this.#exclusive + channel.floating - channel.queuedData - channel.granted;
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

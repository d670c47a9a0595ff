/**
 * What a subtask reads: buffers of its gate, one per mailbox action, and what the events among them mean (Flink:
 * StreamTaskNetworkInput with CheckpointedInputGate).
 *
 * Owns: the gate, the barrier handler, the buffer in progress, the figures of the alignment. Does not own: the subtask's life, its
 * snapshot and its outputs (the host does).
 * Invariants:
 *   I1 a record is handed to the chain only while the outputs have room;
 *   I2 the host is told of a complete set of barriers in the very action that took the last one: no record in between (row G2).
 */
import { BarrierHandler } from '../barrier/barrier-handler.ts';
import { assert, unreachable } from '../foundation/assert.ts';
import type { CheckpointId, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { BufferMessage } from '../protocol/messages.ts';
import type { CheckpointBarrier, DataBuffer, StreamBuffer } from '../protocol/stream-elements.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import type { AlignmentFigures } from './async-part.ts';
import { InputGate } from './input-gate.ts';
import { PartitionRequests } from './partition-requests.ts';
import type { TaskEnvironment } from './task-environment.ts';

/** What the input asks of the subtask it feeds. */
export interface TaskInputHost {
  /** Entries of the operator chain, by logical input. */
  readonly heads: readonly [ElementConsumer, ElementConsumer];
  /** False: no record may be processed now. */
  mayProcess(): boolean;
  /** All barriers of the checkpoint are here: send it on and take the snapshot, in this action. */
  checkpoint(barrier: CheckpointBarrier, figures: AlignmentFigures, nowUs: Micros, out: Out): void;
  /** The subtask will not take part in this checkpoint, and nobody behind it may wait for its barrier (row B3). */
  giveUp(checkpointId: CheckpointId, reason: CheckpointFailure, out: Out): void;
}

export interface TaskInputOptions {
  readonly environment: TaskEnvironment;
  readonly deployment: TaskDeployment;
  readonly host: TaskInputHost;
}

export class TaskInput {
  readonly #options: TaskInputOptions;
  readonly #gate: InputGate;
  readonly #requests: PartitionRequests;
  readonly #barriers: BarrierHandler;
  readonly #isBlocked: (channel: number) => boolean;
  /** A buffer whose processing was interrupted by backpressure. */
  #current: { readonly buffer: DataBuffer; readonly input: 0 | 1; next: number } | undefined;
  #alignmentStartUs = 0;
  #bytesDuringAlignment = 0;

  constructor(options: TaskInputOptions) {
    const { environment, deployment } = options;
    const { checkpoint, runtime } = environment.configuration;
    this.#options = options;
    this.#gate = new InputGate({
      consumer: deployment.attempt,
      channels: deployment.inputs,
      exclusiveBuffers: runtime.exclusiveBuffersPerChannel,
      floatingBuffers: runtime.floatingBuffersPerGate,
    });
    this.#requests = new PartitionRequests(this.#gate, runtime.partitionRequestBackoffUs);
    const barriers = new BarrierHandler(deployment.inputs.length, checkpoint.mode === 'exactly-once');
    this.#barriers = barriers;
    this.#isBlocked = (channel) => barriers.isBlocked(channel);
  }

  /** True when `advance` would do something, backpressure aside. */
  get hasMore(): boolean {
    return this.#current !== undefined || this.#gate.nextChannel(this.#isBlocked) >= 0;
  }

  requestAll(out: Out): void {
    this.#requests.requestAll(out);
  }

  /** False when the producer did not appear in time: the subtask must fail. */
  partitionNotFound(channel: number, out: Out): boolean {
    return this.#requests.notFound(channel, out);
  }

  /** False when the sequence has a gap: the subtask must fail (row B12). */
  enqueue(message: BufferMessage): boolean {
    return this.#gate.enqueue(message);
  }

  isFedBy(node: NodeId): boolean {
    return this.#gate.isFedBy(node);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#requests.handleTimer(timer, nowUs, out);
  }

  /** The coordinator aborted it. True when that was news: those behind must hear of it. */
  abort(checkpointId: CheckpointId): boolean {
    return this.#barriers.abort(checkpointId);
  }

  /** One buffer, or what backpressure left of one. */
  advance(nowUs: Micros, out: Out): void {
    if (this.#current === undefined) {
      const channel = this.#gate.nextChannel(this.#isBlocked);
      if (channel < 0) return;
      const buffer = this.#gate.take(channel, out);
      if (buffer.kind !== 'data') return this.#event(channel, buffer, nowUs, out);
      const { deployment, environment } = this.#options;
      const edge = deployment.inputs[channel]?.edge ?? 0;
      this.#current = { buffer, input: environment.graph.edges[edge]?.input ?? 0, next: 0 };
      if (this.#barriers.aligning > 0) this.#bytesDuringAlignment += buffer.bytes;
      out.busy('byte', buffer.bytes);
    }
    this.#processCurrent(out);
  }

  #processCurrent(out: Out): void {
    const current = this.#current;
    if (current === undefined) return;
    const { host } = this.#options;
    const head = host.heads[current.input];
    const { values, timestampsUs, lineages } = current.buffer;
    const first = current.next;
    let at = first;
    while (at < values.length && host.mayProcess()) {
      head.process(values[at], timestampsUs[at] ?? 0, lineages[at] ?? 0);
      at += 1;
    }
    current.next = at;
    out.busy('record', at - first);
    if (at >= values.length) this.#current = undefined;
  }

  #event(channel: number, event: Exclude<StreamBuffer, DataBuffer>, nowUs: Micros, out: Out): void {
    switch (event.kind) {
      case 'barrier':
        return this.#barrier(channel, event, nowUs, out);
      case 'cancel-marker':
        if (this.#barriers.cancelMarker(event.checkpointId).kind === 'cancelled') {
          this.#options.host.giveUp(event.checkpointId, 'checkpoint-declined-on-cancellation-barrier', out);
        }
        return;
      case 'end-of-partition':
        assert(this.#barriers.endOfPartition(channel).kind !== 'complete', 'an unbounded job has no end of partition');
        return;
      default:
        return unreachable(event);
    }
  }

  #barrier(channel: number, barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    const { host, deployment } = this.#options;
    const { attempt, vertex, subtask } = deployment;
    const decision = this.#barriers.barrier(channel, barrier.checkpointId);
    if (decision.kind === 'ignore') return;
    if (decision.kind === 'cancelled')
      return host.giveUp(decision.checkpointId, 'checkpoint-declined-on-cancellation-barrier', out);
    const of = { attempt, vertex, subtask, checkpointId: barrier.checkpointId };
    out.report({ kind: 'barrier-received', ...of, channel, pending: decision.kind === 'complete' ? 0 : 1 });
    if (decision.gaveUp !== undefined) host.giveUp(decision.gaveUp, 'checkpoint-declined-subsumed', out);
    if (decision.first) {
      this.#alignmentStartUs = nowUs;
      this.#bytesDuringAlignment = 0;
      out.report({ kind: 'alignment-started', ...of });
    }
    if (decision.kind === 'collect') return;
    const alignmentUs = nowUs - this.#alignmentStartUs;
    out.report({ kind: 'alignment-done', ...of, alignmentUs });
    const figures = {
      startDelayUs: Math.max(0, this.#alignmentStartUs - barrier.triggeredAtUs),
      alignmentUs,
      bytesProcessedDuringAlignment: this.#bytesDuringAlignment,
      recordsInFlight: this.#gate.recordsIn(() => true),
    };
    host.checkpoint(barrier, figures, nowUs, out);
  }
}

/**
 * What a subtask reads: buffers of its gate, one per mailbox action, and what the events among them mean (Flink:
 * StreamTaskNetworkInput with CheckpointedInputGate).
 *
 * Owns: the gate, the barrier handler, the buffer in progress. Does not own: the figures of the alignment (its meter), the subtask's life, its
 * snapshot and its outputs (the host does).
 * Invariants:
 *   I1 a record is handed to the chain only while the outputs have room;
 *   I2 the host is told of a complete set of barriers in the very action that took the last one: no record in between (row G2);
 *   I3 a barrier that overtakes is acted upon when it arrives, whatever the outputs and the queues hold (rows B5, B21); only while a
 *      record is stuck beyond the overdraft (row B15) it keeps its place in its queue and is pulled out when the record is through;
 *   I4 from the snapshot of an unaligned checkpoint on, each data buffer in front of its channel's barrier is in the channel state once,
 *      the rest of a buffer in progress included (row B6).
 */
import { InputWatermarks } from '../event-time/input-watermarks.ts';
import type { WatermarkNews } from '../event-time/timestamps-and-watermarks.ts';
import { alignmentTimeLeftUs, asUnaligned, isTimeoutable, isUnaligned } from '../barrier/barrier-alignment.ts';
import { type BarrierDecision, BarrierHandler } from '../barrier/barrier-handler.ts';
import type { ChannelBuffers } from '../channel-state/channel-state-file.ts';
import type { TakenOverBuffer } from '../channel-state/taken-over-data.ts';
import type { ChannelStateWriter } from '../channel-state/channel-state-writer.ts';
import { assert, unreachable } from '../foundation/assert.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { BufferMessage } from '../protocol/messages.ts';
import type { CheckpointBarrier, DataBuffer, StopMode, StreamBuffer } from '../protocol/stream-elements.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import { AlignmentMeter } from './alignment-meter.ts';
import type { AlignmentFigures } from './async-part.ts';
import { restOf } from './buffer-rest.ts';
import { InputGate } from './input-gate.ts';
import { BufferDebloater } from './buffer-debloater.ts';
import { PartitionRequests } from './partition-requests.ts';
import type { TaskEnvironment } from './task-environment.ts';
import { probe, sometimes } from '../protocol/probes.ts';

/** What the input asks of the subtask it feeds. */
export interface TaskInputHost {
  /** Entries of the operator chain, by logical input. */
  heads(): readonly [ElementConsumer, ElementConsumer];
  /** True: the record in progress is stuck in the outputs, and only when it is through can a snapshot be taken (row B15). */
  isStuck(): boolean;
  /** False: no record may be processed now. */
  mayProcess(): boolean;
  /** Before in-flight data is gathered. Undefined: the subtask does not take part. */
  openChannelState(checkpointId: CheckpointId, out: Out): ChannelStateWriter | undefined;
  /** All barriers are here, or the first overtook: send it on and take the snapshot, in this action. */
  checkpoint(barrier: CheckpointBarrier, figures: AlignmentFigures, nowUs: Micros, out: Out): void;
  /** All barriers are here and, with them, all in-flight data of the inputs. */
  inputComplete(checkpointId: CheckpointId, figures: AlignmentFigures, out: Out): void;
  /** Event time of the input has come further, or its status changed (row B25). */
  time(news: WatermarkNews, out: Out): void;
  /** Every channel delivered its end of data. */
  endOfData(mode: StopMode, out: Out): void;
  /** The subtask will not take part in this checkpoint, and nobody behind it may wait for its barrier (row B3). */
  giveUp(checkpointId: CheckpointId, reason: CheckpointFailure, out: Out): void;
}

export interface TaskInputOptions {
  readonly environment: TaskEnvironment;
  readonly deployment: TaskDeployment;
  readonly host: TaskInputHost;
}

const ALIGNMENT_TIMER = 'alignment';
const DEBLOAT_TIMER = 'debloat';

export class TaskInput {
  readonly #options: TaskInputOptions;
  readonly #gate: InputGate;
  readonly #requests: PartitionRequests;
  readonly #barriers: BarrierHandler;
  readonly #isBlocked = (channel: number): boolean => this.#barriers.isBlocked(channel);
  /** By their number in the gate, by what identifies them in channel state. */
  readonly #channels: readonly { readonly number: number; readonly edge: number; readonly peer: number }[];
  /** A buffer whose processing was interrupted by backpressure. */
  #current: { readonly buffer: DataBuffer; readonly channel: number; readonly input: 0 | 1; next: number } | undefined;
  /** Row B19: processed before anything else; not in a channel, for those it lay in are no more. */
  #takenOver: readonly TakenOverBuffer[] = [];
  #takenOverAt = 0;
  /** While the snapshot of `#barriers.overtaking` is taken and barriers are missing: takes what arrives in front of them. */
  #inFlight: ChannelStateWriter | undefined;
  /** Row B8: announced by its arrival, still behind data. */
  #announced: CheckpointBarrier | undefined;
  /** A snapshot is due as soon as the outputs are through with the record in progress. */
  #waitsForOutputs = false;
  readonly #debloater: BufferDebloater | undefined;
  /** With `unalignedSnapshot: after-next-buffer`: what is still due. */
  #late: ((nowUs: Micros, out: Out) => void) | undefined;
  /** Barriers of the checkpoints that are being collected: a channel that ends may complete one. */
  readonly #collected = new Map<number, CheckpointBarrier>();
  #dataEnded = 0;
  #mode: StopMode = 'drain';
  readonly #alignment = new AlignmentMeter();
  readonly #watermarks: InputWatermarks;

  constructor(options: TaskInputOptions) {
    const { environment, deployment } = options;
    const { parts } = environment;
    const { checkpoint, runtime } = environment.configuration;
    this.#options = options;
    this.#gate = new InputGate({
      consumer: deployment.attempt,
      channels: deployment.inputs,
      exclusiveBuffers: runtime.exclusiveBuffersPerChannel,
      floatingBuffers: runtime.floatingBuffersPerGate,
      isApproximate: runtime.failoverStrategy === 'approximate',
      parts,
    });
    if (runtime.bufferDebloat.enabled) {
      this.#debloater = new BufferDebloater(runtime.bufferDebloat, runtime.bufferBytes);
    }
    this.#requests = new PartitionRequests(this.#gate, runtime.partitionRequestBackoffUs);
    const barriers = new BarrierHandler(deployment.inputs.length, checkpoint.mode === 'exactly-once', parts);
    this.#channels = deployment.inputs.map(({ edge, producerSubtask }, number) => ({
      number,
      edge,
      peer: producerSubtask,
    }));
    this.#barriers = barriers;
    const { edges } = environment.graph;
    this.#watermarks = new InputWatermarks(
      deployment.inputs.map(({ edge }) => edges[edge]?.input ?? 0),
      parts,
    );
  }

  /** True when `advance` would do something, backpressure aside. */
  get hasMore(): boolean {
    return this.#current !== undefined || this.#isTakingOver || this.#gate.hasNext(this.#isBlocked);
  }

  /** Every channel has ended (Flink: END_OF_INPUT). */
  get isFinished(): boolean {
    return this.#gate.isFinished;
  }

  /** The coordinator triggered the checkpoint here: no producer runs any more (row C21). */
  trigger(barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    // As in Flink before recovery is done (FLINK-20654): what was taken over is in no channel, and so in no snapshot.
    if (this.#isTakingOver)
      return this.#options.host.giveUp(barrier.checkpointId, 'checkpoint-declined-task-not-ready', out);
    const decision = this.#barriers.triggered(barrier.checkpointId);
    this.#act(decision, { barrier, channel: -1 }, nowUs, out);
  }

  /** Not before what was taken over is processed: on which channel the data behind it will come, nobody knows (decision 0024). */
  requestAll(out: Out): void {
    if (this.#isTakingOver) return;
    this.#requests.requestAll(out);
    if (this.#debloater !== undefined) this.#armDebloating(out);
  }

  /** The subtask stops reading: nothing to read, or no room. */
  pause(): void {
    this.#debloater?.pause();
  }

  /** The outputs sent something: what waited for the record in progress may be due. */
  outputsMoved(nowUs: Micros, out: Out): void {
    if (!this.#waitsForOutputs || this.#options.host.isStuck()) return;
    this.#waitsForOutputs = false;
    this.#timeOut(nowUs, out);
  }

  /** False when the producer did not appear in time: the subtask must fail. */
  partitionNotFound(channel: number, out: Out): boolean {
    return this.#requests.notFound(channel, out);
  }

  /** Row B19: in-flight data of rescaled exchanges; before the producers are asked. */
  takeOver(data: readonly TakenOverBuffer[]): void {
    this.#takenOver = data;
  }

  /** Row B18: restored in-flight data; before the producers are asked. */
  recover(channels: readonly ChannelBuffers[]): void {
    for (const { edge, peer, buffers } of channels) {
      const channel = this.#channels.find((known) => known.edge === edge && known.peer === peer);
      assert(channel !== undefined, 'restored in-flight data belongs to a channel of the gate', { edge, peer });
      this.#gate.recover(channel.number, buffers);
    }
  }

  /** False when the sequence has a gap: the subtask must fail (row B12). */
  enqueue(message: BufferMessage, nowUs: Micros, out: Out): boolean {
    const { buffer, channel } = message;
    if (buffer.kind === 'data') {
      if (!this.#gate.enqueue(message)) return false;
      if (this.#inFlight !== undefined) this.#gather(channel, buffer);
      return true;
    }
    const { environment } = this.#options;
    const isAhead = environment.parts.watermarkOrder === 'ahead-of-barrier' && this.#isBlocked(channel);
    if (buffer.kind === 'watermark' && isAhead) {
      if (!this.#gate.enqueue(message, true)) return false;
      this.#event(channel, buffer, nowUs, out);
      return true;
    }
    if (buffer.kind !== 'barrier') return this.#gate.enqueue(message);
    if (environment.parts.barrierOvertakes(buffer.options, environment.configuration.checkpoint.unaligned)) {
      const mustWait = this.#barriers.overtaking !== buffer.checkpointId && this.#options.host.isStuck();
      if (!this.#gate.enqueue(message, !mustWait)) return false;
      if (mustWait) this.#waitForOutputs(buffer, out);
      else this.#barrier(channel, asUnaligned(buffer), nowUs, out);
      return true;
    }
    if (!this.#gate.enqueue(message)) return false;
    if (isTimeoutable(buffer.options)) this.#announce(buffer, nowUs, out);
    return true;
  }

  /** To ask where its data comes from. */
  get gate(): Pick<InputGate, 'isFedBy' | 'unreachable'> {
    return this.#gate;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (timer === DEBLOAT_TIMER) {
      this.#debloat(nowUs, out);
      return true;
    }
    if (timer !== ALIGNMENT_TIMER) return this.#requests.handleTimer(timer, nowUs, out);
    this.#timeOut(nowUs, out);
    return true;
  }

  /** The coordinator aborted it. True when that was news: those behind must hear of it. */
  abort(checkpointId: CheckpointId): boolean {
    const isNews = this.#barriers.abort(checkpointId);
    this.#stopGathering(this.#options.environment.parts.abortEndsGathering);
    return isNews;
  }

  /** One buffer, or what backpressure left of one. */
  advance(nowUs: Micros, out: Out): void {
    if (this.#isTakingOver) return this.#advanceTakenOver(out);
    if (this.#current === undefined) {
      const channel = this.#gate.nextChannel(this.#isBlocked);
      if (channel < 0) return;
      const buffer = this.#gate.take(channel, out);
      if (buffer.kind !== 'data') return this.#event(channel, buffer, nowUs, out);
      const { deployment, environment } = this.#options;
      const edge = deployment.inputs[channel]?.edge ?? 0;
      this.#current = { buffer, channel, input: environment.graph.edges[edge]?.input ?? 0, next: 0 };
      if (this.#barriers.aligning > 0) this.#alignment.processed(buffer.bytes);
      out.busy('byte', buffer.bytes);
      this.#debloater?.consume(buffer.bytes, nowUs);
    } else {
      this.#debloater?.consume(0, nowUs);
    }
    this.#processCurrent(out);
    if (this.#late !== undefined) this.#takeLate(nowUs, out);
  }

  get #isTakingOver(): boolean {
    return this.#takenOver.length > 0;
  }

  /** As `advance`; when all of it is through, the producers are asked. */
  #advanceTakenOver(out: Out): void {
    const { edge, buffer } = this.#takenOver[this.#takenOverAt] ?? {};
    assert(edge !== undefined && buffer !== undefined, 'there is more to take over');
    if (this.#current === undefined) {
      this.#current = { buffer, channel: -1, input: this.#options.environment.graph.edges[edge]?.input ?? 0, next: 0 };
      out.busy('byte', buffer.bytes);
    }
    this.#processCurrent(out);
    if (this.#current !== undefined) return;
    this.#takenOverAt += 1;
    if (this.#takenOverAt < this.#takenOver.length) return;
    this.#takenOver = [];
    probe(out, 'in-flight-data-taken-over');
    this.requestAll(out);
  }

  #takeLate(nowUs: Micros, out: Out): void {
    const late = this.#late;
    this.#late = undefined;
    late?.(nowUs, out);
  }

  #processCurrent(out: Out): void {
    const current = this.#current;
    if (current === undefined) return;
    const { host } = this.#options;
    const head = host.heads()[current.input];
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
        sometimes(this.#barriers.aligning === event.checkpointId, out, 'cancelled-during-alignment');
        return this.#passOver(this.#barriers.cancelMarker(event.checkpointId), event.checkpointId, out);
      case 'watermark':
      case 'watermark-status':
        return this.#options.host.time(this.#watermarks.event(channel, event), out);
      case 'end-of-data':
        return this.#endOfData(channel, event.mode, out);
      case 'end-of-partition':
        return this.#endOfPartition(channel, nowUs, out);
      default:
        return unreachable(event);
    }
  }

  #barrier(channel: number, barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    const id = barrier.checkpointId;
    const decision = this.#barriers.barrier(channel, id, isUnaligned(barrier));
    if (decision.kind === 'ignore') probe(out, 'barrier-of-the-past');
    sometimes(decision.kind === 'cancelled', out, 'barrier-behind-abort');
    if (decision.kind === 'ignore' || decision.kind === 'cancelled') return this.#passOver(decision, id, out);
    const pending = decision.kind === 'complete' ? 0 : 1;
    out.report({ kind: 'barrier-received', ...this.#task(), checkpointId: id, channel, pending });
    this.#act(decision, { barrier, channel }, nowUs, out);
    if (this.#barriers.overtaking === id) this.#pullBarriers(asUnaligned(barrier), nowUs, out);
  }

  /** Row B3: `id` is of the past, or given up by a marker or by an abort that came before its first barrier. */
  #passOver(decision: BarrierDecision, id: CheckpointId, out: Out): void {
    if (decision.kind === 'cancelled') {
      this.#stopGathering();
      this.#options.host.giveUp(id, 'checkpoint-declined-on-cancellation-barrier', out);
    }
    this.#options.environment.observer?.passedOver({ checkpointId: id, ...this.#task() }, this.#barriers.aligning);
  }

  /** Rows C23, B16: the producer waits until all it wrote was processed. */
  #endOfData(channel: number, mode: StopMode, out: Out): void {
    this.#gate.acknowledgeAllRecords(channel, out);
    this.#dataEnded += 1;
    if (mode === 'no-drain') this.#mode = mode;
    if (this.#dataEnded === this.#gate.channelCount) this.#options.host.endOfData(this.#mode, out);
  }

  /** Row B2: from now on the channel counts as if it had delivered every barrier, that of an alignment under way included. */
  #endOfPartition(channel: number, nowUs: Micros, out: Out): void {
    this.#gate.end(channel);
    const decision = this.#barriers.endOfPartition(channel);
    if (decision.kind !== 'complete') return;
    const barrier = this.#collected.get(decision.checkpointId);
    assert(barrier !== undefined, 'an end of partition completes only what another channel began', { decision });
    probe(out, 'channel-ended-during-alignment');
    this.#act(decision, { barrier, channel }, nowUs, out);
  }

  /** `channel`: where the barrier was; -1 when time or the coordinator decided. */
  #act(decision: BarrierDecision, on: { barrier: CheckpointBarrier; channel: number }, nowUs: Micros, out: Out): void {
    if (decision.kind === 'ignore' || decision.kind === 'cancelled') return;
    const { barrier, channel } = on;
    const { host } = this.#options;
    const id = barrier.checkpointId;
    const of = { checkpointId: id, ...this.#task() };
    // Whatever began it, a barrier that was read or the time-out of one that was announced.
    if (decision.kind !== 'complete') this.#collected.set(id, barrier);
    if (decision.gaveUp !== undefined) {
      probe(out, 'newer-barrier-gave-up-alignment');
      this.#stopGathering();
      host.giveUp(decision.gaveUp, 'checkpoint-declined-subsumed', out);
    }
    if (decision.first) {
      this.#alignment.started(nowUs, this.#options.environment.wallClock(nowUs));
      out.report({ kind: 'alignment-started', ...of });
    }
    if (decision.kind === 'collect') return;
    if (decision.kind === 'overtake') return this.#snapshotInFlight(barrier, channel, nowUs, out);
    if (decision.taken === undefined && isUnaligned(barrier)) this.#snapshotInFlight(barrier, channel, nowUs, out);
    this.#takeLate(nowUs, out);
    this.#stopGathering();
    for (const collected of this.#collected.keys()) if (collected <= id) this.#collected.delete(collected);
    if (this.#announced?.checkpointId === id) this.#forgetAnnouncement(out);
    const figures = this.#figures(barrier, decision.taken === true || isUnaligned(barrier), nowUs);
    out.report({ kind: 'alignment-done', ...of, alignmentUs: figures.alignmentUs });
    if (!figures.unaligned) host.checkpoint(barrier, figures, nowUs, out);
    host.inputComplete(id, figures, out);
  }

  /** Rows B5, B6: in-flight data, barrier and snapshot in one action, while other barriers are still under way. */
  #snapshotInFlight(barrier: CheckpointBarrier, from: number, nowUs: Micros, out: Out): void {
    const { host, environment } = this.#options;
    const id = barrier.checkpointId;
    const writer = host.openChannelState(id, out);
    if (writer === undefined) {
      this.#barriers.giveUp(id);
      return;
    }
    for (const channel of this.#channels) {
      if (channel.number !== from && this.#barriers.hasDelivered(channel.number, id)) continue;
      writer.inputQueued(channel, this.#unprocessedOf(channel.number, id));
    }
    this.#inFlight = writer;
    const figures = this.#figures(barrier, true, nowUs);
    const snapshot = (atUs: Micros, snapshotOut: Out): void => host.checkpoint(barrier, figures, atUs, snapshotOut);
    if (environment.parts.unalignedSnapshot === 'at-barrier') snapshot(nowUs, out);
    else this.#late = snapshot;
  }

  /** What is left of a buffer in progress, then what waits in the queue in front of the barrier. */
  #unprocessedOf(channel: number, id: CheckpointId): DataBuffer[] {
    const queued = this.#gate.dataInFrontOf(channel, id, this.#options.environment.parts.persistsRecovered);
    const current = this.#current;
    if (current?.channel === channel) queued.unshift(restOf(current.buffer, current.next));
    return queued;
  }

  #gather(channel: number, buffer: DataBuffer): void {
    const of = this.#channels[channel];
    const id = this.#barriers.overtaking as CheckpointId;
    if (of === undefined || id === 0 || this.#barriers.hasDelivered(channel, id)) return;
    this.#inFlight?.inputArrived(of, buffer);
  }

  /** What is gathered may be of another checkpoint than the one that is over. */
  #stopGathering(of: 'of-its-own' | 'of-any' = 'of-its-own'): void {
    if (of === 'of-any' || this.#barriers.overtaking === 0) this.#inFlight = undefined;
  }

  /** Row B8: it came in its place; whether it may stay there, time will tell. */
  #announce(barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    const id = barrier.checkpointId;
    if (!this.#barriers.isOpen(id)) return;
    if (this.#barriers.overtaking === id) return this.#pullBarriers(asUnaligned(barrier), nowUs, out);
    if (this.#announced !== undefined && this.#announced.checkpointId >= id) return;
    this.#announced = barrier;
    out.setTimer(ALIGNMENT_TIMER, micros(alignmentTimeLeftUs(barrier, this.#options.environment.wallClock(nowUs))));
  }

  /** Row B15: a record sticks in the outputs, so the barrier waits in its place. */
  #waitForOutputs(barrier: CheckpointBarrier, out: Out): void {
    probe(out, 'barrier-waited-for-record');
    this.#waitsForOutputs = true;
    if (this.#announced === undefined || this.#announced.checkpointId < barrier.checkpointId) this.#announced = barrier;
  }

  #armDebloating(out: Out): void {
    out.setTimer(DEBLOAT_TIMER, micros(this.#options.environment.configuration.runtime.bufferDebloat.periodUs));
  }

  #debloat(nowUs: Micros, out: Out): void {
    const bytes = this.#debloater?.recalculate(this.#gate.buffersInUse, nowUs);
    if (bytes !== undefined) this.#gate.announceBufferSize(bytes, out);
    this.#armDebloating(out);
  }

  #forgetAnnouncement(out: Out): void {
    this.#announced = undefined;
    out.cancelTimer(ALIGNMENT_TIMER);
  }

  /** Row B8: the alignment takes too long. Channels that are blocked delivered their barrier: what they hold is not part of it. */
  #timeOut(nowUs: Micros, out: Out): void {
    const announced = this.#announced;
    if (announced === undefined) return;
    if (this.#options.host.isStuck()) return this.#waitForOutputs(announced, out);
    this.#announced = undefined;
    const decision = this.#barriers.timeOut(announced.checkpointId);
    if (decision.kind !== 'overtake') return;
    probe(out, 'alignment-timed-out');
    const barrier = asUnaligned(announced);
    this.#act(decision, { barrier, channel: -1 }, nowUs, out);
    this.#pullBarriers(barrier, nowUs, out);
  }

  /** Barriers that wait behind data which is gathered already come to the front. */
  #pullBarriers(barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    const id = barrier.checkpointId;
    for (const { number } of this.#channels) {
      if (this.#barriers.overtaking !== id) return;
      if (this.#gate.pullBarrier(number, id) === undefined) continue;
      probe(out, 'announced-barrier-overtaken');
      const decision = this.#barriers.barrier(number, id, true);
      const pending = decision.kind === 'complete' ? 0 : 1;
      out.report({ kind: 'barrier-received', ...this.#task(), checkpointId: id, channel: number, pending });
      this.#act(decision, { barrier, channel: number }, nowUs, out);
    }
  }

  #figures(barrier: CheckpointBarrier, unaligned: boolean, nowUs: Micros): AlignmentFigures {
    return this.#alignment.figures({ barrier, unaligned, recordsInFlight: this.#gate.recordsIn(() => true), nowUs });
  }

  #task(): Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'> {
    const { attempt, vertex, subtask } = this.#options.deployment;
    return { attempt, vertex, subtask };
  }
}

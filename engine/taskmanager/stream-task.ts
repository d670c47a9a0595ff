/**
 * One subtask as a mailbox: messages, timers and, in between, the default action that moves records (Flink: StreamTask,
 * MailboxProcessor).
 *
 * Owns: the life of an execution attempt and the order of its work. Does not own: deployment (task-manager), the steps of a
 * checkpoint (subtask-checkpoint), what a barrier means (barrier-handler).
 * Invariants:
 *   I1 records, barriers and snapshots never interleave within one mailbox action (row G2);
 *   I2 no record is read while an output has no room (backpressure instead of memory growth, row B15);
 *   I3 after `failed` or `canceled` nothing is processed, written or acknowledged.
 */
import { BarrierHandler } from '../barrier/barrier-handler.ts';
import { LogSource } from '../connectors/log-source.ts';
import { decodeSinkTransactions, decodeSourceOffsets } from '../connectors/operator-state-rows.ts';
import type { Committable, SinkHost } from '../connectors/transactional-sink.ts';
import { assert, unreachable } from '../foundation/assert.ts';
import { type CheckpointId, checkpointId, type LeaderEpoch, type NodeId, taskMailbox } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { JobVertex } from '../job/job-graph.ts';
import type { Input, Out, Target } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { BufferMessage, EngineMessage, TriggerCheckpoint } from '../protocol/messages.ts';
import type { CheckpointBarrier, DataBuffer, StreamBuffer } from '../protocol/stream-elements.ts';
import type { ExecutionState, TaskDeployment, TaskFailure } from '../protocol/task.ts';
import { InputGate } from './input-gate.ts';
import { OperatorChain } from './operator-chain.ts';
import { PartitionRequests } from './partition-requests.ts';
import { type RestoredState, StateRestore } from './state-restore.ts';
import { SubtaskCheckpoint } from './subtask-checkpoint.ts';
import type { TaskEnvironment } from './task-environment.ts';
import { TaskOutputs } from './task-outputs.ts';
import { takeSnapshot } from './task-snapshot.ts';

export interface StreamTaskOptions {
  readonly environment: TaskEnvironment;
  readonly deployment: TaskDeployment;
  readonly epoch: LeaderEpoch;
  /** Of the TaskManager's process. */
  readonly incarnation: number;
  /** Main mailbox of the JobManager that deployed it. */
  readonly jobManager: Target;
}

/** Records a source emits in one mailbox action at most, so that triggers are not kept waiting. */
const SOURCE_RECORDS_PER_ACTION = 256;

/** What a trigger and a barrier have in common. */
type Triggered = Pick<CheckpointBarrier, 'checkpointId' | 'triggeredAtUs'>;
type TaskIdentity = Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>;

export class StreamTask {
  readonly #options: StreamTaskOptions;
  readonly #vertex: JobVertex;
  readonly #self: Target;
  readonly #outputs: TaskOutputs;
  readonly #gate: InputGate | undefined;
  readonly #barriers: BarrierHandler | undefined;
  readonly #source: LogSource | undefined;
  readonly #restore: StateRestore;
  readonly #checkpoint: SubtaskCheckpoint;
  readonly #requests: PartitionRequests | undefined;
  readonly #isBlocked: (channel: number) => boolean;
  readonly #mayEmit: () => boolean;
  #chain: OperatorChain | undefined;
  #state: ExecutionState = 'deploying';
  #continuing = false;
  #flushArmed = false;
  /** A buffer whose processing was interrupted by backpressure. */
  #current: { readonly buffer: DataBuffer; readonly input: 0 | 1; next: number } | undefined;
  #alignmentStartUs = 0;
  #bytesDuringAlignment = 0;
  /** With `sourcePositions: after-next-batch`: the trigger whose snapshot is still due. */
  #deferred: TriggerCheckpoint | undefined;

  constructor(options: StreamTaskOptions) {
    const { environment, deployment, epoch } = options;
    const { graph, configuration, node, services } = environment;
    const vertex = graph.vertices[deployment.vertex];
    assert(vertex !== undefined, 'a deployment names a vertex of the job', { vertex: deployment.vertex });
    this.#options = options;
    this.#vertex = vertex;
    this.#self = { node, mailbox: taskMailbox(deployment.attempt), via: 'datagram' };
    this.#outputs = new TaskOutputs(environment, deployment);
    if (deployment.inputs.length > 0) {
      const { exclusiveBuffersPerChannel, floatingBuffersPerGate } = configuration.runtime;
      this.#gate = new InputGate({
        consumer: deployment.attempt,
        channels: deployment.inputs,
        exclusiveBuffers: exclusiveBuffersPerChannel,
        floatingBuffers: floatingBuffersPerGate,
      });
      this.#requests = new PartitionRequests(this.#gate, configuration.runtime.partitionRequestBackoffUs);
      this.#barriers = new BarrierHandler(deployment.inputs.length, configuration.checkpoint.mode === 'exactly-once');
    }
    if (vertex.source !== undefined) {
      this.#source = new LogSource({
        spec: vertex.source,
        subtask: deployment.subtask,
        parallelism: vertex.parallelism,
        broker: services.log,
        requestTimeoutUs: configuration.runtime.requestTimeoutUs,
        firstRequestId: 1,
      });
    }
    this.#restore = new StateRestore({
      host: {
        restored: (states, _nowUs, out) => this.#restored(states, out),
        fail: (failure, out) => this.fail(failure, out),
      },
      storage: services.storage,
      requestTimeoutUs: configuration.runtime.requestTimeoutUs,
    });
    this.#checkpoint = new SubtaskCheckpoint({
      environment,
      attempt: deployment.attempt,
      vertex: deployment.vertex,
      subtask: deployment.subtask,
      epoch,
      toJobManager: (message, out) => out.send(options.jobManager, message),
    });
    const barriers = this.#barriers;
    this.#isBlocked = (channel) => barriers?.isBlocked(channel) === true;
    this.#mayEmit = () => this.#outputs.isAvailable;
  }

  get state(): ExecutionState {
    return this.#state;
  }

  handle(input: Exclude<Input, { kind: 'started' }>, isAsync: boolean, nowUs: Micros, out: Out): void {
    if (this.#state === 'failed' || this.#state === 'canceled') return;
    if (input.kind === 'timer') this.#timer(input.timer, isAsync, nowUs, out);
    else this.#message(input.message, { from: input.from, isAsync }, nowUs, out);
    this.#afterAction(out);
  }

  /** Ends without a report: the JobManager asked for it, or a new leader fences it off. */
  cancel(out: Out): void {
    if (this.#state === 'canceled') return;
    this.#checkpoint.close();
    this.#moveTo('canceled', undefined, out);
  }

  fail(failure: TaskFailure, out: Out): void {
    if (this.#state === 'failed' || this.#state === 'canceled') return;
    this.#checkpoint.close();
    this.#moveTo('failed', failure, out);
  }

  #message(message: EngineMessage, at: { from: NodeId; isAsync: boolean }, nowUs: Micros, out: Out): void {
    switch (message.kind) {
      case 'task-start':
        return this.#start(nowUs, out);
      case 'continue':
        this.#continuing = false;
        return this.#pump(nowUs, out);
      case 'buffer':
        return this.#buffer(message, nowUs, out);
      case 'add-credit':
        this.#outputs.addCredit(message, out);
        return this.#pump(nowUs, out);
      case 'partition-request':
        return this.#outputs.connect(message, at.from, out);
      case 'partition-not-found':
        if (this.#requests?.notFound(message.channel, out) === false) this.fail('partition-not-found', out);
        return;
      case 'connection-lost':
        if (this.#touches(message.peer)) this.fail('connection-lost', out);
        return;
      case 'trigger-checkpoint':
        return this.#triggered(message, nowUs, out);
      case 'notify-checkpoint-complete':
        out.report({ kind: 'notify-complete-received', ...this.#task(), checkpointId: message.checkpointId });
        return this.#chain?.sink?.notifyComplete(message.checkpointId, out);
      case 'notify-checkpoint-aborted':
        return this.#aborted(message.checkpointId, nowUs, out);
      case 'start-async-part':
        return this.#checkpoint.startAsyncPart(message.checkpointId, nowUs, out);
      case 'write-async-part':
        return this.#checkpoint.writeAsyncPart(message.checkpointId, nowUs, out);
      case 'storage-reply':
        return at.isAsync
          ? this.#checkpoint.handleReply(message, nowUs, out)
          : this.#restore.handleReply(message, nowUs, out);
      case 'log-records':
        this.#source?.handleReply(message, nowUs, out);
        this.#pump(nowUs, out);
        return this.#snapshotDeferred(nowUs, out);
      case 'sink-reply':
        return this.#chain?.sink?.handleReply(message, nowUs, out);
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a subtask' });
    }
  }

  #timer(timer: string, isAsync: boolean, nowUs: Micros, out: Out): void {
    if (isAsync) {
      this.#checkpoint.handleTimer(timer, nowUs, out);
      return;
    }
    if (timer === 'flush') {
      this.#flushArmed = false;
      this.#outputs.flush(out);
      return this.#pump(nowUs, out);
    }
    const handled =
      this.#requests?.handleTimer(timer, nowUs, out) === true ||
      this.#restore.handleTimer(timer, nowUs, out) ||
      this.#source?.handleTimer(timer, nowUs, out) === true ||
      this.#chain?.sink?.handleTimer(timer, nowUs, out) === true;
    assert(handled, 'every timer of a subtask belongs to one of its parts', { timer });
  }

  /** What one action wrote leaves with it, or soon. */
  #afterAction(out: Out): void {
    this.#chain?.sink?.sendFullBatches(out);
    if (this.#outputs.hasOpenRecords && !this.#flushArmed) {
      this.#flushArmed = true;
      out.setTimer('flush', micros(this.#options.environment.configuration.runtime.bufferTimeoutUs));
    }
  }

  #start(nowUs: Micros, out: Out): void {
    this.#moveTo('initializing', undefined, out);
    const handles = (this.#options.deployment.restore?.state ?? []).flatMap((state) => state.handles);
    this.#restore.start(handles, nowUs, out);
  }

  #restored(states: readonly RestoredState[], out: Out): void {
    const { environment, deployment } = this.#options;
    const bytesOf = (operator: string, kind: 'keyed' | 'operator'): readonly Uint8Array[] =>
      states.filter(({ handle }) => handle.operator === operator && handle.state === kind).map(({ bytes }) => bytes);
    this.#chain = new OperatorChain({
      environment,
      vertex: this.#vertex,
      subtask: deployment.subtask,
      attempt: deployment.attempt,
      tail: this.#outputs,
      sinkHost: this.#sinkHost(),
      keyedStateOf: (operator) => bytesOf(operator, 'keyed'),
    });
    const sourceUid = this.#vertex.source?.uid;
    if (sourceUid !== undefined) this.#source?.restore(bytesOf(sourceUid, 'operator').flatMap(decodeSourceOffsets));
    if (deployment.restore !== undefined) {
      out.report({ kind: 'task-restored', ...this.#task(), checkpointId: deployment.restore.checkpointId });
    }
    const sink = this.#chain.sink;
    if (sink === undefined) return this.#run(out);
    const transactions = bytesOf(sink.uid, 'operator').flatMap(decodeSinkTransactions);
    sink.initialize(transactions, deployment.restore?.checkpointId ?? 0, out);
  }

  #sinkHost(): SinkHost {
    return {
      initialized: (out) => this.#run(out),
      preCommitted: (id, nowUs, out) => this.#checkpoint.preCommitted(id, nowUs, out),
      fail: (failure, out) => this.fail(failure, out),
      reportCommit: (committable, out) => out.report({ kind: 'commit-sent', ...this.#committable(committable) }),
      reportCommitFailure: (committable, outcome, out) =>
        out.report({ kind: 'commit-failed', ...this.#committable(committable), outcome }),
    };
  }

  #run(out: Out): void {
    this.#moveTo('running', undefined, out);
    this.#requests?.requestAll(out);
    this.#source?.start(out);
  }

  #buffer(message: BufferMessage, nowUs: Micros, out: Out): void {
    if (this.#gate === undefined) return;
    if (!this.#gate.enqueue(message)) return this.fail('out-of-sequence', out);
    this.#pump(nowUs, out);
  }

  /** The default action: one buffer, or one slice of a batch. Asks for the next turn if there is more. */
  #pump(nowUs: Micros, out: Out): void {
    if (this.#state !== 'running' || this.#continuing || !this.#outputs.isAvailable) return;
    if (this.#source !== undefined) this.#pumpSource(out);
    else this.#pumpInput(nowUs, out);
    const more = this.#source?.hasRecords === true || this.#current !== undefined || this.#hasReadable();
    if (!more || this.#state !== 'running' || !this.#outputs.isAvailable) return;
    this.#continuing = true;
    out.send(this.#self, { kind: 'continue' });
  }

  #hasReadable(): boolean {
    return this.#gate !== undefined && this.#gate.nextChannel(this.#isBlocked) >= 0;
  }

  #pumpSource(out: Out): void {
    const head = this.#chain?.heads[0];
    if (this.#source === undefined || head === undefined) return;
    const emitted = this.#source.emit(SOURCE_RECORDS_PER_ACTION, head, this.#mayEmit, out);
    out.busy('record', emitted);
    this.#outputs.sendAll(out);
  }

  #pumpInput(nowUs: Micros, out: Out): void {
    if (this.#gate === undefined) return;
    if (this.#current === undefined) {
      const channel = this.#gate.nextChannel(this.#isBlocked);
      if (channel < 0) return;
      const buffer = this.#gate.take(channel, out);
      if (buffer.kind !== 'data') return this.#event(channel, buffer, nowUs, out);
      const edge = this.#options.deployment.inputs[channel]?.edge ?? 0;
      this.#current = { buffer, input: this.#options.environment.graph.edges[edge]?.input ?? 0, next: 0 };
      if ((this.#barriers?.aligning ?? 0) > 0) this.#bytesDuringAlignment += buffer.bytes;
      out.busy('byte', buffer.bytes);
    }
    this.#processCurrent(out);
  }

  #processCurrent(out: Out): void {
    const current = this.#current;
    const head = this.#chain?.heads[current?.input ?? 0];
    if (current === undefined || head === undefined) return;
    const { values, timestampsUs, lineages } = current.buffer;
    const first = current.next;
    let at = first;
    while (at < values.length && this.#outputs.isAvailable) {
      head.process(values[at], timestampsUs[at] ?? 0, lineages[at] ?? 0);
      at += 1;
    }
    current.next = at;
    out.busy('record', at - first);
    if (at >= values.length) this.#current = undefined;
    this.#outputs.sendAll(out);
  }

  #event(channel: number, event: Exclude<StreamBuffer, DataBuffer>, nowUs: Micros, out: Out): void {
    const barriers = this.#barriers;
    assert(barriers !== undefined, 'events arrive at subtasks with inputs');
    switch (event.kind) {
      case 'barrier':
        return this.#barrier(channel, event, nowUs, out);
      case 'cancel-marker':
        if (barriers.cancelMarker(event.checkpointId).kind === 'cancelled') {
          this.#giveUp(event.checkpointId, 'checkpoint-declined-on-cancellation-barrier', out);
        }
        return;
      case 'end-of-partition':
        assert(barriers.endOfPartition(channel).kind !== 'complete', 'an unbounded job has no end of partition');
        return;
      default:
        return unreachable(event);
    }
  }

  #barrier(channel: number, barrier: CheckpointBarrier, nowUs: Micros, out: Out): void {
    const barriers = this.#barriers;
    assert(barriers !== undefined, 'barriers arrive at subtasks with inputs');
    const decision = barriers.barrier(channel, barrier.checkpointId);
    if (decision.kind === 'ignore' || decision.kind === 'cancelled') return;
    const of = { ...this.#task(), checkpointId: barrier.checkpointId };
    out.report({ kind: 'barrier-received', ...of, channel, pending: decision.kind === 'complete' ? 0 : 1 });
    if (decision.gaveUp !== undefined) this.#giveUp(decision.gaveUp, 'checkpoint-declined-subsumed', out);
    if (decision.first) {
      this.#alignmentStartUs = nowUs;
      this.#bytesDuringAlignment = 0;
      out.report({ kind: 'alignment-started', ...of });
    }
    if (decision.kind === 'collect') return;
    out.report({ kind: 'alignment-done', ...of, alignmentUs: nowUs - this.#alignmentStartUs });
    if (!this.#checkpoint.isNew(barrier.checkpointId)) return;
    this.#broadcastBarrier(barrier, out);
    this.#snapshot(barrier, nowUs, out);
  }

  #triggered(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    if (!this.#checkpoint.isNew(message.checkpointId)) return;
    out.report({ kind: 'trigger-received', ...this.#task(), checkpointId: message.checkpointId });
    if (this.#state !== 'running' || this.#source === undefined) {
      return this.#checkpoint.decline(message.checkpointId, 'checkpoint-declined-task-not-ready', out);
    }
    this.#alignmentStartUs = nowUs;
    this.#broadcastBarrier(message, out);
    if (this.#options.environment.parts.sourcePositions === 'after-next-batch') this.#deferred = message;
    else this.#snapshot(message, nowUs, out);
  }

  /** The batch has come and was emitted, or there was none to come. */
  #snapshotDeferred(nowUs: Micros, out: Out): void {
    const deferred = this.#deferred;
    if (deferred === undefined) return;
    this.#deferred = undefined;
    this.#snapshot(deferred, nowUs, out);
  }

  /** Row B9: the barrier leaves before the snapshot is taken. */
  #broadcastBarrier({ checkpointId: id, triggeredAtUs }: Triggered, out: Out): void {
    const exactlyOnce = this.#options.environment.configuration.checkpoint.mode === 'exactly-once';
    this.#outputs.broadcastEvent({ kind: 'barrier', checkpointId: id, triggeredAtUs, exactlyOnce }, out);
    out.report({ kind: 'barrier-sent', ...this.#task(), checkpointId: id });
  }

  #snapshot({ checkpointId: id, triggeredAtUs }: Triggered, nowUs: Micros, out: Out): void {
    const chain = this.#chain;
    assert(chain !== undefined && this.#state === 'running', 'only a running subtask takes a snapshot', { id });
    const { parts, waitsForSink } = takeSnapshot({
      chain,
      source: this.#source,
      sourceUid: this.#vertex.source?.uid,
      checkpointedOffset: this.#options.environment.parts.checkpointedOffset,
      checkpointId: id,
      out,
    });
    const figures = {
      startDelayUs: Math.max(0, this.#alignmentStartUs - triggeredAtUs),
      alignmentUs: nowUs - this.#alignmentStartUs,
      bytesProcessedDuringAlignment: this.#bytesDuringAlignment,
      recordsInFlight: this.#gate?.recordsIn(() => true) ?? 0,
    };
    this.#checkpoint.start(id, { parts, waitsForSink, figures }, nowUs, out);
  }

  #aborted(id: CheckpointId, nowUs: Micros, out: Out): void {
    this.#checkpoint.abort(id);
    if (this.#deferred?.checkpointId === id) this.#deferred = undefined;
    if (this.#barriers?.giveUp(id) === true)
      this.#outputs.broadcastEvent({ kind: 'cancel-marker', checkpointId: id }, out);
    this.#pump(nowUs, out);
  }

  /** This subtask will not take part: those behind it must not wait for its barrier (row B3). */
  #giveUp(id: CheckpointId, reason: CheckpointFailure, out: Out): void {
    this.#outputs.broadcastEvent({ kind: 'cancel-marker', checkpointId: id }, out);
    this.#checkpoint.decline(id, reason, out);
  }

  #touches(peer: NodeId): boolean {
    return this.#gate?.isFedBy(peer) === true || this.#outputs.reaches(peer) || this.#chain?.sink?.store === peer;
  }

  #moveTo(state: ExecutionState, failure: TaskFailure | undefined, out: Out): void {
    this.#state = state;
    const { jobManager, deployment, epoch, incarnation } = this.#options;
    const why = failure === undefined ? {} : { failure };
    out.report({ kind: 'task-state', ...this.#task(), state, ...why });
    if (state === 'running' || state === 'failed') {
      out.send(jobManager, { kind: 'task-state', epoch, incarnation, attempt: deployment.attempt, state, ...why });
    }
  }

  #committable(of: Committable): TaskIdentity & { transaction: string; checkpointId: CheckpointId } {
    return { ...this.#task(), transaction: of.transaction, checkpointId: checkpointId(of.checkpointId) };
  }

  #task(): TaskIdentity {
    const { attempt, vertex, subtask } = this.#options.deployment;
    return { attempt, vertex, subtask };
  }
}

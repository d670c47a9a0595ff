/**
 * One subtask as a mailbox: messages, timers and, in between, the default action that moves records (Flink: StreamTask,
 * MailboxProcessor).
 *
 * Owns: the life of an execution attempt and the order of its work. Does not own: deployment (task-manager), the steps of a
 * checkpoint (subtask-checkpoint), what is read and what a barrier means (task-input).
 * Invariants:
 *   I1 records, barriers and snapshots never interleave within one mailbox action (row G2);
 *   I2 no record is read while an output has no room (backpressure instead of memory growth, row B15);
 *   I3 after `failed` or `canceled` nothing is processed, written or acknowledged.
 */
import { LogSource } from '../connectors/log-source.ts';
import { decodeSinkTransactions, decodeSourceOffsets } from '../connectors/operator-state-rows.ts';
import type { Committable, SinkHost } from '../connectors/transactional-sink.ts';
import { assert } from '../foundation/assert.ts';
import { type CheckpointId, checkpointId, type LeaderEpoch, type NodeId, taskMailbox } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { JobVertex } from '../job/job-graph.ts';
import type { Input, Out, Target } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { BufferMessage, EngineMessage, TriggerCheckpoint } from '../protocol/messages.ts';
import type { CheckpointBarrier } from '../protocol/stream-elements.ts';
import type { ExecutionState, TaskDeployment, TaskFailure } from '../protocol/task.ts';
import type { AlignmentFigures } from './async-part.ts';
import { OperatorChain } from './operator-chain.ts';
import { type RestoredState, StateRestore } from './state-restore.ts';
import { SubtaskCheckpoint } from './subtask-checkpoint.ts';
import type { TaskEnvironment } from './task-environment.ts';
import { TaskInput, type TaskInputHost } from './task-input.ts';
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
type Triggered = Pick<CheckpointBarrier, 'checkpointId' | 'triggeredAtUs' | 'options'>;
type TaskIdentity = Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>;

export class StreamTask {
  readonly #options: StreamTaskOptions;
  readonly #vertex: JobVertex;
  readonly #self: Target;
  readonly #outputs: TaskOutputs;
  readonly #input: TaskInput | undefined;
  readonly #source: LogSource | undefined;
  readonly #restore: StateRestore;
  readonly #checkpoint: SubtaskCheckpoint;
  readonly #mayEmit: () => boolean;
  #chain: OperatorChain | undefined;
  #state: ExecutionState = 'deploying';
  #continuing = false;
  #flushArmed = false;
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
      this.#input = new TaskInput({ environment, deployment, host: this.#inputHost() });
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
        if (this.#input?.partitionNotFound(message.channel, out) === false) this.fail('partition-not-found', out);
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
        // Row C14: makes good a completion whose notice was lost.
        this.#chain?.sink?.notifyComplete(checkpointId(message.latestCompletedId), out);
        return this.#aborted(message.checkpointId, nowUs, out);
      case 'acknowledge-confirmed':
        return this.#checkpoint.confirmed(message.checkpointId, out);
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
      this.#input?.handleTimer(timer, nowUs, out) === true ||
      this.#restore.handleTimer(timer, nowUs, out) ||
      this.#checkpoint.handleTimer(timer, nowUs, out) ||
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
    this.#input?.requestAll(out);
    this.#source?.start(out);
  }

  #buffer(message: BufferMessage, nowUs: Micros, out: Out): void {
    if (this.#input === undefined) return;
    if (!this.#input.enqueue(message)) return this.fail('out-of-sequence', out);
    this.#pump(nowUs, out);
  }

  /** The default action: one buffer, or one slice of a batch. Asks for the next turn if there is more. */
  #pump(nowUs: Micros, out: Out): void {
    if (this.#state !== 'running' || this.#continuing || !this.#outputs.isAvailable) return;
    if (this.#source !== undefined) this.#pumpSource(out);
    else this.#input?.advance(nowUs, out);
    this.#outputs.sendAll(out);
    const more = this.#source?.hasRecords === true || this.#input?.hasMore === true;
    if (!more || this.#state !== 'running' || !this.#outputs.isAvailable) return;
    this.#continuing = true;
    out.send(this.#self, { kind: 'continue' });
  }

  #pumpSource(out: Out): void {
    const head = this.#chain?.heads[0];
    if (this.#source === undefined || head === undefined) return;
    const emitted = this.#source.emit(SOURCE_RECORDS_PER_ACTION, head, this.#mayEmit, out);
    out.busy('record', emitted);
  }

  #inputHost(): TaskInputHost {
    const chain = (): OperatorChain => {
      assert(this.#chain !== undefined, 'input is read when the operators are there');
      return this.#chain;
    };
    return {
      get heads() {
        return chain().heads;
      },
      mayProcess: () => this.#outputs.isAvailable,
      checkpoint: (barrier, figures, nowUs, out) => {
        if (!this.#checkpoint.isNew(barrier.checkpointId)) return;
        this.#broadcastBarrier(barrier, out);
        this.#snapshot(barrier, figures, nowUs, out);
      },
      giveUp: (id, reason, out) => this.#giveUp(id, reason, out),
    };
  }

  #triggered(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    if (!this.#checkpoint.isNew(message.checkpointId)) return;
    if (this.#checkpoint.isAborted(message.checkpointId)) return this.#forwardAbort(message.checkpointId, out);
    out.report({ kind: 'trigger-received', ...this.#task(), checkpointId: message.checkpointId });
    if (this.#state !== 'running' || this.#source === undefined) {
      return this.#checkpoint.decline(message.checkpointId, 'checkpoint-declined-task-not-ready', out);
    }
    this.#broadcastBarrier(message, out);
    if (this.#options.environment.parts.sourcePositions === 'after-next-batch') this.#deferred = message;
    else this.#snapshotSource(message, nowUs, out);
  }

  /** The batch has come and was emitted, or there was none to come. */
  #snapshotDeferred(nowUs: Micros, out: Out): void {
    const deferred = this.#deferred;
    if (deferred === undefined) return;
    this.#deferred = undefined;
    this.#snapshotSource(deferred, nowUs, out);
  }

  #snapshotSource(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    const startDelayUs = Math.max(0, nowUs - message.triggeredAtUs);
    const figures = { startDelayUs, alignmentUs: 0, bytesProcessedDuringAlignment: 0, recordsInFlight: 0 };
    this.#snapshot(message, figures, nowUs, out);
  }

  /** Row B9: the barrier leaves before the snapshot is taken. */
  #broadcastBarrier({ checkpointId: id, triggeredAtUs, options }: Triggered, out: Out): void {
    this.#outputs.broadcastEvent({ kind: 'barrier', checkpointId: id, triggeredAtUs, options }, out);
    out.report({ kind: 'barrier-sent', ...this.#task(), checkpointId: id });
  }

  #snapshot({ checkpointId: id, options }: Triggered, figures: AlignmentFigures, nowUs: Micros, out: Out): void {
    const chain = this.#chain;
    assert(chain !== undefined && this.#state === 'running', 'only a running subtask takes a snapshot', { id });
    const { parts, waitsForSink } = takeSnapshot({
      chain,
      source: this.#source,
      sourceUid: this.#vertex.source?.uid,
      checkpointedOffset: this.#options.environment.parts.checkpointedOffset,
      checkpointId: id,
      options,
      out,
    });
    this.#checkpoint.start(id, { parts, waitsForSink, figures, location: options.location }, nowUs, out);
  }

  #aborted(id: CheckpointId, nowUs: Micros, out: Out): void {
    this.#checkpoint.abort(id);
    if (this.#deferred?.checkpointId === id) this.#deferred = undefined;
    if (this.#input?.abort(id) === true) this.#forwardAbort(id, out);
    this.#pump(nowUs, out);
  }

  /** Row B3. */
  #forwardAbort(id: CheckpointId, out: Out): void {
    this.#outputs.broadcastEvent({ kind: 'cancel-marker', checkpointId: id }, out);
  }

  /** This subtask will not take part: those behind it must not wait for its barrier (row B3). */
  #giveUp(id: CheckpointId, reason: CheckpointFailure, out: Out): void {
    this.#forwardAbort(id, out);
    this.#checkpoint.decline(id, reason, out);
  }

  #touches(peer: NodeId): boolean {
    return this.#input?.isFedBy(peer) === true || this.#outputs.reaches(peer) || this.#chain?.sink?.store === peer;
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

/**
 * One subtask as a mailbox: messages, timers and, in between, the default action that moves records (Flink: StreamTask,
 * MailboxProcessor).
 *
 * Owns: the life of an execution attempt and the order of its work. Does not own: deployment (task-manager), the steps of a
 * checkpoint (subtask-checkpoint), what is read and what a barrier means (task-input).
 * Invariants:
 *   I1 records, barriers and snapshots never interleave within one mailbox action (row G2);
 *   I2 no record is read while an output has no room (backpressure instead of memory growth, row B15);
 *   I3 after `failed`, `canceling`, `canceled` or `finished` nothing is processed, written or acknowledged;
 *   I4 what user code throws fails the subtask, and nothing else that is thrown does (decision 0020);
 *   I5 it finishes when its input has ended, its consumers have processed what it wrote, and a checkpoint taken behind the end is
 *      complete and committed (row C23).
 */
import { mayCarryChannelState, overtakes } from '../barrier/barrier-alignment.ts';
import { restoredChannels } from '../channel-state/channel-state-restore.ts';
import { LogSource } from '../connectors/log-source.ts';
import { decodeSinkTransactions, decodeSourceOffsets } from '../connectors/operator-state-rows.ts';
import { SplitReader } from '../connectors/split-reader.ts';
import type { Committable, SinkHost } from '../connectors/transactional-sink.ts';
import { assert } from '../foundation/assert.ts';
import {
  type CheckpointId,
  checkpointId,
  type ExecutionAttemptId,
  type LeaderEpoch,
  type NodeId,
  taskMailbox,
} from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { JobVertex } from '../job/job-graph.ts';
import { UserCode } from '../operators/user-code.ts';
import { WorkMeter } from '../operators/work-meter.ts';
import type { Input, Out, Target } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { isSynchronous, type SnapshotType } from '../protocol/checkpoint-options.ts';
import type { BufferMessage, EngineMessage, TriggerCheckpoint } from '../protocol/messages.ts';
import type { CheckpointBarrier, StopMode } from '../protocol/stream-elements.ts';
import type { ExecutionState, TaskDeployment, TaskFailure } from '../protocol/task.ts';
import type { AlignmentFigures } from './async-part.ts';
import { OperatorChain } from './operator-chain.ts';
import { type RestoredState, StateRestore } from './state-restore.ts';
import { SubtaskCheckpoint } from './subtask-checkpoint.ts';
import type { TaskEnvironment } from './task-environment.ts';
import { TaskEnding } from './task-ending.ts';
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

/** Nothing that arrives changes a subtask in these states. */
const HAS_ENDED: ReadonlySet<ExecutionState> = new Set(['failed', 'canceling', 'canceled']);

/** What a trigger and a barrier have in common. */
type Triggered = Pick<CheckpointBarrier, 'checkpointId' | 'triggeredAtUs' | 'options'>;
type TaskIdentity = Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>;

export class StreamTask {
  readonly #options: StreamTaskOptions;
  readonly #vertex: JobVertex;
  readonly #self: Target;
  readonly #outputs: TaskOutputs;
  readonly #input: TaskInput | undefined;
  readonly #source: LogSource | SplitReader | undefined;
  readonly #restore: StateRestore;
  readonly #checkpoint: SubtaskCheckpoint;
  readonly #mayEmit: () => boolean;
  readonly #work = new WorkMeter();
  readonly #ending: TaskEnding;
  #chain: OperatorChain | undefined;
  readonly #userCode = new UserCode();
  #state: ExecutionState = 'deploying';
  #failure: TaskFailure | undefined;
  #continuing = false;
  #flushArmed = false;
  /** With `sourcePositions: after-next-batch`: the trigger whose snapshot is still due. */
  #deferred: TriggerCheckpoint | undefined;
  /** It came while a record was stuck in the outputs (row B15). */
  #stuckTrigger: TriggerCheckpoint | undefined;

  constructor(options: StreamTaskOptions) {
    const { environment, deployment, epoch } = options;
    const { graph, configuration, node, services } = environment;
    const vertex = graph.vertices[deployment.vertex];
    assert(vertex !== undefined, 'a deployment names a vertex of the job', { vertex: deployment.vertex });
    this.#options = options;
    this.#vertex = vertex;
    this.#mayEmit = () => this.#outputs.isAvailable && !this.#work.isSpent;
    this.#self = { node, mailbox: taskMailbox(deployment.attempt), via: 'datagram' };
    this.#checkpoint = new SubtaskCheckpoint({
      environment,
      attempt: deployment.attempt,
      vertex: deployment.vertex,
      subtask: deployment.subtask,
      epoch,
      toJobManager: (message, out) => out.send(options.jobManager, message),
    });
    const { channelState } = this.#checkpoint;
    this.#outputs = new TaskOutputs({ environment, deployment, channelState, userCode: this.#userCode });
    if (deployment.inputs.length > 0) {
      this.#input = new TaskInput({ environment, deployment, host: this.#inputHost() });
    }
    if (vertex.source !== undefined) {
      const spec = vertex.source;
      const { parallelism } = vertex;
      const { requestTimeoutUs } = configuration.runtime;
      const common = { spec, parallelism, broker: services.log, requestTimeoutUs, firstRequestId: 1 };
      this.#source =
        spec.kind === 'log'
          ? new LogSource({ ...common, subtask: deployment.subtask })
          : new SplitReader({
              ...common,
              uid: spec.uid,
              attempt: deployment.attempt,
              epoch,
              toJobManager: (message, out) => out.send(options.jobManager, message),
              fail: (failure, out) => this.fail(failure, out),
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
    this.#ending = new TaskEnding(
      configuration.checkpoint.intervalUs > 0 && environment.parts.finalCheckpoint === 'wait',
    );
  }

  get state(): ExecutionState {
    return this.#state;
  }
  get failure(): TaskFailure | undefined {
    return this.#failure;
  }
  get attempt(): ExecutionAttemptId {
    return this.#options.deployment.attempt;
  }
  get slot(): number {
    return this.#options.deployment.slot;
  }

  /** All its input ended and its operators have finished. */
  get isDrained(): boolean {
    return this.#ending.isDrained;
  }

  /** Its operators did their last work before the checkpoint it is restored from (I8 in bugs.md). */
  get #hadFinished(): boolean {
    const { deployment, environment } = this.#options;
    return deployment.restore?.finished !== undefined && environment.parts.finishedOperators === 'remembered';
  }

  handle(input: Exclude<Input, { kind: 'started' }>, isAsync: boolean, nowUs: Micros, out: Out): void {
    if (this.#state === 'finished') return this.#afterFinish(input, out);
    if (this.#hasEnded) return;
    try {
      if (input.kind === 'timer') this.#timer(input.timer, isAsync, nowUs, out);
      else this.#message(input.message, { from: input.from, isAsync }, nowUs, out);
      this.#afterAction(out);
    } catch (thrown) {
      // Flink: StreamTask.invoke. The one place where user code is told from ours: a broken assumption of the engine goes on up.
      const failure = this.#userCode.failureOf(thrown);
      if (failure === undefined) throw thrown;
      this.fail(failure, out);
    }
  }

  /** Stops at once and without a report: the JobManager asked for it, or a new leader fences it off. */
  cancel(out: Out): void {
    if (this.#state === 'canceling' || this.#state === 'canceled' || this.#state === 'finished') return;
    this.#checkpoint.close();
    this.#moveTo('canceling', undefined, out);
  }

  /** Its mailbox has come to the end that `cancel` asked for; what has finished had come there before. */
  ended(out: Out): void {
    if (this.#state === 'finished') return;
    assert(this.#state === 'canceling', 'a subtask ends after it was cancelled', { state: this.#state });
    this.#moveTo('canceled', undefined, out);
  }

  fail(failure: TaskFailure, out: Out): void {
    if (this.#hasEnded) return;
    this.#checkpoint.close();
    this.#failure = failure;
    this.#moveTo('failed', failure, out);
  }

  get #hasEnded(): boolean {
    return HAS_ENDED.has(this.#state);
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
        this.#outputsMoved(nowUs, out);
        return this.#pump(nowUs, out);
      case 'new-buffer-size':
        return this.#outputs.resizeBuffers(message);
      case 'all-records-processed':
        return this.#outputs.allRecordsProcessed(message);
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
        // It was acknowledged, then.
        this.#checkpoint.confirmed(message.checkpointId, out);
        this.#ending.completed(message.checkpointId);
        return this.#chain?.sink?.notifyComplete(message.checkpointId, out);
      case 'notify-checkpoint-aborted':
        // Row C14: makes good a completion whose notice was lost.
        this.#ending.completed(checkpointId(message.latestCompletedId));
        this.#chain?.sink?.notifyComplete(checkpointId(message.latestCompletedId), out);
        return this.#aborted(message.checkpointId, nowUs, out);
      case 'acknowledge-confirmed':
        return this.#checkpoint.confirmed(message.checkpointId, out);
      case 'start-async-part':
        return this.#checkpoint.startAsyncPart(message.checkpointId, nowUs, out);
      case 'write-async-part':
        return this.#checkpoint.writeAsyncPart(message.checkpointId, nowUs, out);
      case 'write-channel-state':
        return this.#checkpoint.writeChannelState(message.checkpointId, nowUs, out);
      case 'storage-reply':
        return at.isAsync
          ? this.#checkpoint.handleReply(message, nowUs, out)
          : this.#restore.handleReply(message, nowUs, out);
      case 'log-records':
        this.#source?.handleReply(message, nowUs, out);
        this.#pump(nowUs, out);
        return this.#snapshotDeferred(nowUs, out);
      case 'operator-event':
      case 'operator-event-acknowledged':
        if (this.#source instanceof SplitReader) this.#source.handleEvent(message, nowUs, out);
        return;
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
      this.#outputs.handleTimer(timer, out) ||
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
    out.busy('nanosecond', this.#work.take());
    if (this.#ending.isReleased) this.#tryFinish(out);
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
    if (deployment.restore?.finished === 'task') return this.#run(out);
    const bytesOf = (operator: string, kind: 'keyed' | 'operator'): readonly Uint8Array[] =>
      states.filter(({ handle }) => handle.operator === operator && handle.state === kind).map(({ bytes }) => bytes);
    this.#chain = new OperatorChain({
      environment,
      vertex: this.#vertex,
      subtask: deployment.subtask,
      attempt: deployment.attempt,
      tail: this.#outputs,
      userCode: this.#userCode,
      sinkHost: this.#sinkHost(),
      work: this.#work,
      keyedStateOf: (operator) => bytesOf(operator, 'keyed'),
    });
    this.#outputs.recover(restoredChannels(states, 'output-channel'));
    this.#input?.recover(restoredChannels(states, 'input-channel'));
    const sourceUid = this.#vertex.source?.uid;
    const sourceState = sourceUid === undefined ? [] : bytesOf(sourceUid, 'operator');
    if (this.#source instanceof SplitReader) this.#source.restore(sourceState);
    else this.#source?.restore(sourceState.flatMap(decodeSourceOffsets));
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
    // Row C22: restored as finished, it has nothing to read and no operators; it only says so to those behind it.
    if (this.#chain !== undefined) this.#source?.start(out);
    else if (this.#source !== undefined) this.#endOfData('drain', out);
    if (this.#input?.hasMore === true) this.#continue(out);
  }

  #continue(out: Out): void {
    this.#continuing = true;
    out.send(this.#self, { kind: 'continue' });
  }

  #buffer(message: BufferMessage, nowUs: Micros, out: Out): void {
    if (this.#input === undefined) return;
    if (!this.#input.enqueue(message, nowUs, out)) return this.fail('out-of-sequence', out);
    this.#pump(nowUs, out);
  }

  /** The default action: one buffer, or one slice of a batch. Asks for the next turn if there is more. */
  #pump(nowUs: Micros, out: Out): void {
    if (this.#state !== 'running' || this.#continuing || !this.#outputs.isAvailable) return;
    if (this.#source !== undefined) this.#pumpSource(out);
    else this.#input?.advance(nowUs, out);
    this.#outputs.sendAll(out);
    const more = this.#source?.hasRecords === true || this.#input?.hasMore === true;
    if (!more || this.#state !== 'running' || !this.#outputs.isAvailable) return this.#input?.pause();
    this.#continue(out);
  }

  #pumpSource(out: Out): void {
    const head = this.#chain?.heads[0];
    if (this.#source === undefined || head === undefined) return;
    const emitted = this.#source.emit(SOURCE_RECORDS_PER_ACTION, head, this.#mayEmit, out);
    out.busy('record', emitted);
    if (this.#source.isExhausted && this.#ending.mode === undefined) this.#endOfData('drain', out);
  }

  /**
   * Rows C23, C28 (Flink: StreamTask.endData): no record comes any more. Operators do their last work, unless the job only stops here, or
   * they had done it before the checkpoint this subtask is restored from.
   */
  #endOfData(mode: StopMode, out: Out): void {
    const { deployment, environment, jobManager, epoch } = this.#options;
    const { configuration } = environment;
    this.#ending.reached(mode);
    if (mode === 'drain') {
      if (!this.#hadFinished) out.busy('key', this.#chain?.finish() ?? 0);
      this.#chain?.sink?.endInput(configuration.checkpoint.intervalUs > 0, out);
      out.send(jobManager, { kind: 'end-of-data', epoch, attempt: deployment.attempt });
    }
    out.report({ kind: 'end-of-data-reached', ...this.#task(), mode });
    this.#outputs.broadcastEvent({ kind: 'end-of-data', mode }, out);
  }

  /** I4. */
  #tryFinish(out: Out): void {
    if (this.#state !== 'running' || this.#input?.isFinished === false) return;
    if (!this.#outputs.isProcessed || this.#checkpoint.isBusy || this.#chain?.sink?.isSettled === false) return;
    this.#outputs.broadcastEvent({ kind: 'end-of-partition' }, out);
    this.#checkpoint.close();
    this.#moveTo('finished', undefined, out);
  }

  /** Row C21: a trigger that was under way comes too late, and its checkpoint would wait in vain. */
  #afterFinish(input: Exclude<Input, { kind: 'started' }>, out: Out): void {
    if (input.kind !== 'message' || input.message.kind !== 'trigger-checkpoint') return;
    this.#checkpoint.decline(input.message.checkpointId, 'checkpoint-declined-task-closing', out);
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
      isStuck: () => this.#outputs.isStuck,
      mayProcess: this.#mayEmit,
      openChannelState: (id, out) =>
        this.#checkpoint.openChannelState(id, out) ? this.#checkpoint.channelState : undefined,
      inputComplete: (id, figures, out) => this.#checkpoint.inputComplete(id, figures, out),
      checkpoint: (barrier, figures, nowUs, out) => {
        if (!this.#checkpoint.isNew(barrier.checkpointId)) return;
        this.#broadcastBarrier(barrier, nowUs, out);
        this.#snapshot(barrier, figures, nowUs, out);
      },
      endOfData: (mode, out) => this.#endOfData(mode, out),
      giveUp: (id, reason, out) => this.#giveUp(id, reason, out),
    };
  }

  #triggered(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    if (!this.#checkpoint.isNew(message.checkpointId)) return;
    if (this.#checkpoint.isAborted(message.checkpointId)) return this.#forwardAbort(message.checkpointId, out);
    out.report({ kind: 'trigger-received', ...this.#task(), checkpointId: message.checkpointId });
    if (this.#state !== 'running') {
      return this.#checkpoint.decline(message.checkpointId, 'checkpoint-declined-task-not-ready', out);
    }
    if (this.#ending.mustFailBefore(message.checkpointId)) return this.fail('synchronous-savepoint-failed', out);
    if (this.#outputs.isStuck) {
      this.#stuckTrigger = message;
      return;
    }
    if (this.#source === undefined) {
      const { checkpointId: id, triggeredAtUs, options } = message;
      return this.#input?.trigger({ kind: 'barrier', checkpointId: id, triggeredAtUs, options }, nowUs, out);
    }
    this.#stopSource(message.options.snapshot, out);
    this.#broadcastBarrier(message, nowUs, out);
    if (this.#options.environment.parts.sourcePositions === 'after-next-batch') this.#deferred = message;
    else this.#snapshotSource(message, nowUs, out);
  }

  /** Row B15: what had to wait until the record in progress was through. */
  #outputsMoved(nowUs: Micros, out: Out): void {
    this.#input?.outputsMoved(nowUs, out);
    const trigger = this.#stuckTrigger;
    if (trigger === undefined || this.#outputs.isStuck) return;
    this.#stuckTrigger = undefined;
    this.#triggered(trigger, nowUs, out);
  }

  /** Row C28: with stop-with-savepoint the barrier is the last thing a source says. */
  #stopSource(snapshot: SnapshotType, out: Out): void {
    if (!isSynchronous(snapshot) || this.#ending.mode !== undefined) return;
    this.#source?.stop();
    this.#endOfData(snapshot === 'terminate-savepoint' ? 'drain' : 'no-drain', out);
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
    const unaligned = overtakes(message.options);
    const figures = { startDelayUs, alignmentUs: 0, bytesProcessedDuringAlignment: 0, recordsInFlight: 0, unaligned };
    this.#snapshot(message, figures, nowUs, out);
    this.#checkpoint.inputComplete(message.checkpointId, figures, out);
  }

  /** Row B9: the barrier leaves before the snapshot is taken. */
  #broadcastBarrier({ checkpointId: id, triggeredAtUs, options }: Triggered, nowUs: Micros, out: Out): void {
    if (mayCarryChannelState(options)) this.#checkpoint.openChannelState(id, out);
    this.#outputs.broadcastBarrier({ kind: 'barrier', checkpointId: id, triggeredAtUs, options }, nowUs, out);
    out.report({ kind: 'barrier-sent', ...this.#task(), checkpointId: id });
  }

  #snapshot({ checkpointId: id, options }: Triggered, figures: AlignmentFigures, nowUs: Micros, out: Out): void {
    const chain = this.#chain;
    assert(this.#state === 'running', 'only a running subtask takes a snapshot', { id });
    this.#ending.snapshotTaken(id, options.snapshot);
    if (chain === undefined) {
      return this.#checkpoint.start(id, { parts: [], waitsForSink: false, figures, finished: 'task' }, nowUs, out);
    }
    const { parts, waitsForSink } = takeSnapshot({
      chain,
      source: this.#source,
      sourceUid: this.#vertex.source?.uid,
      checkpointedOffset: this.#options.environment.parts.checkpointedOffset,
      checkpointId: id,
      options,
      out,
    });
    // What was finished before the restored checkpoint stays so, even if the end of data has not come again yet.
    const finished = this.#ending.isDrained || this.#hadFinished ? ({ finished: 'operators' } as const) : {};
    const { location } = options;
    this.#checkpoint.start(id, { parts, waitsForSink, figures, location, ...finished }, nowUs, out);
  }

  #aborted(id: CheckpointId, nowUs: Micros, out: Out): void {
    if (this.#ending.mustFailAfterAbort(id)) return this.fail('synchronous-savepoint-failed', out);
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
    if (this.#ending.mustFailAfterAbort(id)) return this.fail('synchronous-savepoint-failed', out);
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
    if (state === 'running' || state === 'failed' || state === 'finished') {
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

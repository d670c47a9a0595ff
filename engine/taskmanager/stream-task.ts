/**
 * One subtask as a mailbox: messages, timers and, in between, the default action that moves records (Flink: StreamTask,
 * MailboxProcessor).
 *
 * Owns: the life of an execution attempt and the order of its work. Does not own: deployment (task-manager), its part in checkpoints
 * (task-checkpointing, subtask-checkpoint), what is read and what a barrier means (task-input).
 * Invariants:
 *   I1 records, barriers and snapshots never interleave within one mailbox action (row G2);
 *   I2 no record is read while an output has no room (backpressure instead of memory growth, row B15);
 *   I3 after `failed`, `canceling`, `canceled` or `finished` nothing is processed, written or acknowledged;
 *   I4 what user code throws fails the subtask, and so does state that cannot be read, and nothing else that is thrown (decision 0020);
 *   I5 it finishes when its input has ended, its consumers have processed what it wrote, and a checkpoint taken behind the end is
 *      complete and committed (row C23).
 */
import { openSource } from '../connectors/open-source.ts';
import type { SinkTask } from '../connectors/sink/sink-task.ts';
import type { SourceReader } from '../connectors/source-reader.ts';
import { assert } from '../foundation/assert.ts';
import { type ExecutionAttemptId, type LeaderEpoch, type NodeId, taskMailbox } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { JobVertex } from '../job/job-graph.ts';
import { UserCode } from '../operators/user-code.ts';
import { WorkMeter } from '../operators/work-meter.ts';
import type { Input, Out, Target } from '../protocol/actor.ts';
import type { BufferMessage, EngineMessage } from '../protocol/messages.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { StopMode } from '../protocol/stream-elements.ts';
import type { ExecutionState, TaskDeployment, TaskFailure, WhyFailed } from '../protocol/task.ts';
import type { OperatorChain } from './operator-chain.ts';
import { sinkHostOf } from './sink-host.ts';
import { type RestoredState, StateRestore } from './state-restore.ts';
import { SubtaskCheckpoint } from './subtask-checkpoint.ts';
import { type CheckpointingHost, TaskCheckpointing } from './task-checkpointing.ts';
import type { TaskEnvironment } from './task-environment.ts';
import { TaskEnding } from './task-ending.ts';
import { TaskInput, type TaskInputHost } from './task-input.ts';
import { TaskOutputs } from './task-outputs.ts';
import { restoreTask } from './task-restore.ts';
import { taskStorage } from './task-storage.ts';
import { TaskTime } from './task-time.ts';
import { thrownFailure } from './thrown-failure.ts';
import { removeWorkingDirectory } from './working-directory.ts';

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

export class StreamTask {
  readonly #options: StreamTaskOptions;
  readonly #vertex: JobVertex;
  readonly #self: Target;
  readonly #task: Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>;
  readonly #outputs: TaskOutputs;
  readonly #input: TaskInput | undefined;
  readonly #source: SourceReader | undefined;
  readonly #restore: StateRestore;
  readonly #checkpoint: SubtaskCheckpoint;
  readonly #checkpointing: TaskCheckpointing;
  readonly #mayEmit = (): boolean => this.#isAvailable && !this.#work.isSpent;
  readonly #work = new WorkMeter();
  readonly #ending: TaskEnding;
  readonly #clock = { nowUs: 0 };
  readonly #time: TaskTime;
  /** Its operators did their last work before the checkpoint it is restored from (I8 in bugs.md). */
  readonly #hadFinished: boolean;
  #chain: OperatorChain | undefined;
  /** Of a sink that lets input wait. */
  #sinkGate: SinkTask['gate'];
  readonly #userCode = new UserCode();
  #state: ExecutionState = 'deploying';
  #why: WhyFailed = {};
  #continuing = false;

  constructor(options: StreamTaskOptions) {
    const { environment, deployment, epoch } = options;
    const { graph, configuration, node, parts, services } = environment;
    const { attempt, subtask } = deployment;
    const { requestTimeoutUs } = configuration.runtime;
    const vertex = graph.vertices[deployment.vertex];
    assert(vertex !== undefined, 'a deployment names a vertex of the job', { vertex: deployment.vertex });
    const toJobManager = (message: EngineMessage, out: Out): void => out.send(options.jobManager, message);
    const fail = (failure: TaskFailure, out: Out): void => this.fail(failure, out);
    this.#options = options;
    this.#vertex = vertex;
    this.#hadFinished = deployment.restore?.finished !== undefined && parts.finishedOperators === 'remembered';
    this.#self = { node, mailbox: taskMailbox(attempt), via: 'datagram' };
    this.#ending = new TaskEnding(configuration.checkpoint.intervalUs > 0 && parts.finalCheckpoint === 'wait');
    this.#task = { attempt, vertex: deployment.vertex, subtask };
    this.#checkpoint = new SubtaskCheckpoint({ environment, ...deployment, epoch, toJobManager, fail });
    const { channelState } = this.#checkpoint;
    this.#outputs = new TaskOutputs({ environment, deployment, channelState, userCode: this.#userCode });
    this.#time = new TaskTime({
      clock: this.#clock,
      broadcast: (event, out) => this.#outputs.broadcastEvent(event, out),
      mayEmit: this.#mayEmit,
      armsRestored: parts.restoredTimers === 'armed',
    });
    if (vertex.source !== undefined) {
      const { source: spec, parallelism } = vertex;
      const place = { uid: spec.uid, parallelism, subtask, attempt, epoch, broker: services.log, parts };
      const { restore } = deployment;
      const log = { requestTimeoutUs, firstRequestId: 1 };
      const openStorage = (): CheckpointStorage => taskStorage(environment, attempt, 'source-file');
      this.#source = openSource({ spec, ...place, ...log, restore, openStorage, toJobManager, fail });
    }
    this.#checkpointing = new TaskCheckpointing({
      environment,
      deployment,
      host: this.#checkpointingHost(),
      source: this.#source,
      outputs: this.#outputs,
      checkpoint: this.#checkpoint,
      ending: this.#ending,
      hadFinished: this.#hadFinished,
    });
    if (deployment.inputs.length > 0) {
      this.#input = new TaskInput({ environment, deployment, host: this.#inputHost() });
    }
    this.#restore = new StateRestore({
      local: this.#checkpoint.local,
      host: { restored: (states, _nowUs, out) => this.#restored(states, out), fail },
      storage: taskStorage(environment, attempt, 'get'),
      requestTimeoutUs,
    });
  }

  get state(): ExecutionState {
    return this.#state;
  }
  get why(): WhyFailed {
    return this.#why;
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

  handle(input: Exclude<Input, { kind: 'started' }>, isAsync: boolean, nowUs: Micros, out: Out): void {
    if (this.#state === 'finished') return this.#afterFinish(input, out);
    if (this.#hasEnded) return;
    const before = this.#state;
    this.#clock.nowUs = nowUs;
    try {
      if (isAsync) this.#checkpoint.handle(input, nowUs, out);
      else if (input.kind === 'timer') this.#timer(input.timer, nowUs, out);
      else this.#message(input.message, input.from, nowUs, out);
      this.#afterAction(nowUs, out);
    } catch (thrown) {
      const found = thrownFailure(thrown, this.#userCode, this.#task);
      if (found === undefined) throw thrown;
      if (found.event !== undefined) out.report(found.event);
      this.fail(found.failure, out, found.reason === undefined ? {} : { reason: found.reason });
    }
    if (this.#state !== before && this.#isOver) removeWorkingDirectory(this.#options.environment, this.attempt);
  }

  /** Stops at once and without a report: the JobManager asked for it, or a new leader fences it off. */
  cancel(out: Out): void {
    if (this.#state === 'canceling' || this.#state === 'canceled' || this.#state === 'finished') return;
    this.#checkpoint.close();
    removeWorkingDirectory(this.#options.environment, this.attempt);
    this.#moveTo('canceling', out);
  }

  /** Its mailbox has come to the end that `cancel` asked for; what has finished had come there before. */
  ended(out: Out): void {
    if (this.#state === 'finished') return;
    assert(this.#state === 'canceling', 'a subtask ends after it was cancelled', { state: this.#state });
    this.#moveTo('canceled', out);
  }

  fail(failure: TaskFailure, out: Out, more: Omit<WhyFailed, 'failure'> = {}): void {
    if (this.#hasEnded) return;
    this.#checkpoint.close();
    this.#why = { failure, ...more };
    this.#moveTo('failed', out);
  }

  /** There is room for what the next record may make (I2). */
  get #isAvailable(): boolean {
    return this.#outputs.isAvailable && this.#sinkGate?.isAvailable !== false;
  }

  get #hasEnded(): boolean {
    return HAS_ENDED.has(this.#state);
  }

  get #isOver(): boolean {
    return this.#hasEnded || this.#state === 'finished';
  }

  #message(message: EngineMessage, from: NodeId, nowUs: Micros, out: Out): void {
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
        this.#input?.outputsMoved(nowUs, out);
        this.#checkpointing.outputsMoved(nowUs, out);
        return this.#pump(nowUs, out);
      case 'new-buffer-size':
        return this.#outputs.resizeBuffers(message);
      case 'all-records-processed':
        return this.#outputs.allRecordsProcessed(message);
      case 'partition-request':
        return this.#outputs.connect(message, from, out);
      case 'partition-not-found':
        if (this.#input?.partitionNotFound(message.channel, out) === false)
          this.fail('partition-not-found', out, this.#input.gate.unreachable(message.channel));
        return;
      case 'connection-lost':
        if (this.#loses(message.peer)) this.fail('connection-lost', out, this.#input?.gate.unreachable(message.peer));
        return;
      case 'trigger-checkpoint':
        return this.#checkpointing.trigger(message, nowUs, out);
      case 'notify-checkpoint-complete':
        this.#options.environment.fileMerging?.retained(message.oldestRetainedId ?? 0, out);
        return this.#checkpointing.completed(message.checkpointId, out);
      case 'notify-checkpoint-aborted':
        this.#checkpointing.aborted(message.checkpointId, message.latestCompletedId, out);
        return this.#pump(nowUs, out);
      case 'acknowledge-confirmed':
        return this.#checkpoint.confirmed(message.checkpointId, out);
      case 'log-records':
      case 'operator-event':
      case 'operator-event-acknowledged':
        this.#source?.handleMessage(message, nowUs, out);
        this.#pump(nowUs, out);
        return this.#checkpointing.sourceMoved(nowUs, out);
      case 'sink-reply':
      case 'kafka-reply':
      case 'rocketmq-check':
      case 'storage-reply':
        if (message.kind === 'storage-reply') {
          this.#restore.handleReply(message, nowUs, out);
          this.#source?.handleMessage(message, nowUs, out);
        }
        this.#chain?.sink?.handleReply(message, nowUs, out);
        if (this.#sinkGate !== undefined || this.#source?.hasRecords === true) this.#pump(nowUs, out);
        return;
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a subtask' });
    }
  }

  #timer(timer: string, nowUs: Micros, out: Out): void {
    if (this.#outputs.flushTimer(timer, out) || this.#time.handleTimer(timer)) return this.#pump(nowUs, out);
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
  #afterAction(nowUs: Micros, out: Out): void {
    if (this.#state === 'running') this.#time.afterAction(nowUs, out);
    if (this.#source?.markers !== undefined) this.#checkpointing.atMarker(nowUs, out);
    // A watermark, or a timer that is due, is interrupted.
    if (this.#time.isBusy && this.#state === 'running' && !this.#continuing && this.#isAvailable) this.#continue(out);
    this.#chain?.sink?.sendBatches(out);
    this.#checkpoint.changelog.afterAction(out);
    out.busy('nanosecond', this.#work.take());
    this.#work.chargeStore(out);
    out.busy('key', this.#work.takeKeys());
    if (this.#ending.isReleased) this.#tryFinish(out);
    this.#outputs.armFlush(out);
  }

  #start(nowUs: Micros, out: Out): void {
    this.#moveTo('initializing', out);
    this.#restore.start(this.#options.deployment.restore, nowUs, out);
  }

  #restored(all: readonly RestoredState[], out: Out): void {
    const { environment, deployment } = this.#options;
    if (deployment.restore?.finished === 'task') return this.#run(out);
    const { chain, sinkState } = restoreTask({
      states: all,
      takenOver: deployment.restore?.takenOver?.length ?? 0,
      isRestored: deployment.restore !== undefined,
      environment,
      vertex: this.#vertex,
      subtask: deployment.subtask,
      attempt: deployment.attempt,
      highestParallelism: deployment.scale?.highestParallelism ?? this.#vertex.parallelism,
      tail: this.#outputs,
      input: this.#input,
      source: this.#source,
      userCode: this.#userCode,
      sinkHost: sinkHostOf({
        task: this.#task,
        checkpoint: this.#checkpoint,
        initialized: (lateOut) => this.#run(lateOut),
        fail: (failure, lateOut) => this.fail(failure, lateOut),
      }),
      work: this.#work,
      clock: this.#clock,
    });
    this.#chain = chain;
    this.#time.operators(chain, this.#source);
    this.#sinkGate = chain.sink?.gate;
    if (deployment.restore !== undefined) {
      out.report({ kind: 'task-restored', ...this.#task, checkpointId: deployment.restore.checkpointId });
    }
    if (chain.sink === undefined) return this.#run(out);
    chain.sink.initialize(sinkState, deployment.restore?.checkpointId ?? 0, out);
  }

  #run(out: Out): void {
    this.#moveTo('running', out);
    // A consumer that asked while this subtask restored has given its credit already, and restored output may fill the pool: without
    // this nobody would send it, and nothing more be processed (row B18).
    if (this.#options.environment.parts.restoredOutput === 'sent-at-once') this.#outputs.sendAll(out);
    this.#input?.requestAll(out);
    this.#checkpoint.changelog.start(this.#chain?.keyed ?? [], this.#vertex.parallelism, out);
    // Row C22: restored as finished, it has nothing to read and no operators; it only says so to those behind it.
    this.#source?.start(out);
    if (this.#chain === undefined && this.#source !== undefined) this.#endOfData('drain', out);
    if (this.#input?.hasMore === true || this.#source?.isExhausted === true) this.#continue(out);
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
    if (this.#state !== 'running' || this.#continuing || !this.#isAvailable) return;
    if (this.#time.isBusy) this.#time.proceed(out);
    else if (this.#source !== undefined) this.#pumpSource(out);
    else this.#input?.advance(nowUs, out);
    this.#outputs.sendAll(out);
    const more = this.#time.isBusy || this.#source?.hasRecords === true || this.#input?.hasMore === true;
    if (!more || this.#state !== 'running' || !this.#isAvailable) return this.#input?.pause();
    this.#continue(out);
  }

  #pumpSource(out: Out): void {
    const head = this.#chain?.heads[0];
    if (this.#source === undefined || head === undefined) return;
    this.#time.startSplit();
    const emitted = this.#source.emit(SOURCE_RECORDS_PER_ACTION, head, this.#mayEmit, out);
    assert(emitted === 0 || this.#ending.mode === undefined, 'no record follows the end of the data');
    out.busy('record', emitted);
    if (this.#source.isExhausted && !this.#time.isBusy && this.#ending.mode === undefined)
      this.#endOfData('drain', out);
  }

  /**
   * Rows C23, C28 (Flink: StreamTask.endData): no record comes any more. Operators do their last work, unless the job only stops here, or
   * they had done it before the checkpoint this subtask is restored from.
   */
  #endOfData(mode: StopMode, out: Out): void {
    if (mode === 'no-drain' || this.#options.environment.graph.usesEventTime !== true) return this.#ended(mode, out);
    this.#time.end((endOut) => this.#ended(mode, endOut), out);
  }

  #ended(mode: StopMode, out: Out): void {
    const { deployment, environment, jobManager, epoch } = this.#options;
    const { configuration } = environment;
    this.#ending.reached(mode);
    if (mode === 'drain') {
      if (!this.#hadFinished) out.busy('key', this.#chain?.finish() ?? 0);
      this.#chain?.sink?.endInput(configuration.checkpoint.intervalUs > 0, out);
      out.send(jobManager, { kind: 'end-of-data', epoch, attempt: deployment.attempt });
    }
    out.report({ kind: 'end-of-data-reached', ...this.#task, mode });
    this.#outputs.broadcastEvent({ kind: 'end-of-data', mode }, out);
  }

  /** I5. */
  #tryFinish(out: Out): void {
    if (this.#state !== 'running' || this.#input?.isFinished === false || this.#source?.isHeard === false) return;
    if (!this.#outputs.isProcessed || this.#checkpoint.isBusy || this.#chain?.sink?.isSettled === false) return;
    this.#outputs.broadcastEvent({ kind: 'end-of-partition' }, out);
    this.#checkpoint.close();
    this.#moveTo('finished', out);
  }

  /** Row C21: a trigger that was under way comes too late, and its checkpoint would wait in vain. */
  #afterFinish(input: Exclude<Input, { kind: 'started' }>, out: Out): void {
    if (input.kind !== 'message' || input.message.kind !== 'trigger-checkpoint') return;
    this.#checkpoint.decline(input.message.checkpointId, 'checkpoint-declined-task-closing', out);
  }

  #inputHost(): TaskInputHost {
    return {
      heads: () => {
        assert(this.#chain !== undefined, 'input is read when the operators are there');
        return this.#chain.heads;
      },
      isStuck: () => this.#outputs.isStuck,
      mayProcess: this.#mayEmit,
      openChannelState: (id, out) =>
        this.#checkpoint.openChannelState(id, out) ? this.#checkpoint.channelState : undefined,
      inputComplete: (id, figures, out) => this.#checkpoint.inputComplete(id, figures, out),
      checkpoint: (barrier, figures, nowUs, out) => this.#checkpointing.barriersComplete(barrier, figures, nowUs, out),
      time: (news, out) => this.#time.news(news, out),
      endOfData: (mode, out) => this.#endOfData(mode, out),
      giveUp: (id, reason, out) => this.#checkpointing.giveUp(id, reason, out),
    };
  }

  #checkpointingHost(): CheckpointingHost {
    return {
      isRunning: () => this.#state === 'running',
      chain: () => this.#chain,
      input: () => this.#input,
      endOfData: (mode, out) => this.#endOfData(mode, out),
      fail: (failure, out) => this.fail(failure, out),
    };
  }

  #loses(peer: NodeId): boolean {
    return (
      this.#outputs.loses(peer) ||
      this.#input?.gate.isFedBy(peer) === true ||
      this.#chain?.sink?.keepsConnectionTo(peer) === true
    );
  }

  #moveTo(state: ExecutionState, out: Out): void {
    this.#state = state;
    const { jobManager, deployment, epoch, incarnation } = this.#options;
    const why = state === 'failed' ? this.#why : {};
    out.report({ kind: 'task-state', ...this.#task, state, ...why });
    if (state === 'running' || state === 'failed' || state === 'finished') {
      out.send(jobManager, { kind: 'task-state', epoch, incarnation, attempt: deployment.attempt, state, ...why });
    }
  }
}

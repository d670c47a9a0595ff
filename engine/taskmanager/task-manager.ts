/**
 * The TaskManager actor: a process with slots that runs subtasks for the leading JobManager (Flink: TaskExecutor).
 *
 * Owns: which subtasks exist here, which leader is followed. Does not own: what a subtask does (stream-task).
 * Invariants:
 *   I1 only the highest leader epoch seen is obeyed; subtasks of an older one are fenced off when a newer shows up (rows F15, G6);
 *   I2 a failed or finished attempt stays listed until the JobManager cancels it, so that a lost report is found by the next heartbeat;
 *   I3 without a heartbeat from the leader for the time-out, all subtasks end (row F19);
 *   I4 a cancelled subtask has ended when its own mailbox says so, not before: until then it is listed and its slot is not used again. If
 *      it does not end in time, the process does (row F10; Flink: TaskCancelerWatchDog).
 */
import { assert } from '../foundation/assert.ts';
import {
  attemptOfMailbox,
  type ExecutionAttemptId,
  FILE_MERGING_MAILBOX,
  type LeaderEpoch,
  leaderEpoch,
  MAIN_MAILBOX,
  taskMailbox,
} from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Actor, Input, Out, Target } from '../protocol/actor.ts';
import type { EngineMessage, ListedExecution } from '../protocol/messages.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import { FileMergingManager } from './file-merging/file-merging-manager.ts';
import { beginLocalState, clearSlot } from './local-state-store.ts';
import { StreamTask } from './stream-task.ts';
import { deployedEnvironment, type TaskEnvironment } from './task-environment.ts';
import { beginWorkingDirectories } from './working-directory.ts';
import { probe } from '../protocol/probes.ts';

const JOBMANAGER_TIMEOUT = 'jobmanager-timeout';
const CANCELLATION_WATCHDOG = 'cancellation-watchdog';

export class TaskManager implements Actor {
  readonly #environment: TaskEnvironment;
  readonly #incarnation: number;
  /** Row S19. Absent: nothing is merged. */
  readonly #fileMerging: FileMergingManager | undefined;
  readonly #tasks = new Map<ExecutionAttemptId, StreamTask>();
  /** Attempts cancelled under this leader: a deployment of one that comes late or twice is void. */
  readonly #canceled = new Set<ExecutionAttemptId>();
  /** By attempt that is being cancelled: when it must have ended. */
  readonly #endsByUs = new Map<ExecutionAttemptId, number>();
  #epoch: LeaderEpoch = leaderEpoch(0);
  #jobManager: Target | undefined;

  constructor(environment: TaskEnvironment, incarnation: number) {
    const { fileMerging: merging } = environment.configuration.checkpoint;
    const running = (): readonly ExecutionAttemptId[] => this.#running();
    this.#fileMerging =
      merging === undefined ? undefined : new FileMergingManager({ environment, merging, incarnation, running });
    this.#environment =
      this.#fileMerging === undefined ? environment : { ...environment, fileMerging: this.#fileMerging };
    this.#incarnation = incarnation;
    beginLocalState(environment);
    beginWorkingDirectories(environment);
  }

  handle(input: Input, nowUs: Micros, out: Out): void {
    if (input.kind === 'started') return;
    if (input.mailbox === FILE_MERGING_MAILBOX) return this.#fileMerging?.handle(input, nowUs, out);
    if (input.mailbox !== MAIN_MAILBOX) return this.#forTask(input, nowUs, out);
    if (input.kind === 'message') {
      const from: Target = { node: input.from, mailbox: input.fromMailbox, via: 'datagram' };
      return this.#message(input.message, from, nowUs, out);
    }
    if (input.timer === CANCELLATION_WATCHDOG) return this.#watch(nowUs, out);
    assert(input.timer === JOBMANAGER_TIMEOUT, 'the timers of the main mailbox are watchdog and heartbeat time-out', {
      timer: input.timer,
    });
    probe(out, 'taskmanager-lost-jobmanager');
    this.#endAll(nowUs, out);
  }

  #running(): readonly ExecutionAttemptId[] {
    const attempts: ExecutionAttemptId[] = [];
    for (const { attempt, state } of this.#tasks.values()) if (state === 'running') attempts.push(attempt);
    return attempts;
  }

  #forTask(input: Exclude<Input, { kind: 'started' }>, nowUs: Micros, out: Out): void {
    const attempt = attemptOfMailbox(input.mailbox);
    const task = attempt === undefined ? undefined : this.#tasks.get(attempt);
    if (input.kind === 'message' && this.#isFenced(input.message)) {
      return out.report({ kind: 'message-discarded', message: input.message.kind, why: 'of an older leader' });
    }
    if (task !== undefined && input.kind === 'message' && input.message.kind === 'task-end')
      return this.#ended(task, out);
    if (task !== undefined)
      return task.handle(input, input.mailbox !== taskMailbox(attempt as ExecutionAttemptId), nowUs, out);
    if (input.kind === 'timer') return;
    const { message } = input;
    if (message.kind === 'partition-request') {
      const consumer: Target = { node: input.from, mailbox: input.fromMailbox, via: 'connection' };
      return out.send(consumer, { kind: 'partition-not-found', producer: message.producer, channel: message.channel });
    }
    out.report({ kind: 'message-discarded', message: message.kind, why: 'for a subtask that is not here' });
  }

  #message(message: EngineMessage, from: Target, nowUs: Micros, out: Out): void {
    switch (message.kind) {
      case 'heartbeat-request':
        if (this.#follow(message.epoch, from, nowUs, out)) this.#answerHeartbeat(from, out);
        return;
      case 'deploy-task':
        if (message.incarnation !== this.#incarnation) return probe(out, 'deployment-outlived-process');
        if (this.#follow(message.epoch, from, nowUs, out)) this.#deploy(message.deployment, message.epoch, out);
        return;
      case 'cancel-task':
        if (this.#follow(message.epoch, from, nowUs, out)) this.#cancel(message.attempt, nowUs, out);
        return;
      case 'connection-lost':
        for (const attempt of this.#tasks.keys()) {
          out.send({ node: this.#environment.node, mailbox: taskMailbox(attempt), via: 'datagram' }, message);
        }
        return;
      default:
        out.report({
          kind: 'message-discarded',
          message: message.kind,
          why: 'not for the main mailbox of a TaskManager',
        });
    }
  }

  #isFenced(message: EngineMessage): boolean {
    switch (message.kind) {
      case 'trigger-checkpoint':
      case 'notify-checkpoint-complete':
      case 'notify-checkpoint-aborted':
      case 'operator-event':
      case 'operator-event-acknowledged':
        return message.epoch < this.#epoch;
      default:
        return false;
    }
  }

  /** False: the sender is no longer the leader. */
  #follow(epoch: LeaderEpoch, from: Target, nowUs: Micros, out: Out): boolean {
    if (epoch < this.#epoch) {
      probe(out, 'taskmanager-fenced-old-leader');
      return false;
    }
    if (epoch > this.#epoch) {
      this.#canceled.clear();
      this.#epoch = epoch;
      this.#jobManager = from;
      this.#endAll(nowUs, out);
    }
    this.#jobManager = from;
    out.setTimer(JOBMANAGER_TIMEOUT, micros(this.#environment.configuration.runtime.heartbeatTimeoutUs));
    return true;
  }

  #answerHeartbeat(to: Target, out: Out): void {
    out.send(to, {
      kind: 'heartbeat-response',
      epoch: this.#epoch,
      incarnation: this.#incarnation,
      slots: this.#environment.configuration.runtime.slotsPerTaskManager,
      executions: [...this.#tasks.values()].map(listed),
    });
  }

  #deploy(deployment: TaskDeployment, epoch: LeaderEpoch, out: Out): void {
    const jobManager = this.#jobManager;
    assert(jobManager !== undefined, 'a deployment comes from a leader that is followed');
    if (this.#tasks.has(deployment.attempt)) return;
    if (this.#canceled.has(deployment.attempt)) return probe(out, 'deployment-after-cancel');
    for (const task of this.#tasks.values()) {
      // Repeated by the JobManager while the attempt is not listed.
      if (task.state === 'canceling' && task.slot === deployment.slot) return probe(out, 'slot-still-occupied');
    }
    clearSlot(this.#environment, deployment);
    this.#tasks.set(
      deployment.attempt,
      new StreamTask({
        environment: deployedEnvironment(this.#environment, deployment),
        deployment,
        epoch,
        jobManager,
        incarnation: this.#incarnation,
      }),
    );
    out.busy('message', 1);
    out.send(
      { node: this.#environment.node, mailbox: taskMailbox(deployment.attempt), via: 'datagram' },
      { kind: 'task-start', deployment },
    );
  }

  #cancel(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void {
    this.#canceled.add(attempt);
    const task = this.#tasks.get(attempt);
    if (task === undefined) this.#confirmCanceled(attempt, out);
    else this.#end(task, nowUs, out);
  }

  #endAll(nowUs: Micros, out: Out): void {
    for (const [attempt, task] of [...this.#tasks]) {
      this.#canceled.add(attempt);
      this.#end(task, nowUs, out);
    }
  }

  /** It processes nothing any more; that it has left whatever it was doing is for its own mailbox to say (I4). */
  #end(task: StreamTask, nowUs: Micros, out: Out): void {
    if (task.state === 'canceling') return;
    task.cancel(out);
    const { attempt } = task;
    out.send({ node: this.#environment.node, mailbox: taskMailbox(attempt), via: 'datagram' }, { kind: 'task-end' });
    const timeoutUs = this.#environment.configuration.runtime.taskCancellationTimeoutUs;
    if (timeoutUs === 0) return;
    this.#endsByUs.set(attempt, nowUs + timeoutUs);
    if (this.#endsByUs.size === 1) out.setTimer(CANCELLATION_WATCHDOG, micros(timeoutUs));
  }

  /** In the mailbox of the subtask. */
  #ended(task: StreamTask, out: Out): void {
    task.ended(out);
    this.#tasks.delete(task.attempt);
    this.#endsByUs.delete(task.attempt);
    this.#confirmCanceled(task.attempt, out);
  }

  #confirmCanceled(attempt: ExecutionAttemptId, out: Out): void {
    if (this.#jobManager === undefined) return;
    const of = { epoch: this.#epoch, incarnation: this.#incarnation, attempt };
    out.send(this.#jobManager, { kind: 'task-state', ...of, state: 'canceled' });
  }

  /** Flink: "Task did not exit gracefully within ... seconds" is a fatal error of the TaskExecutor. */
  #watch(nowUs: Micros, out: Out): void {
    const earliestUs = Math.min(...this.#endsByUs.values());
    if (earliestUs <= nowUs) {
      probe(out, 'task-cancellation-timeout');
      out.exit('a cancelled subtask did not end in time');
    } else if (this.#endsByUs.size > 0) {
      out.setTimer(CANCELLATION_WATCHDOG, micros(earliestUs - nowUs));
    }
  }
}

/** What a heartbeat says of a subtask. */
function listed({ attempt, state, why, isDrained }: StreamTask): ListedExecution {
  return { attempt, state, ...(state === 'failed' ? why : {}), ...(isDrained ? { endOfData: true } : {}) };
}

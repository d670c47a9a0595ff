/** Which leader a TaskManager follows, and what becomes of its subtasks (rows F15, F19, G6). The job is one source subtask. */
import { describe, expect, it } from 'vitest';
import { leaderEpoch, MAIN_MAILBOX, type MailboxId, nodeId, taskMailbox } from '../../../../engine/foundation/ids.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import { TaskManager } from '../../../../engine/taskmanager/task-manager.ts';
import { ALIGNED, attempt, configuration, id } from '../../../support/engine-values.ts';
import { jobGraph, sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const INCARNATION = 4;
const { heartbeatTimeoutUs, taskCancellationTimeoutUs } = configuration().runtime;
const OLD = leaderEpoch(1);
const NEW = leaderEpoch(2);
const TASK = attempt(11);

class Bench {
  readonly #taskManager = new TaskManager(taskEnvironment({ graph: jobGraph([sourceVertex(0, 1)], []) }), INCARNATION);
  readonly out = new RecordingOut((timer, nowUs, out) =>
    this.#taskManager.handle({ kind: 'timer', mailbox: MAIN_MAILBOX, timer }, nowUs, out),
  );

  receive(message: EngineMessage, mailbox: MailboxId = MAIN_MAILBOX, from = 'jobmanager-1'): this {
    const input = { kind: 'message', from: nodeId(from), fromMailbox: MAIN_MAILBOX, mailbox, message } as const;
    this.#taskManager.handle(input, this.out.nowUs, this.out);
    return this;
  }

  heartbeat(epoch = OLD, from = 'jobmanager-1'): this {
    return this.receive({ kind: 'heartbeat-request', epoch }, MAIN_MAILBOX, from);
  }

  deploy(epoch = OLD, incarnation = INCARNATION): this {
    const deployment = { attempt: TASK, vertex: 0, subtask: 0, slot: 0, inputs: [] };
    return this.receive({ kind: 'deploy-task', epoch, incarnation, deployment });
  }

  /** Deployed and running. */
  running(): this {
    this.deploy();
    return this.receive(this.out.last('task-start'), taskMailbox(TASK), 'taskmanager-1');
  }

  trigger(epoch = OLD, how: { readonly isAsked?: true } = {}): this {
    const of = { epoch, attempt: TASK, checkpointId: id(1) };
    return this.receive(
      { kind: 'trigger-checkpoint', ...of, triggeredAtUs: this.out.nowUs, options: ALIGNED, ...how },
      taskMailbox(TASK),
    );
  }

  /** The mailbox of the subtask comes to its end. */
  taskEnds(): this {
    return this.receive(this.out.last('task-end'), taskMailbox(TASK), 'taskmanager-1');
  }

  /** What it says runs here. */
  listed(): string[] {
    return this.out.last('heartbeat-response').executions.map((one) => `${one.attempt} ${one.state}`);
  }
}

describe('TaskManager', () => {
  it('answers the leader with its process, its slots and what runs', () => {
    const bench = new Bench().running().heartbeat();
    expect(bench.out.last('heartbeat-response')).toMatchObject({ epoch: OLD, incarnation: INCARNATION, slots: 2 });
    expect(bench.listed()).toEqual(['11 running']);
  });

  it('C1: a trigger is confirmed where the leader asks for it, whatever the subtask makes of it; never that of an older leader', () => {
    const bench = new Bench().deploy().trigger();
    expect(bench.out.all('trigger-confirmed')).toEqual([]);
    bench.trigger(OLD, { isAsked: true });
    const confirmed = { kind: 'trigger-confirmed', epoch: OLD, attempt: TASK, checkpointId: 1 };
    expect(bench.out.all('trigger-confirmed')).toEqual([confirmed]);
    bench.heartbeat(NEW).trigger(OLD, { isAsked: true });
    expect(bench.out.all('trigger-confirmed')).toEqual([confirmed]);
  });

  it('F15: a newer leader fences off the subtasks of the older one', () => {
    const bench = new Bench().running().heartbeat(NEW, 'jobmanager-2');
    expect(bench.out.reported('task-state').at(-1)).toMatchObject({ attempt: 11, state: 'canceling' });
    expect(bench.listed()).toEqual(['11 canceling']);
    bench.taskEnds();
    expect(bench.out.reported('task-state').at(-1)).toMatchObject({ attempt: 11, state: 'canceled' });
    expect(bench.out.last('task-state')).toMatchObject({ attempt: 11, epoch: NEW, state: 'canceled' });
    expect(bench.heartbeat(NEW, 'jobmanager-2').listed()).toEqual([]);
  });

  it('F15: an older leader is not answered and not obeyed', () => {
    const bench = new Bench().heartbeat(NEW).heartbeat(OLD).deploy(OLD);
    expect(bench.out.all('heartbeat-response').map(({ epoch }) => epoch)).toEqual([NEW]);
    expect(bench.out.all('task-start')).toEqual([]);
    expect(bench.out.probes()).toContain('taskmanager-fenced-old-leader');
  });

  it('G6: a trigger of the leader begins a checkpoint, one of an older leader does not', () => {
    expect(new Bench().running().trigger().out.reported('trigger-received')).toHaveLength(1);
    const fenced = new Bench().heartbeat(NEW).deploy(NEW);
    fenced.receive(fenced.out.last('task-start'), taskMailbox(TASK), 'taskmanager-1').trigger(OLD);
    expect(fenced.out.reported('trigger-received')).toEqual([]);
    expect(fenced.out.reported('message-discarded')).toHaveLength(1);
  });

  it('C4: a trigger for a subtask that does not run yet is declined', () => {
    const bench = new Bench().deploy().trigger();
    expect(bench.out.last('decline-checkpoint').reason).toBe('checkpoint-declined-task-not-ready');
  });

  it('a deployment that comes twice starts the subtask once', () => {
    expect(new Bench().deploy().deploy().out.all('task-start')).toHaveLength(1);
  });

  it('a deployment meant for an earlier process is void', () => {
    const bench = new Bench().deploy(OLD, INCARNATION - 1);
    expect(bench.out.all('task-start')).toEqual([]);
  });

  it('a cancel that overtakes its deployment wins, and is confirmed', () => {
    const bench = new Bench().receive({ kind: 'cancel-task', epoch: OLD, attempt: TASK }).deploy();
    expect(bench.out.all('task-start')).toEqual([]);
    expect(bench.out.last('task-state')).toMatchObject({ attempt: TASK, state: 'canceled' });
  });

  it('G6: a cancelled subtask does nothing any more', () => {
    const bench = new Bench().running().receive({ kind: 'cancel-task', epoch: OLD, attempt: TASK }).trigger();
    expect(bench.out.reported('trigger-received')).toEqual([]);
    expect(bench.heartbeat().listed()).toEqual(['11 canceling']);
    expect(bench.taskEnds().heartbeat().listed()).toEqual([]);
  });

  it('F10: a cancelled subtask has ended when its own mailbox says so, and is confirmed then', () => {
    const bench = new Bench().running().receive({ kind: 'cancel-task', epoch: OLD, attempt: TASK });
    bench.receive({ kind: 'cancel-task', epoch: OLD, attempt: TASK });
    expect(bench.out.all('task-state').map(({ state }) => state)).toEqual(['running']);
    expect(bench.out.all('task-end')).toHaveLength(1);
    bench.taskEnds();
    expect(bench.out.last('task-state')).toMatchObject({ attempt: 11, state: 'canceled' });
    bench.out.advance(taskCancellationTimeoutUs);
    expect(bench.out.exited).toBe('');
  });

  it('F10: a subtask that does not end in time ends the process; its slot is not used before', () => {
    const bench = new Bench().running().receive({ kind: 'cancel-task', epoch: OLD, attempt: TASK });
    const next = { attempt: attempt(12), vertex: 0, subtask: 0, slot: 0, inputs: [] };
    bench.receive({ kind: 'deploy-task', epoch: OLD, incarnation: INCARNATION, deployment: next });
    expect(bench.out.probes()).toContain('slot-still-occupied');
    expect(bench.out.all('task-start')).toHaveLength(1);
    bench.receive({ kind: 'deploy-task', epoch: OLD, incarnation: INCARNATION, deployment: { ...next, slot: 1 } });
    expect(bench.out.all('task-start')).toHaveLength(2);
    bench.out.advance(taskCancellationTimeoutUs - 1);
    expect(bench.out.exited).toBe('');
    bench.out.advance(1);
    expect(bench.out.exited).toContain('did not end in time');
  });

  it('F19: without a heartbeat for the time-out all subtasks end; each heartbeat puts that off', () => {
    const bench = new Bench().running();
    bench.out.advance(heartbeatTimeoutUs - 1);
    bench.heartbeat().out.advance(heartbeatTimeoutUs - 1);
    expect(bench.heartbeat().listed()).toEqual(['11 running']);
    bench.out.advance(heartbeatTimeoutUs);
    expect(bench.out.probes()).toContain('taskmanager-lost-jobmanager');
    expect(bench.taskEnds().heartbeat().listed()).toEqual([]);
  });

  it('F12: who asks for a partition of a subtask that is not here is told so', () => {
    const request = { producer: attempt(99), edge: 0, subpartition: 0, consumer: attempt(5), channel: 3, credit: 2 };
    const bench = new Bench().receive(
      { kind: 'partition-request', ...request },
      taskMailbox(attempt(99)),
      'taskmanager-2',
    );
    expect(bench.out.sent.at(-1)).toMatchObject({
      to: { node: 'taskmanager-2', via: 'connection' },
      message: { kind: 'partition-not-found', producer: 99, channel: 3 },
    });
  });

  it('F12: a lost connection is passed to every subtask', () => {
    const bench = new Bench().running().receive({ kind: 'connection-lost', peer: nodeId('taskmanager-2') });
    expect(bench.out.sent.at(-1)).toMatchObject({
      to: { node: 'taskmanager-1', mailbox: taskMailbox(TASK) },
      message: { kind: 'connection-lost', peer: 'taskmanager-2' },
    });
  });
});

/**
 * How a subtask ends with its input (rows C21-C23, B2) and with a synchronous savepoint (row C28). The job is a source that feeds two
 * subtasks of vertex 1; a bench hosts one subtask and performs what it tells itself.
 */
import { describe, expect, it } from 'vitest';
import { leaderEpoch, MAIN_MAILBOX, nodeId, taskMailbox } from '../../../../engine/foundation/ids.ts';
import type { SnapshotType } from '../../../../engine/protocol/checkpoint-options.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import type { StreamBuffer } from '../../../../engine/protocol/stream-elements.ts';
import type { TaskDeployment } from '../../../../engine/protocol/task.ts';
import { StreamTask } from '../../../../engine/taskmanager/stream-task.ts';
import { ALIGNED, attempt, configuration, id } from '../../../support/engine-values.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const EPOCH = leaderEpoch(1);
const GRAPH = jobGraph([sourceVertex(0, 1, [0]), vertex(1, 2)], [edge(0, 0, 1, 'rebalance')]);
const SOURCE = { attempt: attempt(1), vertex: 0, subtask: 0, slot: 0, inputs: [] };
const INNER: TaskDeployment = {
  attempt: attempt(2),
  vertex: 1,
  subtask: 0,
  slot: 0,
  inputs: [8, 9].map((producer) => ({
    producerNode: nodeId(`taskmanager-${producer}`),
    producerAttempt: attempt(producer),
    producerSubtask: 0,
    edge: 0,
    subpartition: 0,
  })),
};
const ASYNC: readonly EngineMessage['kind'][] = ['start-async-part', 'write-async-part', 'storage-reply'];
const LOCAL: readonly EngineMessage['kind'][] = ['continue', 'start-async-part', 'write-async-part'];

class Bench {
  readonly out = new RecordingOut();
  readonly task: StreamTask;
  readonly #sequence = [0, 0];

  constructor(deployment: TaskDeployment, intervalUs = 100_000) {
    this.task = new StreamTask({
      environment: taskEnvironment({ graph: GRAPH, configuration: configuration({ checkpoint: { intervalUs } }) }),
      deployment,
      epoch: EPOCH,
      incarnation: 1,
      jobManager: { node: nodeId('jobmanager-1'), mailbox: MAIN_MAILBOX, via: 'datagram' },
    });
    this.say({ kind: 'task-start', deployment });
    for (const subpartition of deployment.vertex === 0 ? [0, 1] : []) {
      const request = { producer: deployment.attempt, edge: 0, subpartition, consumer: attempt(20 + subpartition) };
      this.say({ kind: 'partition-request', ...request, channel: 0, credit: 2 });
    }
  }

  say(message: EngineMessage): this {
    this.out.fresh();
    this.#deliver(message);
    for (let sent = this.out.fresh(); sent.length > 0; sent = this.out.fresh()) {
      for (const { message: own } of sent) {
        if (LOCAL.includes(own.kind)) this.#deliver(own);
        if (own.kind === 'storage-put')
          this.#deliver({ kind: 'storage-reply', requestId: own.requestId, outcome: 'done' });
      }
    }
    return this;
  }

  #deliver(message: EngineMessage): void {
    const from = { from: nodeId('taskmanager-1'), fromMailbox: MAIN_MAILBOX, mailbox: MAIN_MAILBOX };
    const isAsync = ASYNC.includes(message.kind);
    this.task.handle({ kind: 'message', ...from, message }, isAsync, this.out.nowUs, this.out);
  }

  /** The log answers with this many records. */
  records(count: number, ended: boolean): this {
    const { requestId, offset } = this.out.last('log-fetch');
    const numbers = Array.from({ length: count }, (_, index) => offset + index);
    const values = { values: numbers, timestampsUs: numbers, sourceIndices: numbers };
    const head = { kind: 'log-records', behind: 0, requestId, outcome: 'done', partition: 0, offset } as const;
    return this.say({ ...head, ...values, ended });
  }

  trigger(checkpoint: number, snapshot: SnapshotType = 'checkpoint'): this {
    const options = { ...ALIGNED, snapshot };
    const of = { epoch: EPOCH, attempt: attempt(1), checkpointId: id(checkpoint), triggeredAtUs: this.out.nowUs };
    return this.say({ kind: 'trigger-checkpoint', ...of, options });
  }

  complete(checkpoint: number): this {
    const of = { epoch: EPOCH, attempt: attempt(1), checkpointId: id(checkpoint) };
    for (let n = 1; n <= checkpoint; n += 1) this.say({ kind: 'acknowledge-confirmed', ...of, checkpointId: id(n) });
    return this.say({ kind: 'notify-checkpoint-complete', ...of, lastSubsumedId: 0 });
  }

  abort(checkpoint: number): this {
    const of = { epoch: EPOCH, attempt: attempt(1), checkpointId: id(checkpoint) };
    return this.say({ kind: 'notify-checkpoint-aborted', ...of, latestCompletedId: 0 });
  }

  /** Both consumers have processed everything. */
  processed(): this {
    for (const subpartition of [0, 1])
      this.say({ kind: 'all-records-processed', edge: 0, subpartition, consumer: attempt(20 + subpartition) });
    return this;
  }

  buffer(channel: 0 | 1, buffer: StreamBuffer): this {
    const sequence = this.#sequence[channel] ?? 0;
    this.#sequence[channel] = sequence + 1;
    return this.say({ kind: 'buffer', producer: attempt(8 + channel), channel, sequence, backlog: 0, buffer });
  }

  barrier(channel: 0 | 1, checkpoint: number): this {
    const triggeredAtUs = this.out.nowUs;
    return this.buffer(channel, { kind: 'barrier', checkpointId: id(checkpoint), triggeredAtUs, options: ALIGNED });
  }

  /** What the first consumer was sent. */
  sentTo(consumer: number): string[] {
    return this.out.sent.flatMap(({ to, message }) =>
      message.kind === 'buffer' && to.mailbox === taskMailbox(attempt(20 + consumer)) ? [message.buffer.kind] : [],
    );
  }
}

const ended = (): Bench => new Bench(SOURCE).records(2, true);
const DRAINED: StreamBuffer = { kind: 'end-of-data', mode: 'drain' };

describe('StreamTask: the end of a bounded source', () => {
  it('C23: end of data goes out behind the last record, and the JobManager is told', () => {
    const bench = ended();
    expect(bench.sentTo(0)).toEqual(['data', 'end-of-data']);
    expect(bench.out.all('end-of-data')).toHaveLength(1);
    expect(bench.task.isDrained).toBe(true);
    expect(bench.task.state).toBe('running');
  });

  it('C23: it ends only when consumers have processed all and a checkpoint behind the end is complete', () => {
    const bench = ended().processed();
    expect(bench.task.state).toBe('running');
    bench.trigger(4);
    expect(bench.out.last('acknowledge-checkpoint')).toMatchObject({ checkpointId: 4, finished: 'operators' });
    bench.complete(3);
    expect(bench.task.state).toBe('running');
    bench.complete(4);
    expect(bench.task.state).toBe('finished');
    expect(bench.sentTo(0)).toEqual(['data', 'end-of-data', 'barrier', 'end-of-partition']);
    expect(bench.out.last('task-state').state).toBe('finished');
  });

  it('C23: a checkpoint that was taken before the end does not release it, a later one does', () => {
    const bench = new Bench(SOURCE).trigger(1).records(1, true).processed().complete(1);
    expect(bench.task.state).toBe('running');
    expect(bench.trigger(2).complete(5).task.state).toBe('finished');
  });

  it('C23: without the consumers it waits, whatever is complete', () => {
    const bench = ended().trigger(1).complete(1);
    expect(bench.task.state).toBe('running');
    expect(bench.processed().task.state).toBe('finished');
  });

  it('C23: without checkpointing nobody waits for a checkpoint', () => {
    const bench = new Bench(SOURCE, 0).records(1, true);
    expect(bench.task.state).toBe('running');
    expect(bench.processed().task.state).toBe('finished');
  });

  it('C21: a trigger that comes after the end is declined, so that nobody waits for it', () => {
    const bench = ended().trigger(1).processed().complete(1).trigger(2);
    expect(bench.out.last('decline-checkpoint')).toMatchObject({
      checkpointId: 2,
      reason: 'checkpoint-declined-task-closing',
    });
  });

  it('C22: restored as finished it reads nothing, says so and takes part in barriers', () => {
    const bench = new Bench({ ...SOURCE, restore: { checkpointId: id(3), state: [], finished: 'task' } });
    expect(bench.out.all('log-fetch')).toEqual([]);
    expect(bench.sentTo(0)).toEqual(['end-of-data']);
    bench.trigger(4);
    expect(bench.out.last('acknowledge-checkpoint')).toMatchObject({ handles: [], finished: 'task' });
    expect(bench.processed().complete(4).task.state).toBe('finished');
  });

  it('C22: restored behind its end, a snapshot before the end comes again still says so (I8)', () => {
    const bench = new Bench({ ...SOURCE, restore: { checkpointId: id(3), state: [], finished: 'operators' } });
    expect(bench.trigger(4).out.last('acknowledge-checkpoint').finished).toBe('operators');
  });
});

describe('StreamTask: the end of its inputs', () => {
  it('C23: end of data counts per channel, each is confirmed to its producer, and it is over when all have come', () => {
    const bench = new Bench(INNER).buffer(0, DRAINED);
    expect(bench.out.all('all-records-processed')).toHaveLength(1);
    expect(bench.task.isDrained).toBe(false);
    expect(bench.buffer(1, DRAINED).task.isDrained).toBe(true);
    expect(bench.out.all('end-of-data')).toHaveLength(1);
  });

  it('B2: a channel that ends during alignment completes it', () => {
    const bench = new Bench(INNER).buffer(1, DRAINED).barrier(0, 1);
    expect(bench.out.reported('snapshot-taken')).toEqual([]);
    bench.buffer(1, { kind: 'end-of-partition' });
    expect(bench.out.reported('snapshot-taken')).toMatchObject([{ checkpointId: 1 }]);
    expect(bench.out.probes()).toContain('channel-ended-during-alignment');
  });

  it('B2: an ended channel counts for every later checkpoint', () => {
    const bench = new Bench(INNER).buffer(1, DRAINED).buffer(1, { kind: 'end-of-partition' });
    bench.barrier(0, 1).barrier(0, 2);
    expect(bench.out.reported('snapshot-taken')).toHaveLength(2);
  });

  it('C21: triggered by the coordinator, it takes its snapshot though a channel has not ended yet', () => {
    const bench = new Bench(INNER).buffer(0, DRAINED).buffer(1, DRAINED).buffer(0, { kind: 'end-of-partition' });
    bench.trigger(3);
    expect(bench.out.last('acknowledge-checkpoint')).toMatchObject({ checkpointId: 3, finished: 'operators' });
    bench.complete(3);
    expect(bench.task.state).toBe('running');
    expect(bench.buffer(1, { kind: 'end-of-partition' }).task.state).toBe('finished');
  });

  it('a producer that is lost after its channel ended is no failure', () => {
    const bench = new Bench(INNER).buffer(0, DRAINED).buffer(0, { kind: 'end-of-partition' });
    expect(bench.say({ kind: 'connection-lost', peer: nodeId('taskmanager-8') }).task.state).toBe('running');
    expect(bench.say({ kind: 'connection-lost', peer: nodeId('taskmanager-9') }).task.state).toBe('failed');
  });
});

describe('StreamTask: synchronous savepoints', () => {
  it('C28: suspend: nothing behind the barrier, no end of data for the JobManager, ends with the savepoint', () => {
    const bench = new Bench(SOURCE).trigger(1, 'suspend-savepoint').processed();
    expect(bench.sentTo(0)).toEqual(['end-of-data', 'barrier']);
    expect(bench.out.all('buffer')[0]?.buffer).toMatchObject({ mode: 'no-drain' });
    expect(bench.out.all('end-of-data')).toEqual([]);
    expect(bench.out.last('acknowledge-checkpoint').finished).toBeUndefined();
    expect(bench.records(5, false).sentTo(0)).toEqual(['end-of-data', 'barrier']);
    expect(bench.complete(1).task.state).toBe('finished');
  });

  it('C28: terminate: operators finish before the savepoint', () => {
    const bench = new Bench(SOURCE).trigger(1, 'terminate-savepoint').processed();
    expect(bench.out.all('buffer')[0]?.buffer).toMatchObject({ mode: 'drain' });
    expect(bench.out.last('acknowledge-checkpoint').finished).toBe('operators');
    expect(bench.complete(1).task.state).toBe('finished');
  });

  it('C28: completion of another checkpoint does not release it', () => {
    expect(new Bench(SOURCE).trigger(2, 'suspend-savepoint').processed().complete(3).task.state).toBe('running');
  });

  it('C28: a subtask that stopped for a savepoint that is lost cannot go on: it fails', () => {
    const bench = new Bench(SOURCE).trigger(1, 'terminate-savepoint').abort(1);
    expect(bench.out.last('task-state')).toMatchObject({ state: 'failed', failure: 'synchronous-savepoint-failed' });
  });

  it('C28: nor when it hears of the loss only by the next checkpoint', () => {
    expect(new Bench(SOURCE).trigger(1, 'suspend-savepoint').trigger(2).task.state).toBe('failed');
  });
});

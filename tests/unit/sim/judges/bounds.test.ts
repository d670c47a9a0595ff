/** Each anomaly of the judge of bounds fires on messages that are wrong, told to the judge alone; the right ones beside them are silent. */
import { describe, expect, it } from 'vitest';
import { executionAttemptId, leaderEpoch, nodeId, taskMailbox } from '../../../../engine/foundation/ids.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import { childLineage } from '../../../../engine/protocol/stream-elements.ts';
import { Bounds } from '../../../../sim/judges/bounds.ts';
import { Margins } from '../../../../sim/judges/margins.ts';
import { liveIt, planOf } from '../../../support/lives.ts';
import { countGraph, SMALL_PLAN } from './small-life.ts';

const PRODUCER = executionAttemptId(7);
const CONSUMER = executionAttemptId(9);
const { runtime } = SMALL_PLAN.engine;
const EXCLUSIVE = runtime.exclusiveBuffersPerChannel;
const MOST = EXCLUSIVE + runtime.floatingBuffersPerGate;

class Channel {
  readonly margins = new Margins();
  readonly judge = new Bounds({ graph: countGraph([0, 1]), engine: SMALL_PLAN.engine, margins: this.margins });

  constructor() {
    const of = { attempt: CONSUMER, vertex: 1, subtask: 0, epoch: leaderEpoch(1), jobAttempt: 1 };
    const event = { kind: 'task-deployed', ...of, node: nodeId('taskmanager-1'), parallelism: 2 } as const;
    this.judge.observe({ index: 3, atUs: 0, node: nodeId('jobmanager-1'), event });
  }

  toProducer(message: EngineMessage): this {
    this.judge.sent(taskMailbox(PRODUCER), message);
    return this;
  }

  request(credit = EXCLUSIVE): this {
    const of = { producer: PRODUCER, edge: 0, subpartition: 0, consumer: CONSUMER, channel: 0 };
    return this.toProducer({ kind: 'partition-request', ...of, credit });
  }

  credit(credit: number): this {
    return this.toProducer({ kind: 'add-credit', edge: 0, subpartition: 0, consumer: CONSUMER, credit });
  }

  data(count: number, backlog = 0, lineages: readonly number[] = []): this {
    const buffer = { kind: 'data', values: [], timestampsUs: [], lineages, bytes: 0 } as const;
    for (let sequence = 0; sequence < count; sequence += 1)
      this.judge.sent(taskMailbox(CONSUMER), {
        kind: 'buffer',
        producer: PRODUCER,
        channel: 0,
        sequence,
        backlog,
        buffer,
      });
    return this;
  }

  get anomalies(): string[] {
    return this.judge.finish().map(({ anomaly }) => anomaly);
  }
}

describe('bounds', () => {
  it('as many buffers as were granted, and events that need no credit: passed', () => {
    const channel = new Channel().request().data(EXCLUSIVE).credit(1).data(1, 1);
    channel.judge.sent(taskMailbox(CONSUMER), {
      ...{ kind: 'buffer', producer: PRODUCER, channel: 0, sequence: 9, backlog: 0 },
      buffer: { kind: 'end-of-partition' },
    } as EngineMessage);
    expect(channel.anomalies).toEqual(['']);
    expect(channel.margins.all()['bounds/backlog-room']?.value).toBeGreaterThanOrEqual(0);
  });

  it('one more: buffer-without-credit, with attempt and edge', () => {
    const channel = new Channel().request().data(EXCLUSIVE + 1);
    expect(channel.judge.finish()).toMatchObject([{ anomaly: 'buffer-without-credit', outcome: 'violated', at: [3] }]);
    expect(channel.judge.finish()[0]?.message).toMatch(/^Attempt 7 sends data buffer \d+ on edge 0/);
  });

  it('more credit than there are buffers: credit-beyond-buffers', () => {
    expect(new Channel().request().credit(MOST - EXCLUSIVE).anomalies).toEqual(['']);
    expect(new Channel().request().credit(MOST - EXCLUSIVE + 1).anomalies).toEqual(['credit-beyond-buffers']);
  });

  it('a request that is repeated grants nothing more', () => {
    expect(
      new Channel()
        .request()
        .request()
        .data(EXCLUSIVE + 1).anomalies,
    ).toEqual(['buffer-without-credit']);
  });

  it('more than the pool waits, all of one record: passed; of two records: queue-beyond-pool', () => {
    const pool = 2 * EXCLUSIVE + runtime.floatingBuffersPerGate;
    const queue = (records: readonly number[]): string[] => {
      const channel = new Channel().request().data(1);
      records.forEach((lineage, at) => {
        channel.credit(1).data(1, records.length - 1 - at, [lineage]);
      });
      return channel.anomalies;
    };
    const before = Array.from({ length: pool + 2 }, (_, at) => at);
    const one = [7, 7, childLineage(7, 1)];
    expect(queue([...before, ...one])).toEqual(['']);
    expect(queue([...before, ...one, 8])).toEqual(['queue-beyond-pool']);
  });

  it('a queue that a restored checkpoint filled is nobody’s record, until it has once had room', () => {
    const channel = new Channel().request();
    for (let left = 40; left > 0; left -= 1) channel.credit(1).data(1, left, [left]);
    expect(channel.anomalies).toEqual(['']);
  });

  it('I2: what is known of a channel goes with its consumer', () => {
    const channel = new Channel().request();
    expect(channel.judge.channels).toBe(1);
    const of = { attempt: CONSUMER, vertex: 1, subtask: 0 };
    const event = { kind: 'task-state', ...of, state: 'canceled' } as const;
    channel.judge.observe({ index: 4, atUs: 0, node: nodeId('t'), event });
    expect(channel.judge.channels).toBe(0);
    expect(channel.data(9).anomalies).toEqual(['']);
  });

  it('I2: and with the node that it runs on, no other', () => {
    const channel = new Channel().request();
    const running = { kind: 'task-state', attempt: CONSUMER, vertex: 1, subtask: 0, state: 'running' } as const;
    const crashed = { kind: 'node-crashed', incarnation: 1 } as const;
    const tell = (event: typeof running | typeof crashed, node: string): void =>
      channel.judge.observe({ index: 4, atUs: 0, node: nodeId(node), event });
    tell(running, 'taskmanager-1');
    tell(crashed, 'taskmanager-2');
    expect(channel.judge.channels).toBe(1);
    tell(crashed, 'taskmanager-1');
    expect(channel.judge.remembered).toBe(0);
  });

  it('sees the buffers of a whole life', () => {
    const { verdicts } = liveIt(planOf('standard', '1'));
    const verdict = verdicts.find(({ judge }) => judge === 'bounds');
    expect(Number(/^(\d+) buffers/.exec(verdict?.message ?? '')?.[1])).toBeGreaterThan(100);
  });
});

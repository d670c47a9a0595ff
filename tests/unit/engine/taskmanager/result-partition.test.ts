import { describe, expect, it } from 'vitest';
import { nodeId, taskMailbox } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { JobEdge } from '../../../../engine/job/job-graph.ts';
import { keyGroupOf, subtaskOf } from '../../../../engine/job/key-groups.ts';
import type { CheckpointBarrier, DataBuffer, StreamBuffer } from '../../../../engine/protocol/stream-elements.ts';
import { ResultPartition } from '../../../../engine/taskmanager/result-partition.ts';
import { attempt, id } from '../../../support/engine-values.ts';
import { edge } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const marker: StreamBuffer = { kind: 'cancel-marker', checkpointId: id(1) };
const CONSUMER = nodeId('consumer');

/** Two records fill a buffer; two finished buffers fill the pool. */
function bench(
  partitioning: JobEdge['partitioning'] = 'rebalance',
  consumers = 1,
  subtask = 0,
  more: { readonly partitioner?: JobEdge['partitioner']; readonly reconnects?: 'kept' | 'dropped' } = {},
) {
  const left: number[] = [];
  const partition = new ResultPartition({
    edge: {
      ...edge(0, 0, 1, partitioning),
      ...(partitioning === 'custom'
        ? { key: (value: unknown) => Number(value), partitioner: more.partitioner ?? (() => 0) }
        : {}),
    },
    producer: attempt(1),
    subtask,
    producerParallelism: 2,
    consumerParallelism: consumers,
    consumerMaxParallelism: 8,
    recordBytes: 2,
    bufferBytes: 4,
    bufferPool: 2,
    overdraftBuffers: 1,
    ...(more.reconnects === undefined ? {} : { reconnects: more.reconnects }),
    barrierLeft: ({ checkpointId }) => left.push(checkpointId),
  });
  const out = new RecordingOut();
  const connect = (subpartition: number, credit: number): void =>
    partition.connect({ node: CONSUMER, consumer: attempt(10 + subpartition), subpartition, channel: 7, credit }, out);
  const write = (...values: unknown[]): void => {
    for (const value of values) partition.emit(value, 5, 6);
  };
  /** What a consumer was sent: values of data buffers, kinds of events. */
  const received = (subpartition = 0): unknown[] =>
    out.sent
      .filter(({ to }) => to.mailbox === taskMailbox(attempt(10 + subpartition)))
      .flatMap(({ message }) => (message.kind === 'buffer' ? [message.buffer] : []))
      .map((buffer) => (buffer.kind === 'data' ? buffer.values : buffer.kind));
  return { partition, out, connect, write, received, left };
}

describe('a subpartition whose consumer restarts alone', () => {
  const takeOver = ({ partition, out }: ReturnType<typeof bench>, consumer: number, credit: number): void =>
    partition.connect({ node: CONSUMER, consumer: attempt(consumer), subpartition: 0, channel: 3, credit }, out);
  const sentTo = ({ out }: ReturnType<typeof bench>, consumer: number): unknown[] =>
    out.sent
      .filter(({ to }) => to.mailbox === taskMailbox(attempt(consumer)))
      .flatMap(({ message }) => (message.kind === 'buffer' ? [message] : []))
      .map(({ sequence, channel, buffer }) => [
        sequence,
        channel,
        buffer.kind === 'data' ? buffer.values : buffer.kind,
      ]);
  const lossy = (queue: 'kept' | 'dropped' = 'kept') => bench('rebalance', 1, 0, { reconnects: queue });

  it('I4: goes on with what nobody was sent, events included, and numbers it from 0; what was sent is gone', () => {
    const life = lossy();
    life.write(1, 2, 3, 4);
    life.connect(0, 1);
    life.partition.broadcastEvent(marker, life.out);
    takeOver(life, 20, 1);
    expect(sentTo(life, 20)).toEqual([
      [0, 3, [3, 4]],
      [1, 3, 'cancel-marker'],
    ]);
    expect(sentTo(life, 10)).toEqual([[0, 7, [1, 2]]]);
  });

  it('I4: neither credit nor a late request of an earlier attempt takes anything from a later one', () => {
    const life = lossy();
    life.connect(0, 0);
    takeOver(life, 20, 0);
    life.write(1, 2);
    life.partition.addCredit(0, attempt(10), 1, life.out);
    takeOver(life, 10, 5);
    expect(life.received()).toEqual([]);
    life.partition.addCredit(0, attempt(20), 1, life.out);
    expect(sentTo(life, 20)).toEqual([[0, 3, [1, 2]]]);
  });

  it('I4: keeps what it writes while nobody is connected, up to its pool, and loses none of that', () => {
    const life = lossy();
    life.connect(0, 5);
    life.partition.disconnect(CONSUMER);
    life.write(1, 2, 3, 4);
    expect(life.partition.isAvailable).toBe(false);
    expect(life.received()).toEqual([]);
    takeOver(life, 20, 5);
    expect(sentTo(life, 20).map((sent) => (sent as unknown[])[2])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(life.partition.isAvailable).toBe(true);
  });

  it('is no right of others: where consumers restart with their producer a second one breaks an assumption', () => {
    const life = bench();
    life.connect(0, 1);
    expect(() => takeOver(life, 20, 1)).toThrow('a subpartition is consumed by one attempt');
  });
});

describe('result partition', () => {
  it('B15: nothing is sent before a consumer asked, then what was written, against its credit', () => {
    const { write, connect, received, partition, out } = bench();
    write(1, 2, 3, 4);
    partition.flush(out);
    expect(out.sent).toEqual([]);
    connect(0, 1);
    expect(received()).toEqual([[1, 2]]);
    partition.addCredit(0, attempt(10), 1, out);
    expect(received()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('I3, B12: sequence numbers rise by one from 0, events included, and the backlog counts what waits behind', () => {
    const { write, connect, partition, out } = bench();
    write(1, 2, 3, 4);
    partition.broadcastEvent(marker, out);
    connect(0, 2);
    expect(
      out.all('buffer').map(({ sequence, backlog, channel, producer }) => [sequence, backlog, channel, producer]),
    ).toEqual([
      [0, 2, 7, 1],
      [1, 1, 7, 1],
      [2, 0, 7, 1],
    ]);
  });

  it('B15: an event at the head needs no credit, one behind data waits for it', () => {
    const { write, connect, received, partition, out } = bench();
    connect(0, 0);
    partition.broadcastEvent(marker, out);
    expect(received()).toEqual(['cancel-marker']);
    write(1, 2);
    partition.broadcastEvent(marker, out);
    expect(received()).toEqual(['cancel-marker']);
    partition.addCredit(0, attempt(10), 1, out);
    expect(received()).toEqual(['cancel-marker', [1, 2], 'cancel-marker']);
  });

  it('I1, B9: an event follows every record written before it, also those in a buffer that is not full', () => {
    const { write, connect, received, partition, out } = bench('broadcast', 2);
    connect(0, 5);
    connect(1, 5);
    write(1, 2, 3);
    partition.broadcastEvent(marker, out);
    write(4);
    partition.flush(out);
    for (const consumer of [0, 1]) expect(received(consumer)).toEqual([[1, 2], [3], 'cancel-marker', [4]]);
  });

  it('a full buffer is finished at once, a partial one by the flush only', () => {
    const { write, connect, received, partition, out } = bench();
    connect(0, 5);
    write(1, 2, 3);
    partition.sendAll(out);
    expect(received()).toEqual([[1, 2]]);
    expect(partition.hasOpenRecords).toBe(true);
    partition.flush(out);
    expect(received()).toEqual([[1, 2], [3]]);
    expect(partition.hasOpenRecords).toBe(false);
  });

  it('B15: it is unavailable while the pool is full of finished buffers, and available again when some were sent', () => {
    const { write, connect, partition, out } = bench();
    write(1, 2, 3);
    expect(partition.isAvailable).toBe(true);
    write(4);
    expect(partition.isAvailable).toBe(false);
    connect(0, 0);
    expect(partition.isAvailable).toBe(false);
    partition.addCredit(0, attempt(10), 1, out);
    expect(partition.isAvailable).toBe(true);
  });

  it('carries value, event time, lineage and size', () => {
    const { write, connect, partition, out } = bench();
    connect(0, 1);
    write('a', 'b');
    partition.sendAll(out);
    expect(out.last('buffer').buffer).toEqual({
      kind: 'data',
      values: ['a', 'b'],
      timestampsUs: [5, 5],
      lineages: [6, 6],
      bytes: 4,
    });
  });

  it('a repeated request of the same consumer changes nothing; one of another is a broken promise', () => {
    const { write, connect, received, partition, out } = bench();
    connect(0, 1);
    connect(0, 5);
    write(1, 2, 3, 4);
    partition.sendAll(out);
    expect(received()).toEqual([[1, 2]]);
    const foreign = { node: CONSUMER, consumer: attempt(99), subpartition: 0, channel: 7, credit: 1 };
    expect(() => partition.connect(foreign, out)).toThrow(/one attempt/);
  });

  it('G6: credit of an attempt that is not the consumer is ignored', () => {
    const { write, connect, received, partition, out } = bench();
    connect(0, 0);
    write(1, 2);
    partition.addCredit(0, attempt(99), 5, out);
    expect(received()).toEqual([]);
  });

  it('I1: hundreds of buffers under small credit keep order and sequence', () => {
    const { write, connect, received, partition, out } = bench();
    const values = Array.from({ length: 400 }, (_, n) => n);
    write(...values);
    connect(0, 1);
    for (let n = 0; n < 250; n += 1) partition.addCredit(0, attempt(10), 1, out);
    expect(received().flat()).toEqual(values);
    expect(out.all('buffer').map(({ sequence }) => sequence)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });
});

describe('partitioning', () => {
  const split = (partitioning: JobEdge['partitioning'], subtask: number, values: readonly unknown[]): unknown[][] => {
    const { write, connect, received, partition, out } = bench(partitioning, 2, subtask);
    for (const consumer of [0, 1]) connect(consumer, 100);
    write(...values);
    partition.flush(out);
    return [0, 1].map((consumer) => received(consumer).flat());
  };

  it('rebalance deals out in turn, beginning with the own index', () => {
    expect(split('rebalance', 0, [1, 2, 3])).toEqual([[1, 3], [2]]);
    expect(split('rebalance', 1, [1, 2, 3])).toEqual([[2], [1, 3]]);
  });

  it('forward keeps to the own index, broadcast goes to all', () => {
    expect(split('forward', 1, [1, 2])).toEqual([[], [1, 2]]);
    expect(split('broadcast', 0, [1, 2])).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('rescale deals out among its share, global leads to the first', () => {
    const fourWide = bench('rescale', 4, 1);
    for (const consumer of [0, 1, 2, 3]) fourWide.connect(consumer, 100);
    fourWide.write(1, 2, 3);
    fourWide.partition.flush(fourWide.out);
    expect([0, 1, 2, 3].map((consumer) => fourWide.received(consumer).flat())).toEqual([[], [], [1, 3], [2]]);
    expect(split('rescale', 1, [1, 2])).toEqual([[], [1, 2]]);
    expect(split('global', 1, [1, 2])).toEqual([[1, 2], []]);
  });

  it('C23: a pointwise partition is processed when its own consumers have read it', () => {
    const { partition, connect } = bench('rescale', 4, 1);
    for (const consumer of [2, 3]) connect(consumer, 100);
    partition.allRecordsProcessed(2, attempt(12));
    expect(partition.isProcessed).toBe(false);
    partition.allRecordsProcessed(3, attempt(13));
    expect(partition.isProcessed).toBe(true);
  });

  it('custom sends a key where the user says, and refuses a subtask there is none of', () => {
    const { write, connect, received, partition, out } = bench('custom', 2, 0, {
      partitioner: (key) => Number(key) % 3,
    });
    for (const consumer of [0, 1]) connect(consumer, 100);
    write(0, 1, 3, 4);
    partition.flush(out);
    expect([received(0).flat(), received(1).flat()]).toEqual([
      [0, 3],
      [1, 4],
    ]);
    expect(() => write(2)).toThrow('the partitioner names subtask 2 of 2');
  });

  it('S1, S2: hash sends a key where its key group lies', () => {
    const keys = Array.from({ length: 30 }, (_, n) => `key-${n}`);
    const expected = [0, 1].map((consumer) => keys.filter((key) => subtaskOf(keyGroupOf(key, 8), 2, 8) === consumer));
    expect(split('hash', 0, [...keys, ...keys])).toEqual(expected.map((part) => [...part, ...part]));
    expect(expected.every((part) => part.length > 0)).toBe(true);
  });

  describe('a barrier that overtakes', () => {
    const barrier: CheckpointBarrier = {
      kind: 'barrier',
      checkpointId: id(1),
      triggeredAtUs: micros(0),
      options: { snapshot: 'checkpoint', alignment: 'unaligned', alignedTimeoutUs: 0 },
    };
    const queued: CheckpointBarrier = {
      ...barrier,
      options: { ...barrier.options, alignment: 'aligned', alignedTimeoutUs: 9 },
    };
    const values = (buffers: readonly DataBuffer[]): unknown[] => buffers.flatMap((buffer) => buffer.values);

    it('B5, B7, B12: leaves first and without credit; what it jumped over is told, the open buffer finished, sequence without gap', () => {
      const { write, connect, received, partition, out } = bench();
      connect(0, 1);
      write(1, 2, 3, 4, 5);
      partition.sendAll(out);
      const overtaken: unknown[] = [];
      partition.broadcastPriority(barrier, (_, buffers) => overtaken.push(...values(buffers)), out);
      expect(received()).toEqual([[1, 2], 'barrier']);
      expect(overtaken).toEqual([3, 4, 5]);
      partition.addCredit(0, attempt(10), 9, out);
      expect(received()).toEqual([[1, 2], 'barrier', [3, 4], [5]]);
      expect(out.all('buffer').map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
    });

    it('B7: waits for its consumer in front of the data, in order with others of its kind', () => {
      const { write, connect, received, partition, out } = bench();
      write(1, 2);
      partition.broadcastPriority(barrier, () => {}, out);
      partition.broadcastPriority({ ...barrier, checkpointId: id(2) }, () => {}, out);
      connect(0, 1);
      expect(out.all('buffer').map(({ buffer }) => (buffer.kind === 'barrier' ? buffer.checkpointId : 0))).toEqual([
        1, 2, 0,
      ]);
      expect(received()).toEqual(['barrier', 'barrier', [1, 2]]);
    });

    it('B8: one that waits in its place is brought forward, and only what was in front of it is told', () => {
      const { write, connect, received, partition, out } = bench();
      write(1, 2);
      partition.broadcastEvent(queued, out);
      write(3, 4);
      const overtaken: unknown[] = [];
      partition.prioritize(barrier, (_, buffers) => overtaken.push(...values(buffers)), out);
      partition.prioritize(barrier, (_, buffers) => overtaken.push('again', buffers), out);
      connect(0, 9);
      expect(overtaken).toEqual([1, 2]);
      expect(received()).toEqual(['barrier', [1, 2], [3, 4]]);
    });

    it('B7, B8: one that leaves in its turn says so', () => {
      const { write, connect, partition, out, left } = bench();
      write(1, 2);
      partition.broadcastEvent(queued, out);
      expect(left).toEqual([]);
      connect(0, 1);
      expect(left).toEqual([1]);
    });
  });

  it('B18: recovered data leaves before anything new, against credit, and fills the pool', () => {
    const { write, connect, received, partition, out } = bench();
    const recovered: DataBuffer = { kind: 'data', values: [7, 8], timestampsUs: [0, 0], lineages: [0, 0], bytes: 4 };
    partition.recover(0, [recovered, recovered]);
    expect(partition.isAvailable).toBe(false);
    write(1, 2);
    connect(0, 1);
    expect(received()).toEqual([[7, 8]]);
    partition.addCredit(0, attempt(10), 2, out);
    expect(received()).toEqual([
      [7, 8],
      [7, 8],
      [1, 2],
    ]);
  });

  it('B15: a record may fill the overdraft; beyond it the subtask is stuck until buffers were sent', () => {
    const { write, connect, partition } = bench();
    write(1, 2, 3, 4, 5, 6);
    expect([partition.isAvailable, partition.isStuck]).toEqual([false, false]);
    write(7, 8);
    expect(partition.isStuck).toBe(true);
    connect(0, 1);
    expect(partition.isStuck).toBe(false);
  });

  it('B16: a new size is for buffers begun from now on, and never above the configured one', () => {
    const { write, connect, received, partition, out } = bench();
    connect(0, 9);
    write(1);
    partition.resizeBuffers(0, attempt(10), 2);
    write(2, 3, 4);
    partition.resizeBuffers(0, attempt(10), 1_000);
    write(5, 6, 7);
    partition.flush(out);
    expect(received()).toEqual([[1, 2], [3], [4], [5, 6], [7]]);
  });
});

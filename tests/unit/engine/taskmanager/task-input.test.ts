/** Barriers that overtake, at the inputs of one subtask: what is in flight, and when the snapshot is taken (rows B5, B6, B8, B12, B15, B18, B20, B21). */
import { describe, expect, it } from 'vitest';
import { ChannelStateWriter } from '../../../../engine/channel-state/channel-state-writer.ts';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { type EngineParts, standardParts } from '../../../../engine/parts.ts';
import type { CheckpointOptions } from '../../../../engine/protocol/checkpoint-options.ts';
import type { DataBuffer, StreamBuffer } from '../../../../engine/protocol/stream-elements.ts';
import { TaskInput } from '../../../../engine/taskmanager/task-input.ts';
import { ALIGNED, attempt, configuration, id } from '../../../support/engine-values.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const UNALIGNED: CheckpointOptions = { ...ALIGNED, alignment: 'unaligned' };
const TIMEOUT_US = 1_000;
const TIMEOUTABLE: CheckpointOptions = { ...ALIGNED, alignedTimeoutUs: TIMEOUT_US };

const data = (...values: number[]): DataBuffer => ({
  kind: 'data',
  values,
  timestampsUs: values,
  lineages: values,
  bytes: values.length * 10,
});
const barrier = (n: number, options = UNALIGNED): StreamBuffer => ({
  kind: 'barrier',
  checkpointId: id(n),
  triggeredAtUs: micros(0),
  options,
});

/** Two producers of edge 0 feed the subtask; `room` says how many records the outputs take. */
class Bench {
  readonly processed: unknown[] = [];
  readonly snapshots: number[] = [];
  readonly completed: number[] = [];
  readonly gaveUp: number[] = [];
  readonly writer: ChannelStateWriter;
  readonly input: TaskInput;
  readonly out: RecordingOut;
  room = 1_000;
  stuck = false;
  refuses = false;
  readonly #sequences = [0, 0];

  constructor(parts: Partial<EngineParts> = {}) {
    const all = { ...standardParts, ...parts };
    this.writer = new ChannelStateWriter({ parts: all, complete: () => {} });
    const graph = jobGraph([sourceVertex(0, 2), vertex(1, 1)], [edge(0, 0, 1, 'hash')]);
    const head = {
      process: (value: unknown) => {
        this.processed.push(value);
        this.room -= 1;
      },
    };
    this.input = new TaskInput({
      environment: taskEnvironment({
        graph,
        parts,
        configuration: configuration({ checkpoint: { unaligned: true }, runtime: { exclusiveBuffersPerChannel: 4 } }),
      }),
      deployment: {
        attempt: attempt(9),
        vertex: 1,
        subtask: 0,
        slot: 0,
        inputs: [1, 2].map((producer) => ({
          producerNode: nodeId(`node-${producer}`),
          producerAttempt: attempt(producer),
          producerSubtask: producer - 1,
          edge: 0,
          subpartition: 0,
        })),
      },
      host: {
        heads: () => [head, head],
        isStuck: () => this.stuck,
        mayProcess: () => this.room > 0,
        openChannelState: (of) => {
          if (this.refuses) return undefined;
          this.writer.start(of);
          return this.writer;
        },
        checkpoint: (of) => this.snapshots.push(of.checkpointId),
        inputComplete: (of, _figures, out) => {
          this.completed.push(of);
          this.writer.finishInput(of, out);
        },
        time: () => undefined,
        endOfData: () => undefined,
        giveUp: (of) => {
          this.gaveUp.push(of);
          this.writer.abort(of);
        },
      },
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.input.handleTimer(timer, nowUs, out));
  }

  arrive(channel: number, ...buffers: readonly StreamBuffer[]): this {
    for (const buffer of buffers) {
      const sequence = this.#sequences[channel] ?? 0;
      this.#sequences[channel] = sequence + 1;
      const message = {
        kind: 'buffer',
        producer: attempt(channel + 1),
        channel,
        sequence,
        backlog: 0,
        buffer,
      } as const;
      expect(this.input.enqueue(message, this.out.nowUs, this.out)).toBe(true);
    }
    return this;
  }

  advance(times = 1): this {
    for (let left = times; left > 0; left -= 1) this.input.advance(this.out.nowUs, this.out);
    return this;
  }

  /** In-flight values by producer subtask. */
  inFlight(n: number): Record<number, unknown[]> {
    const state = this.writer.take(id(n));
    return Object.fromEntries(
      (state?.input ?? []).map(({ peer, buffers }) => [peer, buffers.flatMap(({ values }) => values)]),
    );
  }
}

describe('task input: a barrier that overtakes', () => {
  it('B5, B21: the snapshot is taken when the first barrier arrives, though the outputs have no room', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrive(0, data(1), data(2), barrier(1));
    expect(bench.snapshots).toEqual([1]);
    expect(bench.processed).toEqual([]);
    expect(bench.completed).toEqual([]);
  });

  it('B6: in flight is what waits on each channel and what arrives before its barrier, and nothing behind it', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrive(0, data(1)).arrive(1, data(11)).arrive(0, barrier(1));
    bench.arrive(0, data(2)).arrive(1, data(12), barrier(1), data(13));
    expect(bench.completed).toEqual([1]);
    expect(bench.inFlight(1)).toEqual({ 0: [1], 1: [11, 12] });
  });

  it('B6: the rest of a buffer in progress is in flight, what was processed of it is not', () => {
    const bench = new Bench();
    bench.room = 2;
    bench.arrive(1, data(11, 12, 13), data(14)).advance();
    bench.arrive(0, barrier(1)).arrive(1, barrier(1));
    expect(bench.processed).toEqual([11, 12]);
    expect(bench.inFlight(1)).toEqual({ 1: [13, 14] });
    bench.room = 9;
    bench.advance(2);
    expect(bench.processed).toEqual([11, 12, 13, 14]);
  });

  it('B5: no channel is blocked meanwhile, and what is read between the barriers is not gathered twice', () => {
    const bench = new Bench();
    bench.arrive(0, data(1), barrier(1), data(2)).arrive(1, data(11));
    bench.advance(3);
    expect(bench.processed).toEqual(expect.arrayContaining([1, 2, 11]));
    bench.arrive(1, barrier(1));
    expect(bench.inFlight(1)).toEqual({ 0: [1], 1: [11] });
  });

  it('B12: it has its place in the sequence, and a gap behind it is found', () => {
    const bench = new Bench().arrive(0, data(1), barrier(1));
    const message = { kind: 'buffer', producer: attempt(1), channel: 0, backlog: 0, buffer: data(2) } as const;
    expect(bench.input.enqueue({ ...message, sequence: 1 }, bench.out.nowUs, bench.out)).toBe(false);
    expect(bench.input.enqueue({ ...message, sequence: 2 }, bench.out.nowUs, bench.out)).toBe(true);
  });

  it('B1, B6: a newer barrier gives the older checkpoint up, with all it had gathered', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrive(0, data(1), barrier(1)).arrive(1, data(11), barrier(2));
    expect(bench.gaveUp).toEqual([1]);
    expect(bench.snapshots).toEqual([1, 2]);
    bench.arrive(0, data(2), barrier(2));
    expect(bench.inFlight(2)).toEqual({ 0: [1, 2], 1: [11] });
  });

  it('B3, F10: an abort before the first barrier is remembered: nothing is opened for it', () => {
    const bench = new Bench();
    expect(bench.input.abort(id(1)), 'nothing to tell yet: older ones may be on their way').toBe(false);
    bench.arrive(0, barrier(1)).arrive(1, barrier(1));
    expect(bench.snapshots).toEqual([]);
    expect(bench.writer.checkpointId).toBe(0);
  });

  it('B3: an abort in the middle ends the gathering', () => {
    const bench = new Bench().arrive(0, barrier(1));
    bench.input.abort(id(1));
    bench.writer.abort(id(1));
    bench.arrive(1, data(11), barrier(1)).arrive(0, barrier(2)).arrive(1, barrier(2));
    expect(bench.completed).toEqual([2]);
    expect(bench.inFlight(2)).toEqual({ 1: [11] });
  });

  it('B15: while a record is stuck beyond the overdraft it waits in its place, and is pulled out when the record is through', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.stuck = true;
    bench.arrive(0, data(1), barrier(1), data(2)).arrive(1, data(11));
    bench.input.outputsMoved(bench.out.nowUs, bench.out);
    expect(bench.snapshots).toEqual([]);
    bench.stuck = false;
    bench.input.outputsMoved(bench.out.nowUs, bench.out);
    expect(bench.snapshots).toEqual([1]);
    bench.arrive(1, data(12), barrier(1), data(13));
    expect(bench.inFlight(1)).toEqual({ 0: [1], 1: [11, 12] });
    expect(bench.out.probes()).toContain('barrier-waited-for-record');
  });

  it('B18, B20, B6: recovered data that was not consumed is in the next snapshot once, what was consumed is not', () => {
    const bench = new Bench();
    bench.input.recover([{ edge: 0, peer: 1, buffers: [data(11), data(12)] }]);
    expect(bench.input.hasMore).toBe(true);
    bench.advance();
    bench.room = 0;
    bench.arrive(1, barrier(1)).arrive(0, barrier(1));
    expect(bench.inFlight(1)).toEqual({ 1: [12] });
  });

  it('B18: recovered data comes first, and its producer has no credit until it is consumed', () => {
    const bench = new Bench();
    bench.input.recover([{ edge: 0, peer: 1, buffers: [data(11)] }]);
    bench.input.requestAll(bench.out);
    expect(bench.out.all('partition-request').map(({ credit }) => credit)).toEqual([4, 0]);
    bench.advance();
    expect(bench.out.all('add-credit')).toMatchObject([{ credit: 4 }]);
    bench.arrive(1, data(12)).advance();
    expect(bench.processed).toEqual([11, 12]);
  });

  it('B18: restored data of a channel that the gate does not have is refused', () => {
    expect(() => new Bench().input.recover([{ edge: 0, peer: 7, buffers: [data(1)] }])).toThrow(/channel of the gate/);
  });
});

describe('task input: an aligned barrier with a time-out', () => {
  it('B8: all barriers in time is an aligned checkpoint without in-flight data', () => {
    const bench = new Bench().arrive(0, data(1), barrier(1, TIMEOUTABLE)).arrive(1, barrier(1, TIMEOUTABLE));
    bench.advance(3);
    expect(bench.snapshots).toEqual([1]);
    expect(bench.completed).toEqual([1]);
    expect(bench.processed).toEqual([1]);
    bench.out.advance(2 * TIMEOUT_US);
    expect(bench.snapshots).toEqual([1]);
    expect(bench.out.probes()).toEqual([]);
  });

  it('B8: when time is up, what lies in front of announced barriers is in flight; channels blocked till then add nothing', () => {
    const bench = new Bench();
    bench.arrive(0, barrier(1, TIMEOUTABLE), data(1)).advance();
    bench.room = 0;
    bench.arrive(1, data(11), data(12), barrier(1, TIMEOUTABLE), data(13));
    expect(bench.snapshots).toEqual([]);
    bench.out.advance(TIMEOUT_US);
    expect(bench.snapshots).toEqual([1]);
    expect(bench.completed).toEqual([1]);
    expect(bench.inFlight(1)).toEqual({ 1: [11, 12] });
    bench.room = 9;
    bench.advance(4);
    expect(bench.processed).toEqual(expect.arrayContaining([1, 11, 12, 13]));
  });

  it('B8: when time is up, a barrier still to come is waited for without blocking, and overtakes when it arrives', () => {
    const bench = new Bench();
    bench.arrive(0, barrier(1, TIMEOUTABLE), data(1)).advance();
    bench.room = 0;
    bench.arrive(1, data(11));
    bench.out.advance(TIMEOUT_US);
    expect(bench.snapshots).toEqual([1]);
    expect(bench.completed).toEqual([]);
    bench.arrive(1, data(12), barrier(1, TIMEOUTABLE));
    expect(bench.completed).toEqual([1]);
    expect(bench.inFlight(1)).toEqual({ 1: [11, 12] });
  });

  it('B8: a barrier that overtakes on one channel switches the others over', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrive(1, data(11), barrier(1, TIMEOUTABLE), data(12)).arrive(0, data(1), barrier(1));
    expect(bench.snapshots).toEqual([1]);
    expect(bench.completed).toEqual([1]);
    expect(bench.inFlight(1)).toEqual({ 0: [1], 1: [11] });
  });

  it('B8: the announcement of a checkpoint that was aborted means nothing, and the next one is announced anew', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrive(0, data(1), barrier(1, TIMEOUTABLE));
    bench.input.abort(id(1));
    bench.out.advance(TIMEOUT_US);
    expect(bench.snapshots).toEqual([]);
    bench.arrive(0, data(2), barrier(2, TIMEOUTABLE));
    bench.out.advance(TIMEOUT_US);
    expect(bench.snapshots).toEqual([2]);
    bench.arrive(1, barrier(2, TIMEOUTABLE));
    expect(bench.inFlight(2)).toEqual({ 0: [1, 2] });
  });

  it('B2, B8: a channel that ends is the last thing missing where every barrier was only announced when time was up', () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrive(1, data(11), { kind: 'end-of-partition' }).arrive(0, data(1), barrier(1, TIMEOUTABLE));
    bench.out.advance(TIMEOUT_US);
    expect(bench.snapshots).toEqual([1]);
    expect(bench.completed).toEqual([]);
    bench.room = 9;
    bench.advance(4);
    expect(bench.completed).toEqual([1]);
    expect(bench.inFlight(1)).toEqual({ 0: [1], 1: [11] });
  });
});

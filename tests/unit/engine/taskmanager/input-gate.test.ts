import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { StreamBuffer } from '../../../../engine/protocol/stream-elements.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { InputGate } from '../../../../engine/taskmanager/input-gate.ts';
import { attempt, id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const EXCLUSIVE = 2;
const FLOATING = 3;
const open = (): boolean => false;
const data = (...values: number[]): StreamBuffer => ({
  kind: 'data',
  values,
  timestampsUs: values,
  lineages: values,
  bytes: values.length,
});
const marker: StreamBuffer = { kind: 'cancel-marker', checkpointId: id(1) };

function bench(channels = 2) {
  const gate = new InputGate({
    consumer: attempt(9),
    channels: Array.from({ length: channels }, (_, index) => ({
      producerNode: nodeId(`node-${index}`),
      producerAttempt: attempt(index + 1),
      producerSubtask: index,
      edge: 4,
      subpartition: 5,
    })),
    exclusiveBuffers: EXCLUSIVE,
    floatingBuffers: FLOATING,
    parts: standardParts,
  });
  const out = new RecordingOut();
  const sequences = new Array<number>(channels).fill(0);
  /** The next buffer of a channel arrives. */
  const arrive = (channel: number, buffer: StreamBuffer, backlog = 0): boolean => {
    const sequence = sequences[channel] ?? 0;
    sequences[channel] = sequence + 1;
    return gate.enqueue({ kind: 'buffer', producer: attempt(channel + 1), channel, sequence, backlog, buffer });
  };
  const credits = (): number => out.all('add-credit').reduce((sum, { credit }) => sum + credit, 0);
  return { gate, out, arrive, credits };
}

describe('input gate', () => {
  it('B15: a partition request names the subpartition and grants the exclusive buffers', () => {
    const { gate, out } = bench();
    gate.request(1, out);
    expect(out.sent[0]).toMatchObject({
      to: { node: 'node-1', via: 'connection' },
      message: { producer: 2, edge: 4, subpartition: 5, consumer: 9, channel: 1, credit: EXCLUSIVE },
    });
  });

  it('I1, B12: a gap in the sequence is refused, and so is a repeated buffer', () => {
    const { gate, arrive } = bench();
    expect(arrive(0, data(1))).toBe(true);
    const message = { kind: 'buffer', producer: attempt(1), channel: 0, backlog: 0, buffer: marker } as const;
    expect(gate.enqueue({ ...message, sequence: 2 })).toBe(false);
    expect(gate.enqueue({ ...message, sequence: 0 })).toBe(false);
    expect(gate.enqueue({ ...message, sequence: 1 })).toBe(true);
  });

  it('G6: a buffer of another producer attempt is refused', () => {
    const { gate } = bench();
    const message = {
      kind: 'buffer',
      producer: attempt(77),
      channel: 0,
      sequence: 0,
      backlog: 0,
      buffer: marker,
    } as const;
    expect(gate.enqueue(message)).toBe(false);
  });

  it('I1: the buffers of a channel come out in the order they came in', () => {
    const { gate, out, arrive } = bench(1);
    arrive(0, data(1));
    arrive(0, marker);
    arrive(0, data(2));
    const taken = [1, 2, 3].map(() => gate.take(gate.nextChannel(open), out).kind);
    expect(taken).toEqual(['data', 'cancel-marker', 'data']);
    expect(gate.nextChannel(open)).toBe(-1);
  });

  it('I3: channels that are not blocked are served in turn', () => {
    const { gate, out, arrive } = bench(3);
    for (const channel of [0, 1, 2, 0, 2]) arrive(channel, data(channel));
    const served: number[] = [];
    for (let next = gate.nextChannel((c) => c === 1); next >= 0; next = gate.nextChannel((c) => c === 1)) {
      served.push(next);
      gate.take(next, out);
    }
    expect(served).toEqual([0, 2, 0, 2]);
    expect(gate.queuedBuffers).toBe(1);
  });

  it('I3: asking whether there is more takes no turn', () => {
    const { gate, out, arrive } = bench(2);
    for (const channel of [0, 0, 1, 1]) arrive(channel, data(channel));
    const served: number[] = [];
    while (gate.hasNext(open)) {
      served.push(gate.nextChannel(open));
      gate.take(served.at(-1) ?? -1, out);
    }
    expect(served).toEqual([0, 1, 0, 1]);
    expect(gate.hasNext((channel) => channel === 0)).toBe(false);
  });

  it('B15: taking a buffer gives the credit back', () => {
    const { gate, out, arrive, credits } = bench(1);
    arrive(0, data(1));
    arrive(0, data(2));
    expect(credits()).toBe(0);
    gate.take(0, out);
    gate.take(0, out);
    expect(credits()).toBe(2);
  });

  it('B15: a backlog is answered with floating buffers', () => {
    const { gate, out, arrive, credits } = bench(1);
    arrive(0, data(1), 10);
    gate.take(0, out);
    expect(credits()).toBe(1 + FLOATING);
  });

  it('B14: a blocked channel gives no credit back, so its producer stands still; unblocked it gives all of it, in order', () => {
    const { gate, out, arrive, credits } = bench(2);
    gate.request(0, out);
    arrive(0, data(1));
    arrive(0, data(2));
    arrive(1, data(9));
    const blocked = (channel: number): boolean => channel === 0;
    expect(gate.nextChannel(blocked)).toBe(1);
    gate.take(1, out);
    expect(gate.nextChannel(blocked)).toBe(-1);
    const before = credits();
    expect(gate.nextChannel(open)).toBe(0);
    expect([gate.take(0, out), gate.take(0, out)]).toMatchObject([{ values: [1] }, { values: [2] }]);
    expect(credits() - before).toBe(EXCLUSIVE);
  });

  it('B15: an event needs no credit and costs none', () => {
    const { gate, out, arrive, credits } = bench(1);
    arrive(0, data(1));
    arrive(0, data(2));
    expect(arrive(0, marker)).toBe(true);
    for (let n = 0; n < 3; n += 1) gate.take(0, out);
    expect(credits()).toBe(2);
  });

  it('I2: a data buffer without credit is a broken promise of our own code', () => {
    const { arrive } = bench(1);
    arrive(0, data(1));
    arrive(0, data(2));
    expect(() => arrive(0, data(3))).toThrow(/against a credit/);
  });

  it('counts the records that wait in blocked channels', () => {
    const { gate, arrive } = bench(2);
    arrive(0, data(1, 2, 3));
    arrive(0, marker);
    arrive(1, data(4));
    expect(gate.recordsIn((channel) => channel === 0)).toBe(3);
    expect(gate.recordsIn(() => true)).toBe(4);
  });

  it('B15: credits held and data queued never exceed the buffers there are, and a producer is never left without credit', () => {
    const step = fc.record({ channel: fc.nat(2), backlog: fc.nat(6), isTake: fc.boolean(), isEvent: fc.boolean() });
    const property = fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const { gate, out, arrive } = bench(3);
      const held = [EXCLUSIVE, EXCLUSIVE, EXCLUSIVE];
      const queued: boolean[][] = [[], [], []];
      const dataIn = (channel: number): number => (queued[channel] ?? []).filter(Boolean).length;
      const collect = (channel: number): void => {
        for (const { message } of out.fresh())
          if (message.kind === 'add-credit') held[channel] = (held[channel] ?? 0) + message.credit;
      };
      for (const { channel, backlog, isTake, isEvent } of steps) {
        const queue = queued[channel] ?? [];
        if (isTake && queue.length > 0) {
          queue.shift();
          gate.take(channel, out);
          collect(channel);
        } else if (isEvent || (held[channel] ?? 0) > 0) {
          if (!isEvent) held[channel] = (held[channel] ?? 0) - 1;
          queue.push(!isEvent);
          arrive(channel, isEvent ? marker : data(1), backlog);
        }
        const used = [0, 1, 2].map((c) => (held[c] ?? 0) + dataIn(c));
        expect(used.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(3 * EXCLUSIVE + FLOATING);
        for (const c of [0, 1, 2]) {
          expect(used[c]).toBeLessThanOrEqual(EXCLUSIVE + FLOATING);
          if (dataIn(c) === 0 && (queued[c] ?? []).length === 0) expect(held[c]).toBeGreaterThan(0);
        }
      }
    });
    fc.assert(property, { numRuns: 100, seed: 20_191_212 });
  });
});

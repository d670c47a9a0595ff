import { describe, expect, it } from 'vitest';
import { ChannelStateWriter } from '../../../../engine/channel-state/channel-state-writer.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { DataBuffer } from '../../../../engine/protocol/stream-elements.ts';
import { id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const data = (value: number): DataBuffer => ({
  kind: 'data',
  values: [value],
  timestampsUs: [0],
  lineages: [value],
  bytes: 1,
});
const A = { number: 0, edge: 4, peer: 1 };
const B = { number: 1, edge: 5, peer: 1 };

function bench() {
  const completed: number[] = [];
  const writer = new ChannelStateWriter({ parts: standardParts, complete: (of) => completed.push(of) });
  return { writer, completed, out: new RecordingOut() };
}

describe('channel state writer', () => {
  it('B6: what waited and what arrived is gathered by channel, in order; equal producers of two edges stay apart (F4 b)', () => {
    const { writer, out } = bench();
    writer.start(id(1));
    writer.inputQueued(B, [data(1)]);
    writer.inputQueued(A, [data(2)]);
    writer.inputArrived(B, data(3));
    writer.inputArrived(A, data(4));
    writer.finishInput(id(1), out);
    expect(writer.take(id(1))?.input).toEqual([
      { edge: 4, peer: 1, buffers: [data(2), data(4)] },
      { edge: 5, peer: 1, buffers: [data(1), data(3)] },
    ]);
  });

  it('B5, B7: it is complete when the inputs are and every output has decided', () => {
    const { writer, completed, out } = bench();
    writer.start(id(1));
    writer.expectOutput(id(1));
    writer.expectOutput(id(1));
    writer.finishInput(id(1), out);
    writer.outputLeft(id(1), out);
    expect(completed).toEqual([]);
    writer.outputOvertaken(id(1), { edge: 2, peer: 0, buffers: [data(7)] });
    writer.outputLeft(id(1), out);
    expect(completed).toEqual([1]);
    expect(writer.take(id(1))).toEqual({ input: [], output: [{ edge: 2, peer: 0, buffers: [data(7)] }] });
    expect(writer.take(id(1))).toBeUndefined();
    writer.finishInput(id(1), out);
    expect(completed).toEqual([1]);
  });

  it('I1: a second checkpoint is refused until the first was taken or aborted', () => {
    const { writer, out } = bench();
    writer.start(id(1));
    writer.start(id(1));
    expect(() => writer.start(id(2))).toThrow(/one checkpoint/);
    writer.finishInput(id(1), out);
    expect(() => writer.start(id(2))).toThrow(/one checkpoint/);
    writer.take(id(1));
    writer.start(id(2));
    writer.abort(id(3));
    writer.start(id(4));
    expect(writer.checkpointId).toBe(4);
  });

  it('I3: what concerns an aborted checkpoint is dropped', () => {
    const { writer, completed, out } = bench();
    writer.start(id(1));
    writer.inputQueued(A, [data(1)]);
    writer.abort(id(1));
    writer.inputArrived(A, data(2));
    writer.outputOvertaken(id(1), { edge: 2, peer: 0, buffers: [data(3)] });
    writer.finishInput(id(1), out);
    writer.outputLeft(id(1), out);
    expect(completed).toEqual([]);
    writer.start(id(2));
    writer.finishInput(id(1), out);
    expect(completed).toEqual([]);
    writer.finishInput(id(2), out);
    expect(writer.take(id(2))).toEqual({ input: [], output: [] });
  });
});

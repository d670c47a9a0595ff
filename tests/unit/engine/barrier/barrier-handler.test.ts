/** The table state x input of barrier alignment, cell by cell (rows B1 to B4). */
import { describe, expect, it } from 'vitest';
import { BarrierHandler } from '../../../../engine/barrier/barrier-handler.ts';
import { id } from '../../../support/engine-values.ts';

const exactlyOnce = (channels: number): BarrierHandler => new BarrierHandler(channels, true);
const atLeastOnce = (channels: number): BarrierHandler => new BarrierHandler(channels, false);
const blockedOf = (handler: BarrierHandler, channels: number): number[] =>
  Array.from({ length: channels }, (_, channel) => channel).filter((channel) => handler.isBlocked(channel));

describe('aligned barriers, nothing being aligned', () => {
  it('B1: the first barrier begins an alignment and blocks its channel only', () => {
    const handler = exactlyOnce(3);
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'collect', first: true, block: true, gaveUp: undefined });
    expect(blockedOf(handler, 3)).toEqual([1]);
    expect(handler.aligning).toBe(1);
  });

  it('B1: with one channel the first barrier completes, and nothing stays blocked', () => {
    const handler = exactlyOnce(1);
    expect(handler.barrier(0, id(1))).toEqual({ kind: 'complete', checkpointId: 1, first: true, gaveUp: undefined });
    expect(blockedOf(handler, 1)).toEqual([]);
    expect(handler.aligning).toBe(0);
  });

  it('B1: a barrier of a completed id is ignored and does not block', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(2));
    handler.barrier(1, id(2));
    expect(handler.barrier(0, id(2))).toEqual({ kind: 'ignore' });
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
    expect(blockedOf(handler, 2)).toEqual([]);
  });

  it('B3: a marker before any barrier is remembered, and later barriers of that id are ignored', () => {
    const handler = exactlyOnce(2);
    expect(handler.cancelMarker(id(1))).toEqual({ kind: 'cancelled', checkpointId: 1 });
    expect(handler.barrier(0, id(1))).toEqual({ kind: 'ignore' });
    expect(handler.barrier(0, id(2)).kind).toBe('collect');
  });

  it('B3: a second marker of the same id, or one of a completed id, is ignored', () => {
    const handler = exactlyOnce(1);
    handler.barrier(0, id(2));
    expect(handler.cancelMarker(id(2))).toEqual({ kind: 'ignore' });
    expect(handler.cancelMarker(id(1))).toEqual({ kind: 'ignore' });
    handler.cancelMarker(id(3));
    expect(handler.cancelMarker(id(3))).toEqual({ kind: 'ignore' });
  });

  it('B2: a channel that ended counts as having delivered every later barrier', () => {
    const handler = exactlyOnce(3);
    expect(handler.endOfPartition(2)).toEqual({ kind: 'ignore' });
    handler.barrier(0, id(1));
    expect(handler.barrier(1, id(1)).kind).toBe('complete');
    handler.barrier(1, id(2));
    expect(handler.barrier(0, id(2)).kind).toBe('complete');
  });
});

describe('aligned barriers, a checkpoint being aligned', () => {
  it('B1: a further barrier blocks its channel too and keeps the others blocked', () => {
    const handler = exactlyOnce(3);
    handler.barrier(1, id(1));
    expect(handler.barrier(2, id(1))).toEqual({ kind: 'collect', first: false, block: true, gaveUp: undefined });
    expect(blockedOf(handler, 3)).toEqual([1, 2]);
  });

  it('B1: the last barrier completes and opens all channels', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(1));
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'complete', checkpointId: 1, first: false, gaveUp: undefined });
    expect(blockedOf(handler, 2)).toEqual([]);
  });

  it('B1: a barrier of a completed id is ignored, and the alignment goes on', () => {
    const handler = exactlyOnce(3);
    for (const channel of [0, 1, 2]) handler.barrier(channel, id(1));
    handler.barrier(0, id(2));
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
    expect(blockedOf(handler, 3)).toEqual([0]);
  });

  it('B1: a newer barrier cancels the older alignment and begins its own', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(1));
    handler.barrier(1, id(1));
    expect(handler.barrier(2, id(2))).toEqual({ kind: 'collect', first: true, block: true, gaveUp: 1 });
    expect(blockedOf(handler, 3)).toEqual([2]);
    expect(handler.aligning).toBe(2);
  });

  it('B1: an alignment cancelled by a newer barrier never completes', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(1));
    handler.barrier(1, id(2));
    expect(handler.barrier(0, id(1))).toEqual({ kind: 'ignore' });
    expect(handler.barrier(0, id(2))).toEqual({ kind: 'complete', checkpointId: 2, first: false, gaveUp: undefined });
  });

  it('B1: a barrier of an older id that was not given up is ignored too', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(3));
    expect(handler.barrier(1, id(2))).toEqual({ kind: 'ignore' });
    expect(blockedOf(handler, 3)).toEqual([0]);
  });

  it('B3: a marker of an older id that was not given up is ignored', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(3));
    expect(handler.cancelMarker(id(2))).toEqual({ kind: 'ignore' });
  });

  it('B3: a marker of the id being aligned gives it up and opens all channels', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(1));
    expect(handler.cancelMarker(id(1))).toEqual({ kind: 'cancelled', checkpointId: 1 });
    expect(blockedOf(handler, 3)).toEqual([]);
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
  });

  it('B3: a marker of a newer id gives up the alignment as well', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(1));
    expect(handler.cancelMarker(id(2))).toEqual({ kind: 'cancelled', checkpointId: 2 });
    expect(blockedOf(handler, 2)).toEqual([]);
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
    expect(handler.barrier(0, id(2))).toEqual({ kind: 'ignore' });
  });

  it('B3: a marker of an older id leaves the alignment alone', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(3));
    handler.cancelMarker(id(2));
    expect(handler.aligning).toBe(3);
    expect(blockedOf(handler, 2)).toEqual([0]);
    expect(handler.barrier(1, id(3)).kind).toBe('complete');
  });

  it('B2: the end of the only channel still awaited completes the checkpoint', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(1));
    handler.barrier(1, id(1));
    expect(handler.endOfPartition(2)).toEqual({ kind: 'complete', checkpointId: 1, first: false, gaveUp: undefined });
    expect(blockedOf(handler, 3)).toEqual([]);
  });

  it('B2: the end of one of two awaited channels completes nothing, and a second end of it changes nothing', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(1));
    expect(handler.endOfPartition(1)).toEqual({ kind: 'ignore' });
    expect(handler.endOfPartition(1)).toEqual({ kind: 'ignore' });
    expect(handler.barrier(2, id(1)).kind).toBe('complete');
  });

  it('C14: an abort by the coordinator gives it up, once', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(1));
    expect(handler.giveUp(id(1))).toBe(true);
    expect(handler.giveUp(id(1))).toBe(false);
    expect(blockedOf(handler, 2)).toEqual([]);
  });
});

describe('at-least-once barriers', () => {
  it('B4: no channel is ever blocked, and the last barrier completes', () => {
    const handler = atLeastOnce(3);
    expect(handler.barrier(0, id(1))).toEqual({ kind: 'collect', first: true, block: false, gaveUp: undefined });
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'collect', first: false, block: false, gaveUp: undefined });
    expect(blockedOf(handler, 3)).toEqual([]);
    expect(handler.barrier(2, id(1))).toEqual({ kind: 'complete', checkpointId: 1, first: false, gaveUp: undefined });
  });

  it('B4: several ids are counted at a time', () => {
    const handler = atLeastOnce(2);
    handler.barrier(0, id(1));
    handler.barrier(0, id(2));
    expect(handler.barrier(1, id(1)).kind).toBe('complete');
    expect(handler.barrier(1, id(2)).kind).toBe('complete');
  });

  it('B4: completing an id drops all lower ones', () => {
    const handler = atLeastOnce(2);
    handler.barrier(0, id(1));
    handler.barrier(0, id(2));
    expect(handler.barrier(1, id(2)).kind).toBe('complete');
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
  });

  it('B4: one channel is exact: each barrier completes', () => {
    const handler = atLeastOnce(1);
    expect(handler.barrier(0, id(1)).kind).toBe('complete');
    expect(handler.barrier(0, id(2)).kind).toBe('complete');
  });

  it('B4: fifty ids are tracked', () => {
    const handler = atLeastOnce(2);
    for (let n = 1; n <= 50; n += 1) handler.barrier(0, id(n));
    expect(handler.barrier(1, id(1)).kind).toBe('complete');
  });

  it('B4: the fifty-first drops the oldest, which does not complete any more', () => {
    const handler = atLeastOnce(2);
    for (let n = 1; n <= 51; n += 1) handler.barrier(0, id(n));
    expect(handler.barrier(1, id(1)).kind).not.toBe('complete');
    expect(handler.barrier(1, id(3)).kind).toBe('complete');
  });

  it('B3: a marker gives up its id and the lower ones', () => {
    const handler = atLeastOnce(2);
    for (const n of [1, 2, 3]) handler.barrier(0, id(n));
    expect(handler.cancelMarker(id(2))).toEqual({ kind: 'cancelled', checkpointId: 2 });
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
    expect(handler.barrier(1, id(2))).toEqual({ kind: 'ignore' });
    expect(handler.barrier(1, id(3)).kind).toBe('complete');
  });

  it('B2: a channel that ended before counts as having delivered', () => {
    const handler = atLeastOnce(2);
    handler.endOfPartition(1);
    expect(handler.barrier(0, id(1)).kind).toBe('complete');
  });

  it('B2: the end of the only channel still awaited completes the checkpoint', () => {
    const handler = atLeastOnce(2);
    handler.barrier(0, id(1));
    expect(handler.endOfPartition(1)).toEqual({ kind: 'complete', checkpointId: 1, first: false, gaveUp: undefined });
  });

  it('B2: a channel that delivered and then ended does not stand for another one', () => {
    const handler = atLeastOnce(3);
    handler.barrier(0, id(1));
    handler.endOfPartition(0);
    expect(handler.barrier(1, id(1)).kind).toBe('collect');
    expect(handler.barrier(2, id(1)).kind).toBe('complete');
  });
});

describe('barriers that overtake', () => {
  it('B5: at the first the snapshot is due, at the last all is complete; no channel is blocked', () => {
    const handler = exactlyOnce(3);
    expect(handler.barrier(1, id(1), true)).toEqual({ kind: 'overtake', first: true, gaveUp: undefined });
    expect(handler.overtaking).toBe(1);
    expect(handler.barrier(0, id(1), true)).toEqual({ kind: 'collect', first: false, block: false, gaveUp: undefined });
    expect(blockedOf(handler, 3)).toEqual([]);
    expect([0, 1, 2].map((channel) => handler.hasDelivered(channel, id(1)))).toEqual([true, true, false]);
    expect(handler.barrier(2, id(1), true)).toMatchObject({ kind: 'complete', taken: true });
    expect(handler.overtaking).toBe(0);
  });

  it('B5: with one channel the snapshot is due at the only barrier', () => {
    expect(exactlyOnce(1).barrier(0, id(1), true)).toMatchObject({ kind: 'complete', first: true, taken: undefined });
  });

  it('B8: one on its way among aligned ones takes the snapshot and opens the blocked channels', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(1));
    expect(handler.barrier(1, id(1), true)).toEqual({ kind: 'overtake', first: false, gaveUp: undefined });
    expect(blockedOf(handler, 3)).toEqual([]);
    expect(handler.barrier(2, id(1))).toMatchObject({ kind: 'complete', taken: true });
  });

  it('B8: time takes the snapshot once, of a checkpoint that is open, whether or not a barrier was read', () => {
    const handler = exactlyOnce(2);
    expect(handler.timeOut(id(1))).toEqual({ kind: 'overtake', first: true, gaveUp: undefined });
    expect(handler.timeOut(id(1))).toEqual({ kind: 'ignore' });
    handler.barrier(0, id(1), true);
    expect(handler.barrier(1, id(1), true)).toMatchObject({ kind: 'complete', taken: true });
    expect(handler.timeOut(id(1))).toEqual({ kind: 'ignore' });
    handler.giveUp(id(2));
    expect(handler.timeOut(id(2))).toEqual({ kind: 'ignore' });
  });

  it('B1: a newer one that overtakes a blocked channel gives the older alignment up', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(1));
    expect(handler.barrier(0, id(2), true)).toEqual({ kind: 'overtake', first: true, gaveUp: 1 });
    expect(handler.barrier(1, id(1))).toEqual({ kind: 'ignore' });
  });

  it('B2: a channel that delivered its barrier and ended then is not counted twice', () => {
    const handler = exactlyOnce(3);
    handler.barrier(0, id(1), true);
    expect(handler.endOfPartition(0)).toEqual({ kind: 'ignore' });
    expect(handler.barrier(1, id(1), true).kind).toBe('collect');
    expect(handler.barrier(2, id(1), true).kind).toBe('complete');
  });

  it('B2: the end of the last channel without barrier completes it, the snapshot being taken', () => {
    const handler = exactlyOnce(2);
    handler.barrier(0, id(1), true);
    expect(handler.endOfPartition(1)).toMatchObject({ kind: 'complete', checkpointId: 1, taken: true });
  });
});

import { describe, expect, it } from 'vitest';
import { CompletedCheckpointStore } from '../../../../engine/checkpoint/completed-checkpoint-store.ts';
import type { RetainedCheckpoint } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { CheckpointMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { EPOCH, id, JOB } from '../../../support/engine-values.ts';

const checkpoint = (n: number): RetainedCheckpoint => ({ id: id(n), metadata: `chk-${n}/_metadata` });
const storeOf = (retained: number, ...ids: number[]): CompletedCheckpointStore =>
  new CompletedCheckpointStore(retained, { epoch: EPOCH, completed: ids.map(checkpoint) }, 7);
const idsIn = (pointer: { readonly completed: readonly RetainedCheckpoint[] }): number[] =>
  pointer.completed.map((one) => one.id);
const metadataOf = (n: number): CheckpointMetadata => ({
  checkpointId: id(n),
  jobId: JOB,
  triggeredAtUs: 0,
  states: [],
  operators: [],
  highestParallelism: 1,
});

describe('completed checkpoint store', () => {
  it('C16: a new checkpoint goes to the end, and the oldest beyond the limit goes', () => {
    const store = storeOf(2, 1, 3);
    const pointer = store.pointerWith(checkpoint(4), EPOCH);
    expect(idsIn(pointer)).toEqual([3, 4]);
    expect(store.stored(pointer, 8)).toEqual([checkpoint(1)]);
    expect(store).toMatchObject({ pointer, version: 8, newest: checkpoint(4) });
  });

  it('C16: with one retained the new one replaces the old one', () => {
    expect(idsIn(storeOf(1, 3).pointerWith(checkpoint(4), EPOCH))).toEqual([4]);
  });

  it('F16: a pointer that is only meant changes nothing until it is stored', () => {
    const store = storeOf(1, 3);
    store.pointerWith(checkpoint(4), EPOCH);
    expect(store.newest).toEqual(checkpoint(3));
    expect(store.version).toBe(7);
  });

  it('C16: ids rise: an id that is not above the newest is refused', () => {
    for (const n of [2, 3]) expect(() => storeOf(2, 1, 3).pointerWith(checkpoint(n), EPOCH)).toThrow(/rising order/);
  });

  it('C16: an empty store has no newest and takes the first', () => {
    const store = storeOf(1);
    expect(store.newest).toBeUndefined();
    expect(idsIn(store.pointerWith(checkpoint(1), EPOCH))).toEqual([1]);
  });

  it('C16: metadata of what the pointer dropped is forgotten', () => {
    const store = storeOf(1, 3);
    store.remember(metadataOf(3));
    store.remember(metadataOf(4));
    store.stored(store.pointerWith(checkpoint(4), EPOCH), 8);
    expect(store.metadataOf(id(3))).toBeUndefined();
    expect(store.metadataOf(id(4))).toEqual(metadataOf(4));
  });

  it('C16: metadata that waits while the pointer of an earlier checkpoint is written is known when its own is; what never got one is not', () => {
    const store = storeOf(2, 3);
    for (const n of [3, 4, 5, 6]) store.remember(metadataOf(n));
    store.stored(store.pointerWith(checkpoint(4), EPOCH), 8);
    store.stored(store.pointerWith(checkpoint(6), EPOCH), 9);
    expect([3, 4, 5, 6].map((n) => store.metadataOf(id(n))?.checkpointId)).toEqual([
      undefined,
      id(4),
      undefined,
      id(6),
    ]);
  });

  it('C27: directories that were claimed are named by the pointers until each is known to be gone', () => {
    const store = storeOf(1, 3);
    const run = { run: 2, by: 'r', floor: 3, fullFirst: false };
    const job = { ...run, claimed: ['a', 'b'] };
    const ended = { status: 'canceled', by: 'c' } as const;
    store.stored({ ...store.pointer, job }, 8);
    store.claimIsGone('c');
    expect(store.pointerWith(checkpoint(4), EPOCH).job).toEqual(job);
    store.claimIsGone('a');
    expect(store.pointerWith(checkpoint(4), EPOCH).job).toEqual({ ...run, claimed: ['b'] });
    expect(store.endedPointer(ended, EPOCH).job).toEqual({ ...run, claimed: ['b'], ended });
    store.claimIsGone('b');
    expect(store.pointerWith(checkpoint(4), EPOCH).job).toEqual(run);
    expect(store.pointer.job).toEqual(job);
  });

  it('C16: at least one is retained', () => {
    expect(() => storeOf(0)).toThrow(/at least one/);
  });
});

/** The lsm backend beside the hash map backend: what they read of each other, and what a restore leaves behind (rows C26, S18, S24). */
import { describe, expect, it } from 'vitest';
import { LsmStateBackend } from '../../../../engine/lsm/lsm-state-backend.ts';
import { toCanonical } from '../../../../engine/state/canonical-savepoint.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import type {
  KeyedStateBackend,
  KeyedStateSnapshot,
  RestoredSegment,
} from '../../../../engine/state/keyed-state-backend.ts';
import { listState, mapState, valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { IncompatibleState } from '../../../../engine/state/type-serializer.ts';

const VALUE = valueState('value', Types.string);
const LIST = listState('list', Types.int);
const MAP = mapState('map', Types.string, Types.int);
const ALL = { keySerializer: Types.key, keyGroups: { start: 0, end: 7 }, maxParallelism: 8 };
const KEYS = Array.from({ length: 40 }, (_, index) => `key-${index}`);

function filled<B extends KeyedStateBackend>(backend: B): B {
  for (const [index, key] of KEYS.entries()) {
    backend.setCurrentKey(key);
    backend.getState(VALUE).update(key);
    if (index % 2 === 0) backend.getState(LIST).addAll([index, index + 1]);
    for (let entry = 0; entry < index % 4; entry += 1) backend.getState(MAP).put(`entry-${entry}`, index);
  }
  return backend;
}

const filesOf = ({ files }: KeyedStateSnapshot): readonly RestoredSegment[] =>
  (files?.segments ?? []).map((segment) => ({
    handle: { path: `p/shared/${segment.id}.segment`, bytes: 1, checksum: 1 },
    bytes: segment.read(),
  }));
const manifestOf = ({ files }: KeyedStateSnapshot): Uint8Array => files?.manifest() ?? new Uint8Array(0);

describe('lsm backend', () => {
  it('C26: a canonical savepoint has the same bytes whichever backend wrote it', () => {
    const lsm = toCanonical(
      filled(new LsmStateBackend({ ...ALL, memtableBytes: 200 }))
        .snapshot()
        .write(),
    );
    const hashmap = toCanonical(filled(new HashMapStateBackend(ALL)).snapshot().write());
    expect(lsm).toEqual(hashmap);
  });

  it('C26, S24: maps of a file of another backend are taken apart when their state is registered, or stay whole', () => {
    const file = filled(new HashMapStateBackend(ALL)).snapshot().write();
    const lsm = new LsmStateBackend(ALL);
    lsm.restore(file);
    const unregistered = lsm.snapshot().write();
    lsm.setCurrentKey('key-7');
    expect(lsm.getState(MAP).entries()).toEqual([
      ['entry-0', 7],
      ['entry-1', 7],
      ['entry-2', 7],
    ]);
    lsm.getState(MAP).remove('entry-1');
    expect(lsm.getState(MAP).keys()).toEqual(['entry-0', 'entry-2']);
    expect(toCanonical(unregistered)).toEqual(toCanonical(file));
  });

  it('S24: the hash map backend refuses segments by name', () => {
    const manifest = manifestOf(filled(new LsmStateBackend(ALL)).snapshot());
    expect(() => new HashMapStateBackend(ALL).restore(manifest)).toThrow(IncompatibleState);
  });

  it('S18: segments that are all of the own key groups are taken as they are, others are clipped for good', () => {
    const snapshot = filled(new LsmStateBackend({ ...ALL, memtableBytes: 400 })).snapshot();
    const same = new LsmStateBackend(ALL);
    same.restore(manifestOf(snapshot), filesOf(snapshot));
    expect(same.snapshot().files?.segments.every(({ origin }) => origin !== undefined)).toBe(true);
    const half = new LsmStateBackend({ ...ALL, keyGroups: { start: 0, end: 3 } });
    half.restore(manifestOf(snapshot), filesOf(snapshot));
    const clipped = half.snapshot();
    expect(clipped.files?.segments.every(({ origin }) => origin === undefined)).toBe(true);
    const again = new LsmStateBackend(ALL);
    again.restore(manifestOf(clipped), filesOf(clipped));
    expect(again.keyCount).toBe(half.keyCount);
    expect(half.keyCount).toBeLessThan(same.keyCount);
  });

  it('S15: a value that is changed in place is state when the key changes or a snapshot is taken', () => {
    const backend = new LsmStateBackend(ALL);
    backend.setCurrentKey('a');
    const list = mapState('lists', Types.int, Types.list(Types.int));
    backend.getState(list).put(1, [1]);
    backend.getState(list).get(1)?.push(2);
    backend.setCurrentKey('b');
    backend.setCurrentKey('a');
    expect(backend.getState(list).get(1)).toEqual([1, 2]);
  });

  it('counts what it does on the disk of the node', () => {
    const work = { blockReads: 0, diskBytes: 0 };
    const backend = filled(new LsmStateBackend({ ...ALL, memtableBytes: 300, work }));
    const written = backend.snapshot().files?.segments.reduce((sum, { length }) => sum + length, 0) ?? 0;
    expect(work.diskBytes).toBeGreaterThan(written);
    const { blockReads } = work;
    backend.setCurrentKey('key-3');
    expect(backend.getState(VALUE).value()).toBe('key-3');
    expect(work.blockReads).toBeGreaterThan(blockReads);
  });
});

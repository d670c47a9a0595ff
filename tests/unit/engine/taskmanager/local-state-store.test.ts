/** Copies of keyed state on the node (row S22): what is used, what falls back to the storage, what is thrown out when. */
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { StateHandle } from '../../../../engine/protocol/state-handle.ts';
import {
  beginLocalState,
  clearSlot,
  type LocalStateStore,
  openLocalState,
  type SlotOfSubtask,
} from '../../../../engine/taskmanager/local-state-store.ts';
import { LocalDisk } from '../../../../sim/node/local-disk.ts';
import { configuration, id } from '../../../support/engine-values.ts';
import { jobGraph } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const BYTES = new Uint8Array([1, 2, 3]);
const PLACE: SlotOfSubtask = { slot: 1, vertex: 0, subtask: 2 };

const fileOf = (path: string, bytes = BYTES) => ({ path, bytes: bytes.length, checksum: crc32c(bytes) });
const keyed = (path: string, ...segments: string[]): StateHandle => ({
  operator: 'count',
  state: 'keyed',
  ...fileOf(path),
  segments: segments.map((segment) => fileOf(segment)),
});

function bench(localRecovery: 'process' | 'working-directory' = 'process') {
  const disk = new LocalDisk();
  const base = configuration();
  const environment = {
    ...taskEnvironment({
      graph: jobGraph([], []),
      configuration: { ...base, checkpoint: { ...base.checkpoint, localRecovery } },
    }),
    disk,
  };
  const out = new RecordingOut(() => true);
  const open = (place = PLACE): LocalStateStore => openLocalState(environment, place) ?? expect.fail('copies are kept');
  return { disk, environment, out, open, left: () => disk.paths('').map((path) => path.split('/').slice(3).join('/')) };
}

describe('local state', () => {
  it('S22: a copy is what was written under its name, and costs disk, not network', () => {
    const { open, out } = bench();
    const store = open();
    store.write({ path: 'chk-1/a.keyed' }, BYTES, id(1), out);
    expect(store.read(fileOf('chk-1/a.keyed'), out)).toEqual(BYTES);
    expect(out.busyFor.get('disk-byte')).toBe(6);
  });

  it('S22, U10: what is missing, shorter or has any one bit flipped is not used; damage is thrown out', () => {
    const { open, out, disk } = bench();
    const store = open();
    store.write({ path: 'a' }, BYTES, id(1), out);
    expect(store.read(fileOf('b'), out)).toBeUndefined();
    const flipped = Array.from({ length: 8 * BYTES.length }, (_, bit) =>
      BYTES.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
    );
    for (const changed of [...flipped, BYTES.subarray(0, -1), new Uint8Array()]) {
      store.write({ path: 'a' }, BYTES, id(1), out);
      const [path = ''] = disk.paths('');
      disk.write(path, changed);
      expect(store.read(fileOf('a'), out)).toBeUndefined();
      expect(disk.paths('')).toEqual([]);
    }
  });

  it('S22: at a confirmation everything older goes, but for what newer checkpoints use or are writing', () => {
    const { open, out, left } = bench();
    const store = open();
    for (const [path, checkpoint] of [
      ['m1', 1],
      ['s1', 1],
      ['m2', 2],
      ['m3', 3],
      ['m4', 4],
    ] as const)
      store.write({ path }, BYTES, id(checkpoint), out);
    store.acknowledged(id(1), [keyed('m1', 's1')], []);
    store.acknowledged(id(2), [keyed('m2')], []);
    store.acknowledged(id(3), [keyed('m3', 's1')], ['r']);
    store.confirmed(id(2));
    expect(left()).toEqual(['m2', 'm3', 'm4', 's1']);
    store.confirmed(id(1));
    expect(left()).toEqual(['m2', 'm3', 'm4', 's1']);
    store.confirmed(id(3));
    expect(left()).toEqual(['m3', 'm4', 's1']);
  });

  it('S22: an aborted checkpoint takes what it alone wrote', () => {
    const { open, out, left } = bench();
    const store = open();
    store.write({ path: 's1' }, BYTES, id(1), out);
    store.write({ path: 'm1' }, BYTES, id(1), out);
    store.acknowledged(id(1), [keyed('m1', 's1')], []);
    store.acknowledged(id(2), [keyed('m2', 's1')], []);
    store.aborted(id(1));
    expect(left()).toEqual(['s1']);
  });

  it('S22: a restored subtask keeps copies of what it was restored from', () => {
    const { open, out, left } = bench();
    const before = open();
    before.write({ path: 'm1' }, BYTES, id(1), out);
    before.write({ path: 'm2' }, BYTES, id(2), out);
    open().restored(id(1), [keyed('m1')]);
    expect(left()).toEqual(['m1']);
  });

  it('S22: copies outlive the process only in a working directory', () => {
    for (const kind of ['process', 'working-directory'] as const) {
      const { open, out, disk, environment } = bench(kind);
      open().write({ path: 'm1' }, BYTES, id(1), out);
      beginLocalState(environment);
      expect(disk.paths('').length).toBe(kind === 'process' ? 0 : 1);
    }
  });

  it('S22: who gets a slot throws out what subtasks of other indices left there', () => {
    const { open, out, disk, environment } = bench();
    for (const place of [PLACE, { ...PLACE, vertex: 4 }, { ...PLACE, subtask: 3 }, { ...PLACE, slot: 0, subtask: 3 }])
      open(place).write({ path: 'm' }, BYTES, id(1), out);
    clearSlot(environment, PLACE);
    expect(disk.paths('')).toEqual(['local-state/0/0-3/m', 'local-state/1/0-2/m', 'local-state/1/4-2/m']);
  });

  it('without a disk, or without the wish, there are none', () => {
    const plain = taskEnvironment({ graph: jobGraph([], []), configuration: configuration() });
    expect(openLocalState(plain, PLACE)).toBeUndefined();
    expect(openLocalState({ ...plain, disk: new LocalDisk() }, PLACE)).toBeUndefined();
    expect(standardParts.localCopies).toBe('verified');
  });
});

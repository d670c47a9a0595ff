/** The files of a store's segments: when they are written, when they go, and what is found when the disk has changed them. */
import { describe, expect, it } from 'vitest';
import { LogStructuredStore } from '../../../../engine/lsm/log-structured-store.ts';
import { LsmStateBackend } from '../../../../engine/lsm/lsm-state-backend.ts';
import { SegmentDirectory } from '../../../../engine/lsm/segment-directory.ts';
import { DamagedSegment, encodeSegment } from '../../../../engine/lsm/segment-file.ts';
import { valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { LocalDisk } from '../../../../sim/node/local-disk.ts';

const VALUE = valueState('value', Types.string);
const ALL = { keySerializer: Types.key, keyGroups: { start: 0, end: 7 }, maxParallelism: 8 };

function bench() {
  const disk = new LocalDisk();
  const store = new LogStructuredStore<never>({
    work: { blockReads: 0, diskBytes: 0 },
    directory: { disk, path: 'lsm/1/op/' },
  });
  const flush = (key: string): void => {
    store.put(key, new Uint8Array(3));
    store.flush();
  };
  const left = (): string[] => disk.paths('').map((path) => path.replace('lsm/1/op/', '').replace('.segment', ''));
  return { disk, store, flush, left };
}

describe('segment directory', () => {
  it('a flush writes a file, a compaction writes one and deletes those it is made of', () => {
    const { flush, left } = bench();
    for (const key of ['a', 'b', 'c']) flush(key);
    expect(left()).toEqual(['1', '2', '3']);
    flush('d');
    expect(left()).toEqual(['5']);
  });

  it('I2: what a snapshot has stays until it is released, whatever becomes of the store; then all of it is gone', () => {
    const { store, flush, left } = bench();
    for (const key of ['a', 'b', 'c']) flush(key);
    const [early, late] = [store.hold(), store.hold()];
    flush('d');
    expect(left()).toEqual(['1', '2', '3', '5']);
    store.giveBack(early);
    store.close();
    expect(left()).toEqual(['1', '2', '3']);
    expect(late.map(({ segment }) => segment.read().length > 0)).toEqual([true, true, true]);
    store.giveBack(late);
    expect(left()).toEqual([]);
  });

  it('a backend that is disposed of has no files; a snapshot of before is written and released, once', () => {
    const disk = new LocalDisk();
    const backend = new LsmStateBackend({ ...ALL, directory: { disk, path: 'd/' } });
    backend.setCurrentKey('a');
    backend.getState(VALUE).update('x');
    const snapshot = backend.snapshot();
    const bytes = snapshot.write();
    backend.dispose();
    expect(disk.paths('d/')).toHaveLength(1);
    expect(snapshot.write()).toEqual(bytes);
    snapshot.release();
    snapshot.release();
    expect(disk.paths('')).toEqual([]);
  });

  it('rows are read from the disk, and a block that it has changed is named by file and offset', () => {
    const { disk, store, flush } = bench();
    flush('a');
    const path = 'lsm/1/op/1.segment';
    const rotten = disk.read(path)?.slice() ?? expect.fail('a segment is a file');
    rotten[10] = (rotten[10] ?? 0) ^ 1;
    disk.write(path, rotten);
    expect(() => store.get('a')).toThrow(`${path}: a block does not match its checksum (at byte 8)`);
  });

  it('a file that is copied somewhere else is the one that was written: any flipped byte and any truncation is found', () => {
    const written = encodeSegment(Array.from({ length: 40 }, (_, n) => [`key-${100 + n}`, new Uint8Array(20).fill(n)]));
    let bytes = written;
    const disk = { read: () => bytes, write: () => undefined, delete: () => true };
    const { segment } = new SegmentDirectory({ disk, path: '' }).create(written);
    expect(segment.read()).toBe(written);
    for (let index = 0; index < written.length; index += 1) {
      bytes = written.slice();
      bytes[index] = (bytes[index] ?? 0) ^ 0x10;
      expect(() => segment.read(), `byte ${index}`).toThrow(DamagedSegment);
      bytes = written.slice(0, index);
      expect(() => segment.read(), `${index} bytes`).toThrow(DamagedSegment);
    }
  });
});

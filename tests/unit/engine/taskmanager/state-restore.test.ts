import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { StorageReply } from '../../../../engine/protocol/messages.ts';
import type { StateHandle } from '../../../../engine/protocol/state-handle.ts';
import { LocalStateStore } from '../../../../engine/taskmanager/local-state-store.ts';
import { StateRestore } from '../../../../engine/taskmanager/state-restore.ts';
import { LocalDisk } from '../../../../sim/node/local-disk.ts';
import { id, inlineHandle, REQUEST_TIMEOUT_US, RETRY_US, STORAGE } from '../../../support/engine-values.ts';
import { ObjectStoreStorage } from '../../../../engine/storage/object-store-storage.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const BYTES = new Uint8Array([1, 2, 3]);
const fileHandle = (path: string, bytes = BYTES): StateHandle => ({
  operator: 'count',
  state: 'keyed',
  path,
  bytes: bytes.length,
  checksum: crc32c(bytes),
});

function bench(local?: LocalStateStore) {
  const told: string[] = [];
  const restored: Uint8Array[][] = [];
  const storage = new FakeStorage();
  const restore = new StateRestore({
    local,
    storage: new ObjectStoreStorage({
      node: STORAGE,
      via: 'datagram',
      name: 'get',
      timeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
    }),
    requestTimeoutUs: REQUEST_TIMEOUT_US,
    host: {
      restored: (states) => restored.push(states.map(({ bytes }) => bytes)),
      fail: (failure) => told.push(failure),
    },
  });
  const out = new RecordingOut((timer, nowUs, self) => restore.handleTimer(timer, nowUs, self));
  const start = (...handles: StateHandle[]): void =>
    restore.start({ checkpointId: id(1), state: [{ vertex: 0, subtask: 0, handles }] }, out.nowUs, out);
  const answer = (): void => {
    for (const { message } of out.fresh()) restore.handleReply(storage.perform(message), out.nowUs, out);
  };
  const refuse = (outcome: StorageReply['outcome']): void => {
    const { requestId } = out.last('storage-get');
    restore.handleReply({ kind: 'storage-reply', requestId, outcome }, out.nowUs, out);
  };
  return { out, storage, told, restored, start, answer, refuse };
}

describe('state restore', () => {
  it('S22: a copy on the node saves the fetch; where it is damaged the file is fetched', () => {
    const disk = new LocalDisk();
    const { out, start, answer, restored, storage } = bench(new LocalStateStore(disk, 'here/', standardParts));
    storage.objects.set('p', BYTES);
    storage.objects.set('q', BYTES);
    disk.write('here/p', BYTES);
    disk.write('here/q', new Uint8Array([1, 2, 4]));
    start({ ...fileHandle('p'), state: 'keyed' }, { ...fileHandle('q'), state: 'keyed' });
    expect(out.all('storage-get').map(({ path }) => path)).toEqual(['q']);
    answer();
    expect(restored).toEqual([[BYTES, BYTES]]);
  });

  it('S22: state that is not keyed is fetched, whatever lies on the node', () => {
    const disk = new LocalDisk();
    const { out, start, storage } = bench(new LocalStateStore(disk, 'here/', standardParts));
    storage.objects.set('p', BYTES);
    disk.write('here/p', BYTES);
    start({ ...fileHandle('p'), state: 'input-channel' });
    expect(out.all('storage-get')).toHaveLength(1);
  });

  it('with nothing to fetch it is done at once', () => {
    const { start, restored } = bench();
    start();
    expect(restored).toEqual([[]]);
  });

  it('S19: of a merged file only the part is read that is meant, and damage is named by its place in the file', () => {
    const { start, answer, restored, storage, out, told } = bench();
    const part = new Uint8Array([7, 8, 9]);
    const handle = { ...fileHandle('p'), bytes: 3, checksum: crc32c(part), offset: 2 };
    storage.objects.set('p', new Uint8Array([0, 0, 7, 8, 9, 0]));
    start(handle);
    expect(out.last('storage-get').range).toEqual({ offset: 2, bytes: 3 });
    answer();
    expect(restored).toEqual([[part]]);
    storage.objects.set('p', new Uint8Array([0, 0, 7, 8]));
    start(handle);
    answer();
    expect(told).toEqual(['corrupt-state']);
    expect(out.events.find(({ kind }) => kind === 'corrupt-file')).toMatchObject({ path: 'p', offset: 4 });
  });

  it('T3: inline state needs no storage; files are fetched; the order is that of the handles', () => {
    const { start, answer, restored, storage, out } = bench();
    storage.objects.set('p', BYTES);
    start(fileHandle('p'), inlineHandle('sink', new Uint8Array([9])));
    expect(restored).toEqual([]);
    answer();
    expect(restored).toEqual([[BYTES, new Uint8Array([9])]]);
    expect(out.busyFor.get('byte')).toBe(4);
  });

  it('T9, I1: bytes with another checksum or length are never handed out', () => {
    for (const found of [new Uint8Array([1, 2, 4]), new Uint8Array([1, 2]), new Uint8Array()]) {
      const { start, answer, restored, told, storage } = bench();
      storage.objects.set('p', found);
      start(fileHandle('p'));
      answer();
      expect(told).toEqual(['corrupt-state']);
      expect(restored).toEqual([]);
    }
  });

  it('T9: inline state is verified as well', () => {
    const { start, told } = bench();
    start({ ...inlineHandle('sink', BYTES), inline: new Uint8Array([1, 2, 4]) });
    expect(told).toEqual(['corrupt-state']);
  });

  it('a file that is not there fails the restore at once', () => {
    const { start, answer, told } = bench();
    start(fileHandle('p'));
    answer();
    expect(told).toEqual(['restore-failed']);
  });

  it('storage that is away is asked again, eight times in all', () => {
    const { start, refuse, told, out } = bench();
    start(fileHandle('p'));
    for (let tries = 0; tries < 8; tries += 1) {
      refuse('unavailable');
      out.advance(RETRY_US);
    }
    expect(out.all('storage-get')).toHaveLength(8);
    expect(told).toEqual(['restore-failed']);
  });

  it('a reply that was lost is asked for again', () => {
    const { start, answer, restored, storage, out } = bench();
    storage.objects.set('p', BYTES);
    start(fileHandle('p'));
    out.fresh();
    out.advance(REQUEST_TIMEOUT_US + RETRY_US);
    answer();
    expect(restored).toEqual([[BYTES]]);
  });

  it('T9: what is damaged is told of with its file and the place, and nothing is restored', () => {
    const { start, answer, restored, told, storage, out } = bench();
    storage.objects.set('p', BYTES.slice(0, BYTES.length - 1));
    start(fileHandle('p', BYTES));
    answer();
    expect(told).toEqual(['corrupt-state']);
    expect(restored).toEqual([]);
    expect(out.reported('corrupt-file')).toMatchObject([{ path: 'p', offset: BYTES.length - 1 }]);
  });
});

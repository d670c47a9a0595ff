import { expect, test } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import type { StorageRequest } from '../../../../engine/protocol/messages.ts';
import { constant } from '../../../../sim/kernel/distribution.ts';
import { ObjectStoreDisk } from '../../../../sim/services/object-store-disk.ts';
import { StorageService } from '../../../../sim/services/storage-service.ts';
import { type StoragePhysics, USUAL_STORAGE } from '../../../../sim/services/storage-physics.ts';
import { ALWAYS, CLIENT, CLIENT_MAILBOX, ServiceHarness } from './service-harness.ts';

const ONE = new Uint8Array([1]);
const TWO = new Uint8Array([2, 2]);
const LATENCY = { putBase: constant(1_000), putUsPerMiB: 8_192, get: constant(500), deleteUs: 200, listUs: 300 };

function bench(physics: Partial<StoragePhysics> = {}): {
  harness: ServiceHarness;
  disk: ObjectStoreDisk;
  restart: () => void;
} {
  const harness = new ServiceHarness();
  const delaySite = harness.choices.site('list-delay');
  const disk = new ObjectStoreDisk({ ...USUAL_STORAGE, ...physics, latency: LATENCY, delaySite });
  const restart = (): void =>
    harness.start(
      new StorageService({
        disk,
        isRestart: false,
        conditions: harness.conditions,
        latencySite: harness.choices.site('latency'),
        conditionSite: harness.choices.site('condition'),
      }),
    );
  restart();
  return { harness, disk, restart };
}

const put = (requestId: number, path: string, bytes: Uint8Array, overwrite = false): StorageRequest => ({
  kind: 'storage-put',
  requestId,
  path,
  bytes,
  overwrite,
});
const get = (requestId: number, path: string): StorageRequest => ({ kind: 'storage-get', requestId, path });

test('object store: a put is visible whole when its latency has passed, not before', () => {
  const { harness, disk } = bench();
  harness.receive(put(1, 'a', new Uint8Array(256)));
  harness.runUntil(1_001);
  expect(disk.object('a')).toBeUndefined();
  expect(harness.events).toEqual([]);
  harness.runUntil(1_002);
  expect(disk.object('a')?.length).toBe(256);
  expect(harness.events).toEqual([{ kind: 'object-stored', path: 'a', bytes: 256 }]);
  const reply = { kind: 'storage-reply', requestId: 1, outcome: 'done', checksum: crc32c(new Uint8Array(256)) };
  expect(harness.sent).toEqual([
    { atUs: 1_002, to: { node: CLIENT, mailbox: CLIENT_MAILBOX, via: 'datagram' }, message: reply },
  ]);
});

test('object store: a get returns bytes and checksum, or not-found', () => {
  const { harness } = bench();
  harness.ask(put(1, 'a', TWO));
  expect(harness.ask(get(2, 'a'))).toEqual([
    { kind: 'storage-reply', requestId: 2, outcome: 'done', bytes: TWO, checksum: crc32c(TWO) },
  ]);
  expect(harness.ask(get(3, 'b'))).toEqual([{ kind: 'storage-reply', requestId: 3, outcome: 'not-found' }]);
});

test('object store: what the sender does to its buffer after the put is not stored', () => {
  const { harness, disk } = bench();
  const bytes = new Uint8Array([9]);
  harness.receive(put(1, 'a', bytes));
  bytes[0] = 0;
  harness.runFor(5_000);
  expect(disk.object('a')).toEqual(new Uint8Array([9]));
});

test('object store: a doubled put without overwrite finds the object of the first', () => {
  const { harness, disk } = bench();
  harness.receive(put(1, 'a', ONE));
  harness.receive(put(1, 'a', TWO));
  harness.runFor(5_000);
  expect(harness.sent.map(({ message }) => message)).toEqual([
    { kind: 'storage-reply', requestId: 1, outcome: 'done', checksum: crc32c(ONE) },
    { kind: 'storage-reply', requestId: 1, outcome: 'already-exists', checksum: crc32c(ONE) },
  ]);
  expect(disk.object('a')).toEqual(ONE);
  harness.ask(put(2, 'a', TWO, true));
  expect(disk.object('a')).toEqual(TWO);
});

test('object store: deleting what is not there is done, only real deletions are reported', () => {
  const { harness } = bench();
  harness.ask(put(1, 'a', ONE));
  const request: StorageRequest = { kind: 'storage-delete', requestId: 2, paths: ['a', 'b'] };
  for (const reply of [...harness.ask(request), ...harness.ask(request)])
    expect(reply).toMatchObject({ outcome: 'done' });
  expect(harness.eventsOf('object-deleted')).toEqual([{ kind: 'object-deleted', path: 'a' }]);
});

test('object store: a list holds the paths under the prefix by code units', () => {
  const { harness, disk } = bench();
  for (const path of ['j/b', 'j/B', 'k/a', 'j/10', 'j/9']) harness.ask(put(1, path, ONE));
  const [reply] = harness.ask({ kind: 'storage-list', requestId: 2, prefix: 'j/' });
  expect(reply).toMatchObject({ outcome: 'done', paths: ['j/10', 'j/9', 'j/B', 'j/b'] });
  expect(disk.objects()).toEqual(['j/10', 'j/9', 'j/B', 'j/b', 'k/a']);
});

test('object store: under unknown-outcome the put happens and nobody is told', () => {
  const { harness, disk } = bench();
  harness.affect('f1', 'unknown-outcome');
  expect(harness.ask(put(1, 'a', ONE))).toEqual([]);
  expect(disk.object('a')).toEqual(ONE);
  expect(harness.effective).toEqual(['f1']);
});

test('object store: unavailable refuses at once, fail refuses late, neither has an effect', () => {
  const { harness, disk } = bench();
  harness.affect('f1', 'unavailable');
  harness.receive(put(1, 'a', ONE));
  expect(harness.sent[0]).toMatchObject({ atUs: 0, message: { outcome: 'unavailable' } });
  harness.conditions.lift('f1');
  harness.affect('f2', 'fail');
  harness.ask(put(2, 'a', ONE));
  expect(harness.sent[1]).toMatchObject({ atUs: 1_000, message: { outcome: 'failed' } });
  expect(disk.objects()).toEqual([]);
  expect(harness.events).toEqual([]);
});

test('object store: slow multiplies the latency', () => {
  const { harness } = bench();
  harness.affect('f1', 'slow', 4);
  harness.ask(get(1, 'a'));
  expect(harness.sent[0]?.atUs).toBe(2_000);
});

test('object store: a crash forgets puts in progress and keeps those that were done', () => {
  const { harness, disk, restart } = bench();
  harness.ask(put(1, 'a', ONE));
  harness.receive(put(2, 'b', ONE));
  restart();
  harness.runFor(60_000);
  expect(disk.objects()).toEqual(['a']);
  expect(harness.ask(get(3, 'a'))).toMatchObject([{ requestId: 3, outcome: 'done', bytes: ONE }]);
});

test('object store: a message for somebody else is discarded', () => {
  const { harness } = bench();
  expect(harness.ask({ kind: 'continue' })).toEqual([]);
  expect(harness.eventsOf('message-discarded')).toHaveLength(1);
});

test('stale lists: what is stored meanwhile is read, and listed when the fault has ended; what was there is listed', () => {
  const { harness } = bench();
  const list = (requestId: number): readonly string[] => {
    harness.receive({ kind: 'storage-list', requestId, prefix: '' });
    harness.runFor(1_000);
    const message = harness.sent.at(-1)?.message;
    return message?.kind === 'storage-reply' ? (message.paths ?? []) : [];
  };
  harness.receive(put(1, 'before', ONE));
  harness.runFor(2_000);
  harness.conditions.apply('f1', { effect: 'stale-list', factor: 1, chance: ALWAYS });
  harness.receive(put(2, 'meanwhile', TWO));
  harness.runFor(2_000);
  expect(harness.effective).toEqual([]);
  expect(list(3)).toEqual(['before']);
  expect(harness.effective).toEqual(['f1']);
  harness.receive(get(4, 'meanwhile'));
  harness.runFor(1_000);
  expect(harness.sent.at(-1)?.message).toMatchObject({ outcome: 'done', bytes: TWO });
  harness.conditions.lift('f1');
  expect(list(5)).toEqual(['before', 'meanwhile']);
});

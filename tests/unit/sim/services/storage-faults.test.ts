/**
 * What each fault of a checkpoint storage does to a request: what is said, what is durable, and which requests it cannot strike, so that it is
 * not effective there.
 */
import { describe, expect, it } from 'vitest';
import type { StorageReply, StorageRequest } from '../../../../engine/protocol/messages.ts';
import { constant } from '../../../../sim/kernel/distribution.ts';
import { HdfsDisk } from '../../../../sim/services/hdfs-disk.ts';
import { ObjectStoreDisk } from '../../../../sim/services/object-store-disk.ts';
import type { ServiceEffect } from '../../../../sim/services/service-conditions.ts';
import type { StorageDisk } from '../../../../sim/services/storage-disk.ts';
import { HDFS } from '../../../../sim/services/storage-latencies.ts';
import { USUAL_STORAGE } from '../../../../sim/services/storage-physics.ts';
import { StorageService } from '../../../../sim/services/storage-service.ts';
import { ALWAYS, ServiceHarness } from './service-harness.ts';

const BYTES = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
const LATENCY = { putBase: constant(1_000), putUsPerMiB: 0, get: constant(500), deleteUs: 200, listUs: 300 };
const NEVER = { numerator: 0, denominator: 1 };

class Storage {
  readonly harness = new ServiceHarness();
  readonly disk: StorageDisk;
  #requests = 0;

  constructor(kind: 'object-store' | 'hdfs' = 'object-store') {
    const { choices, conditions } = this.harness;
    this.disk =
      kind === 'hdfs'
        ? new HdfsDisk({ ...USUAL_STORAGE, latency: HDFS })
        : new ObjectStoreDisk({ ...USUAL_STORAGE, latency: LATENCY, delaySite: choices.site('delay') });
    const sites = { latencySite: choices.site('latency'), conditionSite: choices.site('condition') };
    this.harness.start(new StorageService({ disk: this.disk, isRestart: false, conditions, ...sites }));
  }

  under(effect: ServiceEffect, chance = ALWAYS): this {
    this.harness.conditions.apply('f1', { effect, factor: 10, chance });
    return this;
  }

  healed(): this {
    this.harness.conditions.lift('f1');
    return this;
  }

  /** What was answered, and after how long; undefined: nothing within a minute. */
  ask(request: StorageRequest): { readonly reply: StorageReply; readonly us: number } | undefined {
    const { harness } = this;
    const [before, startUs] = [harness.sent.length, harness.nowUs];
    harness.receive(request);
    harness.runFor(60_000_000);
    const sent = harness.sent[before];
    return sent?.message.kind === 'storage-reply' ? { reply: sent.message, us: sent.atUs - startUs } : undefined;
  }

  put(path: string): string | undefined {
    this.#requests += 1;
    const request = { kind: 'storage-put', requestId: this.#requests, path, bytes: BYTES, overwrite: false } as const;
    return this.ask(request)?.reply.outcome;
  }

  get(path: string): StorageReply | undefined {
    this.#requests += 1;
    return this.ask({ kind: 'storage-get', requestId: this.#requests, path })?.reply;
  }

  get effective(): number {
    return this.harness.effective.length;
  }
}

describe('requests', () => {
  it.each([
    ['unavailable', 'unavailable', false],
    ['throttled', 'slow-down', false],
    ['fail', 'failed', false],
    ['write-fails', 'failed', false],
    ['disk-full', 'disk-full', false],
    ['unknown-outcome', undefined, true],
    ['slow', 'done', true],
  ] as const)('%s: a write is answered %s, and is durable: %s', (effect, answer, isDurable) => {
    const storage = new Storage().under(effect);
    expect(storage.put('a')).toBe(answer);
    expect(storage.disk.object('a') !== undefined).toBe(isDurable);
    expect(storage.effective).toBe(1);
    expect(storage.healed().put('b')).toBe('done');
    expect(storage.effective).toBe(1);
  });

  it('slow: so many times as long', () => {
    const took = (storage: Storage): number | undefined =>
      storage.ask({ kind: 'storage-put', requestId: 1, path: 'a', bytes: BYTES, overwrite: false })?.us;
    expect([took(new Storage()), took(new Storage().under('slow'))]).toEqual([1_000, 10_000]);
  });

  it.each(['unavailable', 'throttled', 'fail', 'unknown-outcome', 'slow'] as const)(
    '%s: a chance of nothing',
    (effect) => {
      const storage = new Storage().under(effect, NEVER);
      expect(storage.put('a')).toBe('done');
      expect(storage.effective).toBe(0);
    },
  );

  it.each(['write-fails', 'disk-full'] as const)('%s: reads go on, so it is not effective', (effect) => {
    const storage = new Storage();
    storage.put('a');
    expect(storage.under(effect).get('a')?.outcome).toBe('done');
    expect(storage.effective).toBe(0);
  });

  it('namenode-outage: names are refused, bytes are not; an object store has no namenode', () => {
    const hdfs = new Storage('hdfs');
    const file = (sequence: number, operation: Extract<StorageRequest, { kind: 'storage-file' }>['operation']) =>
      hdfs.ask({ kind: 'storage-file', requestId: sequence, path: 'a', writer: 'w', sequence, operation })?.reply
        .outcome;
    expect(file(1, { kind: 'create', overwrite: false })).toBe('done');
    hdfs.under('namenode-outage');
    expect(file(2, { kind: 'write', offset: 0, bytes: BYTES })).toBe('done');
    expect(hdfs.effective).toBe(0);
    expect(file(3, { kind: 'close' })).toBe('unavailable');
    expect(hdfs.effective).toBe(1);
    const store = new Storage().under('namenode-outage');
    expect([store.put('a'), store.effective]).toEqual(['done', 0]);
  });
});

describe('damage', () => {
  const damaged = (effect: 'bit-rot' | 'short-read' | 'missing'): Storage => {
    const storage = new Storage();
    storage.put('a');
    return storage.under(effect);
  };

  it('bit-rot: one bit of what is read, always the same, and the checksum is that of the whole file', () => {
    const storage = damaged('bit-rot');
    const [first, second] = [storage.get('a'), storage.get('a')];
    const bits = [...(first?.bytes ?? [])].map((byte, index) => byte ^ (BYTES[index] ?? 0)).filter((bit) => bit !== 0);
    expect(bits).toHaveLength(1);
    expect(second).toMatchObject({ bytes: first?.bytes, checksum: first?.checksum });
    expect(storage.healed().get('a')).toMatchObject({ bytes: BYTES, checksum: first?.checksum });
    expect(storage.disk.object('a')).toEqual(BYTES);
  });

  it('short-read: the beginning of the file', () => {
    const read = damaged('short-read').get('a')?.bytes ?? BYTES;
    expect(read.length).toBeLessThan(BYTES.length);
    expect(read).toEqual(BYTES.slice(0, read.length));
  });

  it('missing: not found, until it is repaired', () => {
    const storage = damaged('missing');
    expect(storage.get('a')?.outcome).toBe('not-found');
    expect(storage.effective).toBe(1);
    expect(storage.healed().get('a')?.bytes).toEqual(BYTES);
  });

  it('an empty file has no bit to rot and no end to lose, but may be missing', () => {
    for (const effect of ['bit-rot', 'short-read', 'missing'] as const) {
      const storage = new Storage();
      storage.harness.receive({
        kind: 'storage-put',
        requestId: 99,
        path: 'empty',
        bytes: new Uint8Array(),
        overwrite: false,
      });
      storage.harness.runFor(60_000_000);
      const isMissing = effect === 'missing';
      expect(storage.under(effect).get('empty')?.outcome).toBe(isMissing ? 'not-found' : 'done');
      expect(storage.effective).toBe(isMissing ? 1 : 0);
    }
  });

  it.each(['bit-rot', 'short-read', 'missing'] as const)('%s: what nobody reads was not damaged', (effect) => {
    const storage = damaged(effect);
    expect(storage.put('b')).toBe('done');
    expect(storage.effective).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { StorageReply, StorageRequest } from '../../../../engine/protocol/messages.ts';
import { ObjectStoreStorage } from '../../../../engine/storage/object-store-storage.ts';
import { Choices } from '../../../../sim/kernel/choice.ts';
import { constant } from '../../../../sim/kernel/distribution.ts';
import { ObjectStoreDisk } from '../../../../sim/services/object-store-disk.ts';
import { USUAL_STORAGE } from '../../../../sim/services/storage-physics.ts';
import { REQUEST_TIMEOUT_US, STORAGE } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const BYTES = new Uint8Array([1, 2, 3, 4, 5, 6, 7]);
const PATH = 'c/job/chk-1/state';
const WRITE = { path: PATH, bytes: BYTES, checksum: crc32c(BYTES), overwrite: false };
const LATENCY = { putBase: constant(1), putUsPerMiB: 1, get: constant(1), deleteUs: 1, listUs: 1 };

class Bench {
  readonly told: string[] = [];
  readonly disk = new ObjectStoreDisk({
    ...USUAL_STORAGE,
    latency: LATENCY,
    delaySite: new Choices({ rootSeed: 'parts' }).site('list-delay'),
  });
  readonly storage = new ObjectStoreStorage(
    { node: STORAGE, via: 'datagram', name: 'put', timeoutUs: REQUEST_TIMEOUT_US, firstRequestId: 1 },
    3,
  );
  readonly out = new RecordingOut((timer, nowUs, out) => this.storage.handleTimer(timer, nowUs, out));
  #waiting: StorageRequest[] = [];

  write(): this {
    this.storage.writeState(WRITE, this.out, (outcome) => void this.told.push(outcome));
    return this;
  }

  /** Performs so many requests; `answers` says whether anybody hears of it. */
  perform(count: number, answers = true): this {
    for (let n = 0; n < count; n += 1) {
      const request = this.#next();
      if (request === undefined) return this;
      const answer = this.disk.perform(request, micros(this.out.nowUs), () => undefined);
      if (answers) this.#deliver({ kind: 'storage-reply', requestId: request.requestId, ...answer });
    }
    return this;
  }

  refuse(): this {
    this.#deliver({ kind: 'storage-reply', requestId: this.#next()?.requestId ?? 0, outcome: 'failed' });
    return this;
  }

  #next(): StorageRequest | undefined {
    this.#waiting.push(...this.out.fresh().map(({ message }) => message as StorageRequest));
    return this.#waiting.shift();
  }

  #deliver(reply: StorageReply): void {
    this.storage.handleReply(reply, this.out.nowUs, this.out);
  }
}

describe('upload in parts', () => {
  it('T7: the object is there when all parts are and the upload is completed, and not before', () => {
    const bench = new Bench().write().perform(4);
    expect(bench.disk.objects()).toEqual([]);
    bench.perform(1);
    expect(bench.disk.object(PATH)).toEqual(BYTES);
    expect(bench.told).toEqual(['done']);
    expect(bench.disk.leftovers()).toEqual([]);
  });

  it('a part that fails fails the write once, and the upload is aborted', () => {
    const bench = new Bench().write().perform(2).refuse().perform(9);
    expect(bench.told).toEqual(['failed']);
    expect([...bench.disk.objects(), ...bench.disk.leftovers()]).toEqual([]);
  });

  it('F17: a completion that is not answered is unknown; made again the object is found, and no upload is left', () => {
    const bench = new Bench().write().perform(4).perform(1, false);
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(bench.told).toEqual(['unknown']);
    bench.write().perform(9);
    expect(bench.told).toEqual(['unknown', 'done']);
    expect(bench.disk.leftovers()).toEqual([]);
  });

  it('what a dead writer left is listed and deleted like a file', () => {
    const bench = new Bench().write().perform(2);
    const other = new Bench();
    const names = bench.disk.leftovers();
    expect(names).toEqual([`${PATH}?uploadId=u1`]);
    other.disk.perform(
      { kind: 'storage-upload', requestId: 0, path: PATH, operation: { kind: 'begin' } },
      micros(0),
      () => undefined,
    );
    other.storage.list('c/job/', other.out, (reply) => void other.told.push(...(reply?.paths ?? [])));
    other.perform(2);
    expect(other.told).toEqual(names);
    other.storage.delete(names, other.out, (reply) => void other.told.push(reply?.outcome ?? ''));
    other.perform(1);
    expect(other.disk.leftovers()).toEqual([]);
  });
});

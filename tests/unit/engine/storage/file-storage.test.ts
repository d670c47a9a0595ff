import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { EngineMessage, StorageReply, StorageRequest } from '../../../../engine/protocol/messages.ts';
import { FileStorage } from '../../../../engine/storage/file-storage.ts';
import { temporaryOf } from '../../../../engine/storage/file-names.ts';
import type { ChoiceSite } from '../../../../sim/kernel/choice.ts';
import { FileServerDisk } from '../../../../sim/services/file-server-disk.ts';
import { FILE_SERVER } from '../../../../sim/services/storage-latencies.ts';
import { REQUEST_TIMEOUT_US, STORAGE } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const BYTES = new Uint8Array([1, 2, 3, 4, 5, 6]);
const METADATA = 'c/job/chk-1/_metadata';
const WRITE = { path: METADATA, bytes: BYTES, checksum: crc32c(BYTES), overwrite: false };

/** Of what was not synced. */
const nothingSurvives = { choose: () => 1 } as unknown as ChoiceSite;

class Bench {
  readonly disk = new FileServerDisk({ latency: FILE_SERVER, writeBackUs: 1_000_000 });
  readonly told: (string | undefined)[] = [];
  readonly out: RecordingOut;
  readonly storage: FileStorage;
  #waiting: EngineMessage[] = [];

  constructor() {
    const client = {
      node: STORAGE,
      via: 'datagram',
      name: 'put',
      timeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
    } as const;
    this.storage = new FileStorage({ client, writer: 'w', writeBufferBytes: 4, parts: standardParts });
    this.out = new RecordingOut((timer, nowUs, out) => this.storage.handleTimer(timer, nowUs, out));
  }

  write(what: 'state' | 'metadata'): this {
    const then = (outcome: string): unknown => this.told.push(outcome);
    if (what === 'state') this.storage.writeState(WRITE, this.out, then);
    else this.storage.writeMetadata(WRITE, this.out, then);
    return this;
  }

  /** Performs and answers so many requests. */
  answer(count = 100): this {
    for (let n = 0; n < count; n += 1) {
      const next = this.#next();
      if (next === undefined) return this;
      this.#deliver(this.perform(next));
    }
    return this;
  }

  /** The next request is performed and its answer lost. */
  lose(): StorageRequest {
    const next = this.#next();
    if (next === undefined) throw new Error('nothing was asked');
    this.perform(next);
    return next;
  }

  refuse(outcome: StorageReply['outcome']): this {
    const requestId = this.#next()?.requestId ?? 0;
    this.#deliver({ kind: 'storage-reply', requestId, outcome });
    return this;
  }

  perform(request: StorageRequest): StorageReply {
    const answer = this.disk.perform(request, micros(this.out.nowUs), () => undefined);
    return { kind: 'storage-reply', requestId: request.requestId, ...answer };
  }

  operations(): string[] {
    return this.out.all('storage-file').map(({ operation }) => operation.kind);
  }

  #next(): StorageRequest | undefined {
    this.#waiting.push(...this.out.fresh().map(({ message }) => message));
    return this.#waiting.shift() as StorageRequest | undefined;
  }

  #deliver(reply: StorageReply): void {
    this.storage.handleReply(reply, this.out.nowUs, this.out);
  }
}

describe('file storage', () => {
  it('T5, D1: a file of state is created, written in pieces, synced and closed, and only then told of', () => {
    const bench = new Bench().write('state');
    bench.answer(4);
    expect(bench.told).toEqual([]);
    bench.answer();
    expect(bench.operations()).toEqual(['create', 'write', 'write', 'sync', 'close']);
    expect(bench.told).toEqual(['done']);
    expect(bench.disk.object(METADATA)).toEqual(BYTES);
  });

  it('T5, D2: metadata is under its name only when it is whole', () => {
    const bench = new Bench().write('metadata');
    bench.answer(5);
    expect(bench.disk.objects()).toEqual([temporaryOf(METADATA)]);
    bench.answer();
    expect(bench.told).toEqual(['done']);
    expect(bench.disk.objects()).toEqual([METADATA]);
  });

  it('a step that is not answered is sent again with its number, and done once', () => {
    const bench = new Bench().write('metadata');
    const first = bench.answer(1).lose();
    bench.out.advance(REQUEST_TIMEOUT_US);
    const second = bench.lose();
    expect(second).toEqual({ ...first, requestId: second.requestId });
    bench.out.advance(REQUEST_TIMEOUT_US);
    bench.answer();
    expect(bench.told).toEqual(['done']);
    expect(bench.disk.object(METADATA)).toEqual(BYTES);
  });

  it('F17: a write whose last answers are lost is unknown; made again it is found done', () => {
    const bench = new Bench().write('metadata').answer(5);
    for (let tries = 0; tries < 3; tries += 1) {
      bench.lose();
      bench.out.advance(REQUEST_TIMEOUT_US);
    }
    expect(bench.told).toEqual(['unknown']);
    bench.write('metadata').answer();
    expect(bench.told).toEqual(['unknown', 'done']);
  });

  it('D2: what a power loss left of metadata under its first name is begun anew', () => {
    const bench = new Bench().write('metadata').answer(3);
    bench.disk.losePower(micros(bench.out.nowUs), nothingSurvives, () => undefined);
    bench.answer();
    expect(bench.told).toEqual(['failed']);
    expect(bench.disk.object(temporaryOf(METADATA))).not.toEqual(BYTES);
    bench.write('metadata').answer();
    expect(bench.told).toEqual(['failed', 'done']);
    expect(bench.disk.object(METADATA)).toEqual(BYTES);
  });

  it('S19: a file grows by durable pieces; after one that failed it is not to be relied on, and others are as they were', () => {
    const bench = new Bench();
    const path = 'c/job/taskowned/t/1-1-1.merged';
    const append = (offset: number, bytes: Uint8Array): void =>
      bench.storage.append({ path, offset, bytes }, bench.out, (outcome) => bench.told.push(outcome));
    append(0, BYTES);
    bench.answer();
    expect(bench.operations()).toEqual(['create', 'write', 'write', 'sync']);
    bench.disk.losePower(micros(bench.out.nowUs), nothingSurvives, () => undefined);
    expect(bench.disk.object(path)).toEqual(BYTES);
    append(BYTES.length, BYTES);
    bench.answer();
    expect(bench.told).toEqual(['done', 'failed']);
    expect(bench.disk.object(path)).toEqual(BYTES);
  });

  it("T5: somebody else's file is never replaced", () => {
    const bench = new Bench();
    const other = { kind: 'storage-file', requestId: 0, path: METADATA, writer: 'other' } as const;
    bench.perform({ ...other, sequence: 1, operation: { kind: 'create', overwrite: false } });
    bench.write('state').answer();
    bench.write('metadata').answer();
    expect(bench.told).toEqual(['taken', 'taken']);
    expect(bench.disk.object(METADATA)).toEqual(new Uint8Array(0));
  });

  it('T6: with the last file its directory goes; one that holds something foreign stays, and that is no failure', () => {
    const bench = new Bench().write('metadata').answer();
    const then = (reply: StorageReply | undefined): unknown => bench.told.push(reply?.outcome);
    const other = { kind: 'storage-file', requestId: 0, path: 'c/job/chk-1/foreign', writer: 'other' } as const;
    bench.perform({ ...other, sequence: 1, operation: { kind: 'create', overwrite: false } });
    bench.storage.delete([METADATA], bench.out, then);
    bench.answer();
    expect(bench.disk.objects()).toEqual(['c/job/chk-1/foreign']);
    expect(bench.out.probes()).toContain('directory-not-empty');
    bench.storage.delete(['c/job/chk-1/foreign'], bench.out, then);
    bench.answer();
    expect(bench.disk.leftovers()).toEqual(['c/job/']);
    bench.write('metadata').answer();
    bench.storage.discard('c/job/chk-1', bench.out, then);
    bench.answer();
    expect(bench.disk.objects()).toEqual([]);
    expect(bench.told).toEqual(['done', 'done', 'done', 'done', 'done']);
  });

  it('T7: a storage that is too busy is asked again, each time after twice as long', () => {
    const bench = new Bench().write('state').refuse('slow-down');
    bench.out.advance(99_999);
    expect(bench.operations()).toHaveLength(1);
    bench.out.advance(1);
    bench.refuse('slow-down');
    bench.out.advance(199_999);
    expect(bench.operations()).toHaveLength(2);
    bench.out.advance(1);
    bench.answer();
    expect(bench.told).toEqual(['done']);
  });

  it.each(['disk-full', 'being-created', 'safe-mode', 'lease-expired', 'failed'] as const)(
    'T11: %s fails the write',
    (outcome) => {
      expect(new Bench().write('state').answer(1).refuse(outcome).told).toEqual(['failed']);
    },
  );
});

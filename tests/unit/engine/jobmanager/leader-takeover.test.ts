/** What a new leader does before it may act (rows C8, C19, F16, F17). */
import { describe, expect, it } from 'vitest';
import { RequestClient } from '../../../../engine/clients/request-client.ts';
import { leaderEpoch } from '../../../../engine/foundation/ids.ts';
import { StoreRegisters } from '../../../../engine/high-availability/store-registers.ts';
import { LeaderTakeover } from '../../../../engine/jobmanager/leader-takeover.ts';
import { standardParts } from '../../../../engine/parts.ts';
import {
  counterKey,
  decodePointer,
  encodePointer,
  pointerKey,
  type RetainedCheckpoint,
} from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { CoordinationReply, EngineMessage } from '../../../../engine/protocol/messages.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { COORDINATION, id, JOB, REQUEST_TIMEOUT_US, RETRY_US, STORAGE } from '../../../support/engine-values.ts';
import { FakeCoordination } from '../../../support/fake-coordination.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { ObjectStoreStorage } from '../../../../engine/storage/object-store-storage.ts';

const POINTER = pointerKey(JOB);
const RETAINED: RetainedCheckpoint[] = [{ id: id(6), metadata: 'chk-6/_metadata' }];

class Bench {
  readonly store = new FakeCoordination();
  readonly storage = new FakeStorage();
  readonly told: string[] = [];
  readonly out: RecordingOut;
  readonly #takeover: LeaderTakeover;
  readonly #client: RequestClient<CoordinationReply>;
  readonly #storageClient: ObjectStoreStorage;

  constructor(epoch = 3, parts = standardParts) {
    for (const checkpoint of [5, 6]) this.putMetadata(checkpoint);
    this.#storageClient = new ObjectStoreStorage({
      node: STORAGE,
      via: 'datagram',
      name: 'storage',
      timeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
    });
    this.#client = new RequestClient({
      node: COORDINATION,
      via: 'datagram',
      name: 'coordination',
      timeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
    });
    this.#takeover = new LeaderTakeover({
      jobId: JOB,
      epoch: leaderEpoch(epoch),
      firstId: 1,
      retained: 2,
      retryUs: RETRY_US,
      parts,
      coordination: new StoreRegisters(this.#client),
      storage: this.#storageClient,
      superseded: () => this.told.push('superseded'),
      done: (store, counter) =>
        this.told.push(`newest ${store.newest?.id}, version ${store.version}, counter ${counter.value}`),
    });
    this.out = new RecordingOut(
      (timer, nowUs, out) =>
        this.#takeover.handleTimer(timer, nowUs, out) ||
        this.#client.handleTimer(timer, nowUs, out) ||
        this.#storageClient.handleTimer(timer, nowUs, out),
    );
  }

  start(): this {
    this.#takeover.start(this.out);
    return this;
  }

  /** Performs and answers so many requests; all when not said. */
  answer(requests = 100): this {
    for (let n = 0; n < requests; n += 1) {
      const [sent, ...others] = this.out.fresh();
      if (sent === undefined) break;
      if (others.length > 0) throw new Error('a takeover asks one thing at a time');
      this.#answer(sent.message);
    }
    return this;
  }

  putMetadata(checkpoint: number): void {
    const metadata = {
      checkpointId: id(checkpoint),
      jobId: JOB,
      triggeredAtUs: 1,
      states: [],
      operators: [],
      highestParallelism: 0,
    };
    this.storage.objects.set(`chk-${checkpoint}/_metadata`, encodeMetadata(metadata));
  }

  #answer(message: EngineMessage): void {
    if (message.kind.startsWith('storage-'))
      this.#storageClient.handleReply(this.storage.perform(message), this.out.nowUs, this.out);
    else this.#client.handleReply(this.store.perform(message), this.out.nowUs, this.out);
  }

  /** The next request takes effect, or not, and its reply is lost. */
  lose(reaches: boolean): this {
    const [sent] = this.out.fresh();
    if (sent === undefined) throw new Error('nothing was asked');
    if (reaches) this.store.perform(sent.message);
    this.out.advance(REQUEST_TIMEOUT_US + RETRY_US);
    return this;
  }
}

describe('leader takeover', () => {
  it('F16: with no pointer yet it writes an empty one under its epoch', () => {
    const bench = new Bench().start().answer();
    expect(decodePointer(bench.store.valueOf(POINTER) ?? '')).toEqual({ epoch: 3, completed: [] });
    expect(bench.told).toEqual(['newest undefined, version 1, counter 0']);
  });

  it('F15, F16: it takes over the pointer of an earlier leader with what it names, and reads the counter after that', () => {
    const bench = new Bench();
    bench.store.put(POINTER, encodePointer({ epoch: leaderEpoch(2), completed: RETAINED }));
    bench.store.put(counterKey(JOB), '9');
    bench.start().answer();
    expect(decodePointer(bench.store.valueOf(POINTER) ?? '')).toEqual({ epoch: 3, completed: RETAINED });
    expect(bench.told).toEqual(['newest 6, version 2, counter 9']);
    expect(bench.out.kinds()).toEqual([
      'coordination-get',
      'coordination-compare-and-set',
      'coordination-get',
      'storage-get',
    ]);
  });

  it('F15: a pointer of a later leader means it was superseded, and it writes nothing', () => {
    const bench = new Bench();
    bench.store.put(POINTER, encodePointer({ epoch: leaderEpoch(4), completed: RETAINED }));
    bench.start().answer();
    expect(bench.told).toEqual(['superseded']);
    expect(bench.out.all('coordination-compare-and-set')).toEqual([]);
    expect(bench.out.probes()).toContain('takeover-superseded');
  });

  it('F17: a claim without reply that took effect is found again and not written twice', () => {
    const bench = new Bench().start().answer(1).lose(true).answer();
    expect(bench.out.all('coordination-compare-and-set')).toHaveLength(1);
    expect(bench.told).toEqual(['newest undefined, version 1, counter 0']);
  });

  it('F17: a claim that never arrived is written again', () => {
    const bench = new Bench().start().answer(1).lose(false).answer();
    expect(bench.out.all('coordination-compare-and-set')).toHaveLength(2);
    expect(bench.told).toHaveLength(1);
  });

  it('G1: a checkpoint that an earlier leader still completed in between is taken over, not overwritten', () => {
    const bench = new Bench();
    bench.store.put(POINTER, encodePointer({ epoch: leaderEpoch(2), completed: [] }));
    bench.start().answer(1);
    bench.store.put(POINTER, encodePointer({ epoch: leaderEpoch(2), completed: RETAINED }));
    bench.answer(1).out.advance(RETRY_US);
    bench.answer();
    expect(bench.told).toEqual(['newest 6, version 3, counter 0']);
  });

  it('every read is repeated until it is answered', () => {
    const bench = new Bench().start().lose(false).lose(true).answer(2).lose(true).answer();
    expect(bench.told).toHaveLength(1);
  });

  const TWO: RetainedCheckpoint[] = [{ id: id(5), metadata: 'chk-5/_metadata' }, ...RETAINED];

  it('F16, B5: all retained metadata is read, in the order of the numbers', () => {
    const bench = new Bench();
    bench.store.put(POINTER, encodePointer({ epoch: leaderEpoch(2), completed: TWO }));
    bench.start().answer();
    expect(bench.out.all('storage-get').map(({ path }) => path)).toEqual(['chk-5/_metadata', 'chk-6/_metadata']);
    expect(bench.told).toEqual(['newest 6, version 2, counter 0']);
  });

  it.each([5, 6])(
    'C19, B3: while the metadata of checkpoint %i cannot be read nobody leads, and none is skipped',
    (lost) => {
      const bench = new Bench();
      bench.store.put(POINTER, encodePointer({ epoch: leaderEpoch(2), completed: TWO }));
      bench.storage.objects.delete(`chk-${lost}/_metadata`);
      bench.start().answer();
      for (let n = 0; n < 5; n += 1) {
        bench.out.advance(RETRY_US);
        bench.answer();
      }
      expect(bench.told).toEqual([]);
      expect(bench.out.probes()).toContain('retained-metadata-unreadable');
      bench.putMetadata(lost);
      bench.out.advance(RETRY_US);
      bench.answer();
      expect(bench.told).toEqual(['newest 6, version 2, counter 0']);
    },
  );
});

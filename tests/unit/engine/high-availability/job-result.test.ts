/** A job that has ended: its result first, then the clean-up, then nothing ever again (row F18; B8; X54). */
import { describe, expect, it } from 'vitest';
import { RequestClient } from '../../../../engine/clients/request-client.ts';
import { JobCleanup } from '../../../../engine/high-availability/job-cleanup.ts';
import { JobResultStore } from '../../../../engine/high-availability/job-result-store.ts';
import {
  decodeResult,
  type EndStatus,
  type JobResult,
  resultKey,
  resultOf,
} from '../../../../engine/protocol/job-result.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { StoreRegisters } from '../../../../engine/high-availability/store-registers.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { checkpointId, leaderEpoch } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { counterKey, encodePointer, type JobEnd, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { CoordinationReply, EngineMessage, StorageReply } from '../../../../engine/protocol/messages.ts';
import { COORDINATION, JOB, REQUEST_TIMEOUT_US, RETRY_US, STORAGE } from '../../../support/engine-values.ts';
import { FakeCoordination } from '../../../support/fake-coordination.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { ObjectStoreStorage } from '../../../../engine/storage/object-store-storage.ts';

const FILE = `checkpoints/${JOB}/chk-6/_metadata`;
const SECOND_LOOK_US = 2_000_000;
const FIRST_RETRY_US = 1_000_000;
const metadataOf = (id: number): string => `checkpoints/${JOB}/chk-${id}/_metadata`;

/** `_metadata` of a checkpoint that is made of these. */
function written(...segments: readonly string[]): Uint8Array {
  const files = segments.map((path) => ({ path, bytes: 1, checksum: 0 }));
  const handle = { operator: 'op', state: 'keyed', path: '', bytes: 0, checksum: 0, segments: files } as const;
  const states = [{ vertex: 0, subtask: 0, handles: [handle] }];
  const of = { jobId: JOB, triggeredAtUs: 0, states, operators: [], highestParallelism: 0 };
  return encodeMetadata({ ...of, checkpointId: checkpointId(1) });
}

class Bench {
  readonly store = new FakeCoordination();
  readonly storage = new FakeStorage();
  readonly results: JobResultStore;
  readonly cleanup: JobCleanup;
  readonly out: RecordingOut;
  /** Kinds of requests and what they were about, in order. */
  readonly done: string[] = [];
  isStorageDown = false;
  #cleaned = 0;
  readonly #client: RequestClient<CoordinationReply>;
  readonly #storageClient: ObjectStoreStorage;

  constructor(hasSharedFiles = false) {
    const client = { via: 'datagram', timeoutUs: REQUEST_TIMEOUT_US, firstRequestId: 1 } as const;
    this.#client = new RequestClient({ ...client, node: COORDINATION, name: 'coordination' });
    this.#storageClient = new ObjectStoreStorage({ ...client, node: STORAGE, name: 'storage' });
    const registers = new StoreRegisters(this.#client);
    this.results = new JobResultStore({ jobId: JOB, registers, retryUs: RETRY_US });
    this.cleanup = new JobCleanup({
      jobId: JOB,
      root: `checkpoints/${JOB}/`,
      registers,
      storage: this.#storageClient,
      results: this.results,
      parts: standardParts,
      hasSharedFiles,
      lateWriteUs: micros(SECOND_LOOK_US),
      done: () => {
        this.#cleaned += 1;
      },
    });
    this.out = new RecordingOut(
      (timer, nowUs, out) =>
        this.results.handleTimer(timer, nowUs, out) ||
        this.cleanup.handleTimer(timer, nowUs, out) ||
        this.#client.handleTimer(timer, nowUs, out) ||
        this.#storageClient.handleTimer(timer, nowUs, out),
    );
    this.store.put(pointerKey(JOB), '{"epoch":1,"completed":[]}');
    this.store.put(counterKey(JOB), '6');
    this.storage.objects.set(FILE, new Uint8Array([1]));
    this.storage.objects.set(`checkpoints/other/chk-1/_metadata`, new Uint8Array([1]));
  }

  /** What the pointer says: how the first run ended, and what was kept. */
  decided(ended: JobEnd | undefined, kept: readonly number[], floor = 0, earlier: readonly number[] = []): this {
    const completed = kept.map((id) => ({ id: checkpointId(id), metadata: metadataOf(id) }));
    const run = { run: 1, by: '', floor, kept: earlier.map(metadataOf), fullFirst: false };
    const job = ended === undefined ? run : { ...run, ended };
    this.store.put(pointerKey(JOB), encodePointer({ epoch: leaderEpoch(1), completed, job }));
    return this;
  }

  get cleaned(): number {
    return this.#cleaned;
  }

  result(): JobResult | undefined {
    const value = this.store.valueOf(resultKey(JOB));
    return value === undefined ? undefined : decodeResult(value);
  }

  end(status: EndStatus, floor = 0, kept: readonly string[] = []): this {
    const ofEarlier = kept.length === 0 ? {} : { kept };
    const run = { run: 1, by: '', floor, ...ofEarlier, fullFirst: false, ended: { status, by: '' } };
    this.results.markDirty(resultOf(run), this.out, (result, _nowUs, out) => this.cleanup.start(result, out));
    return this;
  }

  /** Performs and answers what waits, at most so many requests. */
  answer(requests = 100): this {
    for (let left = requests; left > 0; left -= 1) {
      const [sent, ...others] = this.out.fresh();
      if (sent === undefined) break;
      if (others.length > 0) throw new Error('one thing is asked at a time');
      this.#answer(sent.message);
    }
    return this;
  }

  /** Answers everything, then the second look for files, which comes later. */
  answerToTheEnd(): this {
    this.answer().out.advance(SECOND_LOOK_US);
    return this.answer();
  }

  #answer(message: EngineMessage): void {
    this.done.push(message.kind === 'coordination-compare-and-set' ? `set ${message.key}` : message.kind);
    if (!message.kind.startsWith('storage-'))
      return this.#client.handleReply(this.store.perform(message), this.out.nowUs, this.out);
    const reply: StorageReply = this.isStorageDown
      ? { kind: 'storage-reply', requestId: 'requestId' in message ? message.requestId : 0, outcome: 'unavailable' }
      : this.storage.perform(message);
    this.#storageClient.handleReply(reply, this.out.nowUs, this.out);
  }
}

describe('job result', () => {
  it('F18: dirty before anything is removed, clean when nothing is left', () => {
    const bench = new Bench().end('finished').answer(2);
    expect(bench.result()).toEqual({ status: 'finished', state: 'dirty' });
    expect(bench.storage.paths()).toContain(FILE);
    bench.answerToTheEnd();
    expect(bench.result()).toEqual({ status: 'finished', state: 'clean' });
    expect(bench.storage.paths()).toEqual(['checkpoints/other/chk-1/_metadata']);
    expect(bench.store.valueOf(pointerKey(JOB))).toBe('');
    expect(bench.store.valueOf(counterKey(JOB))).toBe('');
    expect(bench.cleaned).toBe(1);
  });

  it('I4, C27: what earlier runs kept is not its own, what else they left is nobody’s, and the result remembers which', () => {
    const bench = new Bench();
    for (const id of [4, 5, 7]) bench.storage.objects.set(metadataOf(id), new Uint8Array([1]));
    const kept = [metadataOf(4), 'elsewhere/chk-5/_metadata'];
    bench.storage.objects.set(metadataOf(4), written());
    bench.end('finished', 6, kept).answerToTheEnd();
    expect(bench.storage.paths().sort()).toEqual([metadataOf(4), 'checkpoints/other/chk-1/_metadata']);
    expect(bench.store.valueOf(pointerKey(JOB))).toBe('');
    expect(bench.result()).toEqual({ status: 'finished', state: 'clean', floor: 6, kept });
  });

  it('I4, C27: nor are files that checkpoints of earlier runs have in common', () => {
    const bench = new Bench();
    const shared = (checkpoint: number): string => `checkpoints/${JOB}/shared/op-0-1-1-${checkpoint}.segment`;
    const merged = (checkpoint: number): string =>
      `checkpoints/${JOB}/taskowned/taskmanager-1-1/5-1-${checkpoint}.merged`;
    for (const path of [shared(5), shared(6), shared(7), merged(5), merged(6), merged(7)])
      bench.storage.objects.set(path, new Uint8Array([1]));
    bench.storage.objects.set(metadataOf(6), written(shared(6), merged(6)));
    bench.end('finished', 6, [metadataOf(6)]).answerToTheEnd();
    const left = [metadataOf(6), shared(6), merged(6), 'checkpoints/other/chk-1/_metadata'];
    expect(bench.storage.paths().sort()).toEqual(left.sort());
  });

  it('I5, S19: of a run that may begin anew what no kept checkpoint names goes, wherever it lies', () => {
    const bench = new Bench(true).decided({ status: 'canceled', by: 'user' }, [5]);
    const merged = (checkpoint: number): string =>
      `checkpoints/${JOB}/taskowned/taskmanager-1-1/5-1-${checkpoint}.merged`;
    const handle = { operator: 'op', state: 'operator', path: merged(4), offset: 3, bytes: 1, checksum: 0 } as const;
    const states = [{ vertex: 0, subtask: 0, handles: [handle] }];
    const of = { jobId: JOB, triggeredAtUs: 0, states, operators: [], highestParallelism: 0 };
    const metadata = `checkpoints/${JOB}/chk-5/_metadata`;
    bench.storage.objects.set(metadata, encodeMetadata({ ...of, checkpointId: checkpointId(5) }));
    for (const checkpoint of [3, 4, 6, 7]) bench.storage.objects.set(merged(checkpoint), new Uint8Array([1]));
    const run = { run: 1, by: '', floor: 0, fullFirst: false, ended: { status: 'canceled', by: 'user' } } as const;
    const result = { ...resultOf(run), isResumable: true } as const;
    bench.results.markDirty(result, bench.out, (known, _nowUs, out) => bench.cleanup.start(known, out));
    bench.answerToTheEnd();
    const left = bench.storage.paths();
    expect(left).toEqual([
      'checkpoints/job/chk-5/_metadata',
      merged(4),
      merged(7),
      'checkpoints/other/chk-1/_metadata',
    ]);
    expect(bench.result()).toMatchObject({ state: 'clean', isResumable: true });
  });

  it('I5: what a checkpoint was made of that the next run claimed and dropped is not for the clean-up of the run before', () => {
    const bench = new Bench(true).decided({ status: 'canceled', by: 'user' }, [5]);
    const segment = `checkpoints/${JOB}/shared/count-0-1-1-4.segment`;
    bench.storage.objects.set(metadataOf(5), written(segment));
    bench.storage.objects.set(segment, new Uint8Array([1]));
    const run = { run: 1, by: '', floor: 0, fullFirst: false, ended: { status: 'canceled', by: 'user' } } as const;
    const result = { ...resultOf(run), isResumable: true } as const;
    bench.results.markDirty(result, bench.out, (known, _nowUs, out) => bench.cleanup.start(known, out));
    while (bench.done.filter((request) => request === 'coordination-get').length < 3) bench.answer(1);
    const next = { run: 2, by: 'me', floor: 6, kept: [], fullFirst: false };
    bench.store.put(pointerKey(JOB), encodePointer({ epoch: leaderEpoch(1), completed: [], job: next }));
    bench.storage.objects.delete(metadataOf(5));
    // It is not found: looked for again, where the pointer says that it is named no more.
    bench.answer().out.advance(FIRST_RETRY_US);
    bench.answer();
    expect(bench.storage.paths()).toContain(segment);
    expect(bench.cleaned).toBe(1);
  });

  it.each([
    ['that is over for good', { status: 'finished', by: '' }, []],
    ['that may begin anew', { status: 'canceled', by: 'me' }, [8]],
  ] as const)('I6, C27: of what a run %s had claimed that goes which no kept checkpoint uses', (_name, ended, kept) => {
    const bench = new Bench(true);
    const shared = (creator: number): string => `checkpoints/${JOB}/shared/op-0-1-1-${creator}.segment`;
    const SAVEPOINT = 'savepoints/sp/_metadata';
    for (const path of [metadataOf(6), SAVEPOINT]) bench.storage.objects.set(path, written(shared(2), shared(4)));
    for (const checkpoint of kept)
      bench.storage.objects.set(metadataOf(checkpoint), written(shared(2), shared(5), shared(8)));
    for (const creator of [2, 3, 4, 5, 8]) bench.storage.objects.set(shared(creator), new Uint8Array([1]));
    // An earlier run kept what this one did not claim.
    const earlier = metadataOf(1);
    bench.storage.objects.set(earlier, written(shared(2)));
    const claimed = ['savepoints/sp', `checkpoints/${JOB}/chk-6`];
    const run = { run: 2, by: 'r', floor: 6, kept: [earlier], claimed, fullFirst: false, ended };
    const completed = kept.map((id) => ({ id: checkpointId(id), metadata: metadataOf(id) }));
    bench.store.put(pointerKey(JOB), encodePointer({ epoch: leaderEpoch(1), completed, job: run }));
    bench.store.put(counterKey(JOB), '8');
    bench.isStorageDown = true;
    bench.results.markDirty(resultOf(run), bench.out, (result, _nowUs, out) => bench.cleanup.start(result, out));
    bench.answer();
    expect(bench.store.valueOf(pointerKey(JOB))).not.toBe('');
    bench.isStorageDown = false;
    bench.out.advance(1_000_000);
    bench.answer();
    // A write that was repeated happens again.
    bench.storage.objects.set(SAVEPOINT, new Uint8Array(1));
    bench.answerToTheEnd();
    expect(bench.result()?.state).toBe('clean');
    const ofKept = kept.length === 0 ? [] : [metadataOf(8), shared(5), shared(8)];
    const left = [...ofKept, earlier, shared(2), 'checkpoints/other/chk-1/_metadata'];
    expect(bench.storage.paths()).toEqual(left.sort());
  });

  it('F18: a file that a task had sent before it ended and that arrives after the deletion is removed, too', () => {
    const bench = new Bench().end('finished').answer();
    bench.storage.objects.set(FILE, new Uint8Array([1]));
    bench.out.advance(SECOND_LOOK_US);
    expect(bench.answer().storage.paths()).not.toContain(FILE);
    expect(bench.result()?.state).toBe('dirty');
    bench.out.advance(SECOND_LOOK_US);
    bench.answerToTheEnd();
    expect(bench.result()?.state).toBe('clean');
  });

  it('B8: the pointer goes before the files that it names', () => {
    const bench = new Bench().end('finished').answer();
    expect(bench.done.indexOf(`set ${pointerKey(JOB)}`)).toBeLessThan(bench.done.indexOf('storage-delete'));
  });

  it('C17: a job that broke keeps its checkpoints', () => {
    const bench = new Bench().decided({ status: 'failed', by: '' }, [6]).end('failed').answerToTheEnd();
    expect(bench.storage.paths()).toContain(FILE);
    expect(bench.result()).toEqual({ status: 'failed', state: 'clean', isResumable: true });
    expect(bench.store.valueOf(pointerKey(JOB))).not.toBe('');
  });

  it('C17: a job that somebody ended loses what its end did not keep, pointer and counter stay for the next run', () => {
    const bench = new Bench().decided({ status: 'canceled', by: 'me' }, []).end('canceled').answerToTheEnd();
    expect(bench.storage.paths()).toEqual(['checkpoints/other/chk-1/_metadata']);
    expect(bench.result()).toEqual({ status: 'canceled', state: 'clean', isResumable: true });
    expect(bench.store.valueOf(counterKey(JOB))).toBe('6');
  });

  it('C7: what an earlier run kept, and what a later one writes, is not the clean-up’s', () => {
    const bench = new Bench().decided({ status: 'canceled', by: 'me' }, [], 5, [5]);
    for (const n of [4, 5, 7]) bench.storage.objects.set(metadataOf(n), new Uint8Array([1]));
    bench.end('canceled').answer();
    expect(bench.storage.paths()).toEqual([
      `checkpoints/${JOB}/chk-5/_metadata`,
      `checkpoints/${JOB}/chk-7/_metadata`,
      'checkpoints/other/chk-1/_metadata',
    ]);
  });

  it('F18: the job runs again: the clean-up of its last run touches nothing any more', () => {
    const bench = new Bench().decided(undefined, []).end('canceled').answer();
    expect(bench.storage.paths()).toContain(FILE);
    expect(bench.result()?.state).toBe('dirty');
  });

  it('F18: the end of a later run replaces the result of an earlier one, never the other way round', () => {
    const bench = new Bench().end('canceled').answer();
    const later = { status: 'failed', state: 'dirty', run: 2, isResumable: true } as const;
    bench.results.markDirty(later, bench.out, () => {});
    bench.answer();
    expect(bench.result()).toEqual(later);
    bench.results.markClean({ status: 'canceled', state: 'dirty' }, bench.out, () => {});
    bench.answer();
    expect(bench.result()).toEqual(later);
  });

  it('F18, X54: a clean-up that fails is repeated, later and later, until it is done', () => {
    const bench = new Bench();
    bench.isStorageDown = true;
    bench.end('finished').answer();
    for (const seconds of [1, 2, 4, 8]) {
      const before = bench.done.length;
      bench.out.advance(seconds * 1_000_000 - 1_000);
      expect(bench.answer().done.length).toBe(before);
      bench.out.advance(1_000);
      expect(bench.answer().done.length).toBeGreaterThan(before);
    }
    expect(bench.result()?.state).toBe('dirty');
    bench.isStorageDown = false;
    bench.out.advance(16_000_000);
    bench.answerToTheEnd();
    expect(bench.result()?.state).toBe('clean');
    expect(bench.cleaned).toBe(1);
  });

  it('F18: a job ends once: the second end finds the first', () => {
    const bench = new Bench().end('finished').answer();
    bench.end('failed').answer();
    expect(bench.result()?.status).toBe('finished');
  });

  it('F18: a job without a result has not ended', () => {
    const bench = new Bench();
    const found: unknown[] = [];
    bench.results.read(bench.out, (result) => found.push(result));
    bench.answer();
    expect(found).toEqual([undefined]);
  });
});

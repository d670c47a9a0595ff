import { describe, expect, it } from 'vitest';
import { CheckpointCleaner } from '../../../../engine/checkpoint/checkpoint-cleaner.ts';
import type { CheckpointPointer } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { EPOCH, id, keyedHandle, REQUEST_TIMEOUT_US, STORAGE } from '../../../support/engine-values.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { ObjectStoreStorage } from '../../../../engine/storage/object-store-storage.ts';

const ROOT = 'dir/job/';
const pointer = (...ids: number[]): CheckpointPointer => ({
  epoch: EPOCH,
  completed: ids.map((n) => ({ id: id(n), metadata: `${ROOT}chk-${n}/_metadata` })),
});

function bench(...paths: string[]) {
  const client = new ObjectStoreStorage({
    node: STORAGE,
    via: 'datagram',
    name: 'storage',
    timeoutUs: REQUEST_TIMEOUT_US,
    firstRequestId: 1,
  });
  const out = new RecordingOut((timer, nowUs, self) => client.handleTimer(timer, nowUs, self));
  const storage = new FakeStorage();
  for (const path of paths) storage.objects.set(path, new Uint8Array(1));
  /** Performs and answers what was sent, until nothing more is. */
  const answer = (): void => {
    for (let sent = out.fresh(); sent.length > 0; sent = out.fresh()) {
      for (const { message } of sent) client.handleReply(storage.perform(message), out.nowUs, out);
    }
  };
  return { cleaner: new CheckpointCleaner(client, ROOT, () => undefined), out, storage, answer };
}

describe('checkpoint cleaner', () => {
  it('C16: a sweep deletes files of checkpoints below the newest that the pointer does not name', () => {
    const { cleaner, out, storage, answer } = bench(
      `${ROOT}chk-1/a`,
      `${ROOT}chk-2/a`,
      `${ROOT}chk-3/a`,
      `${ROOT}chk-3/_metadata`,
      `${ROOT}chk-10/a`,
    );
    cleaner.sweep(pointer(2, 10), out);
    answer();
    expect(storage.paths()).toEqual([`${ROOT}chk-10/a`, `${ROOT}chk-2/a`]);
  });

  it('G5: a sweep leaves ids above the newest, other jobs and what is not a checkpoint file', () => {
    const kept = [
      `${ROOT}chk-4/a`,
      `${ROOT}chk-5/a`,
      `${ROOT}chk-1`,
      `${ROOT}chk-x/a`,
      `${ROOT}shared/b`,
      'dir/jobs/chk-1/a',
    ];
    const { cleaner, out, storage, answer } = bench(...kept, `${ROOT}chk-1/a`);
    cleaner.sweep(pointer(4), out);
    answer();
    expect(storage.paths()).toEqual([...kept].sort());
  });

  it('G5: with an empty pointer nothing is swept', () => {
    const { cleaner, out, storage, answer } = bench(`${ROOT}chk-1/a`);
    cleaner.sweep(pointer(), out);
    answer();
    expect(storage.paths()).toEqual([`${ROOT}chk-1/a`]);
    expect(out.all('storage-delete')).toEqual([]);
  });

  it('C29: discarding a checkpoint deletes its files only, also when another id begins with the same digits', () => {
    const { cleaner, out, storage, answer } = bench(`${ROOT}chk-1/a`, `${ROOT}chk-1/b`, `${ROOT}chk-12/a`);
    cleaner.discard(`${ROOT}chk-1`, out);
    answer();
    expect(storage.paths()).toEqual([`${ROOT}chk-12/a`]);
  });

  it('C27: of a claimed snapshot what its metadata names goes, though no list shows it yet; what it shares stays', () => {
    const here = `${ROOT}chk-1`;
    const { cleaner, out, storage, answer } = bench(`${here}/a`, `${here}/b`, `${here}/unnamed`, `${ROOT}shared/s`);
    const handles = [`./a`, `./b`, `./b`, `${ROOT}shared/s`].map((path) => ({ ...keyedHandle('count', 0, 1), path }));
    const metadata = {
      checkpointId: id(1),
      jobId: 'job',
      triggeredAtUs: micros(1),
      states: [{ vertex: 0, subtask: 0, handles }],
      operators: [],
      highestParallelism: 1,
    };
    storage.objects.set(`${here}/_metadata`, encodeMetadata(metadata));
    storage.areListsBehind = true;
    let isGone = false;
    cleaner.discardSnapshot(here, out, () => {
      isGone = true;
    });
    answer();
    expect(isGone).toBe(true);
    expect(storage.paths()).toEqual([`${here}/unnamed`, `${ROOT}shared/s`]);
    // Once more, when lists have caught up.
    storage.areListsBehind = false;
    cleaner.discardSnapshot(here, out);
    answer();
    expect(storage.paths()).toEqual([`${ROOT}shared/s`]);
    expect(cleaner.cleaning).toBe(0);
  });

  it('C27: a claimed snapshot whose metadata is damaged is deleted by what lists show; one that nobody answers for is not gone', () => {
    const here = `${ROOT}chk-1`;
    const { cleaner, out, storage, answer } = bench(`${here}/a`, `${here}/_metadata`);
    cleaner.discardSnapshot(here, out);
    answer();
    expect(storage.paths()).toEqual([]);
    let isGone = false;
    cleaner.discardSnapshot(here, out, () => {
      isGone = true;
    });
    for (let tries = 0; tries < 100 && cleaner.cleaning > 0; tries += 1) out.advance(REQUEST_TIMEOUT_US);
    expect([isGone, cleaner.cleaning]).toEqual([false, 0]);
  });

  it('C2: a deletion counts as under way until it is answered', () => {
    const { cleaner, out, answer } = bench(`${ROOT}chk-1/a`);
    cleaner.discard(`${ROOT}chk-1`, out);
    cleaner.discard(`${ROOT}chk-2`, out);
    expect(cleaner.cleaning).toBe(2);
    answer();
    expect(cleaner.cleaning).toBe(0);
  });

  it('C16: a deletion that is never answered is given up, not repeated', () => {
    const { cleaner, out } = bench();
    cleaner.sweep(pointer(4), out);
    out.advance(REQUEST_TIMEOUT_US);
    expect(cleaner.cleaning).toBe(0);
    expect(out.kinds()).toEqual(['storage-list']);
  });
});

describe('checkpoint cleaner: the end of a run', () => {
  it('C17: what the run or an earlier one left goes, but not what they kept, or what the next run has begun meanwhile', () => {
    const { cleaner, out, storage, answer } = bench(...[1, 2, 3, 4, 5, 6].map((n) => `${ROOT}chk-${n}/a`));
    const kept = [`${ROOT}chk-1/_metadata`, 'elsewhere/chk-2/_metadata'];
    const job = { run: 2, by: 'r', floor: 2, kept, fullFirst: false };
    cleaner.sweep({ ...pointer(4), job }, out, 5);
    answer();
    expect(storage.paths()).toEqual([1, 4, 6].map((n) => `${ROOT}chk-${n}/a`));
  });
});

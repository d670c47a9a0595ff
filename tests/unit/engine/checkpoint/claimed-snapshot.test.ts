/** What a run has claimed (row C27): gone when nobody uses it, whoever asks and whatever fails in between. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClaimedSnapshot, type ReleaseOutcome } from '../../../../engine/checkpoint/claimed-snapshot.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { relativeTo } from '../../../../engine/protocol/savepoint-paths.ts';
import type { StateHandle } from '../../../../engine/protocol/state-handle.ts';
import { ObjectStoreStorage } from '../../../../engine/storage/object-store-storage.ts';
import { id, JOB, REQUEST_TIMEOUT_US, STORAGE } from '../../../support/engine-values.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const DIRECTORY = `checkpoints/${JOB}/chk-7`;
const METADATA = `${DIRECTORY}/_metadata`;
const NOT_CLAIMED = 3;
const segment = (creator: number): string => `checkpoints/${JOB}/shared/op-0-1-${creator}-${creator}.segment`;
const MERGED = `checkpoints/${JOB}/taskowned/5-1-6.merged`;
const PRIVATE = `${DIRECTORY}/op-0-1.keyed`;
/** With entropy in front. */
const SPREAD = `ab2d/${DIRECTORY}/op-1-2.keyed`;
/** Left there by a write that was given up. */
const UNNAMED = `${DIRECTORY}/.left.inprogress`;
const OF_OTHERS = [segment(NOT_CLAIMED), 'elsewhere/sp/1.segment', `checkpoints/${JOB}/chk-6/_metadata`];
const CLAIMED = [segment(4), segment(5), segment(7), MERGED];

const handle = (path: string): StateHandle => ({ operator: 'op', state: 'keyed', path, bytes: 1, checksum: 0 });

function stored(): FakeStorage {
  const storage = new FakeStorage();
  const segments = [segment(3), segment(4), segment(5), segment(7), 'elsewhere/sp/1.segment'].map((path) => ({
    ...{ path, bytes: 1, checksum: 0 },
  }));
  const handles = [{ ...handle(PRIVATE), segments }, handle(SPREAD), { ...handle(MERGED), offset: 2 }];
  const states = [{ vertex: 0, subtask: 0, handles }];
  const of = { jobId: JOB, triggeredAtUs: 0, states, operators: [], highestParallelism: 0 };
  for (const path of [PRIVATE, SPREAD, UNNAMED, ...CLAIMED, ...OF_OTHERS]) storage.objects.set(path, new Uint8Array(1));
  storage.objects.set(METADATA, encodeMetadata(relativeTo(DIRECTORY, { ...of, checkpointId: id(7) })));
  return storage;
}

/** One leader, as far as it concerns the snapshot. */
class Leader {
  readonly #storage: FakeStorage;
  readonly #snapshot: ClaimedSnapshot;
  readonly #client = new ObjectStoreStorage(
    { node: STORAGE, via: 'datagram', name: 'storage', timeoutUs: REQUEST_TIMEOUT_US, firstRequestId: 1 },
    0,
    true,
  );
  readonly out = new RecordingOut((timer, nowUs, self) => this.#client.handleTimer(timer, nowUs, self));

  constructor(storage: FakeStorage) {
    this.#storage = storage;
    this.#snapshot = new ClaimedSnapshot({ metadata: METADATA, notClaimed: NOT_CLAIMED, storage: this.#client });
  }

  /** The storage performs so many requests, and answers all of them but the last; then it is silent. Undefined: nothing was asked. */
  release(isInUse: (path: string) => boolean, { requests = 100, isQuiet = true } = {}): ReleaseOutcome | undefined {
    let told: ReleaseOutcome | undefined;
    if (!this.#snapshot.hasUnused(isInUse)) return undefined;
    this.#snapshot.release({ isInUse, isQuiet }, this.out, (outcome) => {
      told = outcome;
    });
    for (let left = requests; told === undefined; left -= 1) {
      const [sent] = this.out.fresh();
      const reply = left > 0 && sent !== undefined ? this.#storage.perform(sent.message) : undefined;
      if (reply !== undefined && left > 1) this.#client.handleReply(reply, this.out.nowUs, this.out);
      else this.out.advance(REQUEST_TIMEOUT_US);
    }
    return told;
  }
}

describe('claimed snapshot', () => {
  it('C27: goes whole when nothing of it is in use, and what it uses of others stays', () => {
    const storage = stored();
    expect(new Leader(storage).release(() => false)).toBe('gone');
    expect(storage.paths()).toEqual([...OF_OTHERS].sort());
  });

  it('C27, I1: while a shared file is in use its `_metadata` stays with it, and nothing else', () => {
    const storage = stored();
    const leader = new Leader(storage);
    const isInUse = (path: string): boolean => path === segment(5);
    expect(leader.release(isInUse)).toBe('needed');
    expect(storage.paths()).toEqual([...OF_OTHERS, METADATA, UNNAMED, segment(5)].sort());
    expect(leader.release(isInUse)).toBeUndefined();
    expect(leader.release(() => false)).toBe('gone');
    expect(storage.paths()).toEqual([...OF_OTHERS].sort());
  });

  it('C27: what cannot be read is no reason to forget it', () => {
    const storage = stored();
    storage.objects.set(METADATA, new Uint8Array([1, 2, 3]));
    expect(new Leader(storage).release(() => false)).toBe('failed');
    expect(storage.paths()).toContain(METADATA);
  });

  it('C27, I4: a write that happens a second time brings nothing back for good', () => {
    const storage = stored();
    const leader = new Leader(storage);
    expect(leader.release(() => false, { isQuiet: false })).toBe('needed');
    expect(storage.paths()).toEqual([...OF_OTHERS, METADATA, UNNAMED].sort());
    for (const path of [PRIVATE, segment(4)]) storage.objects.set(path, new Uint8Array(1));
    expect(leader.release(() => false)).toBe('gone');
    expect(storage.paths()).toEqual([...OF_OTHERS].sort());
  });

  it('C27, I1, I2, I4: leaders that die anywhere, uses that end in any order, late writes: never a used file, at the end nothing', () => {
    const step = fc.record({
      requests: fc.nat(6),
      dies: fc.boolean(),
      ends: fc.option(fc.constantFrom(...CLAIMED), { nil: undefined }),
      comesLate: fc.option(fc.constantFrom(...CLAIMED, PRIVATE), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.nat(12), (steps, quietFrom) => {
        const storage = stored();
        const used = new Set(CLAIMED);
        const isInUse = (path: string): boolean => used.has(path);
        let leader = new Leader(storage);
        for (const [index, { requests, dies, ends, comesLate }] of steps.entries()) {
          const isQuiet = index >= quietFrom;
          if (comesLate !== undefined && !isQuiet) storage.objects.set(comesLate, new Uint8Array(1));
          if (ends !== undefined) used.delete(ends);
          if (dies) leader = new Leader(storage);
          leader.release(isInUse, { requests, isQuiet });
          for (const path of [...used, ...OF_OTHERS]) expect(storage.objects.has(path), path).toBe(true);
          if (CLAIMED.some((path) => storage.objects.has(path))) expect(storage.objects.has(METADATA)).toBe(true);
        }
        used.clear();
        expect(leader.release(isInUse)).toBe('gone');
        expect(storage.paths()).toEqual([...OF_OTHERS].sort());
      }),
    );
  });
});

/**
 * Deletions are not fenced: the object store knows no leaders. What protects a new leader is that no later pointer ever names again what an
 * earlier one dropped, unless it was kept for its user (decisions 0026, 0115; B6). Here leaders complete checkpoints, begin the next run, are
 * replaced, and their deletions arrive whenever they like.
 */
import fc from 'fast-check';
import { directoryOfMetadata } from '../../engine/protocol/savepoint-paths.ts';
import { expect, it } from 'vitest';
import { CheckpointCleaner } from '../../engine/checkpoint/checkpoint-cleaner.ts';
import { CompletedCheckpointStore } from '../../engine/checkpoint/completed-checkpoint-store.ts';
import { leaderEpoch } from '../../engine/foundation/ids.ts';
import { checkpointIdOf } from '../../engine/protocol/checkpoint-paths.ts';
import type { CheckpointPointer } from '../../engine/protocol/checkpoint-pointer.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import { id, STORAGE } from '../support/engine-values.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { RecordingOut } from '../support/recording-out.ts';
import { ObjectStoreStorage } from '../../engine/storage/object-store-storage.ts';

const ROOT = 'dir/job/';
const NOTHING: CheckpointPointer = { epoch: leaderEpoch(1), completed: [] };
const metadataOf = (n: number): string => `${ROOT}chk-${n}/_metadata`;

class Leader {
  readonly store: CompletedCheckpointStore;
  readonly cleaner: CheckpointCleaner;
  readonly out: RecordingOut;
  readonly #client: ObjectStoreStorage;
  readonly #epoch: number;
  /** Requests that were sent and have not arrived. */
  readonly underWay: EngineMessage[] = [];

  constructor(epoch: number, pointer: Pick<CheckpointPointer, 'completed' | 'job'>) {
    this.#epoch = epoch;
    this.store = new CompletedCheckpointStore(2, { ...pointer, epoch: leaderEpoch(epoch) }, 1);
    const client = {
      node: STORAGE,
      via: 'datagram',
      name: 'storage',
      timeoutUs: 1_000_000,
      firstRequestId: 1,
    } as const;
    this.#client = new ObjectStoreStorage(client);
    this.out = new RecordingOut((timer, nowUs, self) => this.#client.handleTimer(timer, nowUs, self));
    this.cleaner = new CheckpointCleaner(this.#client, ROOT, () => undefined);
  }

  complete(n: number): void {
    const pointer = this.store.pointerWith({ id: id(n), metadata: metadataOf(n) }, leaderEpoch(this.#epoch));
    this.store.stored(pointer, this.store.version + 1);
    this.cleaner.sweep(pointer, this.out);
  }

  /** The run is over, and the next one begins from one of the snapshots that belong to users. */
  begin({ which, claims }: { readonly which: number; readonly claims: boolean }, floor: number): void {
    const { pointer } = this.store;
    const kept = new Set(belongingTo(pointer));
    const metadata = [...kept][which % Math.max(1, kept.size)];
    if (claims && metadata !== undefined) kept.delete(metadata);
    const owner = claims ? 'claimed' : 'user';
    const completed =
      metadata === undefined ? [] : [{ id: id(checkpointIdOf(metadata, ROOT)), metadata, owner } as const];
    const job = { run: this.store.run.run + 1, by: '', floor, kept: [...kept], fullFirst: false };
    this.store.stored({ ...pointer, completed, job }, this.store.version + 1);
  }

  /** All of its requests arrive, and those that follow from them. */
  arriveAll(storage: FakeStorage): void {
    this.underWay.push(...this.out.fresh().map(({ message }) => message));
    while (this.underWay.length > 0) {
      this.arrive(0, storage);
      this.underWay.push(...this.out.fresh().map(({ message }) => message));
    }
  }

  /** One of its requests arrives, and its reply, if it still lives. */
  arrive(which: number, storage: FakeStorage): void {
    this.underWay.push(...this.out.fresh().map(({ message }) => message));
    const [message] = this.underWay.splice(which % Math.max(1, this.underWay.length), 1);
    if (message !== undefined) this.#client.handleReply(storage.perform(message), this.out.nowUs, this.out);
  }
}

/** What somebody may restore: what the pointer names, and what earlier runs kept (decision 0115). */
const belongingTo = ({ completed, job }: CheckpointPointer): readonly string[] => [
  ...(job?.kept ?? []),
  ...completed.map(({ metadata }) => metadata),
];

it('B6, G5, C27: whenever deletions of whichever leader arrive, what the pointer names and earlier runs kept is there, at the end nothing else', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'complete' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'abort' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'takeover' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('begin' as const), which: fc.nat(9), claims: fc.boolean() }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('arrive' as const), leader: fc.nat(9), which: fc.nat(9) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const storage = new FakeStorage();
      const leaders = [new Leader(1, { completed: [] })];
      let lastId = 0;
      for (const what of steps) {
        const current = leaders.at(-1);
        if (current === undefined) return;
        if (what.kind === 'takeover') leaders.push(new Leader(leaders.length + 1, current.store.pointer));
        else if (what.kind === 'begin') current.begin(what, lastId);
        else if (what.kind === 'arrive') leaders[what.leader % leaders.length]?.arrive(what.which, storage);
        else {
          /* Ids are taken from the counter: none comes back. */
          lastId += 1;
          storage.objects.set(metadataOf(lastId), new Uint8Array(1));
          if (what.kind === 'complete') current.complete(lastId);
          else current.cleaner.discard(directoryOfMetadata(metadataOf(lastId)), current.out);
        }
        for (const metadata of belongingTo(leaders.at(-1)?.store.pointer ?? NOTHING))
          expect(storage.paths()).toContain(metadata);
      }
      const last = leaders.at(-1);
      storage.objects.set(metadataOf(lastId + 1), new Uint8Array(1));
      last?.complete(lastId + 1);
      for (const leader of leaders) leader.arriveAll(storage);
      expect(storage.paths()).toEqual([...new Set(belongingTo(last?.store.pointer ?? NOTHING))].sort());
    }),
    { numRuns: 300, seed: 20_191_212 },
  );
});

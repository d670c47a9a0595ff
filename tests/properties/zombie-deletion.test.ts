/**
 * Deletions are not fenced: the object store knows no leaders. What protects a new leader is that no later pointer ever names again what an
 * earlier one dropped (decision 0026; B6). Here leaders complete checkpoints, are replaced, and their deletions arrive whenever they like.
 */
import fc from 'fast-check';
import { directoryOfMetadata } from '../../engine/protocol/savepoint-paths.ts';
import { expect, it } from 'vitest';
import { CheckpointCleaner } from '../../engine/checkpoint/checkpoint-cleaner.ts';
import { CompletedCheckpointStore } from '../../engine/checkpoint/completed-checkpoint-store.ts';
import { leaderEpoch } from '../../engine/foundation/ids.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import { id, STORAGE } from '../support/engine-values.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { RecordingOut } from '../support/recording-out.ts';
import { ObjectStoreStorage } from '../../engine/storage/object-store-storage.ts';

const ROOT = 'dir/job/';
const metadataOf = (n: number): string => `${ROOT}chk-${n}/_metadata`;

class Leader {
  readonly store: CompletedCheckpointStore;
  readonly cleaner: CheckpointCleaner;
  readonly out: RecordingOut;
  readonly #client: ObjectStoreStorage;
  readonly #epoch: number;
  /** Requests that were sent and have not arrived. */
  readonly underWay: EngineMessage[] = [];

  constructor(epoch: number, completed: readonly number[]) {
    this.#epoch = epoch;
    const retained = completed.map((n) => ({ id: id(n), metadata: metadataOf(n) }));
    this.store = new CompletedCheckpointStore(2, { epoch: leaderEpoch(epoch), completed: retained }, 1);
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

  /** One of its requests arrives, and its reply, if it still lives. */
  arrive(which: number, storage: FakeStorage): void {
    this.underWay.push(...this.out.fresh().map(({ message }) => message));
    const [message] = this.underWay.splice(which % Math.max(1, this.underWay.length), 1);
    if (message !== undefined) this.#client.handleReply(storage.perform(message), this.out.nowUs, this.out);
  }
}

it('B6, G5: whenever deletions of whichever leader arrive, everything the pointer names is there', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'complete' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'abort' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'takeover' as const }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('arrive' as const), leader: fc.nat(9), which: fc.nat(9) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const storage = new FakeStorage();
      const leaders = [new Leader(1, [])];
      let lastId = 0;
      for (const what of steps) {
        const current = leaders.at(-1);
        if (current === undefined) return;
        if (what.kind === 'takeover')
          leaders.push(
            new Leader(
              leaders.length + 1,
              current.store.pointer.completed.map(({ id: n }) => n),
            ),
          );
        else if (what.kind === 'arrive') leaders[what.leader % leaders.length]?.arrive(what.which, storage);
        else {
          /* Ids are taken from the counter: none comes back. */
          lastId += 1;
          storage.objects.set(metadataOf(lastId), new Uint8Array(1));
          if (what.kind === 'complete') current.complete(lastId);
          else current.cleaner.discard(directoryOfMetadata(metadataOf(lastId)), current.out);
        }
        const named = leaders.at(-1)?.store.pointer.completed ?? [];
        for (const { metadata } of named) expect(storage.paths()).toContain(metadata);
      }
    }),
    { numRuns: 300, seed: 20_191_212 },
  );
});

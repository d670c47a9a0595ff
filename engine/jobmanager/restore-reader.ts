/**
 * Which checkpoint the next deployment restores, and its metadata (rows C18, C19).
 *
 * Owns: the choice and the reads: a leader reads the metadata of every retained checkpoint before it restores any. Invariants: I1 the choice is made when no pointer write is unanswered (the caller's duty) and stays
 * until `forget`; I2 what cannot be read is tried again, never skipped for an older one (row C19).
 */
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import type { StorageReply } from '../protocol/messages.ts';
import { type CheckpointMetadata, decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { directoryOfMetadata, resolvedIn } from '../protocol/savepoint-paths.ts';

export interface RestoreReaderOptions {
  readonly parts: EngineParts;
  readonly store: CompletedCheckpointStore;
  readonly storage: RequestClient<StorageReply>;
  readonly requestTimeoutUs: number;
  /** All metadata is there now. */
  readonly ready: (nowUs: Micros, out: Out) => void;
}

interface Choice {
  checkpoint: RetainedCheckpoint | undefined;
  /** Retained checkpoints whose metadata is not known yet, newest first. */
  readonly unread: RetainedCheckpoint[];
  readonly skipped: Set<number>;
}

export class RestoreReader {
  readonly #options: RestoreReaderOptions;
  readonly #later = new DelayedCalls();
  #chosen: Choice | undefined;

  constructor(options: RestoreReaderOptions) {
    this.#options = options;
  }

  /** Undefined while metadata is being read; `ready` is called then. `metadata` is undefined on a start from scratch. */
  choose(out: Out): { readonly metadata: CheckpointMetadata | undefined } | undefined {
    const { parts, store } = this.#options;
    if (this.#chosen === undefined) {
      const { completed } = store.pointer;
      const unread = completed.filter(({ id }) => store.metadataOf(id) === undefined).reverse();
      this.#chosen = { checkpoint: parts.chooseRestore(store.pointer), unread, skipped: new Set() };
      this.#readNext(this.#chosen, out);
    }
    const { checkpoint, unread } = this.#chosen;
    if (unread.length > 0) return undefined;
    return { metadata: checkpoint === undefined ? undefined : store.metadataOf(checkpoint.id) };
  }

  /** The next `choose` chooses anew. */
  forget(): void {
    this.#chosen = undefined;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #readNext(choice: Choice, out: Out): void {
    const checkpoint = choice.unread[0];
    if (checkpoint === undefined) return;
    const { storage, store, requestTimeoutUs, parts } = this.#options;
    storage.request(
      (requestId) => ({ kind: 'storage-get', requestId, path: checkpoint.metadata }),
      out,
      (reply, nowUs, replyOut) => {
        if (this.#chosen !== choice) return;
        if (reply?.outcome === 'done' && reply.bytes !== undefined && isIntactMetadata(reply.bytes)) {
          const metadata = decodeMetadata(reply.bytes);
          assert(metadata.checkpointId === checkpoint.id, '_metadata is that of the checkpoint the pointer names', {
            checkpoint,
          });
          store.remember(resolvedIn(directoryOfMetadata(checkpoint.metadata), metadata));
          return this.#read(choice, nowUs, replyOut);
        }
        if (parts.unreadableCheckpoint === 'skipped') {
          choice.skipped.add(checkpoint.id);
          const completed = store.pointer.completed.filter(({ id }) => !choice.skipped.has(id));
          choice.checkpoint = parts.chooseRestore({ ...store.pointer, completed });
          return this.#read(choice, nowUs, replyOut);
        }
        this.#later.after(retryDelayUs(requestTimeoutUs), 'read-metadata', replyOut, (_lateUs, lateOut) => {
          if (this.#chosen === choice) this.#readNext(choice, lateOut);
        });
      },
    );
  }

  #read(choice: Choice, nowUs: Micros, out: Out): void {
    choice.unread.shift();
    if (choice.unread.length === 0) this.#options.ready(nowUs, out);
    else this.#readNext(choice, out);
  }
}

/**
 * Which checkpoint the next deployment restores, and its metadata (rows C18, C19).
 *
 * Owns: the choice and the read. Invariants: I1 the choice is made when no pointer write is unanswered (the caller's duty) and stays
 * until `forget`; I2 what cannot be read is tried again, never skipped for an older one (row C19).
 */
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { assert } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import { type CheckpointMetadata, decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { directoryOfMetadata, resolvedIn } from '../protocol/savepoint-paths.ts';
import { reportDamage } from './retained-metadata.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

export interface RestoreReaderOptions {
  readonly parts: EngineParts;
  readonly store: CompletedCheckpointStore;
  readonly storage: CheckpointStorage;
  readonly requestTimeoutUs: number;
  /** The metadata asked for is there now. */
  readonly ready: (nowUs: Micros, out: Out) => void;
}

export class RestoreReader {
  readonly #options: RestoreReaderOptions;
  readonly #later = new DelayedCalls();
  #chosen:
    | { readonly checkpoint: RetainedCheckpoint | undefined; metadata: CheckpointMetadata | undefined }
    | undefined;

  constructor(options: RestoreReaderOptions) {
    this.#options = options;
  }

  /** Undefined while the metadata is being read; `ready` is called then. `metadata` is undefined on a start from scratch. */
  choose(out: Out): { readonly metadata: CheckpointMetadata | undefined } | undefined {
    const { parts, store } = this.#options;
    if (this.#chosen === undefined) {
      const checkpoint = parts.chooseRestore(store.pointer);
      const metadata = checkpoint === undefined ? undefined : store.metadataOf(checkpoint.id);
      this.#chosen = { checkpoint, metadata };
      if (checkpoint !== undefined && metadata === undefined) this.#read(checkpoint, out);
    }
    const { checkpoint, metadata } = this.#chosen;
    return checkpoint !== undefined && metadata === undefined ? undefined : { metadata };
  }

  /** The next `choose` chooses anew. */
  forget(): void {
    this.#chosen = undefined;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #read(checkpoint: RetainedCheckpoint, out: Out): void {
    const { storage, store, requestTimeoutUs, ready } = this.#options;
    storage.read(checkpoint.metadata, out, (reply, nowUs, replyOut) => {
      if (this.#chosen?.checkpoint !== checkpoint) return;
      if (reply?.outcome === 'done' && reply.bytes !== undefined && isIntactMetadata(reply.bytes)) {
        const metadata = resolvedIn(directoryOfMetadata(checkpoint.metadata), decodeMetadata(reply.bytes));
        assert(metadata.checkpointId === checkpoint.id, '_metadata is that of the checkpoint the pointer names', {
          checkpoint,
        });
        store.remember(metadata);
        this.#chosen.metadata = metadata;
        return ready(nowUs, replyOut);
      }
      reportDamage(checkpoint.metadata, reply, replyOut);
      this.#later.after(retryDelayUs(requestTimeoutUs), 'read-metadata', replyOut, (_lateUs, lateOut) => {
        if (this.#chosen?.checkpoint === checkpoint) this.#read(checkpoint, lateOut);
      });
    });
  }
}

/**
 * Reads the metadata of every retained checkpoint when a leader takes over (rows C19, F16; FLINK-7783, FLINK-22502; Flink:
 * DefaultCompletedCheckpointStoreUtils.retrieveCompletedCheckpoints).
 *
 * Owns: the reads. Invariants: I1 all are read, oldest first, or none counts: one that cannot be read is tried again and never skipped,
 * because an older one would undo what sinks have committed, and a forgotten one would lose its files.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import { assert } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import type { StorageReply } from '../protocol/messages.ts';
import { type CheckpointMetadata, decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { directoryOfMetadata, resolvedIn } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { probe } from '../protocol/probes.ts';

export interface RetainedMetadataOptions {
  readonly storage: CheckpointStorage;
  readonly retryUs: number;
  readonly parts: EngineParts;
}

type Then = (metadata: readonly CheckpointMetadata[], nowUs: Micros, out: Out) => void;

/** Says so when what was read is there and is not what was written; it is read again, and may come from another copy. */
export function reportDamage(path: string, reply: StorageReply | undefined, out: Out): void {
  if (reply?.bytes === undefined) return;
  out.report({ kind: 'corrupt-file', path, offset: 0, problem: '_metadata does not match its checksum' });
}

export class RetainedMetadata {
  readonly #options: RetainedMetadataOptions;
  readonly #later = new DelayedCalls();

  constructor(options: RetainedMetadataOptions) {
    this.#options = options;
  }

  readAll(checkpoints: readonly RetainedCheckpoint[], nowUs: Micros, out: Out, then: Then): void {
    this.#readFrom({ checkpoints, read: [] }, nowUs, out, then);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #readFrom(
    progress: { readonly checkpoints: readonly RetainedCheckpoint[]; readonly read: readonly CheckpointMetadata[] },
    nowUs: Micros,
    out: Out,
    then: Then,
  ): void {
    const [checkpoint, ...checkpoints] = progress.checkpoints;
    if (checkpoint === undefined) return then(progress.read, nowUs, out);
    const { storage, retryUs, parts } = this.#options;
    storage.read(checkpoint.metadata, out, (reply, repliedUs, replyOut) => {
      if (reply?.outcome === 'done' && reply.bytes !== undefined && isIntactMetadata(reply.bytes)) {
        const metadata = resolvedIn(directoryOfMetadata(checkpoint.metadata), decodeMetadata(reply.bytes));
        assert(metadata.checkpointId === checkpoint.id, '_metadata is that of the checkpoint the pointer names', {
          checkpoint,
        });
        return this.#readFrom({ checkpoints, read: [...progress.read, metadata] }, repliedUs, replyOut, then);
      }
      reportDamage(checkpoint.metadata, reply, replyOut);
      probe(replyOut, 'retained-metadata-unreadable');
      if (parts.unreadableMetadata === 'remove') storage.delete([checkpoint.metadata], replyOut, () => {});
      if (parts.unreadableMetadata !== 'retry')
        return this.#readFrom({ checkpoints, read: progress.read }, repliedUs, replyOut, then);
      this.#later.after(retryUs, 'retained-metadata', replyOut, (lateUs, lateOut) =>
        this.#readFrom(progress, lateUs, lateOut, then),
      );
    });
  }
}

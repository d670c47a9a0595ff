/**
 * Makes a fully acknowledged checkpoint durable: `_metadata`, then the pointer that names it (rows C12, C13, F16, F17; Flink:
 * PendingCheckpoint.finalizeCheckpoint, CompletedCheckpointStore.addCheckpoint).
 *
 * Owns: the two writes and what their outcomes mean. Does not own: the pending checkpoint (the coordinator does).
 * Invariants:
 *   I1 the pointer is written only after `_metadata` is durable (G1);
 *   I2 an unanswered pointer write is repeated until it is known: neither stored nor failed until then (row F17);
 *   I3 nothing more is written for a checkpoint that is no longer `isCurrent`, but for a pointer write under way.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import { crc32c } from '../foundation/crc32c.ts';
import type { CheckpointId, LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import { ANY_VERSION, type NamedRegisters, type RegisterReply } from '../high-availability/named-registers.ts';
import { checkpointDirectory, type EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { type CheckpointPointer, decodePointer, encodePointer, pointerKey } from '../protocol/checkpoint-pointer.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { StorageReply } from '../protocol/messages.ts';
import { type CheckpointMetadata, encodeMetadata } from '../protocol/metadata-file.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';

export interface StoredCheckpoint {
  readonly pointer: CheckpointPointer;
  /** Of the pointer in the coordination store. */
  readonly version: number;
  readonly metadataBytes: number;
}

/** How a finalization is told of. Exactly one of `stored`, `failed`, `superseded` ends it, unless it is no longer current. */
export interface FinalizerHost {
  isCurrent(checkpointId: CheckpointId): boolean;
  /** `_metadata` is durable; from now on the checkpoint does not expire. */
  metadataStored(checkpointId: CheckpointId, out: Out): void;
  stored(checkpointId: CheckpointId, stored: StoredCheckpoint, nowUs: Micros, out: Out): void;
  failed(checkpointId: CheckpointId, nowUs: Micros, out: Out): void;
  /** Another leader moved the pointer. */
  superseded(nowUs: Micros, out: Out): void;
}

export interface FinalizerOptions {
  readonly jobId: string;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly storage: RequestClient<StorageReply>;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  readonly host: FinalizerHost;
}

export class CheckpointFinalizer {
  readonly #options: FinalizerOptions;
  readonly #later = new DelayedCalls();

  constructor(options: FinalizerOptions) {
    this.#options = options;
  }

  /** An unanswered write is repeated: under NO_OVERWRITE the first one is found by its checksum. */
  finalize(metadata: CheckpointMetadata, out: Out): void {
    const { configuration, jobId, storage, host } = this.#options;
    const id = metadata.checkpointId;
    const path = `${checkpointDirectory(configuration.checkpoint.directory, jobId, id)}/_metadata`;
    const bytes = encodeMetadata(metadata);
    const checksum = crc32c(bytes);
    out.report({ kind: 'metadata-write-sent', checkpointId: id, path });
    out.busy('byte', bytes.length);
    storage.request(
      (requestId) => ({ kind: 'storage-put', requestId, path, bytes, overwrite: false }),
      out,
      (reply, nowUs, replyOut) => {
        if (!host.isCurrent(id)) return;
        if (reply?.outcome === 'done' || (reply?.outcome === 'already-exists' && reply.checksum === checksum)) {
          this.#options.store.remember(metadata);
          host.metadataStored(id, replyOut);
          return this.#storePointer({ id, path, metadataBytes: bytes.length }, replyOut);
        }
        if (reply?.outcome === 'already-exists') return host.failed(id, nowUs, replyOut);
        this.#later.after(this.#retryUs(), `metadata/${id}`, replyOut, (_lateUs, lateOut) => {
          if (host.isCurrent(id)) this.finalize(metadata, lateOut);
        });
      },
    );
  }

  /** The checkpoint was aborted: its `_metadata` is not written again. */
  forget(checkpointId: CheckpointId, out: Out): void {
    this.#later.cancel(`metadata/${checkpointId}`, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #storePointer(
    file: { readonly id: CheckpointId; readonly path: string; readonly metadataBytes: number },
    out: Out,
  ): void {
    const { store, epoch, coordination, jobId, parts, host } = this.#options;
    const { id, path, metadataBytes } = file;
    const pointer = store.pointerWith({ id, metadata: path }, epoch);
    const write = {
      name: pointerKey(jobId),
      expectedVersion: parts.leaderFencing === 'none' ? ANY_VERSION : store.version,
      value: encodePointer(pointer),
    };
    out.report({ kind: 'pointer-write-sent', checkpointId: id });
    coordination.compareAndSet(write, out, (reply, nowUs, replyOut) => {
      const stored = { pointer, version: reply.version, metadataBytes };
      if (reply.outcome === 'done') return host.stored(id, stored, nowUs, replyOut);
      if (reply.outcome === 'conflict') {
        if (!isOurs(reply, pointer)) return host.superseded(nowUs, replyOut);
        replyOut.report({ kind: 'probe', probe: 'pointer-write-found-done' });
        return host.stored(id, stored, nowUs, replyOut);
      }
      if (parts.unknownPointerWrite === 'success') {
        return host.stored(id, { ...stored, version: store.version + 1 }, nowUs, replyOut);
      }
      if (parts.unknownPointerWrite === 'failure') return host.failed(id, nowUs, replyOut);
      replyOut.report({ kind: 'probe', probe: 'pointer-write-unknown' });
      this.#later.after(this.#retryUs(), `pointer/${id}`, replyOut, (_lateUs, lateOut) =>
        this.#storePointer(file, lateOut),
      );
    });
  }

  #retryUs(): number {
    return retryDelayUs(this.#options.configuration.runtime.requestTimeoutUs);
  }
}

/** The stored pointer is the one we meant to write: an earlier try took effect. */
function isOurs(reply: RegisterReply, pointer: CheckpointPointer): boolean {
  if (reply.value === '') return false;
  const found = decodePointer(reply.value);
  return found.epoch === pointer.epoch && found.completed.at(-1)?.id === pointer.completed.at(-1)?.id;
}

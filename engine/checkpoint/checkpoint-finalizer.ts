/**
 * Makes a fully acknowledged snapshot durable: `_metadata`, then for a checkpoint the pointer that names it (rows C12, C13, F16, F17;
 * Flink: PendingCheckpoint.finalizeCheckpoint, CompletedCheckpointStore.addCheckpoint).
 *
 * Owns: the two writes, their order among several checkpoints, and what their outcomes mean. Does not own: the pending checkpoint.
 * Invariants:
 *   I1 the pointer is written only after `_metadata` is durable (G1); a savepoint has no pointer, its `_metadata` makes it one; but
 *      one the job stops with is noted beside the pointer first, because its completion commits the sinks (decision 0017);
 *   I2 an unanswered write that decides is repeated until it is known: neither stored nor failed until then (row F17);
 *   I3 nothing more is written for a checkpoint that is no longer `isCurrent`, but for a pointer write under way;
 *   I4 one pointer write is under way at a time, in the order in which `_metadata` became durable.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { crc32c } from '../foundation/crc32c.ts';
import type { CheckpointId, LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import { ANY_VERSION, type NamedRegisters } from '../high-availability/named-registers.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { isSavepoint } from '../protocol/checkpoint-options.ts';
import { type CheckpointPointer, encodePointer, pointerKey, type JobEnd } from '../protocol/checkpoint-pointer.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import { type CheckpointMetadata, encodeMetadata } from '../protocol/metadata-file.ts';
import { metadataIn, relativeTo } from '../protocol/savepoint-paths.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { probe } from '../protocol/probes.ts';

export interface StoredCheckpoint {
  readonly pointer: CheckpointPointer;
  /** Of the pointer in the coordination store. */
  readonly version: number;
  readonly metadataBytes: number;
}

/** How a finalization is told of. Exactly one of the last four ends it, unless it is no longer current. */
export interface FinalizerHost {
  isCurrent(checkpointId: CheckpointId): boolean;
  /** The write of the pointer begins; from now on the checkpoint does not expire. */
  storing(checkpointId: CheckpointId, out: Out): void;
  stored(checkpointId: CheckpointId, stored: StoredCheckpoint, nowUs: Micros, out: Out): void;
  savepointStored(checkpointId: CheckpointId, metadataBytes: number, nowUs: Micros, out: Out): void;
  failed(checkpointId: CheckpointId, nowUs: Micros, out: Out): void;
  /** Another leader moved the pointer. */
  superseded(nowUs: Micros, out: Out): void;
}

export interface FinalizerOptions {
  readonly jobId: string;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly storage: CheckpointStorage;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  readonly host: FinalizerHost;
}

interface MetadataFile {
  readonly id: CheckpointId;
  readonly path: string;
  readonly metadataBytes: number;
  /** Of a savepoint the job stops with. */
  readonly end: JobEnd | undefined;
}

export class CheckpointFinalizer {
  readonly #options: FinalizerOptions;
  readonly #later = new DelayedCalls();
  /** `_metadata` is durable, the pointer write has to wait for another one (I4). */
  #waiting: MetadataFile[] = [];
  #isStoring = false;

  constructor(options: FinalizerOptions) {
    this.#options = options;
  }

  /** An unanswered write is repeated: what the first one did is found. Files beside it are named relative to it (row T4). */
  finalize(metadata: CheckpointMetadata, location: string, end: JobEnd | undefined, out: Out): void {
    const { configuration, storage, host } = this.#options;
    const id = metadata.checkpointId;
    const path = metadataIn(location);
    const isOfUser = isSavepoint(metadata.snapshot ?? 'checkpoint');
    const bytes = encodeMetadata(relativeTo(location, metadata));
    out.report({ kind: 'metadata-write-sent', checkpointId: id, path });
    out.busy('byte', bytes.length);
    storage.writeMetadata(
      { path, bytes, checksum: crc32c(bytes), overwrite: false },
      out,
      (outcome, nowUs, replyOut) => {
        if (!host.isCurrent(id)) return;
        if (outcome === 'done') {
          if (isOfUser && end === undefined) return host.savepointStored(id, bytes.length, nowUs, replyOut);
          if (!isOfUser) this.#options.store.remember(metadata);
          return this.#enqueue({ id, path, metadataBytes: bytes.length, end }, replyOut);
        }
        if (outcome === 'taken') return host.failed(id, nowUs, replyOut);
        probe(replyOut, 'metadata-write-repeated');
        const delayUs = retryDelayUs(configuration.runtime.requestTimeoutUs);
        this.#later.after(delayUs, `metadata/${id}`, replyOut, (_lateUs, lateOut) => {
          if (host.isCurrent(id)) this.finalize(metadata, location, end, lateOut);
        });
      },
    );
  }

  /** The checkpoint was aborted: its `_metadata` is not written again. */
  forget(checkpointId: CheckpointId, out: Out): void {
    this.#later.cancel(`metadata/${checkpointId}`, out);
    this.#waiting = this.#waiting.filter(({ id }) => id !== checkpointId);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #enqueue(file: MetadataFile, out: Out): void {
    if (!this.#isStoring) return this.#storePointer(file, out);
    this.#waiting.push(file);
    probe(out, 'pointer-write-waits-for-another');
  }

  /** The pointer write under way is answered; `tell` says so to the host, which may abort those that wait. */
  #settle(tell: () => void, out: Out): void {
    this.#isStoring = false;
    tell();
    const next = this.#waiting.shift();
    if (next !== undefined) this.#storePointer(next, out);
  }

  #storePointer(file: MetadataFile, out: Out): void {
    const { store, epoch, coordination, jobId, parts, host, configuration } = this.#options;
    const { id, path, metadataBytes, end } = file;
    const pointer =
      end === undefined ? store.pointerWith({ id, metadata: path }, epoch) : store.endedPointer(end, epoch);
    const value = encodePointer(pointer);
    const expectedVersion = parts.leaderFencing === 'none' ? ANY_VERSION : store.version;
    this.#isStoring = true;
    host.storing(id, out);
    out.report({ kind: 'pointer-write-sent', checkpointId: id });
    coordination.compareAndSet({ name: pointerKey(jobId), expectedVersion, value }, out, (reply, nowUs, replyOut) => {
      const version = reply.outcome === 'unknown' ? store.version + 1 : reply.version;
      const stored = { pointer, version, metadataBytes };
      const done = (): void =>
        this.#settle(() => {
          if (end === undefined) return host.stored(id, stored, nowUs, replyOut);
          store.stored(pointer, stored.version);
          host.savepointStored(id, metadataBytes, nowUs, replyOut);
        }, replyOut);
      if (reply.outcome === 'done') return done();
      if (reply.outcome === 'conflict') {
        // An earlier try took effect, if what is stored is what we meant to write.
        if (reply.value !== value) return host.superseded(nowUs, replyOut);
        probe(replyOut, 'pointer-write-found-done');
        return done();
      }
      if (parts.unknownPointerWrite === 'success') return done();
      if (parts.unknownPointerWrite === 'failure')
        return this.#settle(() => host.failed(id, nowUs, replyOut), replyOut);
      probe(replyOut, 'pointer-write-unknown');
      const delayUs = retryDelayUs(configuration.runtime.requestTimeoutUs);
      this.#later.after(delayUs, `pointer/${id}`, replyOut, (_lateUs, lateOut) => this.#storePointer(file, lateOut));
    });
  }
}

/**
 * Checkpoints in files: on a file server or HDFS (rows T5, T6, T8; Flink: FsCheckpointStateOutputStream, FsCheckpointMetadataOutputStream
 * with a RecoverableWriter). A file is created, written, synced and closed; `_metadata` under another name, and renamed when it is whole.
 *
 * Owns: the steps of a write, their numbers and repetition. Does not own: how often a whole write is tried (the caller).
 * Invariants beside those of the contract:
 *   I1 the steps of a file are numbered per path over all tries, so that one which comes late does nothing;
 *   I2 what is written is synced before anybody is told of it, and a whole file closed, too (FLINK-36421);
 *   I3 a directory goes with its last file, and not while something is left in it (row T6).
 */
import type { ReplyHandler, RequestClientOptions } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import { crc32c } from '../foundation/crc32c.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { ByteRange, StorageReply } from '../protocol/messages.ts';
import type { FileOperation } from '../protocol/storage-messages.ts';
import type { CheckpointStorage, FileAppend, FileWrite, WriteHandler } from './checkpoint-storage.ts';
import { directoryOf, isDirectory, temporaryOf } from './file-names.ts';
import { getRequest, PatientClient } from './patient-client.ts';
import { probe, sometimes } from '../protocol/probes.ts';

export interface FileStorageOptions {
  readonly client: RequestClientOptions;
  /** Name of this process, as leases and open files know it. */
  readonly writer: string;
  readonly writeBufferBytes: number;
  readonly parts: Pick<EngineParts, 'syncBeforeClose' | 'metadataCommit'>;
}

/** A write under way: `next` is the index of the step that is. */
interface Progress {
  readonly write: FileWrite;
  readonly path: string;
  readonly steps: readonly FileOperation[];
  readonly next: number;
  readonly then: WriteHandler;
}

/** A step without an answer is sent so often, always with the same number. */
const STEP_TRIES_MAX = 3;

export class FileStorage implements CheckpointStorage {
  readonly canAppend = true;
  readonly #options: FileStorageOptions;
  readonly #client: PatientClient;
  /** Number of the last step, by path (I1). */
  readonly #sequences = new Map<string, number>();

  constructor(options: FileStorageOptions) {
    this.#options = options;
    this.#client = new PatientClient(options.client);
  }

  writeState(write: FileWrite, out: Out, then: WriteHandler): void {
    this.#step({ write, path: write.path, steps: this.#stepsOf(write), next: 0, then }, out);
  }

  writeMetadata(write: FileWrite, out: Out, then: WriteHandler): void {
    if (this.#options.parts.metadataCommit === 'in-place') return this.writeState(write, out, then);
    const steps = [...this.#stepsOf(write), { kind: 'rename', to: write.path } as const];
    this.#step({ write, path: temporaryOf(write.path), steps, next: 0, then }, out);
  }

  append({ path, offset, bytes }: FileAppend, out: Out, then: WriteHandler): void {
    const steps: FileOperation[] = offset === 0 ? [{ kind: 'create', overwrite: false }] : [];
    steps.push(...this.#written(offset, bytes));
    this.#appendSteps(path, steps, out, then);
  }

  seal(path: string, out: Out): void {
    this.#change(path, { kind: 'close' }, out, () => undefined);
  }

  read(path: string, out: Out, then: ReplyHandler<StorageReply>, range?: ByteRange): void {
    this.#client.request((requestId) => getRequest(requestId, path, range), out, then);
  }

  list(prefix: string, out: Out, then: ReplyHandler<StorageReply>): void {
    this.#client.request((requestId) => ({ kind: 'storage-list', requestId, prefix }), out, then);
  }

  delete(paths: readonly string[], out: Out, then: ReplyHandler<StorageReply>): void {
    const files = paths.filter((path) => !isDirectory(path));
    const directories = [...new Set(paths.map(directoryOf))];
    if (files.length === 0) return this.#removeEmpty(directories, then, out);
    this.#client.request(
      (requestId) => ({ kind: 'storage-delete', requestId, paths: files }),
      out,
      (reply, repliedUs, replyOut) => {
        if (reply?.outcome !== 'done') return then(reply, repliedUs, replyOut);
        this.#removeEmpty(directories, then, replyOut);
      },
    );
  }

  discard(directory: string, out: Out, then: ReplyHandler<StorageReply>): void {
    this.#change(directory, { kind: 'remove-directory', recursive: true }, out, then);
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }

  abandon(out: Out): void {
    this.#client.abandon(out);
  }

  #stepsOf({ bytes, overwrite }: FileWrite): FileOperation[] {
    return [{ kind: 'create', overwrite }, ...this.#written(0, bytes), { kind: 'close' }];
  }

  /** Bytes from an offset on, and durable (I2). */
  #written(from: number, bytes: Uint8Array): FileOperation[] {
    const { writeBufferBytes, parts } = this.#options;
    const steps: FileOperation[] = [];
    for (let offset = 0; offset < bytes.length; offset += writeBufferBytes)
      steps.push({ kind: 'write', offset: from + offset, bytes: bytes.subarray(offset, offset + writeBufferBytes) });
    if (parts.syncBeforeClose === 'sync') steps.push({ kind: 'sync' });
    return steps;
  }

  /** The first step that is not done ends it: where the file ends nobody knows then. */
  #appendSteps(path: string, [step, ...rest]: readonly FileOperation[], out: Out, then: WriteHandler): void {
    assert(step !== undefined, 'something is appended', { path });
    this.#change(path, step, out, (reply, nowUs, replyOut) => {
      if (reply?.outcome !== 'done') return then(reply === undefined ? 'unknown' : 'failed', nowUs, replyOut);
      if (rest.length === 0) return then('done', nowUs, replyOut);
      this.#appendSteps(path, rest, replyOut, then);
    });
  }

  #step(progress: Progress, out: Out): void {
    const { path, steps, next, then } = progress;
    const operation = steps[next];
    if (operation === undefined) return;
    this.#change(path, operation, out, (reply, nowUs, replyOut) => {
      const isRename = operation.kind === 'rename';
      if (reply === undefined) return then('unknown', nowUs, replyOut);
      if (reply.outcome === 'done') {
        if (next + 1 === steps.length) return then('done', nowUs, replyOut);
        return this.#step({ ...progress, next: next + 1 }, replyOut);
      }
      // The file may be there by an earlier try of this write: under its last name, or under its first one.
      if (reply.outcome === 'already-exists' || (isRename && reply.outcome === 'not-found'))
        return this.#found(progress, isRename ? operation.to : path, nowUs, replyOut);
      probe(replyOut, 'file-write-refused');
      then('failed', nowUs, replyOut);
    });
  }

  /** A file has the name already: ours, if it holds what we meant to write (I2 of the contract). */
  #found(progress: Progress, name: string, nowUs: Micros, out: Out): void {
    const { write, steps, then } = progress;
    if (this.#options.parts.metadataCommit === 'in-place') return then('done', nowUs, out);
    this.read(name, out, (reply, readUs, readOut) => {
      if (reply === undefined) return then('unknown', readUs, readOut);
      const isOurs = reply.bytes !== undefined && crc32c(reply.bytes) === write.checksum;
      sometimes(isOurs, readOut, 'file-found-written-already');
      if (isOurs && name === write.path) return then('done', readUs, readOut);
      // It was closed, and only its rename failed.
      if (isOurs) return this.#step({ ...progress, next: steps.length - 1 }, readOut);
      // What a power loss left of an earlier try has the first name, which nobody else writes under: it is begun anew.
      if (reply.outcome === 'done' && name !== write.path && steps[0]?.kind === 'create' && !steps[0].overwrite) {
        probe(readOut, 'metadata-begun-anew');
        const anew: FileOperation[] = [{ kind: 'create', overwrite: true }, ...steps.slice(1)];
        return this.#step({ ...progress, steps: anew, next: 0 }, readOut);
      }
      then(reply.outcome === 'done' && name === write.path ? 'taken' : 'failed', readUs, readOut);
    });
  }

  /** One change of a file; without an answer the same one again (I1). */
  #change(path: string, operation: FileOperation, out: Out, then: ReplyHandler<StorageReply>): void {
    const sequence = (this.#sequences.get(path) ?? 0) + 1;
    this.#sequences.set(path, sequence);
    this.#send({ path, operation, sequence, tries: 1 }, out, then);
  }

  #send(
    change: { path: string; operation: FileOperation; sequence: number; tries: number },
    out: Out,
    then: ReplyHandler<StorageReply>,
  ): void {
    const { path, operation, sequence, tries } = change;
    const { writer } = this.#options;
    this.#client.request(
      (requestId) => ({ kind: 'storage-file', requestId, path, writer, sequence, operation }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply !== undefined || tries >= STEP_TRIES_MAX) return then(reply, nowUs, replyOut);
        probe(replyOut, 'file-step-repeated');
        this.#send({ ...change, tries: tries + 1 }, replyOut, then);
      },
    );
  }

  /** `directories` has at least one. What is not empty stays, and is no failure: the files that were to go have gone. */
  #removeEmpty(directories: readonly string[], then: ReplyHandler<StorageReply>, out: Out): void {
    const [directory, ...others] = directories;
    assert(directory !== undefined, 'a deletion concerns a directory');
    this.#change(directory, { kind: 'remove-directory', recursive: false }, out, (reply, nowUs, replyOut) => {
      if (reply === undefined) return then(undefined, nowUs, replyOut);
      const isNotEmpty = reply.outcome === 'not-empty';
      if (isNotEmpty) probe(replyOut, 'directory-not-empty');
      if (others.length > 0) return this.#removeEmpty(others, then, replyOut);
      then(isNotEmpty ? { ...reply, outcome: 'done' } : reply, nowUs, replyOut);
    });
  }
}

/**
 * Checkpoints in an object store (row T7): a put is seen whole or not at all, so state and metadata are written alike. Also what
 * JobManagerCheckpointStorage keeps outside the JobManager's memory: `_metadata` in the directory of high availability (row T1).
 *
 * Large files of state go up in parts (part-uploads); uploads that nobody finished are listed and deleted like files.
 *
 * Owns: what the outcome of a put means. Does not own: what is put where.
 */
import type { ReplyHandler, RequestClientOptions } from '../clients/request-client.ts';
import { InvariantViolation } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { isShared } from '../protocol/checkpoint-paths.ts';
import type { ByteRange, StorageReply } from '../protocol/messages.ts';
import type { CheckpointStorage, FileAppend, FileWrite, WriteHandler, WriteOutcome } from './checkpoint-storage.ts';
import { liesUnder } from './entropy.ts';
import { uploadName, uploadOf } from './file-names.ts';
import { PartUploads } from './part-uploads.ts';
import { getRequest, PatientClient } from './patient-client.ts';

export class ObjectStoreStorage implements CheckpointStorage {
  readonly canAppend = false;
  readonly #client: PatientClient;
  readonly #uploadPartBytes: number;
  readonly #hasEntropy: boolean;
  readonly #uploads: PartUploads;

  /** `uploadPartBytes`: larger files of state are uploaded in parts of this size; 0: never. */
  constructor(client: RequestClientOptions, uploadPartBytes = 0, hasEntropy = false) {
    this.#client = new PatientClient(client);
    this.#hasEntropy = hasEntropy;
    this.#uploadPartBytes = uploadPartBytes;
    this.#uploads = new PartUploads(this.#client, uploadPartBytes);
  }

  writeState(write: FileWrite, out: Out, then: WriteHandler): void {
    // Shared files are told apart by their names' endings, which an unfinished upload would not have.
    const isLarge = this.#uploadPartBytes > 0 && write.bytes.length > this.#uploadPartBytes && !isShared(write.path);
    if (isLarge) this.#uploads.write(write, out, then);
    else this.#put(write, out, then);
  }

  writeMetadata(write: FileWrite, out: Out, then: WriteHandler): void {
    this.#put(write, out, then);
  }

  append({ path }: FileAppend): void {
    throw new InvariantViolation('objects do not grow', { path });
  }

  seal(): void {
    // An object is whole from the start.
  }

  read(path: string, out: Out, then: ReplyHandler<StorageReply>, range?: ByteRange): void {
    this.#client.request((requestId) => getRequest(requestId, path, range), out, then);
  }

  /** With entropy a directory is spread over the whole store, and all of it is listed (row T7). */
  list(directory: string, out: Out, then: ReplyHandler<StorageReply>): void {
    const prefix = this.#hasEntropy ? '' : directory;
    this.#client.request(
      (requestId) => ({ kind: 'storage-list', requestId, prefix }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.paths === undefined) return then(reply, nowUs, replyOut);
        const listed = this.#hasEntropy ? this.#below(directory, reply, reply.paths) : reply;
        if (this.#uploadPartBytes === 0) return then(listed, nowUs, replyOut);
        this.#listUploads(directory, listed, replyOut, then);
      },
    );
  }

  delete(names: readonly string[], out: Out, then: ReplyHandler<StorageReply>): void {
    const [open, ...others] = names.flatMap((name) => uploadOf(name) ?? []);
    const paths = names.filter((name) => uploadOf(name) === undefined);
    if (open !== undefined) {
      const { path, upload } = open;
      const abort = { kind: 'storage-upload', path, operation: { kind: 'abort', upload } } as const;
      this.#client.request(
        (requestId) => ({ ...abort, requestId }),
        out,
        (reply, nowUs, replyOut) => {
          const rest = [...paths, ...others.map(uploadName)];
          if (reply?.outcome !== 'done' || rest.length === 0) return then(reply, nowUs, replyOut);
          this.delete(rest, replyOut, then);
        },
      );
      return;
    }
    this.#client.request((requestId) => ({ kind: 'storage-delete', requestId, paths }), out, then);
  }

  discard(directory: string, out: Out, then: ReplyHandler<StorageReply>): void {
    this.list(`${directory}/`, out, (reply, nowUs, replyOut) => {
      const paths = reply?.paths ?? [];
      if (paths.length === 0) return then(reply, nowUs, replyOut);
      this.delete(paths, replyOut, then);
    });
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

  #listUploads(directory: string, listed: StorageReply, out: Out, then: ReplyHandler<StorageReply>): void {
    const path = this.#hasEntropy ? '' : directory;
    this.#client.request(
      (requestId) => ({ kind: 'storage-upload', requestId, path, operation: { kind: 'list' } }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.uploads === undefined) return then(reply, nowUs, replyOut);
        const names = reply.uploads.map(uploadName);
        then(this.#below(directory, listed, [...(listed.paths ?? []), ...names]), nowUs, replyOut);
      },
    );
  }

  #below(directory: string, reply: StorageReply, paths: readonly string[]): StorageReply {
    return { ...reply, paths: paths.filter((path) => liesUnder(path, directory)) };
  }

  #put({ path, bytes, checksum, overwrite }: FileWrite, out: Out, then: WriteHandler): void {
    this.#client.request(
      (requestId) => ({ kind: 'storage-put', requestId, path, bytes, overwrite }),
      out,
      (reply, nowUs, replyOut) => then(outcomeOf(reply, checksum), nowUs, replyOut),
    );
  }
}

/** An earlier try that was not answered is found under its name (I2 of the contract). */
function outcomeOf(reply: StorageReply | undefined, checksum: number): WriteOutcome {
  if (reply === undefined) return 'unknown';
  if (reply.outcome === 'done') return 'done';
  if (reply.outcome !== 'already-exists') return 'failed';
  return reply.checksum === checksum ? 'done' : 'taken';
}

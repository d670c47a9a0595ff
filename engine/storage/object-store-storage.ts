/**
 * Checkpoints in an object store (row T7): a put is seen whole or not at all, so state and metadata are written alike. Also what
 * JobManagerCheckpointStorage keeps outside the JobManager's memory: `_metadata` in the directory of high availability (row T1).
 *
 * Owns: what the outcome of a put means. Does not own: what is put where.
 */
import type { ReplyHandler, RequestClientOptions } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { StorageReply } from '../protocol/messages.ts';
import type { CheckpointStorage, FileWrite, WriteHandler, WriteOutcome } from './checkpoint-storage.ts';
import { PatientClient } from './patient-client.ts';

export class ObjectStoreStorage implements CheckpointStorage {
  readonly #client: PatientClient;

  constructor(client: RequestClientOptions) {
    this.#client = new PatientClient(client);
  }

  writeState(write: FileWrite, out: Out, then: WriteHandler): void {
    this.#put(write, out, then);
  }

  writeMetadata(write: FileWrite, out: Out, then: WriteHandler): void {
    this.#put(write, out, then);
  }

  read(path: string, out: Out, then: ReplyHandler<StorageReply>): void {
    this.#client.request((requestId) => ({ kind: 'storage-get', requestId, path }), out, then);
  }

  list(prefix: string, out: Out, then: ReplyHandler<StorageReply>): void {
    this.#client.request((requestId) => ({ kind: 'storage-list', requestId, prefix }), out, then);
  }

  delete(paths: readonly string[], out: Out, then: ReplyHandler<StorageReply>): void {
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

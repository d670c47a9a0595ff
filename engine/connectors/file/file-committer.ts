/**
 * Makes pending files visible (rows K6, K7, K12; Flink: FileCommitter, RecoverableFsDataOutputStream.Committer.commitAfterRecovery).
 *
 * HDFS: the file gets its name. Object store: its upload is completed, and what a repeated begin left beside it is aborted.
 * Owns: what the answers mean. Does not own: how often a commit is tried.
 * Invariants:
 *   I1 a file that is there under its name, and as long as it was written, is committed already, whoever did it;
 *   I2 nothing else of the file is left when its commit is answered, but for a begin that comes later still: the writer's.
 */
import { RequestClient, type RequestClientOptions } from '../../clients/request-client.ts';
import type { Micros } from '../../foundation/time.ts';
import type { FileSinkSpec } from '../../job/job-graph.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply, StorageReply } from '../../protocol/messages.ts';
import { partPath, temporaryPartPath } from '../../protocol/output-file.ts';
import type { CommitAnswer, CommitAnswered, CommittableWithLineage, Committer } from '../sink/sink-contract.ts';
import { decodePendingFile, type PendingFile, pathOfPending } from './file-committable.ts';
import { isPassing } from './persistent-requests.ts';
import { probe } from '../../protocol/probes.ts';

export interface FileCommitterOptions {
  readonly client: RequestClientOptions;
  /** Who renames, as the storage knows it; no file is written under this name. */
  readonly writer: string;
  readonly storage: FileSinkSpec['storage'];
  readonly parts: Pick<EngineParts, 'isCommittedFile'>;
}

export class FileCommitter implements Committer {
  readonly #options: FileCommitterOptions;
  readonly #client: RequestClient<StorageReply>;

  constructor(options: FileCommitterOptions) {
    this.#options = options;
    this.#client = new RequestClient(options.client);
  }

  commit({ committable }: CommittableWithLineage, answered: CommitAnswered, out: Out): void {
    const file = decodePendingFile(committable);
    if (this.#options.storage === 'hdfs') this.#rename(file, answered, out);
    else this.#completeAny(file, answered, out);
  }

  transactionOf(committable: string): string {
    return pathOfPending(committable);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind === 'storage-reply') this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }

  #rename(file: PendingFile, answered: CommitAnswered, out: Out): void {
    const { writer } = this.#options;
    const [path, to] = [temporaryPartPath(file.name), partPath(file.name)];
    const operation = { kind: 'rename', to } as const;
    // The only change of this file under this name: repeated, it is the same one.
    const change = { kind: 'storage-file', path, writer, sequence: 1, operation } as const;
    this.#client.request(
      (requestId) => ({ ...change, requestId }),
      out,
      (reply, _nowUs, replyOut) => {
        if (reply?.outcome === 'done') return answered(COMMITTED, replyOut);
        if (isUndecided(reply)) return answered(later(reply), replyOut);
        this.#lookUp(file, answered, replyOut);
      },
    );
  }

  /** A begin whose answer was lost has left an upload without parts: which of them is the file shows when it is completed. */
  #completeAny(file: PendingFile, answered: CommitAnswered, out: Out): void {
    this.#list(partPath(file.name), answered, out, (uploads, listedOut) =>
      this.#complete(file, uploads, answered, listedOut),
    );
  }

  #list(path: string, answered: CommitAnswered, out: Out, then: (uploads: readonly string[], out: Out) => void): void {
    this.#client.request(
      (requestId) => ({ kind: 'storage-upload', requestId, path, operation: { kind: 'list' } }),
      out,
      (reply, _nowUs, replyOut) => {
        if (reply?.uploads === undefined) return answered(later(reply), replyOut);
        const ofFile = reply.uploads.filter((open) => open.path === path);
        then(
          ofFile.map(({ upload }) => upload),
          replyOut,
        );
      },
    );
  }

  #complete(file: PendingFile, uploads: readonly string[], answered: CommitAnswered, out: Out): void {
    const [upload, ...left] = uploads;
    if (upload === undefined) return this.#lookUp(file, answered, out);
    const path = partPath(file.name);
    const operation = { kind: 'complete', upload, parts: file.parts, overwrite: false } as const;
    this.#client.request(
      (requestId) => ({ kind: 'storage-upload', requestId, path, operation }),
      out,
      (reply, _nowUs, replyOut) => {
        if (isUndecided(reply)) return answered(later(reply), replyOut);
        if (reply?.outcome !== 'done') return this.#complete(file, left, answered, replyOut);
        this.#abortOthers(file, COMMITTED, answered, replyOut);
      },
    );
  }

  /** I2: asked anew, because a begin may have come since. */
  #abortOthers(file: PendingFile, committed: CommitAnswer, answered: CommitAnswered, out: Out): void {
    if (this.#options.storage === 'hdfs') return answered(committed, out);
    const path = partPath(file.name);
    const abort = ([upload, ...others]: readonly string[], abortOut: Out): void => {
      if (upload === undefined) return answered(committed, abortOut);
      this.#client.request(
        (requestId) => ({ kind: 'storage-upload', requestId, path, operation: { kind: 'abort', upload } }),
        abortOut,
        (reply, _nowUs, replyOut) => {
          if (isUndecided(reply)) return answered(later(reply), replyOut);
          abort(others, replyOut);
        },
      );
    };
    this.#list(path, answered, out, abort);
  }

  /** I1. */
  #lookUp(file: PendingFile, answered: CommitAnswered, out: Out): void {
    this.#client.request(
      (requestId) => ({ kind: 'storage-get', requestId, path: partPath(file.name) }),
      out,
      (reply, _nowUs, replyOut) => {
        if (isUndecided(reply)) return answered(later(reply), replyOut);
        if (this.#options.parts.isCommittedFile(reply?.bytes?.length, file.length)) {
          probe(replyOut, 'output-file-committed-already');
          return this.#abortOthers(file, { ...COMMITTED, outcome: 'already-committed' }, answered, replyOut);
        }
        const reason = reply?.bytes === undefined ? 'not-found' : 'another length';
        answered({ outcome: 'failed-unknown', reason, failure: 'transaction-lost' }, replyOut);
      },
    );
  }
}

const COMMITTED: CommitAnswer = { outcome: 'committed', reason: 'done', failure: 'commit-failed' };

const isUndecided = (reply: StorageReply | undefined): boolean =>
  reply === undefined || isPassing(reply) || reply.outcome === 'failed' || reply.outcome === 'disk-full';

const later = (reply: StorageReply | undefined): CommitAnswer => ({
  outcome: 'retry-later',
  reason: reply?.outcome ?? 'no-reply',
  failure: 'commit-failed',
});

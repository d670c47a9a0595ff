/**
 * What a file writer needs of a storage (row K12; Flink: RecoverableWriter): a file that nobody sees until it is committed.
 *
 * HDFS: a file in `_temporary`, synced and closed, that the commit renames. Object store: an upload in parts that the commit completes.
 * Owns: the requests. Does not own: what goes into which file and when (file-writer.ts), commits (file-committer.ts).
 * Invariants:
 *   I1 when `finish` is answered with true all that was appended survives the writer and the storage;
 *   I2 calls about one file come one after the other, each when the one before is answered.
 */
import type { RequestClientOptions } from '../../clients/request-client.ts';
import type { Micros } from '../../foundation/time.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { StorageReply } from '../../protocol/messages.ts';
import {
  type PartName,
  parsePartPath,
  parseTemporaryPartPath,
  partPath,
  temporaryDirectory,
  temporaryPartPath,
} from '../../protocol/output-file.ts';
import type { FileOperation, UploadOperation } from '../../protocol/storage-messages.ts';
import { PersistentRequests } from './persistent-requests.ts';

/** `done` false: the storage refuses for good. */
export type Done = (done: boolean, out: Out) => void;

/** A file that was begun and neither committed nor discarded. */
export interface UnfinishedPart {
  readonly name: PartName;
  /** In the storage's own words. */
  readonly handle: string;
  /** If this attempt began it: it is not what the file is written to, nor will be. */
  readonly isStray: boolean;
}

export interface OutputStorage {
  begin(name: PartName, out: Out, then: Done): void;
  append(name: PartName, bytes: Uint8Array, out: Out, then: Done): void;
  finish(name: PartName, out: Out, then: Done): void;
  /** Everything below the root; undefined: the storage does not say. */
  unfinished(root: string, out: Out, then: (parts: readonly UnfinishedPart[] | undefined, out: Out) => void): void;
  discard(parts: readonly Pick<UnfinishedPart, 'name' | 'handle'>[], out: Out, then: Done): void;
  /** What is left under this path from now on is of no use. */
  committed(path: string): void;
  /** Of a finished file that is not committed; undefined: it cannot be read. */
  read(name: PartName, out: Out, then: (bytes: Uint8Array | undefined, out: Out) => void): void;
  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

/** Where a file stands that is being written. */
interface Progress {
  sequence: number;
  offset: number;
}

export class HdfsOutput implements OutputStorage {
  readonly #requests: PersistentRequests;
  readonly #writer: string;
  readonly #parts: Pick<EngineParts, 'outputBeforeClose'>;
  readonly #progress = new Map<string, Progress>();

  /** `writer`: holder of the leases; an attempt has its own. */
  constructor(client: RequestClientOptions, writer: string, parts: Pick<EngineParts, 'outputBeforeClose'>) {
    this.#requests = new PersistentRequests(client);
    this.#writer = writer;
    this.#parts = parts;
  }

  begin(name: PartName, out: Out, then: Done): void {
    const path = temporaryPartPath(name);
    this.#progress.set(path, { sequence: 0, offset: 0 });
    this.#change(path, { kind: 'create', overwrite: false }, out, then);
  }

  append(name: PartName, bytes: Uint8Array, out: Out, then: Done): void {
    const path = temporaryPartPath(name);
    const progress = this.#progress.get(path);
    const offset = progress?.offset ?? 0;
    if (progress !== undefined) progress.offset += bytes.length;
    this.#change(path, { kind: 'write', offset, bytes }, out, then);
  }

  finish(name: PartName, out: Out, then: Done): void {
    const path = temporaryPartPath(name);
    this.#change(path, { kind: this.#parts.outputBeforeClose }, out, (isSynced, syncOut) => {
      if (!isSynced) return then(false, syncOut);
      this.#change(path, { kind: 'close' }, syncOut, (isClosed, closeOut) => {
        this.#progress.delete(path);
        then(isClosed, closeOut);
      });
    });
  }

  unfinished(root: string, out: Out, then: (parts: readonly UnfinishedPart[] | undefined, out: Out) => void): void {
    const prefix = temporaryDirectory(root);
    this.#requests.request(
      (requestId) => ({ kind: 'storage-list', requestId, prefix }),
      out,
      ({ paths }, replyOut) =>
        then(
          paths?.flatMap((handle) => {
            const name = parseTemporaryPartPath(handle);
            return name === undefined ? [] : [{ name, handle, isStray: false }];
          }),
          replyOut,
        ),
    );
  }

  /** A change that is repeated is the same one: nothing is left. */
  committed(): void {}

  read(name: PartName, out: Out, then: (bytes: Uint8Array | undefined, out: Out) => void): void {
    const path = temporaryPartPath(name);
    this.#requests.request(
      (requestId) => ({ kind: 'storage-get', requestId, path }),
      out,
      ({ bytes }, replyOut) => then(bytes, replyOut),
    );
  }

  discard(parts: readonly Pick<UnfinishedPart, 'name' | 'handle'>[], out: Out, then: Done): void {
    const paths = parts.map(({ handle }) => handle);
    this.#requests.request(
      (requestId) => ({ kind: 'storage-delete', requestId, paths }),
      out,
      ({ outcome }, replyOut) => then(outcome === 'done', replyOut),
    );
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#requests.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#requests.handleTimer(timer, nowUs, out);
  }

  #change(path: string, operation: FileOperation, out: Out, then: Done): void {
    const progress = this.#progress.get(path);
    if (progress !== undefined) progress.sequence += 1;
    const sequence = progress?.sequence ?? 1;
    const writer = this.#writer;
    this.#requests.request(
      (requestId) => ({ kind: 'storage-file', requestId, path, writer, sequence, operation }),
      out,
      ({ outcome }, replyOut) => then(outcome === 'done', replyOut),
    );
  }
}

export class ObjectStoreOutput implements OutputStorage {
  readonly #requests: PersistentRequests;
  /** By path of what is not committed: its upload, when it is known, and how many parts it has. */
  readonly #uploads = new Map<string, { upload: string | undefined; parts: number }>();

  constructor(client: RequestClientOptions) {
    this.#requests = new PersistentRequests(client);
  }

  /** Repeated without an answer it begins a second upload, which is a stray. */
  begin(name: PartName, out: Out, then: Done): void {
    const path = partPath(name);
    const progress: { upload: string | undefined; parts: number } = { upload: undefined, parts: 0 };
    this.#uploads.set(path, progress);
    this.#ask(path, { kind: 'begin' }, out, ({ upload }, replyOut) => {
      progress.upload = upload;
      then(upload !== undefined, replyOut);
    });
  }

  append(name: PartName, bytes: Uint8Array, out: Out, then: Done): void {
    const path = partPath(name);
    const progress = this.#uploads.get(path);
    if (progress?.upload === undefined) return then(false, out);
    progress.parts += 1;
    const { upload, parts: part } = progress;
    this.#ask(path, { kind: 'part', upload, part, bytes }, out, ({ outcome }, replyOut) =>
      then(outcome === 'done', replyOut),
    );
  }

  /** Each part is durable when it is answered. */
  finish(_name: PartName, out: Out, then: Done): void {
    then(true, out);
  }

  committed(path: string): void {
    this.#uploads.delete(path);
  }

  unfinished(root: string, out: Out, then: (parts: readonly UnfinishedPart[] | undefined, out: Out) => void): void {
    this.#ask(`${root}/`, { kind: 'list' }, out, ({ uploads }, replyOut) =>
      then(
        uploads?.flatMap(({ path, upload: handle }) => {
          const name = parsePartPath(path);
          return name === undefined ? [] : [{ name, handle, isStray: this.#isStray(path, handle) }];
        }),
        replyOut,
      ),
    );
  }

  #isStray(path: string, upload: string): boolean {
    const known = this.#uploads.get(path);
    return known === undefined || (known.upload !== undefined && known.upload !== upload);
  }

  /** Nobody sees anything of an upload before it is completed. */
  read(_name: PartName, out: Out, then: (bytes: Uint8Array | undefined, out: Out) => void): void {
    then(undefined, out);
  }

  discard(parts: readonly Pick<UnfinishedPart, 'name' | 'handle'>[], out: Out, then: Done): void {
    const [first, ...others] = parts;
    if (first === undefined) return then(true, out);
    const { name, handle: upload } = first;
    this.#ask(partPath(name), { kind: 'abort', upload }, out, ({ outcome }, replyOut) => {
      if (outcome !== 'done') return then(false, replyOut);
      this.discard(others, replyOut, then);
    });
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#requests.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#requests.handleTimer(timer, nowUs, out);
  }

  #ask(path: string, operation: UploadOperation, out: Out, then: (reply: StorageReply, out: Out) => void): void {
    this.#requests.request((requestId) => ({ kind: 'storage-upload', requestId, path, operation }), out, then);
  }
}

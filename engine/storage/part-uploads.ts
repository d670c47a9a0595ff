/**
 * Large objects go up in parts, at the same time, and are there when the upload is completed (row T7; S3 multipart upload).
 *
 * Owns: the steps of one upload. Does not own: when a file is large enough (object-store-storage), uploads that a dead writer leaves (the
 * cleaner finds them in lists).
 *
 * I1: an upload that is not completed is aborted as soon as that is known; nobody waits for the answer to that.
 */
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { StorageReply } from '../protocol/messages.ts';
import type { UploadOperation } from '../protocol/storage-messages.ts';
import type { FileWrite, WriteHandler, WriteOutcome } from './checkpoint-storage.ts';
import type { PatientClient } from './patient-client.ts';
import { sometimes } from '../protocol/probes.ts';

interface Upload {
  readonly write: FileWrite;
  readonly upload: string;
  readonly parts: number;
  readonly then: WriteHandler;
}

export class PartUploads {
  readonly #client: PatientClient;
  readonly #partBytes: number;

  constructor(client: PatientClient, partBytes: number) {
    this.#client = client;
    this.#partBytes = partBytes;
  }

  write(write: FileWrite, out: Out, then: WriteHandler): void {
    this.#ask(write.path, { kind: 'begin' }, out, (reply, nowUs, replyOut) => {
      if (reply?.upload === undefined) return then(reply === undefined ? 'unknown' : 'failed', nowUs, replyOut);
      const parts = Math.ceil(write.bytes.length / this.#partBytes);
      this.#sendParts({ write, upload: reply.upload, parts, then }, replyOut);
    });
  }

  #sendParts(whole: Upload, out: Out): void {
    const { write, upload, parts } = whole;
    let missing = parts;
    let isGivenUp = false;
    for (let part = 1; part <= parts; part += 1) {
      const bytes = write.bytes.subarray((part - 1) * this.#partBytes, part * this.#partBytes);
      this.#ask(write.path, { kind: 'part', upload, part, bytes }, out, (reply, nowUs, replyOut) => {
        if (isGivenUp) return;
        missing -= 1;
        isGivenUp = reply?.outcome !== 'done';
        if (isGivenUp) this.#giveUp(whole, reply === undefined ? 'unknown' : 'failed', nowUs, replyOut);
        else if (missing === 0) this.#complete(whole, replyOut);
      });
    }
  }

  #complete(whole: Upload, out: Out): void {
    const { write, upload, parts, then } = whole;
    const { overwrite, checksum, path } = write;
    this.#ask(path, { kind: 'complete', upload, parts, overwrite }, out, (reply, nowUs, replyOut) => {
      if (reply?.outcome === 'done') return then('done', nowUs, replyOut);
      // An earlier try of this write was not answered, and had completed.
      const isTaken = reply?.outcome === 'already-exists';
      sometimes(isTaken && reply?.checksum === checksum, replyOut, 'upload-found-complete');
      if (isTaken) return this.#giveUp(whole, reply?.checksum === checksum ? 'done' : 'taken', nowUs, replyOut);
      this.#giveUp(whole, reply === undefined ? 'unknown' : 'failed', nowUs, replyOut);
    });
  }

  #giveUp({ write, upload, then }: Upload, outcome: WriteOutcome, nowUs: Micros, out: Out): void {
    sometimes(outcome !== 'done', out, 'upload-given-up');
    this.#ask(write.path, { kind: 'abort', upload }, out, () => undefined);
    then(outcome, nowUs, out);
  }

  #ask(
    path: string,
    operation: UploadOperation,
    out: Out,
    then: (reply: StorageReply | undefined, nowUs: Micros, out: Out) => void,
  ): void {
    this.#client.request((requestId) => ({ kind: 'storage-upload', requestId, path, operation }), out, then);
  }
}

/**
 * Puts the files of snapshots into the checkpoint storage (row T11), for one subtask or for the file merging of its TaskManager.
 *
 * Owns: where a file lies that the layout names, and how often a write is tried. Does not own: what is written, and what a checkpoint whose
 * file cannot be written does (subtask-checkpoint, file-merging-manager).
 *
 * I1: a write is answered once, or never when its snapshot is not wanted any more; one without an answer is made again at once, because it may
 *     have taken effect and is then found under its name; one that failed for certain after a wait.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { probe } from '../protocol/probes.ts';
import type { StorageReply } from '../protocol/messages.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { withEntropy } from '../storage/entropy.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { TaskEnvironment } from './task-environment.ts';

export interface StateFileWriterOptions {
  readonly environment: TaskEnvironment;
  /** Distinguishes the requests of several in one mailbox. */
  readonly client: string;
  /** Name of the writing process, as leases know it. */
  readonly writer: string;
  /** A file is sent, or sent again. */
  readonly report: (file: StateFile & { readonly tries: number }, out: Out) => void;
}

/** A file on its way to the storage. */
export interface StateFile {
  readonly checkpointId: CheckpointId;
  readonly path: string;
  readonly overwrite: boolean;
  readonly bytes: Uint8Array;
  readonly checksum: number;
  /** Of a merged file: how many pieces are in it. */
  readonly pieces?: number;
  /** Asked before anything is done about it: its snapshot may have been declined. */
  readonly isWanted: () => boolean;
  readonly stored: (nowUs: Micros, out: Out) => void;
  readonly failed: (out: Out) => void;
}

/** A put that failed for certain is repeated so often before the checkpoint is declined. */
const WRITE_TRIES_MAX = 4;

export class StateFileWriter {
  readonly #options: StateFileWriterOptions;
  readonly #later = new DelayedCalls();
  readonly storage: CheckpointStorage;

  constructor(options: StateFileWriterOptions) {
    const { environment, client: name, writer } = options;
    const { configuration, parts, services } = environment;
    const timeoutUs = configuration.runtime.requestTimeoutUs;
    this.#options = options;
    this.storage = openStorage({
      client: { node: services.storage, via: 'datagram', name, timeoutUs, firstRequestId: 1 },
      writer,
      checkpoint: configuration.checkpoint,
      parts,
    });
  }

  /** Where a file lies that the layout calls `path`; savepoints stay in one place, to be copied as a whole. */
  placed(path: string): string {
    const { directory, storage } = this.#options.environment.configuration.checkpoint;
    return storage.kind === 'object-store' && storage.entropy && path.startsWith(`${directory}/`)
      ? withEntropy(path)
      : path;
  }

  write(file: StateFile, out: Out): void {
    this.#put(file, 1, out);
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.storage.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.storage.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  #put(file: StateFile, tries: number, out: Out): void {
    const { path, overwrite, bytes, checksum, isWanted, stored, failed } = file;
    const { environment, report } = this.#options;
    report({ tries, ...file }, out);
    this.storage.writeState({ path, overwrite, bytes, checksum }, out, (outcome, nowUs, replyOut) => {
      if (!isWanted()) return;
      if (outcome === 'done') return stored(nowUs, replyOut);
      if (outcome === 'taken' || tries >= WRITE_TRIES_MAX) {
        probe(replyOut, outcome === 'taken' ? 'state-write-found-taken' : 'state-write-given-up');
        return failed(replyOut);
      }
      probe(replyOut, outcome === 'unknown' ? 'state-write-unanswered' : 'state-write-repeated');
      if (outcome === 'unknown') return this.#put(file, tries + 1, replyOut);
      const delayUs = retryDelayUs(environment.configuration.runtime.requestTimeoutUs);
      this.#later.after(delayUs, `put/${path}`, replyOut, (_at, lateOut) => {
        if (isWanted()) this.#put(file, tries + 1, lateOut);
      });
    });
  }
}

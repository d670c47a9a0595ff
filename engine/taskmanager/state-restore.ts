/**
 * Fetches the files of the state a subtask is to restore, and verifies them before anything reads them.
 *
 * Owns: the fetches. Invariant I1: bytes are handed out only when their length and checksum are those of the handle.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { crc32c } from '../foundation/crc32c.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { StorageReply } from '../protocol/messages.ts';
import type { StateHandle } from '../protocol/state-handle.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

export interface RestoredState {
  readonly handle: StateHandle;
  readonly bytes: Uint8Array;
}

export interface StateRestoreHost {
  restored(states: readonly RestoredState[], nowUs: Micros, out: Out): void;
  fail(failure: TaskFailure, out: Out): void;
}

/** Storage that stays away so long fails the subtask; the job's restart strategy decides what then. */
const FETCH_TRIES_MAX = 8;

export class StateRestore {
  readonly #host: StateRestoreHost;
  readonly #storage: CheckpointStorage;
  readonly #later = new DelayedCalls();
  readonly #requestTimeoutUs: number;
  #states: (RestoredState | undefined)[] = [];
  #missing = 0;

  constructor(options: { host: StateRestoreHost; storage: CheckpointStorage; requestTimeoutUs: number }) {
    this.#host = options.host;
    this.#requestTimeoutUs = options.requestTimeoutUs;
    this.#storage = options.storage;
  }

  start(handles: readonly StateHandle[], nowUs: Micros, out: Out): void {
    this.#states = handles.map(() => undefined);
    this.#missing = handles.length;
    if (handles.length === 0) return this.#host.restored([], nowUs, out);
    handles.forEach((handle, index) => {
      if (handle.path === '') this.#arrived(index, handle, handle.inline ?? new Uint8Array(0), nowUs, out);
      else this.#fetch(index, handle, 1, out);
    });
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#storage.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#storage.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  #fetch(index: number, handle: StateHandle, tries: number, out: Out): void {
    this.#storage.read(handle.path, out, (reply, nowUs, replyOut) => {
      if (reply?.outcome === 'done' && reply.bytes !== undefined) {
        return this.#arrived(index, handle, reply.bytes, nowUs, replyOut);
      }
      if (reply?.outcome === 'not-found' || tries >= FETCH_TRIES_MAX)
        return this.#host.fail('restore-failed', replyOut);
      this.#later.after(retryDelayUs(this.#requestTimeoutUs), `get/${handle.path}`, replyOut, (_at, lateOut) =>
        this.#fetch(index, handle, tries + 1, lateOut),
      );
    });
  }

  // biome-ignore lint/complexity/useMaxParams: out and now are the world, not parameters of the decision
  #arrived(index: number, handle: StateHandle, bytes: Uint8Array, nowUs: Micros, out: Out): void {
    if (bytes.length !== handle.bytes || crc32c(bytes) !== handle.checksum) {
      const { path, operator, state, bytes: expectedBytes } = handle;
      const offset = bytes.length === expectedBytes ? 0 : Math.min(bytes.length, expectedBytes);
      out.report({ kind: 'state-refused', path, operator, state, offset, bytes: bytes.length, expectedBytes });
      return this.#host.fail('corrupt-state', out);
    }
    out.busy('byte', bytes.length);
    this.#states[index] = { handle, bytes };
    this.#missing -= 1;
    if (this.#missing > 0) return;
    const states = this.#states.filter((state) => state !== undefined);
    this.#host.restored(states, nowUs, out);
  }
}

/**
 * Fetches the files of the state a subtask is to restore, and verifies them before anything reads them.
 *
 * Owns: the fetches. Invariant I1: bytes are handed out only when their length and checksum are those of the handle.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { ReplyHandler } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { StorageReply } from '../protocol/messages.ts';
import { logicalFileKey, type StateHandle } from '../protocol/state-handle.ts';
import { bytesInside } from '../state/compressed-state-file.ts';
import type { RestoredSegment } from '../state/keyed-state-backend.ts';
import type { TaskFailure, TaskRestore } from '../protocol/task.ts';
import { damageOf } from '../state/file-damage.ts';
import type { LocalStateStore } from './local-state-store.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { probe } from '../protocol/probes.ts';

export interface RestoredState {
  readonly handle: StateHandle;
  readonly bytes: Uint8Array;
  /** Of keyed state in segments. */
  readonly segments?: readonly RestoredSegment[];
}

/** What is fetched and verified: a state, or one of its segments. */
type File = Pick<StateHandle, 'path' | 'offset' | 'inline' | 'bytes' | 'checksum'> &
  Partial<Pick<StateHandle, 'state'>>;

export interface StateRestoreOptions {
  readonly host: StateRestoreHost;
  readonly storage: CheckpointStorage;
  readonly requestTimeoutUs: number;
  /** Copies on the node; absent: there are none. */
  readonly local: LocalStateStore | undefined;
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
  readonly #local: LocalStateStore | undefined;
  #handles: readonly StateHandle[] = [];
  /** Of each handle and of each of its segments, one after the other. */
  #contents: (Uint8Array | undefined)[] = [];
  #missing = 0;

  constructor(options: StateRestoreOptions) {
    this.#local = options.local;
    this.#host = options.host;
    this.#requestTimeoutUs = options.requestTimeoutUs;
    this.#storage = options.storage;
  }

  /** Undefined: the subtask begins from nothing. */
  start(restore: TaskRestore | undefined, nowUs: Micros, out: Out): void {
    const own = restore?.state.flatMap((state) => state.handles) ?? [];
    const handles = [...(restore?.takenOver ?? []), ...own];
    const files: readonly File[] = handles.flatMap((handle) => [handle, ...(handle.segments ?? [])]);
    if (restore !== undefined) this.#local?.restored(restore.checkpointId, own);
    this.#handles = handles;
    this.#contents = files.map(() => undefined);
    this.#missing = files.length;
    if (files.length === 0) return this.#host.restored([], nowUs, out);
    files.forEach((file, index) => {
      if (file.path === '') this.#arrived(index, file, file.inline ?? new Uint8Array(0), nowUs, out);
      else this.#fetchOrCopy(index, file, nowUs, out);
    });
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#storage.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#storage.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  /** Row S22: keyed state alone has copies; `state` is absent of its segments. */
  #fetchOrCopy(index: number, file: File, nowUs: Micros, out: Out): void {
    const isKeyed = file.state === undefined || file.state === 'keyed';
    const copy = isKeyed ? this.#local?.read(file, out) : undefined;
    if (copy === undefined) this.#fetch(index, file, 1, out);
    else this.#verified(index, copy, nowUs, out);
  }

  #fetch(index: number, handle: File, tries: number, out: Out): void {
    const { path, offset, bytes } = handle;
    const range = offset === undefined ? undefined : { offset, bytes };
    const arrived: ReplyHandler<StorageReply> = (reply, nowUs, replyOut) => {
      if (reply?.outcome === 'done' && reply.bytes !== undefined) {
        return this.#arrived(index, handle, reply.bytes, nowUs, replyOut);
      }
      if (reply?.outcome === 'not-found' || tries >= FETCH_TRIES_MAX)
        return this.#host.fail('restore-failed', replyOut);
      // A file may be asked for twice: data in flight of a rescaled exchange, and of another one of the subtask.
      const name = `get/${String(index)}/${logicalFileKey(handle)}`;
      probe(replyOut, 'state-fetch-repeated');
      this.#later.after(retryDelayUs(this.#requestTimeoutUs), name, replyOut, (_at, lateOut) =>
        this.#fetch(index, handle, tries + 1, lateOut),
      );
    };
    this.#storage.read(path, out, arrived, range);
  }

  // biome-ignore lint/complexity/useMaxParams: out and now are the world, not parameters of the decision
  #arrived(index: number, handle: File, bytes: Uint8Array, nowUs: Micros, out: Out): void {
    const damage = damageOf(handle, bytes);
    if (damage !== undefined) {
      const at = damage.offset + (handle.offset ?? 0);
      out.report({ kind: 'corrupt-file', path: handle.path, ...damage, offset: at });
      return this.#host.fail('corrupt-state', out);
    }
    this.#verified(index, bytes, nowUs, out);
  }

  #verified(index: number, bytes: Uint8Array, nowUs: Micros, out: Out): void {
    out.busy('byte', bytes.length + bytesInside(bytes));
    this.#contents[index] = bytes;
    this.#missing -= 1;
    if (this.#missing === 0) this.#host.restored(this.#assembled(), nowUs, out);
  }

  #assembled(): readonly RestoredState[] {
    const contents = this.#contents.filter((bytes) => bytes !== undefined);
    assert(contents.length === this.#contents.length, 'a state is restored when all of its files are there');
    let at = 0;
    const next = (): Uint8Array => {
      at += 1;
      return contents[at - 1] ?? new Uint8Array(0);
    };
    return this.#handles.map((handle) => {
      const bytes = next();
      if (handle.segments === undefined) return { handle, bytes };
      return { handle, bytes, segments: handle.segments.map((segment) => ({ handle: segment, bytes: next() })) };
    });
  }
}

/**
 * The files of a subtask's state logs: which are written, which lie in the shared directory, which of them the JobManager knows (row S20;
 * Flink: TaskChangelogRegistry, FsStateChangelogWriter, BatchingStateChangeUploadScheduler).
 *
 * Owns: the writing, with its repetitions, and what was written. Does not own: what is needed (the log), who deletes (G5: nobody here).
 * Invariants:
 *   I1 a file is named after a checkpoint that had begun here when it was asked for. Whatever completes and is newer was taken here behind
 *      that: its acknowledgement names the file as used, or as reserved, unless it is not needed any more; so it is not swept before its time;
 *   I2 only a file that was part of a checkpoint which is known to be complete is spoken of by name alone (Flink: placeholder);
 *   I3 what is not needed any more is forgotten; the sweep finds it.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { crc32c } from '../foundation/crc32c.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { segmentFile } from '../protocol/checkpoint-paths.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';
import type { LogPiece } from '../state/logged-state.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { segmentKey } from './uploaded-segments.ts';

/** A file that is durable. */
export interface StoredFile {
  readonly handle: SegmentHandle;
  /** I2. */
  readonly isConfirmed: boolean;
}

/** Undefined: it could not be written. */
type Then = (file: StoredFile | undefined, nowUs: Micros, out: Out) => void;

export interface FileRequest {
  readonly operator: string;
  readonly piece: LogPiece;
  /** Called when it is durable, at once if it is. */
  readonly stored: Then;
}

export interface ChangelogFilesOptions {
  readonly storage: CheckpointStorage;
  readonly sharedDirectory: string;
  readonly subtask: number;
  readonly attempt: number;
  readonly requestTimeoutUs: number;
  /** Highest checkpoint that has begun here. */
  readonly lastCheckpoint: () => number;
  readonly writeSent: (handle: SegmentHandle, checkpointId: number, out: Out) => void;
}

interface Entry {
  readonly operator: string;
  readonly handle: SegmentHandle;
  isConfirmed: boolean;
  /** Undefined: it is durable. */
  waiting: Then[] | undefined;
}

/** A put that failed for certain is repeated so often (Flink: dstl.dfs.upload.max-attempts, 3). */
const WRITE_TRIES_MAX = 4;

export class ChangelogFiles {
  readonly #options: ChangelogFilesOptions;
  readonly #later = new DelayedCalls();
  readonly #entries = new Map<string, Entry>();
  /** Files of checkpoints that nobody told the end of. */
  readonly #acknowledged = new Map<CheckpointId, readonly Entry[]>();
  /** Operators whose restored files are not used any more. */
  readonly #full = new Set<string>();

  constructor(options: ChangelogFilesOptions) {
    this.#options = options;
  }

  request({ operator, piece, stored: then }: FileRequest, nowUs: Micros, out: Out): void {
    const { origin } = piece;
    if (origin !== undefined && !this.#full.has(operator))
      return then({ handle: origin, isConfirmed: true }, nowUs, out);
    const known = this.#entries.get(segmentKey(operator, piece.id));
    if (known?.waiting !== undefined) known.waiting.push(then);
    else if (known !== undefined) then(known, nowUs, out);
    else this.#write(operator, piece, then, out);
  }

  /** A full checkpoint: what was written for earlier ones is not used again. */
  full(operator: string): void {
    this.#full.add(operator);
    for (const [key, entry] of this.#entries) if (entry.operator === operator) this.#entries.delete(key);
    for (const id of this.#acknowledged.keys()) this.#acknowledged.delete(id);
  }

  /** I3. */
  keep(operator: string, ids: readonly string[]): void {
    const live = new Set(ids.map((id) => segmentKey(operator, id)));
    for (const [key, entry] of this.#entries)
      if (entry.operator === operator && !live.has(key)) this.#entries.delete(key);
  }

  /** These files are part of an acknowledged checkpoint. */
  acknowledged(
    checkpointId: CheckpointId,
    pieces: readonly { readonly operator: string; readonly id: string }[],
  ): void {
    const entries = pieces.flatMap(({ operator, id }) => this.#entries.get(segmentKey(operator, id)) ?? []);
    if (entries.length > 0) this.#acknowledged.set(checkpointId, entries);
  }

  /** I2. */
  confirmed(checkpointId: CheckpointId): void {
    const entries = this.#acknowledged.get(checkpointId);
    if (entries === undefined) return;
    for (const entry of entries) entry.isConfirmed = true;
    for (const id of this.#acknowledged.keys()) if (id <= checkpointId) this.#acknowledged.delete(id);
  }

  /** I1: all that may become part of a later checkpoint, but for what the present one has. */
  reserved(present: Iterable<readonly (SegmentHandle | undefined)[]>): readonly SegmentHandle[] {
    if (this.#entries.size === 0) return [];
    const used = new Set([...present].flat().map((handle) => handle?.path));
    return [...this.#entries.values()].flatMap(({ handle }) => (used.has(handle.path) ? [] : [handle]));
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #write(operator: string, piece: LogPiece, then: Then, out: Out): void {
    const { sharedDirectory: directory, subtask, attempt, lastCheckpoint } = this.#options;
    const checkpointId = lastCheckpoint();
    const bytes = piece.bytes();
    const path = segmentFile({ directory, operator, subtask, attempt, segment: piece.id, checkpointId });
    const handle = { path, bytes: bytes.length, checksum: crc32c(bytes) };
    const entry: Entry = { operator, handle, isConfirmed: false, waiting: [then] };
    this.#entries.set(segmentKey(operator, piece.id), entry);
    this.#put({ entry, bytes, checkpointId, tries: 1 }, out);
  }

  #put(
    write: { readonly entry: Entry; readonly bytes: Uint8Array; readonly checkpointId: number; readonly tries: number },
    out: Out,
  ): void {
    const { entry, bytes, checkpointId, tries } = write;
    const { storage, requestTimeoutUs, writeSent } = this.#options;
    const { path, checksum } = entry.handle;
    writeSent(entry.handle, checkpointId, out);
    storage.writeState({ path, bytes, checksum, overwrite: false }, out, (outcome, nowUs, replyOut) => {
      if (outcome === 'done') return this.#settle(entry, entry, nowUs, replyOut);
      if (outcome === 'taken' || tries >= WRITE_TRIES_MAX) return this.#settle(entry, undefined, nowUs, replyOut);
      const again = (lateOut: Out): void => this.#put({ ...write, tries: tries + 1 }, lateOut);
      if (outcome === 'unknown') return again(replyOut);
      const delayUs = retryDelayUs(requestTimeoutUs);
      this.#later.after(delayUs, `put/${path}`, replyOut, (_at, lateOut) => again(lateOut));
    });
  }

  #settle(entry: Entry, file: StoredFile | undefined, nowUs: Micros, out: Out): void {
    const waiting = entry.waiting ?? [];
    entry.waiting = undefined;
    if (file === undefined) for (const [key, known] of this.#entries) if (known === entry) this.#entries.delete(key);
    for (const then of waiting) then(file, nowUs, out);
  }
}

/**
 * The files of a subtask's state logs: which are written, which lie in the shared directory, which of them the JobManager knows (row S20;
 * Flink: TaskChangelogRegistry, FsStateChangelogWriter, BatchingStateChangeUploadScheduler).
 *
 * Owns: what was written. Does not own: the writing (state-file-writer), what is needed (the log), who deletes (G5: nobody here).
 * Invariants:
 *   I1 a file is named after a checkpoint that had begun here when it was asked for. Whatever completes and is newer was taken here behind
 *      that: its acknowledgement names the file as used, or as reserved, unless nothing that is taken or to be taken needs it any more; so it is not
 *      swept before its time;
 *   I2 only a file that was part of a checkpoint which is known to be complete is spoken of by name alone (Flink: placeholder);
 *   I3 what is not needed any more is forgotten; the sweep finds it.
 */
import { crc32c } from '../foundation/crc32c.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { segmentFile } from '../protocol/checkpoint-paths.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';
import type { LogPiece } from '../state/logged-state.ts';
import type { LocalStateStore } from './local-state-store.ts';
import type { StateFileWriter } from './state-file-writer.ts';
import { segmentKey } from './uploaded-segments.ts';

/** A file that is durable. */
export interface StoredFile {
  readonly handle: SegmentHandle;
  /** I2. */
  readonly isConfirmed: boolean;
}

/** Who waits for a file. */
export interface FileWaiter {
  /** It is durable; called at once if it is. */
  stored(file: StoredFile, nowUs: Micros, out: Out): void;
  /** It could not be written. */
  failed(out: Out): void;
}

export interface FileRequest {
  readonly operator: string;
  readonly piece: LogPiece;
  readonly waiter: FileWaiter;
}

export interface ChangelogFilesOptions {
  readonly files: StateFileWriter;
  readonly sharedDirectory: string;
  readonly subtask: number;
  readonly attempt: number;
  /** Absent: no copies are kept on the node. */
  readonly local: LocalStateStore | undefined;
  /** Highest checkpoint that has begun here. */
  readonly lastCheckpoint: () => number;
}

interface Entry {
  readonly operator: string;
  readonly handle: SegmentHandle;
  isConfirmed: boolean;
  /** Undefined: it is durable. */
  waiting: FileWaiter[] | undefined;
}

export class ChangelogFiles {
  readonly #options: ChangelogFilesOptions;
  readonly #entries = new Map<string, Entry>();
  /** Files of checkpoints that nobody told the end of. */
  readonly #acknowledged = new Map<CheckpointId, readonly Entry[]>();
  /** Operators whose restored files are not used any more. */
  readonly #full = new Set<string>();

  constructor(options: ChangelogFilesOptions) {
    this.#options = options;
  }

  request({ operator, piece, waiter }: FileRequest, nowUs: Micros, out: Out): void {
    const { origin } = piece;
    if (origin !== undefined && !this.#full.has(operator))
      return waiter.stored({ handle: origin, isConfirmed: true }, nowUs, out);
    const known = this.#entries.get(segmentKey(operator, piece.id));
    if (known?.waiting !== undefined) known.waiting.push(waiter);
    else if (known !== undefined) waiter.stored(known, nowUs, out);
    else this.#write(operator, piece, waiter, out);
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

  #write(operator: string, piece: LogPiece, waiter: FileWaiter, out: Out): void {
    const { files, sharedDirectory: directory, subtask, attempt, lastCheckpoint, local } = this.#options;
    const id = checkpointId(lastCheckpoint());
    const bytes = piece.bytes();
    const name = segmentFile({ directory, operator, subtask, attempt, segment: piece.id, checkpointId: id });
    const path = files.placed(name);
    const checksum = crc32c(bytes);
    const entry: Entry = {
      operator,
      handle: { path, bytes: bytes.length, checksum },
      isConfirmed: false,
      waiting: [waiter],
    };
    this.#entries.set(segmentKey(operator, piece.id), entry);
    const isWanted = (): boolean => entry.waiting !== undefined;
    const stored = (nowUs: Micros, lateOut: Out): void => {
      local?.write(entry.handle, bytes, id, lateOut);
      for (const one of this.#settled(entry)) one.stored(entry, nowUs, lateOut);
    };
    const failed = (lateOut: Out): void => {
      for (const [key, known] of this.#entries) if (known === entry) this.#entries.delete(key);
      for (const one of this.#settled(entry)) one.failed(lateOut);
    };
    files.write({ checkpointId: id, path, overwrite: false, bytes, checksum, isWanted, stored, failed }, out);
  }

  #settled(entry: Entry): readonly FileWaiter[] {
    const waiting = entry.waiting ?? [];
    entry.waiting = undefined;
    return waiting;
  }
}

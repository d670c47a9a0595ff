/**
 * Where checkpoints lie, as the engine sees it: whole files under names (rows T1, T2, T5; Flink: CheckpointStorageAccess,
 * CheckpointStreamFactory, CheckpointMetadataOutputStream). One contract for all storages; what a storage needs beyond one request,
 * such as sync before close, rename to commit or upload in parts, is the business of its flavour.
 *
 * Owns: the contract. Does not own: names (parts.stateFile), what travels inline (state-placement.ts), how often a caller tries again,
 * who may delete (the coordinator).
 * Invariants every flavour keeps:
 *   I1 a write is answered once. `done`: the file lies whole under its name and survives a crash of the storage. `taken`: another file
 *      has the name. `failed`: the storage says that it did not happen. `unknown`: nobody knows;
 *   I2 the same write may be made again after `failed` and `unknown`: what an earlier try completed is found and is `done`;
 *   I3 a file of `writeMetadata` is seen under its name only when it is whole;
 *   I4 nothing is answered after `abandon`;
 *   I5 what `append` says is `done` survives a crash of the storage like a whole file, and readers see it; after any other answer the file is
 *      not to be appended to again, since nobody knows where it ends.
 */
import type { ReplyHandler } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { ByteRange, StorageReply } from '../protocol/messages.ts';

export interface FileWrite {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** CRC32C of the bytes: tells an earlier try of this write from somebody else's file. */
  readonly checksum: number;
  /** False: never replaces a file (NO_OVERWRITE). */
  readonly overwrite: boolean;
}

/** A piece at the end of a file that grows. */
export interface FileAppend {
  readonly path: string;
  /** How long the file is: 0 begins it. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type WriteOutcome = 'done' | 'taken' | 'failed' | 'unknown';
export type WriteHandler = (outcome: WriteOutcome, nowUs: Micros, out: Out) => void;

export interface CheckpointStorage {
  writeState(write: FileWrite, out: Out, then: WriteHandler): void;
  writeMetadata(write: FileWrite, out: Out, then: WriteHandler): void;
  /** Whether files can grow. */
  readonly canAppend: boolean;
  /** Of a file that only this process writes. Not where files cannot grow. */
  append(append: FileAppend, out: Out, then: WriteHandler): void;
  /** Nothing more will be appended; nobody waits for it. */
  seal(path: string, out: Out): void;
  /** `done` with bytes, `not-found`, or whatever else is wrong; undefined: no answer. `range`: a part of it; absent: all. */
  read(path: string, out: Out, then: ReplyHandler<StorageReply>, range?: ByteRange): void;
  /** All paths that begin so, those of files that nobody completed among them, and of empty directories, with a slash behind them. */
  list(prefix: string, out: Out, then: ReplyHandler<StorageReply>): void;
  /** Files, by the paths that `list` gave; what is not there is deleted already. */
  delete(paths: readonly string[], out: Out, then: ReplyHandler<StorageReply>): void;
  /** A directory with whatever lies in it: of a snapshot that was given up. */
  discard(directory: string, out: Out, then: ReplyHandler<StorageReply>): void;
  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void;
  /** True when the timer was one of these. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
  /** Forgets every open request; their replies will be ignored. */
  abandon(out: Out): void;
}

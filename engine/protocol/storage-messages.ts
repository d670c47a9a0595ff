/**
 * Requests to a checkpoint storage that takes more than one to write a file: a file server or HDFS, and an object store that is given a
 * large object in parts.
 *
 * Owns: the vocabulary. Does not own: who uses which (engine/storage/), what they do (sim/services/). Whole objects, reads, lists and
 * deletions are in messages.ts. Answers to all of them are `storage-reply`.
 * Invariants:
 *   I1 a change of a file names its writer and how many changes of that file the writer asked for before (NFS 4.1: slot and sequence;
 *      HDFS: lease holder and retry cache): repeated it is answered again and not done again, overtaken it is not done at all.
 */

/** What is done to the file of a path. */
export type FileOperation =
  /** Opens a new file for its writer. Without `overwrite` there must be none. */
  | { readonly kind: 'create'; readonly overwrite: boolean }
  /** Seen by readers at once on a file server, on HDFS after `flush`, `sync` or `close`. */
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  /** HDFS hflush: readers see what was written, and it survives the writer. */
  | { readonly kind: 'flush' }
  /** fsync, HDFS hsync: what was written survives the storage. */
  | { readonly kind: 'sync' }
  | { readonly kind: 'close' }
  /** Opens a closed file again, at its end. */
  | { readonly kind: 'append' }
  /** Cuts a closed file. HDFS: not before an open lease was recovered. */
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'rename'; readonly to: string }
  /** Not recursive: only an empty directory. */
  | { readonly kind: 'remove-directory'; readonly recursive: boolean };

export interface FileRequest {
  readonly kind: 'storage-file';
  readonly requestId: number;
  readonly path: string;
  readonly writer: string;
  /** Rises from 1 per writer and path. */
  readonly sequence: number;
  readonly operation: FileOperation;
}

/** What is done about an object that is uploaded in parts (S3 multipart upload). Nobody sees anything of it before it is completed. */
export type UploadOperation =
  | { readonly kind: 'begin' }
  | { readonly kind: 'part'; readonly upload: string; readonly part: number; readonly bytes: Uint8Array }
  | { readonly kind: 'complete'; readonly upload: string; readonly parts: number; readonly overwrite: boolean }
  | { readonly kind: 'abort'; readonly upload: string }
  /** Of all paths that begin with the request's. */
  | { readonly kind: 'list' };

export interface UploadRequest {
  readonly kind: 'storage-upload';
  readonly requestId: number;
  readonly path: string;
  readonly operation: UploadOperation;
}

/** An upload that was begun and neither completed nor aborted. */
export interface OpenUpload {
  readonly path: string;
  readonly upload: string;
}

/** Why a storage did not do what it was asked: nothing changed, but where it says otherwise. */
export type StorageRefusal =
  | 'failed'
  | 'unavailable'
  /** Too many requests (503 SlowDown, HDFS: server too busy): come again later. */
  | 'slow-down'
  /** Nothing is there, or no such upload. */
  | 'not-found'
  | 'already-exists'
  /** No room for it. */
  | 'disk-full'
  /** The writer has not opened the file, or not any more (HDFS: LeaseExpiredException). */
  | 'lease-expired'
  /** Another writer has it open (HDFS: AlreadyBeingCreatedException). */
  | 'being-created'
  /** Its last writer is being got rid of (HDFS: RecoveryInProgressException). */
  | 'recovering'
  /** The namenode has just started and changes nothing (HDFS: SafeModeException). */
  | 'safe-mode'
  | 'not-empty'
  /** Overtaken by a later request of its writer. */
  | 'stale';

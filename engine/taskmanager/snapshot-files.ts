/**
 * Where the state of a subtask's snapshots is written: into files of its own, or beside the state of others (rows T11, S19).
 *
 * Owns: that choice. Does not own: the writes (state-file-writer), what is merged with what (file-merging-manager), what a checkpoint does
 * whose state cannot be written (subtask-checkpoint).
 *
 * I1: savepoints are never merged: their files are their user's, to be moved as a whole.
 */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { MergingMessage } from '../protocol/merging-messages.ts';
import type { StorageReply } from '../protocol/messages.ts';
import type { StateHandle } from '../protocol/state-handle.ts';
import type { AsyncPart } from './async-part.ts';
import type { LocalStateStore } from './local-state-store.ts';
import { MergeRequests } from './file-merging/merge-requests.ts';
import { type StateFile, StateFileWriter } from './state-file-writer.ts';
import type { TaskEnvironment } from './task-environment.ts';

export interface SnapshotFilesOptions {
  readonly environment: TaskEnvironment;
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
  /** Absent: no copies are kept on the node. */
  readonly local: LocalStateStore | undefined;
}

/** It is durable, and lies there. */
export type StoredHandler = (place: Pick<StateHandle, 'path' | 'offset'>, nowUs: Micros, out: Out) => void;

/** The snapshot that it is written for, and who hears what becomes of it, if it is still wanted. */
export interface FileOf {
  readonly part: AsyncPart;
  readonly isWanted: () => boolean;
  readonly stored: StoredHandler;
  readonly failed: (out: Out) => void;
}

/** A state file, or a segment. `path`: if it gets a file of its own; `pool`: with what it may share one. */
export type StateToWrite = Pick<StateFile, 'path' | 'overwrite' | 'bytes' | 'checksum'> & {
  readonly pool: string;
  /** Of keyed state a copy is kept on the node (row S22). */
  readonly isKeyed: boolean;
};

export class SnapshotFiles {
  readonly writer: StateFileWriter;
  readonly #local: LocalStateStore | undefined;
  /** Absent: nothing is merged. */
  readonly #merges: MergeRequests | undefined;

  constructor({ environment, attempt, vertex, subtask, local }: SnapshotFilesOptions) {
    this.#local = local;
    this.writer = new StateFileWriter({
      environment,
      client: 'put',
      writer: `attempt-${attempt}`,
      report: ({ checkpointId, path, bytes }, out) =>
        out.report({ kind: 'state-write-sent', attempt, vertex, subtask, checkpointId, path, bytes: bytes.length }),
    });
    this.#merges = environment.fileMerging === undefined ? undefined : new MergeRequests(environment.node, attempt);
  }

  placed(path: string): string {
    return this.writer.placed(path);
  }

  put({ part, isWanted, stored: then, failed }: FileOf, file: StateToWrite, out: Out): void {
    const { checkpointId } = part;
    const { path, overwrite, pool, bytes, checksum, isKeyed } = file;
    const stored: StoredHandler = (place, nowUs, lateOut) => {
      if (isKeyed && part.isShared) this.#local?.write(place, bytes, checkpointId, lateOut);
      then(place, nowUs, lateOut);
    };
    if (this.#merges === undefined || !part.isShared) {
      const whole = (nowUs: Micros, lateOut: Out): void => stored({ path }, nowUs, lateOut);
      return this.writer.write(
        { checkpointId, path, overwrite, bytes, checksum, isWanted, failed, stored: whole },
        out,
      );
    }
    this.#merges.merge({ checkpointId, pool, bytes }, out, (place, nowUs, mergedOut) => {
      if (!isWanted()) return;
      if (place === undefined) failed(mergedOut);
      else stored(place, nowUs, mergedOut);
    });
  }

  /** If that was all, others need not wait for more of it. */
  sent({ checkpointId, isShared, isStateSent, awaitsChannelState }: AsyncPart, out: Out): void {
    if (isShared && isStateSent && !awaitsChannelState) this.#merges?.end(checkpointId, out);
  }

  merged(answer: Extract<MergingMessage, { readonly kind: 'state-merged' }>, nowUs: Micros, out: Out): void {
    this.#merges?.answered(answer, nowUs, out);
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.writer.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.writer.handleTimer(timer, nowUs, out);
  }
}

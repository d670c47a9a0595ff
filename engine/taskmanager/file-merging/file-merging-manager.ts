/**
 * Merges the state of a TaskManager's subtasks into common files (row S19; FLIP-306; Flink: FileMergingSnapshotManager and its kinds within
 * and across checkpoint boundaries).
 *
 * Pieces of one checkpoint and pool are gathered until every running subtask has said that it has nothing more, the file is full or the
 * last piece has been waited for long enough; then they are written at once. Flink writes each piece into a stream that is open anyway; an
 * object, which is there all at once, cannot be written so.
 *
 * Owns: which piece goes into which file, the files of running subtasks and their deletion. Does not own: what a checkpoint is made of
 * (subtask-checkpoint), files of subtasks that have ended (the JobManager, by listing; decision 0096).
 * Invariants:
 *   I1 a file is written for one subtask at first, its opener, and takes pieces only while that runs: what the JobManager deletes when the
 *      opener has ended never grows any more;
 *   I2 what was answered lies durably where the answer says, whatever becomes of other pieces;
 *   I3 a file is deleted when nothing in it is in use (physical-files), deletions that fail are made again, and one of whose writes some
 *      may still arrive is deleted again for as long as that is so;
 *   I4 after an append that was not answered with `done` the file takes nothing more.
 */
import { DelayedCalls, retryDelayUs } from '../../clients/delayed-calls.ts';
import { crc32c } from '../../foundation/crc32c.ts';
import { asyncMailbox, type CheckpointId, type ExecutionAttemptId } from '../../foundation/ids.ts';
import { type Micros, micros } from '../../foundation/time.ts';
import type { Input, Out } from '../../protocol/actor.ts';
import { mergedFile, sharedDirectory, taskOwnedDirectory } from '../../protocol/checkpoint-paths.ts';
import type { FileMergingConfiguration } from '../../protocol/configuration.ts';
import type { MergingMessage } from '../../protocol/merging-messages.ts';
import { probe, sometimes } from '../../protocol/probes.ts';
import type { SegmentHandle } from '../../protocol/state-handle.ts';
import { StateFileWriter } from '../state-file-writer.ts';
import { lateWriteUs } from '../../storage/late-writes.ts';
import type { TaskEnvironment } from '../task-environment.ts';
import type { FileMerging } from './file-merging.ts';
import { mergingTarget } from './merge-requests.ts';
import { PhysicalFiles } from './physical-files.ts';

export interface FileMergingOptions {
  readonly environment: TaskEnvironment;
  readonly merging: FileMergingConfiguration;
  /** Of the TaskManager's process. */
  readonly incarnation: number;
  /** Attempts that run here now. */
  readonly running: () => readonly ExecutionAttemptId[];
}

type Piece = Extract<MergingMessage, { readonly kind: 'merge-state' }>;

/** Pieces that go into one file together. */
interface Batch {
  readonly checkpointId: CheckpointId;
  readonly pool: string;
  readonly pieces: readonly Piece[];
  readonly tries: number;
}

/** A file that may take more. */
interface OpenFile {
  readonly path: string;
  readonly pool: string;
  readonly opener: ExecutionAttemptId;
  bytes: number;
  isBusy: boolean;
}

/** How long pieces wait for those of a subtask that says nothing: it may have failed, or be behind a barrier that is late. */
const LINGER_US = 100_000;
/** A batch that could not be appended is written to so many files before its checkpoint is declined. */
const APPENDS_MAX = 4;

export class FileMergingManager implements FileMerging {
  readonly #options: FileMergingOptions;
  readonly #files: PhysicalFiles;
  readonly #writer: StateFileWriter;
  readonly #later = new DelayedCalls();
  readonly #waiting = new Map<string, Piece[]>();
  /** By checkpoint: who has nothing more to write for it. */
  readonly #ended = new Map<CheckpointId, Set<ExecutionAttemptId>>();
  #open: OpenFile[] = [];
  readonly #doomed = new Set<string>();
  /** Deleted files that a write may bring back, until then. */
  readonly #late = new Map<string, Micros>();
  #isDeleting = false;
  /** How long a write may be under way: as for the clean-up of a job. */
  readonly #lateWriteUs: number;
  #lastFile = 0;
  #oldestRetainedId = 0;

  constructor(options: FileMergingOptions) {
    const { environment, incarnation } = options;
    this.#options = options;
    this.#files = new PhysicalFiles(environment.parts);
    this.#lateWriteUs = lateWriteUs(environment.configuration);
    this.#writer = new StateFileWriter({
      environment,
      client: 'merge',
      writer: `${environment.node}-${incarnation}`,
      report: ({ checkpointId, path, bytes, pieces = 1, tries }, out) => {
        out.report({ kind: 'merged-write-sent', checkpointId, path, bytes: bytes.length, pieces });
        if (tries > 1) this.#files.repeated(path);
      },
    });
  }

  /* ---- what subtasks know of files: memory of the process, whichever mailbox they ask from ---- */

  /** Whether a checkpoint may be made of it once more; it is in use by that checkpoint then. */
  reuse(file: SegmentHandle, checkpointId: CheckpointId, out: Out): boolean {
    if (this.#files.isWasteful(file.path, this.#options.merging.maxSpaceAmplification)) {
      probe(out, 'merged-file-wasteful');
      return false;
    }
    this.#files.uses(file, checkpointId);
    return true;
  }

  /** A subtask was told of a completion. */
  retained(oldestRetainedId: number, out: Out): void {
    if (oldestRetainedId <= this.#oldestRetainedId) return;
    this.#oldestRetainedId = oldestRetainedId;
    out.send(mergingTarget(this.#options.environment.node), { kind: 'merge-retained', oldestRetainedId });
  }

  /* ---- its own mailbox ---- */

  handle(input: Exclude<Input, { kind: 'started' }>, nowUs: Micros, out: Out): void {
    if (input.kind === 'timer') {
      if (!this.#writer.handleTimer(input.timer, nowUs, out)) this.#later.handleTimer(input.timer, nowUs, out);
      return;
    }
    const { message } = input;
    switch (message.kind) {
      case 'merge-state':
        return this.#gather(message, out);
      case 'merge-end':
        return this.#endOf(message.checkpointId, message.attempt, out);
      case 'merge-retained':
        return this.#release(message.oldestRetainedId, nowUs, out);
      case 'storage-reply':
        return this.#writer.handleReply(message, nowUs, out);
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for file merging' });
    }
  }

  #runs(attempt: ExecutionAttemptId): boolean {
    return this.#options.running().includes(attempt);
  }

  #gather(piece: Piece, out: Out): void {
    const { checkpointId, pool } = piece;
    const key = `${checkpointId}/${pool}`;
    const waiting = this.#waiting.get(key) ?? [];
    waiting.push(piece);
    this.#waiting.set(key, waiting);
    const total = waiting.reduce((sum, other) => sum + other.bytes.length, 0);
    if (total >= this.#options.merging.maxFileBytes) return this.#flush(key, out);
    if (waiting.length > 1) return;
    this.#later.after(LINGER_US, key, out, (_nowUs, lateOut) => {
      probe(lateOut, 'merging-waited-in-vain');
      this.#flush(key, lateOut);
    });
  }

  /** Nobody is waited for any more when all who run have said so. */
  #endOf(checkpointId: CheckpointId, attempt: ExecutionAttemptId, out: Out): void {
    const ended = this.#ended.get(checkpointId) ?? new Set<ExecutionAttemptId>();
    ended.add(attempt);
    this.#ended.set(checkpointId, ended);
    if (!this.#options.running().every((running) => ended.has(running))) return;
    this.#ended.delete(checkpointId);
    for (const key of [...this.#waiting.keys()]) if (key.startsWith(`${checkpointId}/`)) this.#flush(key, out);
  }

  #flush(key: string, out: Out): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#later.cancel(key, out);
    const [first] = waiting ?? [];
    if (waiting === undefined || first === undefined) return;
    const { checkpointId, pool } = first;
    for (const pieces of packed(waiting, this.#options.merging.maxFileBytes))
      this.#write({ checkpointId, pool, pieces, tries: 1 }, out);
  }

  /** I1. Those who have ended want no answer. */
  #write(batch: Batch, out: Out): void {
    const pieces = batch.pieces.filter(({ attempt }) => this.#runs(attempt));
    const [first] = pieces;
    if (first === undefined) return;
    const ofRunning = { ...batch, pieces };
    const grows = this.#options.merging.acrossCheckpoints && this.#writer.storage.canAppend;
    if (grows) this.#append(ofRunning, first.attempt, out);
    else this.#put(ofRunning, first.attempt, out);
  }

  /** A file of its own. */
  #put(batch: Batch, opener: ExecutionAttemptId, out: Out): void {
    const { checkpointId, pieces } = batch;
    const path = this.#newPath(batch, opener);
    const bytes = joined(pieces);
    this.#files.writes(path, opener);
    const file = { checkpointId, path, overwrite: false, bytes, checksum: crc32c(bytes), pieces: pieces.length };
    this.#writer.write(
      {
        ...file,
        isWanted: () => true,
        stored: (_nowUs, storedOut) => this.#stored(batch, path, 0, storedOut),
        failed: (failedOut) => {
          this.#files.givenUp(path);
          this.#failed(batch, failedOut);
        },
      },
      out,
    );
  }

  #append(batch: Batch, opener: ExecutionAttemptId, out: Out): void {
    const { checkpointId, pool, pieces } = batch;
    const file = this.#openFile(batch, opener);
    const { path, bytes: offset } = file;
    const bytes = joined(pieces);
    file.isBusy = true;
    this.#files.writes(path, file.opener);
    out.report({ kind: 'merged-write-sent', checkpointId, path, bytes: bytes.length, pieces: pieces.length });
    this.#writer.storage.append({ path, offset, bytes }, out, (outcome, _nowUs, replyOut) => {
      file.isBusy = false;
      if (outcome === 'done') {
        file.bytes = offset + bytes.length;
        this.#stored(batch, path, offset, replyOut);
        if (file.bytes >= this.#options.merging.maxFileBytes) this.#close(file, replyOut);
        return;
      }
      probe(replyOut, 'merged-append-failed');
      this.#files.givenUp(path);
      this.#close(file, replyOut);
      if (batch.tries >= APPENDS_MAX) return this.#failed(batch, replyOut);
      const delayUs = retryDelayUs(this.#options.environment.configuration.runtime.requestTimeoutUs);
      this.#later.after(delayUs, `append/${checkpointId}/${pool}/${path}`, replyOut, (_at, lateOut) =>
        this.#write({ ...batch, tries: batch.tries + 1 }, lateOut),
      );
    });
  }

  /** One that may take more, or a new one. */
  #openFile(batch: Batch, opener: ExecutionAttemptId): OpenFile {
    const { pool } = batch;
    const known = this.#open.find((file) => file.pool === pool && !file.isBusy && this.#runs(file.opener));
    if (known !== undefined) return known;
    const file: OpenFile = { path: this.#newPath(batch, opener), pool, opener, bytes: 0, isBusy: false };
    this.#open.push(file);
    return file;
  }

  #close(file: OpenFile, out: Out): void {
    this.#open = this.#open.filter((other) => other !== file);
    this.#writer.storage.seal(file.path, out);
  }

  #newPath({ pool, checkpointId }: Batch, attempt: ExecutionAttemptId): string {
    const { environment, incarnation } = this.#options;
    const { configuration, graph, node } = environment;
    const { directory } = configuration.checkpoint;
    this.#lastFile += 1;
    const parent =
      pool === ''
        ? `${taskOwnedDirectory(directory, graph.jobId)}/${node}-${incarnation}`
        : `${sharedDirectory(directory, graph.jobId)}/${pool}`;
    return this.#writer.placed(mergedFile({ directory: parent, attempt, number: this.#lastFile, checkpointId }));
  }

  /** I2. */
  #stored({ pieces, checkpointId }: Batch, path: string, from: number, out: Out): void {
    const lengths = pieces.map(({ bytes }) => bytes.length);
    this.#files.written(path, from, lengths, checkpointId);
    let offset = from;
    for (const { attempt, number, bytes } of pieces) {
      this.#answer(attempt, { kind: 'state-merged', number, path, offset }, out);
      offset += bytes.length;
    }
  }

  #failed({ pieces }: Batch, out: Out): void {
    for (const { attempt, number } of pieces)
      this.#answer(attempt, { kind: 'state-merged', number, path: '', offset: 0 }, out);
  }

  #answer(attempt: ExecutionAttemptId, message: MergingMessage, out: Out): void {
    if (!this.#runs(attempt)) return;
    out.send({ node: this.#options.environment.node, mailbox: asyncMailbox(attempt), via: 'datagram' }, message);
  }

  /** I3. */
  #release(oldestRetainedId: number, nowUs: Micros, out: Out): void {
    const runs = (attempt: ExecutionAttemptId): boolean => this.#runs(attempt);
    for (const id of this.#ended.keys()) if (id < oldestRetainedId) this.#ended.delete(id);
    for (const { path, mayComeLate } of this.#files.release(oldestRetainedId, runs)) {
      this.#doomed.add(path);
      if (mayComeLate) this.#late.set(path, micros(nowUs + this.#lateWriteUs));
    }
    for (const [path, untilUs] of this.#late)
      if (untilUs < nowUs) this.#late.delete(path);
      else this.#doomed.add(path);
    sometimes(this.#late.size > 0, out, 'merged-file-deleted-again');
    this.#open = this.#open.filter(({ path }) => !this.#doomed.has(path));
    for (const file of this.#open) if (!file.isBusy && !runs(file.opener)) this.#close(file, out);
    this.#files.forget(runs);
    this.#delete(out);
  }

  #delete(out: Out): void {
    if (this.#isDeleting || this.#doomed.size === 0) return;
    const paths = [...this.#doomed];
    this.#isDeleting = true;
    this.#writer.storage.delete(paths, out, (reply) => {
      this.#isDeleting = false;
      if (reply?.outcome === 'done') for (const path of paths) this.#doomed.delete(path);
    });
  }
}

/** In their order, each group as large as a file may be, or one piece that is larger. */
function packed(pieces: readonly Piece[], maxBytes: number): readonly (readonly Piece[])[] {
  const groups: Piece[][] = [];
  let room = 0;
  for (const piece of pieces) {
    const last = groups.at(-1);
    if (last !== undefined && piece.bytes.length <= room) last.push(piece);
    else {
      groups.push([piece]);
      room = maxBytes;
    }
    room -= piece.bytes.length;
  }
  return groups;
}

function joined(pieces: readonly Piece[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of pieces) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}

/**
 * A subtask's part in checkpoints (row B9; Flink: SubtaskCheckpointCoordinatorImpl).
 *
 * Owns: the order of steps, the asynchronous parts, acknowledgement and decline. Does not own: barriers (barrier-handler), state.
 * Invariants:
 *   I1 flush and pre-commit, barrier, synchronous snapshot are one mailbox action: no record between them;
 *   I2 the barrier leaves before the snapshot is taken, after everything the subtask emitted before;
 *   I3 a checkpoint is acknowledged when all its state is durable, all its barriers are here, its channel state is written (row B5) and
 *      the sink's pre-commit is confirmed; an acknowledgement, or a decline, is repeated until the JobManager confirms that it has it (row C11);
 *   I4 the subtask never deletes what it wrote: only the coordinator discards (rows C11, G5).
 */
import { channelStateParts, inFlightBytes } from '../channel-state/channel-state-parts.ts';
import { type ChannelState, ChannelStateWriter } from '../channel-state/channel-state-writer.ts';
import { assert } from '../foundation/assert.ts';
import { crc32c } from '../foundation/crc32c.ts';
import { asyncMailbox, type CheckpointId, type ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import { checkpointDirectory } from '../parts.ts';
import type { Input, Out, Target } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { isSavepoint, type SnapshotType } from '../protocol/checkpoint-options.ts';
import { segmentFile } from '../protocol/checkpoint-paths.ts';
import type { EngineMessage, StorageReply } from '../protocol/messages.ts';
import { type FinishedState, logicalFileKey, type StateHandle } from '../protocol/state-handle.ts';
import type { TaskFailure } from '../protocol/task.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { acknowledgedHandles } from './acknowledged-handles.ts';
import {
  type AlignmentFigures,
  AsyncPart,
  type AsyncPartOptions,
  type FreshSegments,
  freshSegments,
  type StatePart,
} from './async-part.ts';
import type { FiredTimers } from '../protocol/engine-events.ts';
import { listsOf } from '../state/operator-state-file.ts';
import { fitsFrame, placementOf } from '../storage/state-placement.ts';
import type { FileWaiter } from './changelog-files.ts';
import { type FileOf, SnapshotFiles, type StoredHandler } from './snapshot-files.ts';
import type { TaskEnvironment } from './task-environment.ts';
import { type LocalStateStore, openLocalState } from './local-state-store.ts';
import { TaskChangelog } from './task-changelog.ts';
import { UploadedSegments } from './uploaded-segments.ts';
import { probe, sometimes } from '../protocol/probes.ts';

/** What the synchronous part of a snapshot yields. */
export type SnapshotTaken = Pick<AsyncPartOptions, 'figures' | 'parts' | 'waitsForSink'> & {
  readonly finished?: FinishedState;
  /** Absent: a checkpoint. */
  readonly snapshot?: SnapshotType;
  /** Of a savepoint; undefined: the checkpoint's own directory. */
  readonly location?: string | undefined;
  readonly time?: readonly FiredTimers[];
};

export interface SubtaskCheckpointOptions {
  readonly environment: TaskEnvironment;
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
  /** Sends to the JobManager that deployed the subtask. */
  readonly toJobManager: (message: EngineMessage, out: Out) => void;
  readonly epoch: Extract<EngineMessage, { kind: 'acknowledge-checkpoint' }>['epoch'];
  readonly slot: number;
  readonly fail: (failure: TaskFailure, out: Out) => void;
}

/** Virtual CPU of the synchronous part, in control messages: bookkeeping and references, independent of state size. */
const SYNC_WORK = 4;

export class SubtaskCheckpoint {
  readonly #options: SubtaskCheckpointOptions;
  readonly #async = new Map<CheckpointId, AsyncPart>();
  readonly #files: SnapshotFiles;
  readonly #asyncTarget: Target;
  readonly #acknowledgements: Acknowledgements;
  /** Aborted before they began here; older ones may still begin. */
  readonly #aborted = new Set<CheckpointId>();
  /** In-flight data of the checkpoint being taken. */
  readonly channelState: ChannelStateWriter;
  /** Files of earlier checkpoints that the next one may be made of. */
  readonly segments: UploadedSegments;
  readonly changelog: TaskChangelog;
  /** Absent: no copies are kept on the node. */
  readonly local: LocalStateStore | undefined;
  /** Highest checkpoint started or given up. */
  #last = 0;

  constructor(options: SubtaskCheckpointOptions) {
    this.#options = options;
    const { environment, attempt } = options;
    this.segments = new UploadedSegments(environment.parts, environment.fileMerging);
    this.channelState = new ChannelStateWriter({
      parts: environment.parts,
      complete: (checkpointId, out) => this.#channelStateKnown(checkpointId, out),
    });
    this.#asyncTarget = { node: environment.node, mailbox: asyncMailbox(attempt), via: 'datagram' };
    this.#acknowledgements = new Acknowledgements({
      lostDecline: environment.parts.lostDecline,
      requestTimeoutUs: environment.configuration.runtime.requestTimeoutUs,
      toJobManager: options.toJobManager,
      givenUp: (id, out) => this.decline(id, 'checkpoint-async-exception', out),
    });
    this.local = openLocalState(environment, options);
    this.#files = new SnapshotFiles({ local: this.local, ...options });
    const lastCheckpoint = (): number => this.#last;
    const logs = { files: this.#files.writer, lastCheckpoint, local: this.local };
    this.changelog = new TaskChangelog({ ...logs, underWay: this.#async, ...options });
  }

  /** The asynchronous mailbox: what is said there is said by this and by the storage. */
  handle(input: Exclude<Input, { kind: 'started' }>, nowUs: Micros, out: Out): void {
    if (input.kind === 'timer') {
      this.handleTimer(input.timer, nowUs, out);
      return;
    }
    const { message } = input;
    switch (message.kind) {
      case 'start-async-part':
        return this.startAsyncPart(message.checkpointId, nowUs, out);
      case 'write-async-part':
        return this.writeAsyncPart(message.checkpointId, nowUs, out);
      case 'write-channel-state':
        return this.writeChannelState(message.checkpointId, nowUs, out);
      case 'changelog-step':
        return this.changelog.handle(message.step, nowUs, out);
      case 'storage-reply':
        return this.handleReply(message, nowUs, out);
      case 'state-merged':
        return this.#files.merged(message, nowUs, out);
      case 'acknowledge-confirmed':
        return this.confirmed(message.checkpointId, out);
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a subtask' });
    }
  }

  /** Row B9 step 0: an id of the past is not started again. */
  isNew(checkpointId: CheckpointId): boolean {
    return checkpointId > this.#last;
  }

  /** Row B9 step 0: the coordinator gave it up before it began here; those behind must hear of it. */
  isAborted(checkpointId: CheckpointId): boolean {
    return this.#aborted.has(checkpointId);
  }

  /** Before anything in flight is gathered for it. False: it was given up already. Whatever older one is still open is given up now. */
  openChannelState(checkpointId: CheckpointId, out: Out): boolean {
    if (!this.isNew(checkpointId) || this.isAborted(checkpointId)) return false;
    if (this.channelState.checkpointId === checkpointId) return true;
    for (const part of [...this.#async.values()]) {
      if (!part.awaitsChannelState) continue;
      probe(out, 'subsumed-with-channel-state-open');
      this.decline(part.checkpointId, 'checkpoint-declined-subsumed', out);
    }
    this.channelState.start(checkpointId);
    return true;
  }

  /** All barriers of a checkpoint whose channel state is open are here. */
  inputComplete(checkpointId: CheckpointId, figures: AlignmentFigures, out: Out): void {
    const part = this.#async.get(checkpointId);
    if (part !== undefined) part.figures = figures;
    this.channelState.finishInput(checkpointId, out);
  }

  /**
   * A snapshot was taken and not acknowledged, declined or aborted yet (Flink: waitForPendingCheckpoints), or nobody confirmed the
   * acknowledgement: a subtask that ended would not repeat it.
   */
  get isBusy(): boolean {
    return this.#async.size > 0 || !this.#acknowledgements.areConfirmed;
  }

  /** Called in the mailbox action of the snapshot, after the barrier was sent. */
  start(checkpointId: CheckpointId, snapshot: SnapshotTaken, nowUs: Micros, out: Out): void {
    assert(this.isNew(checkpointId), 'a checkpoint is started once per subtask', { checkpointId, last: this.#last });
    this.#begun(checkpointId);
    const { checkpoint } = this.#options.environment.configuration;
    const { jobId } = this.#options.environment.graph;
    const location = snapshot.location ?? checkpointDirectory(checkpoint.directory, jobId, checkpointId);
    const awaitsChannelState = this.channelState.checkpointId === checkpointId;
    const { figures, parts, waitsForSink, finished } = snapshot;
    const isShared = !isSavepoint(snapshot.snapshot ?? 'checkpoint');
    const part = new AsyncPart({
      checkpointId,
      figures,
      parts,
      syncStartUs: nowUs,
      waitsForSink,
      awaitsChannelState,
      finished,
      location,
      isShared,
    });
    this.#async.set(checkpointId, part);
    out.busy('message', SYNC_WORK);
    const time = snapshot.time === undefined ? {} : { time: snapshot.time };
    out.report({ kind: 'snapshot-taken', ...this.#task(), checkpointId, ...time });
    out.send(this.#asyncTarget, { kind: 'start-async-part', checkpointId });
  }

  /** In the asynchronous mailbox. */
  startAsyncPart(checkpointId: CheckpointId, nowUs: Micros, out: Out): void {
    const part = this.#async.get(checkpointId);
    if (part === undefined) return;
    part.syncEndUs = nowUs;
    for (const state of part.parts) {
      out.busy('key', state.entryCount);
      out.busy('byte', state.estimatedBytes);
    }
    out.send(this.#asyncTarget, { kind: 'write-async-part', checkpointId });
  }

  /** In the asynchronous mailbox, when the time for serializing has passed. */
  writeAsyncPart(checkpointId: CheckpointId, nowUs: Micros, out: Out): void {
    const part = this.#async.get(checkpointId);
    if (part === undefined) return;
    this.#writeParts(part, nowUs, out);
    part.isStateSent = true;
    this.#files.sent(part, out);
  }

  #writeParts(part: AsyncPart, nowUs: Micros, out: Out): void {
    const { checkpointId } = part;
    if (part.outstanding === 0) return this.#acknowledge(part, nowUs, out);
    part.beginWriting(out);
    for (const state of part.parts) {
      // What is written is given back, and the node may delete it.
      const fresh = freshSegments(state);
      this.#write(part, state, nowUs, out);
      // It was declined: what is left of it was released.
      if (this.#async.get(checkpointId) !== part) return;
      this.#uploadSegments(part, state, fresh, out);
      this.#gatherLog(part, state, nowUs, out);
      if (this.#async.get(checkpointId) !== part) return;
    }
  }

  /** In the asynchronous mailbox, when all in-flight data is known. */
  writeChannelState(checkpointId: CheckpointId, nowUs: Micros, out: Out): void {
    const part = this.#async.get(checkpointId);
    if (part === undefined) return;
    const known = this.channelState.take(checkpointId);
    if (known === undefined) return;
    part.awaitsChannelState = false;
    this.#writeChannels(part, known, nowUs, out);
    this.#files.sent(part, out);
  }

  #writeChannels(part: AsyncPart, known: ChannelState, nowUs: Micros, out: Out): void {
    const { checkpointId } = part;
    const vertex = this.#options.environment.graph.vertices[this.#options.vertex];
    assert(vertex !== undefined, 'a subtask belongs to a vertex of the job', { vertex: this.#options.vertex });
    const parts = channelStateParts(known, vertex);
    part.persistedInFlightBytes = inFlightBytes(known);
    sometimes(part.persistedInFlightBytes > 0, out, 'in-flight-data-in-snapshot');
    part.channelParts = parts.length;
    part.outstanding += parts.length - 1;
    for (const state of parts) {
      out.busy('byte', state.estimatedBytes);
      this.#write(part, state, nowUs, out);
      if (this.#async.get(checkpointId) !== part) return;
    }
    if (parts.length === 0 && part.outstanding === 0) this.#acknowledge(part, nowUs, out);
  }

  /** The sink's pre-commit for this checkpoint is confirmed (sink invariant I4). */
  preCommitted(checkpointId: CheckpointId, nowUs: Micros, out: Out): void {
    const part = this.#async.get(checkpointId);
    if (part === undefined) return;
    part.outstanding -= 1;
    if (part.outstanding === 0 && part.syncEndUs > 0) this.#acknowledge(part, nowUs, out);
  }

  /** The coordinator gave it up. If it has not begun here it may still come, behind older ones that are to be taken. */
  abort(checkpointId: CheckpointId): void {
    this.segments.aborted(checkpointId);
    if (this.isNew(checkpointId)) this.#aborted.add(checkpointId);
    this.#drop(checkpointId);
  }

  /** It is complete: it was acknowledged, then. */
  completed(checkpointId: CheckpointId, out: Out): void {
    this.confirmed(checkpointId, out);
    this.knownComplete(checkpointId);
  }

  /** Later checkpoints may rely on its files. */
  knownComplete(checkpointId: CheckpointId): void {
    this.segments.confirmed(checkpointId);
    this.changelog.files.confirmed(checkpointId);
    this.local?.confirmed(checkpointId);
  }

  /** The JobManager has the acknowledgement, or the decline; a second confirmation changes nothing. */
  confirmed(checkpointId: CheckpointId, out: Out): void {
    this.#acknowledgements.confirmed(checkpointId, out);
  }

  decline(checkpointId: CheckpointId, reason: CheckpointFailure, out: Out): void {
    this.#begun(Math.max(this.#last, checkpointId));
    this.#drop(checkpointId);
    const { attempt, epoch } = this.#options;
    this.#acknowledgements.decline({ kind: 'decline-checkpoint', epoch, attempt, checkpointId, reason }, out);
    out.report({ kind: 'decline-sent', ...this.#task(), checkpointId, reason });
  }

  /** Row C1: the trigger is here, whatever becomes of it (Flink: TaskExecutor.triggerCheckpoint answers before the task acts). */
  confirmTrigger(checkpointId: CheckpointId, out: Out): void {
    const { attempt, epoch, toJobManager } = this.#options;
    toJobManager({ kind: 'trigger-confirmed', epoch, attempt, checkpointId }, out);
  }

  handleReply(reply: StorageReply, nowUs: Micros, out: Out): void {
    this.#files.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#files.handleTimer(timer, nowUs, out) ||
      this.#acknowledgements.handleTimer(timer, nowUs, out) ||
      this.changelog.handleTimer(timer, out)
    );
  }

  /** The subtask ends: nothing more is written or acknowledged. */
  close(): void {
    for (const part of this.#async.values()) part.release();
    this.#async.clear();
    this.#acknowledgements.clear();
  }

  #begun(last: number): void {
    this.#last = last;
    for (const aborted of this.#aborted) if (aborted <= last) this.#aborted.delete(aborted);
  }

  #drop(checkpointId: CheckpointId): void {
    this.local?.aborted(checkpointId);
    this.#acknowledgements.forget(checkpointId);
    this.channelState.abort(checkpointId);
    this.#async.get(checkpointId)?.release();
    this.#async.delete(checkpointId);
  }

  #channelStateKnown(checkpointId: CheckpointId, out: Out): void {
    if (this.#async.has(checkpointId)) out.send(this.#asyncTarget, { kind: 'write-channel-state', checkpointId });
  }

  #write(part: AsyncPart, state: StatePart, nowUs: Micros, out: Out): void {
    const bytes = state.write();
    state.release();
    const handle = this.#handle(state, bytes);
    switch (placementOf(bytes.length, this.#options.environment.configuration.checkpoint)) {
      case 'inline':
        return this.#stored(part, { inline: bytes, ...handle }, nowUs, out);
      case 'file': {
        const { environment, attempt, subtask } = this.#options;
        const question = { directory: part.location, operator: state.operator, state: state.state, subtask, attempt };
        const { path: named, overwrite } = environment.parts.stateFile(question);
        const { checksum } = handle;
        const stored: StoredHandler = (place, atUs, lateOut) =>
          this.#stored(part, { ...handle, ...place }, atUs, lateOut);
        const path = this.#files.placed(named);
        const isKeyed = state.state === 'keyed';
        return this.#files.put(
          this.#wanted(part, stored),
          { path, overwrite, pool: '', bytes, checksum, isKeyed },
          out,
        );
      }
      case 'too-large':
        probe(out, 'state-too-large-for-jobmanager');
        return this.decline(part.checkpointId, 'checkpoint-async-exception', out);
    }
  }

  /** Row S17: those that lie nowhere yet. */
  #uploadSegments(part: AsyncPart, { operator, segments }: StatePart, fresh: FreshSegments, out: Out): void {
    const { attempt, subtask } = this.#options;
    const { checkpointId } = part;
    segments?.segments.forEach(({ id }, index) => {
      const bytes = fresh[index];
      if (bytes === undefined) return;
      const { directory } = segments;
      const path = this.#files.placed(
        segmentFile({ directory, operator, subtask, attempt, segment: id, checkpointId }),
      );
      const checksum = crc32c(bytes);
      const stored: StoredHandler = (place, nowUs, lateOut) => {
        const handles = part.segments.get(operator) ?? [];
        const handle = { ...place, bytes: bytes.length, checksum };
        handles[index] = handle;
        this.segments.stored(operator, id, handle);
        part.written.add(logicalFileKey(handle));
        this.#oneLess(part, nowUs, lateOut);
      };
      const file = { path, overwrite: false, pool: `${operator}-${subtask}`, bytes, checksum, isKeyed: true };
      this.#files.put(this.#wanted(part, stored), file, out);
    });
  }

  /** Row S20. */
  #gatherLog(part: AsyncPart, state: StatePart, nowUs: Micros, out: Out): void {
    const isWanted = (): boolean => this.#async.get(part.checkpointId) === part;
    const waiter: FileWaiter = {
      stored: (_file, atUs, lateOut) => {
        if (isWanted()) this.#oneLess(part, atUs, lateOut);
      },
      failed: (lateOut) => {
        if (isWanted()) this.decline(part.checkpointId, 'checkpoint-async-exception', lateOut);
      },
    };
    this.changelog.gather({ part, state, waiter }, nowUs, out);
  }

  #handle(state: StatePart, bytes: Uint8Array): StateHandle {
    const { operator, state: kind, channels, keyGroups } = state;
    const handle = { operator, state: kind, path: '', bytes: bytes.length, checksum: crc32c(bytes) };
    if (kind === 'operator') return { lists: listsOf(bytes), ...handle };
    if (channels !== undefined) return { channels, ...handle };
    return keyGroups === undefined ? handle : { keyGroups, ...handle };
  }

  /** What is written for a snapshot is of use for as long as that is not declined. */
  #wanted(part: AsyncPart, stored: StoredHandler): FileOf {
    const { checkpointId } = part;
    const isWanted = (): boolean => this.#async.get(checkpointId) === part;
    const failed = (out: Out): void => this.decline(checkpointId, 'checkpoint-async-exception', out);
    return { part, isWanted, stored, failed };
  }

  #stored(part: AsyncPart, handle: StateHandle, nowUs: Micros, out: Out): void {
    part.handles.push(handle);
    this.#oneLess(part, nowUs, out);
  }

  /** Something the acknowledgement waited for is durable. */
  #oneLess(part: AsyncPart, nowUs: Micros, out: Out): void {
    part.outstanding -= 1;
    if (part.outstanding === 0) this.#acknowledge(part, nowUs, out);
  }

  #acknowledge(part: AsyncPart, nowUs: Micros, out: Out): void {
    assert(
      part.handles.length === part.parts.length + part.channelParts,
      'every state of an acknowledged snapshot has a handle',
    );
    const { attempt, epoch, environment } = this.#options;
    const handles = acknowledgedHandles(part);
    // Row X11: at once, not when the checkpoint times out.
    if (!fitsFrame(handles, environment.configuration.checkpoint)) {
      probe(out, 'acknowledgement-exceeds-frame');
      return this.decline(part.checkpointId, 'checkpoint-async-exception', out);
    }
    this.#async.delete(part.checkpointId);
    if (part.isShared) this.segments.acknowledged(part.checkpointId, part.uploadedFiles());
    this.changelog.files.acknowledged(part.checkpointId, part.loggedPieces());
    const reserved = this.changelog.reserved(part);
    if (part.isShared)
      this.local?.acknowledged(
        part.checkpointId,
        handles,
        reserved.map(({ path }) => path),
      );
    const metrics = part.metrics(nowUs);
    const checkpointId = part.checkpointId;
    const { finished } = part;
    const bare = { kind: 'acknowledge-checkpoint', epoch, attempt, checkpointId, handles, metrics } as const;
    const message = {
      ...bare,
      ...(finished === undefined ? {} : { finished }),
      ...(reserved.length === 0 ? {} : { reserved }),
    };
    this.#acknowledgements.send(message, out);
    out.report({ kind: 'acknowledge-sent', ...this.#task(), checkpointId, metrics });
  }

  #task(): { attempt: ExecutionAttemptId; vertex: number; subtask: number } {
    const { attempt, vertex, subtask } = this.#options;
    return { attempt, vertex, subtask };
  }
}

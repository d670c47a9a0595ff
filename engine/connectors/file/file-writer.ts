/**
 * Writes records into files by bucket (row K12; Flink: FileWriter, FileWriterBucket, OnCheckpointRollingPolicy).
 *
 * A file is in progress while it is written, pending from the barrier on, finished when it is committed. Owns: which record goes into
 * which file, when a file is rolled, what earlier attempts left. Does not own: requests (output-storage.ts), commits (file-committer.ts).
 * Invariants:
 *   I1 every file is closed at the barrier, so a restored subtask continues none: what is in progress belongs to no checkpoint;
 *   I2 a snapshot waits until each of its files is whole at the storage;
 *   I3 what earlier attempts of this subtask, and of subtasks that are gone, left unfinished is removed, except what the restored checkpoint
 *      commits: before the first record, and again at each barrier, because an attempt that is not dead yet may begin another file. At each
 *      barrier also what this attempt began a second time, because no answer came to the first.
 */
import { assert } from '../../foundation/assert.ts';
import { ByteWriter } from '../../foundation/byte-writer.ts';
import { type CheckpointId, checkpointId, type ExecutionAttemptId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { FileSinkSpec } from '../../job/job-graph.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import { type PartName, partPath, temporaryPartPath, writeOutputRecord } from '../../protocol/output-file.ts';
import type { Committable, RestoredWriter, SinkWriter, SinkWriterHost } from '../sink/sink-contract.ts';
import { Unflushed } from '../sink/unflushed.ts';
import { decodePendingFile, encodePendingFile, type PendingFile, pathOfPending } from './file-committable.ts';
import { FileCompactor } from './file-compactor.ts';
import type { OutputStorage, UnfinishedPart } from './output-storage.ts';
import { probe } from '../../protocol/probes.ts';

export interface FileWriterOptions {
  readonly uid: string;
  readonly file: FileSinkSpec;
  readonly batchRecords: number;
  readonly subtask: number;
  readonly parallelism: number;
  readonly attempt: ExecutionAttemptId;
  readonly storage: OutputStorage;
  readonly parts: Pick<
    EngineParts,
    'transactionsToKeep' | 'flushBeforeBarrier' | 'outputOfEarlierAttempts' | 'compactedFiles'
  >;
  readonly host: SinkWriterHost;
}

interface OpenPart {
  readonly name: PartName;
  /** Records that fill no batch yet. */
  readonly batch: ByteWriter;
  batchRecords: number;
  /** Full batches that are not at the storage, first to write first. */
  readonly unsent: Uint8Array[];
  length: number;
  parts: number;
  /** `finishing`: nothing is to be written any more. */
  state: 'new' | 'begun' | 'finishing';
  isClosed: boolean;
  /** A request is under way. */
  isBusy: boolean;
}

/** Batches that may wait for the storage before input waits, too. */
const UNSENT_MAX = 64;
/** What the end of input waits for. */
const COMPACTION = 'compaction';

export class FileWriter implements SinkWriter {
  readonly isGated = true;
  readonly #options: FileWriterOptions;
  readonly #root: string;
  readonly #unflushed = new Unflushed();
  /** By bucket: the file that its next record goes into. */
  readonly #current = new Map<string, OpenPart>();
  /** Not whole at the storage yet, in the order they were begun. */
  readonly #unfinished = new Set<OpenPart>();
  /** Closed since the last barrier. */
  #closed: OpenPart[] = [];
  /** Files of the restored checkpoint that are not committed yet, by path. */
  readonly #kept = new Set<string>();
  readonly #compactor: FileCompactor | undefined;
  #begun = 0;
  #removals = 0;
  #lastCheckpoint = 0;
  /** When the reply came that is being handled. */
  #nowUs: Micros | undefined;
  #unsent = 0;

  constructor(options: FileWriterOptions) {
    this.#options = options;
    this.#root = `${options.file.directory}/${options.uid}`;
    const { compactCheckpoints: checkpoints } = options.file;
    if (checkpoints === undefined) return;
    this.#compactor = new FileCompactor({
      checkpoints,
      storage: options.storage,
      nameOf: (bucket) => this.#nextName(bucket),
      isWhole: ({ name }) => ![...this.#unfinished].some((part) => partPath(part.name) === partPath(name)),
      failed: (out) => options.host.fail('sink-unavailable', out),
      abandoned: (unused, out) => {
        this.#remove(unused, out);
        this.#flushed(COMPACTION, out);
      },
    });
  }

  get isAvailable(): boolean {
    return this.#unsent < UNSENT_MAX;
  }

  initialize({ checkpointId: restored, states, committables }: RestoredWriter, out: Out): void {
    this.#lastCheckpoint = restored;
    const { parts, host } = this.#options;
    const kept = parts.transactionsToKeep(committables.map(({ committable }) => committable));
    for (const committable of kept) this.#kept.add(pathOfPending(committable));
    const held = states.filter((state) => this.#isOwn(decodePendingFile(state).name));
    for (const state of held) this.#kept.add(pathOfPending(state));
    this.#compactor?.restore(held);
    this.#removeOrphans((readyOut) => host.ready(readyOut), out);
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const part = this.#partOf(this.#options.file.bucketOf(value, timestampUs));
    writeOutputRecord(part.batch, value, lineage);
    part.batchRecords += 1;
    if (part.batchRecords < this.#options.batchRecords) return;
    this.#closeBatch(part);
    if (part.length >= this.#options.file.partBytes) this.#close(part);
  }

  sendBatches(out: Out): void {
    for (const part of this.#unfinished) this.#advance(part, out);
  }

  prepareCommit(id: CheckpointId, isEnd: boolean, out: Out): readonly Committable[] {
    for (const part of this.#current.values()) this.#close(part);
    this.#lastCheckpoint = id;
    const closed = this.#closed;
    this.#closed = [];
    if (this.#options.parts.flushBeforeBarrier === 'flushed') {
      for (const part of this.#unfinished) if (closed.includes(part)) this.#unflushed.add(partPath(part.name), id);
    }
    this.sendBatches(out);
    const files = closed.map(({ name, length, parts }) => ({ name, length, parts }));
    const committables = this.#toCommit(files, isEnd, out).map(encodePendingFile);
    this.#sweep(id, out);
    return committables;
  }

  get isFlushed(): boolean {
    return this.#unflushed.isEmpty;
  }

  snapshotState(): readonly string[] {
    return this.#compactor?.snapshot() ?? [];
  }

  snapshotAfterEnd(id: CheckpointId, out: Out): void {
    this.#sweep(id, out);
  }

  committed(committable: Committable, out: Out): void {
    const path = pathOfPending(committable);
    this.#kept.delete(path);
    this.#options.storage.committed(path);
    this.#remove(this.#compactor?.committed(path) ?? [], out);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind !== 'storage-reply') return;
    this.#nowUs = nowUs;
    this.#options.storage.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#options.storage.handleTimer(timer, nowUs, out);
  }

  #partOf(bucket: string): OpenPart {
    const known = this.#current.get(bucket);
    if (known !== undefined) return known;
    const part: OpenPart = {
      name: this.#nextName(bucket),
      batch: new ByteWriter(),
      batchRecords: 0,
      unsent: [],
      length: 0,
      parts: 0,
      state: 'new',
      isClosed: false,
      isBusy: false,
    };
    this.#current.set(bucket, part);
    this.#unfinished.add(part);
    return part;
  }

  #nextName(bucket: string): PartName {
    const { subtask, attempt } = this.#options;
    this.#begun += 1;
    return { root: this.#root, bucket, subtask, attempt, number: this.#begun, checkpoint: this.#lastCheckpoint + 1 };
  }

  /** These, or what they were exchanged for. */
  #toCommit(closed: readonly PendingFile[], isEnd: boolean, out: Out): readonly PendingFile[] {
    if (this.#compactor === undefined) return closed;
    if (!isEnd) {
      const exchanged = this.#compactor.exchange(closed, out);
      if (this.#options.parts.compactedFiles === 'removed-at-once')
        for (const { name } of exchanged) this.#remove(this.#compactor.committed(partPath(name)), out);
      return exchanged;
    }
    if (this.#compactor.isRunning) this.#unflushed.add(COMPACTION, checkpointId(this.#lastCheckpoint));
    const { files, unused } = this.#compactor.end(closed);
    this.#remove(unused, out);
    return files;
  }

  /** Files that others stand for; the subtask does not end before they are gone. */
  #remove(files: readonly PendingFile[], out: Out): void {
    if (files.length === 0) return;
    const { storage, host } = this.#options;
    const parts = files.map(({ name }) => ({ name, handle: temporaryPartPath(name) }));
    this.#removals += 1;
    const name = `removal ${this.#removals}`;
    this.#unflushed.add(name, checkpointId(this.#lastCheckpoint));
    storage.discard(parts, out, (done, doneOut) =>
      done ? this.#flushed(name, doneOut) : host.fail('sink-unavailable', doneOut),
    );
  }

  #closeBatch(part: OpenPart): void {
    part.unsent.push(part.batch.toBytes());
    part.length += part.batch.position;
    part.parts += 1;
    part.batch.reset();
    part.batchRecords = 0;
    this.#unsent += 1;
  }

  #close(part: OpenPart): void {
    if (part.batchRecords > 0) this.#closeBatch(part);
    part.isClosed = true;
    this.#current.delete(part.name.bucket);
    this.#closed.push(part);
  }

  /** The next request about this file, if none is under way. */
  #advance(part: OpenPart, out: Out): void {
    if (part.isBusy) return;
    const { storage } = this.#options;
    const { name } = part;
    const bytes = part.unsent[0];
    if (part.state === 'new') {
      this.#ask(
        part,
        (then) => storage.begin(name, out, then),
        () => {
          part.state = 'begun';
        },
      );
    } else if (bytes !== undefined) {
      this.#ask(
        part,
        (then) => storage.append(name, bytes, out, then),
        () => {
          part.unsent.shift();
          this.#unsent -= 1;
        },
      );
    } else if (part.isClosed) {
      part.state = 'finishing';
      this.#ask(
        part,
        (then) => storage.finish(name, out, then),
        (doneOut) => {
          this.#unfinished.delete(part);
          this.#flushed(partPath(name), doneOut);
        },
      );
    }
  }

  #ask(part: OpenPart, request: (then: (done: boolean, out: Out) => void) => void, then: (out: Out) => void) {
    part.isBusy = true;
    request((done, doneOut) => {
      if (!done) return this.#options.host.fail('sink-unavailable', doneOut);
      part.isBusy = false;
      then(doneOut);
      if (this.#unfinished.has(part)) this.#advance(part, doneOut);
    });
  }

  /** I3, as part of what a snapshot waits for: when it is acknowledged nothing of earlier attempts was left. */
  #sweep(id: CheckpointId, out: Out): void {
    const name = `sweep ${id}`;
    this.#unflushed.add(name, id);
    this.#unflushed.wait(id);
    this.#removeOrphans((doneOut) => this.#flushed(name, doneOut), out);
  }

  #removeOrphans(then: (out: Out) => void, out: Out): void {
    const { storage, parts, host } = this.#options;
    if (parts.outputOfEarlierAttempts === 'left') {
      // Not at once: whoever waits for it has not returned yet.
      storage.unfinished(this.#root, out, (_parts, listedOut) => then(listedOut));
      return;
    }
    storage.unfinished(this.#root, out, (unfinished, listedOut) => {
      const orphans = unfinished?.filter((part) => this.#isOrphan(part));
      if (orphans === undefined) return host.fail('sink-unavailable', listedOut);
      if (orphans.length === 0) return then(listedOut);
      probe(listedOut, 'orphan-output-removed');
      storage.discard(orphans, listedOut, (done, discardedOut) =>
        done ? then(discardedOut) : host.fail('sink-unavailable', discardedOut),
      );
    });
  }

  #isOrphan({ name, isStray }: UnfinishedPart): boolean {
    const { attempt } = this.#options;
    if (!this.#isOwn(name) || name.attempt > attempt) return false;
    return name.attempt === attempt ? isStray : !this.#kept.has(partPath(name));
  }

  #isOwn(name: PartName): boolean {
    return name.subtask % this.#options.parallelism === this.#options.subtask;
  }

  #flushed(name: string, out: Out): void {
    const { host } = this.#options;
    const free = this.#unflushed.flushed(name);
    const nowUs = this.#nowUs;
    assert(nowUs !== undefined || free.length === 0, 'a snapshot is set free by a reply');
    for (const id of free) if (nowUs !== undefined) host.flushed(id, nowUs, out);
    if (this.#unflushed.isEmpty) host.allFlushed(out);
  }
}

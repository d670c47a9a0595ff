/**
 * Judge 5, retention: files live exactly as long as somebody may restore from them.
 *
 * Owns who needs which file: the pointer (retained checkpoints), a client (snapshots it was told of and did not give up), and the user of a
 * snapshot that a run was restored from without claiming it. Looks at each deletion, at each checkpoint that becomes the pointer's, and
 * at the end at what nobody needs. Does not own: whether what is there can be read and is right (restore-audit.ts, savepoints.ts).
 *
 * I1: what the engine believes counts for nothing: only the pointer in the coordination store and what a client was told;
 * I2: a savepoint nobody was told of is judged by nobody: in Flink, too, one that failed may leave files (decision 0018);
 * I3: files of a checkpoint that is still being taken are no orphans; nor is what earlier runs had retained when the next one began: that is
 *     their user's, until a run claims it (row C27). What a run has claimed goes when it is not retained any more, wherever it lies;
 * I4: a job that goes on leaves something to be deleted at any moment, and where its storage is slow it may never be seen without. At the end of
 *     a life that found no quiet moment an orphan is what the newest sweeps have had before them, not what came behind them.
 */
import { creatorOf } from '../../engine/protocol/checkpoint-paths.ts';
import {
  type CheckpointPointer,
  decodePointer,
  FIRST_RUN,
  type JobRun,
  pointerKey,
  type RetainedCheckpoint,
} from '../../engine/protocol/checkpoint-pointer.ts';
import { directoryOfMetadata, metadataIn } from '../../engine/protocol/savepoint-paths.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import { currentResult } from './current-result.ts';
import type { FileTrail } from './file-trail.ts';
import { Findings } from './findings.ts';
import { type DurableState, type EndOfLife, isCutOff, type Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';

const NAME = 'retention';
const CHECKPOINT_OF_PATH = /\/chk-(\d+)\//;
/** Files of a checkpoint so many ids below the oldest that is retained are not waited for any more. */
const REMEMBERED = 64;
/** So many checkpoints complete, each with a sweep, until a file that one of them could see is gone: a sweep lists, deletes, and may be asked to wait. */
const SWEEPS = 3;

export interface RetentionOptions {
  readonly jobId: string;
  readonly reader: CheckpointReader;
  readonly durable: DurableState;
  /** The job takes no checkpoint any more: it has finished, and that is remembered. */
  readonly isOver: () => boolean;
  readonly files: Pick<FileTrail, 'of' | 'deletableFromUs'>;
  /** Most that lists of the storage lag behind. */
  readonly listDelayUs: number;
  readonly margins?: Margins;
}

interface Moment {
  /** Index in the history. */
  readonly at: number;
  readonly atUs: number;
}

/** A snapshot that belongs to a user. */
interface OfUser {
  /** `told`: a client was told of it. `foreign`: a run was restored from it and did not claim it. */
  readonly kind: 'told' | 'foreign';
  readonly since: number;
  readonly files: ReadonlySet<string>;
}

type Answered = Extract<HistoryEvent['event'], { readonly kind: 'operation-answered' }>;
type Requested = Extract<HistoryEvent['event'], { readonly kind: 'operation-requested' }>;

export class Retention implements Judge {
  readonly name = NAME;
  readonly kinds = [
    'object-deleted',
    'coordination-updated',
    'operation-requested',
    'operation-answered',
    'task-restored',
    'checkpoint-completed',
  ] as const;
  readonly anomalies =
    'retained-file-missing: a file of a retained checkpoint does not exist, or is deleted while the pointer names it. savepoint-lost: a ' +
    'file of a snapshot that a client was told of and did not give up is deleted. foreign-snapshot-touched: a file is deleted of a snapshot that a ' +
    'run was restored from and did not claim. foreign-file-used: a checkpoint is made of a file of an earlier run, though its run was to begin with a full one. disposed-file-remains: a savepoint that was disposed of has left a file, which is not one that was deleted and came back by a repeated write. orphan-file (not ' +
    'live): at the end an object, an unfinished upload or an empty directory belongs to no checkpoint that is retained, was left to its user or is still being taken.';
  readonly #options: RetentionOptions;
  readonly #findings = new Findings(NAME);
  readonly #pointerKey: string;
  /** In the path of every file of the job, wherever entropy put it (row T7). */
  readonly #ofJob: string;
  readonly #everNamed = new Set<number>();
  /** By path: id of the retained checkpoint it belongs to. */
  #retainedFiles = new Map<string, number>();
  /** By directory. */
  readonly #ofUsers = new Map<string, OfUser>();
  /** By directory that somebody has asked to dispose of: the files that were deleted since. */
  readonly #disposing = new Map<string, Set<string>>();
  /** What the run that goes on was restored from and has claimed. */
  #claimed: string | undefined;
  /** Directories of snapshots that runs have claimed. */
  readonly #claimedDirectories = new Set<string>();
  /** By the path of its `_metadata`: what a checkpoint is made of that an earlier run had retained and nobody has claimed. */
  readonly #kept = new Map<string, ReadonlySet<string>>();
  /** Of the last pointer. */
  #run: JobRun = FIRST_RUN;
  /** The run was to use nothing of what it was restored from (row C7). */
  #beganWithoutClaim = false;
  #retained: readonly RetainedCheckpoint[] = [];
  readonly #margins: Margins;
  /** By path that no pointer names any more and that still is there: whose it was, and since when. */
  readonly #released = new Map<string, { readonly id: number; readonly atUs: number }>();
  /** By checkpoint, while files of it are there. */
  readonly #restoredUs = new Map<number, number>();
  #checked = 0;
  /** When the newest checkpoints completed, `SWEEPS` of them. */
  readonly #completedUs: number[] = [];

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#margins = options.margins ?? new Margins();
    this.#pointerKey = pointerKey(options.jobId);
    this.#ofJob = `/${options.jobId}/`;
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    if (event.kind === 'object-deleted') this.#onDeleted(event.path, { at, atUs });
    else if (event.kind === 'task-restored') this.#restoredUs.set(event.checkpointId, atUs);
    else if (event.kind === 'checkpoint-completed') {
      this.#completedUs.push(atUs);
      if (this.#completedUs.length > SWEEPS) this.#completedUs.shift();
    } else if (event.kind === 'coordination-updated') {
      if (event.key === this.#pointerKey) this.#onPointer(decodePointer(event.value), { at, atUs });
    } else if (event.kind === 'operation-requested') this.#onRequested(event);
    else if (event.kind === 'operation-answered') this.#onAnswered(event, at);
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    let files = this.#retainedFiles.size + this.#released.size;
    for (const kept of this.#kept.values()) files += kept.size;
    return this.#everNamed.size + files + this.#restoredUs.size + this.#completedUs.length;
  }

  finish(end: EndOfLife): Verdict[] {
    const orphan = isCutOff(end) || end.cause === 'job-failed' ? undefined : this.#orphanAt(end);
    if (orphan !== undefined) {
      const { says, at } = this.#options.files.of(orphan, checkpointOf(orphan));
      this.#findings.notLive('orphan-file', at, () => `${orphan} belongs to no retained checkpoint${says}`);
    }
    return this.#findings.verdicts(
      `${String(this.#checked)} snapshots were retained or handed out, each complete as long as it was; nothing is left that nobody needs`,
    );
  }

  /** Asked last before a life may end well: it lists the storage. */
  firstOrphan(): string | undefined {
    return this.#orphans().next().value;
  }

  /** I4. */
  #orphanAt({ cause }: EndOfLife): string | undefined {
    if (cause !== 'liveness-bound' || this.#options.isOver()) return this.firstOrphan();
    for (const orphan of this.#orphans()) if (this.#hasOutlivedSweeps(orphan)) return orphan;
    return undefined;
  }

  #hasOutlivedSweeps(orphan: string): boolean {
    const { files, listDelayUs } = this.#options;
    const fromUs = files.deletableFromUs(orphan, checkpointOf(orphan));
    const sweptUs = this.#completedUs.length < SWEEPS ? undefined : this.#completedUs[0];
    return fromUs === undefined || sweptUs === undefined || sweptUs >= fromUs + listDelayUs;
  }

  *#orphans(): Generator<string, undefined> {
    const { reader, durable, isOver } = this.#options;
    const referenced = new Set<string>();
    for (const checkpoint of reader.retained()) for (const path of reader.filesOf(checkpoint)) referenced.add(path);
    // A job that has ended takes no checkpoint any more: whatever lies there is an orphan.
    const newest = isOver() ? Number.POSITIVE_INFINITY : (reader.newest()?.id ?? 0);
    const oldest = isOver() ? Number.POSITIVE_INFINITY : (reader.retained()[0]?.id ?? 0);
    const isOrphan = (path: string): boolean => {
      if (referenced.has(path)) return false;
      const isLeft = this.#isLeftOfClaim(path, referenced);
      if (isLeft !== undefined) return isLeft;
      if (!path.includes(this.#ofJob)) return false;
      // The directories of a job that goes on stay, whatever is in them; so do those of one that was drained and may be started again.
      if (path.endsWith('/') && !CHECKPOINT_OF_PATH.test(path)) return isOver() && !this.#isResumable();
      const creator = creatorOf(path);
      // A file of a failed checkpoint is kept until all that is retained is newer (row S16).
      if (!Number.isNaN(creator)) return creator < oldest && !this.#isKept(path, creator);
      const checkpoint = CHECKPOINT_OF_PATH.exec(path)?.[1];
      return checkpoint === undefined || (Number(checkpoint) <= newest && !this.#isKept(path, Number(checkpoint)));
    };
    for (const path of durable.objects()) if (isOrphan(path)) yield path;
    for (const path of durable.leftovers()) if (isOrphan(path)) yield path;
    return undefined;
  }

  /** I3. Undefined: in no directory that was claimed. What lies beside the files of a retained snapshot goes with it. */
  #isLeftOfClaim(path: string, referenced: ReadonlySet<string>): boolean | undefined {
    // Entropy may stand in front.
    for (const directory of this.#claimedDirectories)
      if (path.includes(`${directory}/`)) return !referenced.has(metadataIn(directory));
    return undefined;
  }

  /** By its user: whatever lies in the directory, and what else the checkpoint is made of. */
  #isKept(path: string, id: number): boolean {
    if (id > this.#options.reader.floor) return false;
    for (const [metadata, files] of this.#kept)
      if (files.has(path) || path.includes(`${directoryOfMetadata(metadata)}/`)) return true;
    return false;
  }

  #isResumable(): boolean {
    const { durable, jobId } = this.#options;
    return currentResult(durable, jobId)?.isResumable === true;
  }

  /** Directories of the snapshots that a client was told of and did not give up. */
  handedOut(): readonly string[] {
    return [...this.#ofUsers].flatMap(([directory, { kind }]) => (kind === 'told' ? [directory] : []));
  }

  #onDeleted(path: string, { at, atUs }: Moment): void {
    const id = this.#retainedFiles.get(path);
    for (const [directory, deleted] of this.#disposing) if (path.startsWith(`${directory}/`)) deleted.add(path);
    this.#noteDistance(path, { at, atUs });
    if (id !== undefined) {
      const message = (): string => `${path} of retained checkpoint ${String(id)} is deleted`;
      this.#findings.violated('retained-file-missing', [at], message);
    }
    for (const [directory, { kind, since, files }] of this.#ofUsers) {
      if (!files.has(path)) continue;
      const anomaly = kind === 'told' ? 'savepoint-lost' : 'foreign-snapshot-touched';
      const whose = kind === 'told' ? 'which a client was told of' : 'which a run was restored from and did not claim';
      this.#findings.violated(anomaly, [since, at], () => `${path} of ${directory}, ${whose}, is deleted`);
    }
  }

  #noteDistance(path: string, { at, atUs }: Moment): void {
    const released = this.#released.get(path);
    if (released === undefined) return;
    this.#released.delete(path);
    this.#margins.near('retention/deletion-after-release', atUs - released.atUs, at);
    const restoredUs = this.#restoredUs.get(released.id);
    if (restoredUs !== undefined) this.#margins.near('retention/deletion-after-restore', atUs - restoredUs, at);
  }

  /** What an older pointer named and this one does not may go; of checkpoints that are gone nothing is remembered. */
  #release(files: ReadonlyMap<string, number>, atUs: number): void {
    for (const [path, id] of this.#retainedFiles) if (!files.has(path)) this.#released.set(path, { id, atUs });
    const oldest = Math.min(...files.values());
    for (const id of this.#restoredUs.keys()) if (id + REMEMBERED < oldest) this.#restoredUs.delete(id);
    for (const [path, { id }] of this.#released) if (id + REMEMBERED < oldest) this.#released.delete(path);
  }

  #onPointer({ completed, job }: CheckpointPointer, { at, atUs }: Moment): void {
    // What a run that is over has claimed and kept is handed out with its end.
    const claimed = completed.find(({ owner }) => owner === 'claimed');
    if (job?.ended !== undefined) this.#claimed = undefined;
    else if (claimed !== undefined) this.#claimed = directoryOfMetadata(claimed.metadata);
    const files = new Map<string, number>();
    for (const checkpoint of completed) {
      const paths = this.#options.reader.filesOf(checkpoint);
      for (const path of paths) files.set(path, checkpoint.id);
      this.#onOwner(checkpoint, paths, at);
      this.#onNamed(checkpoint.id, paths, at);
    }
    this.#release(files, atUs);
    this.#retainedFiles = files;
    this.#onClaims(completed, job);
  }

  /** I3. */
  #onClaims(completed: readonly RetainedCheckpoint[], job: JobRun = FIRST_RUN): void {
    if (job.run !== this.#run.run) {
      this.#beganWithoutClaim = job.fullFirst;
      for (const checkpoint of this.#retained) this.#handOver(checkpoint);
    }
    this.#run = job;
    this.#retained = completed;
    for (const { owner, metadata, id } of completed) {
      const directory = directoryOfMetadata(metadata);
      if (owner === 'user' && !this.#kept.has(metadata))
        this.#kept.set(metadata, new Set(this.#options.reader.filesOf({ id, metadata })));
      if (owner !== 'claimed' || job.ended !== undefined) continue;
      this.#claimedDirectories.add(directory);
      this.#kept.delete(metadata);
    }
  }

  /** A run is over and this was retained: all that it is made of belongs to a user, until another run claims it. */
  #handOver(checkpoint: RetainedCheckpoint): void {
    this.#kept.set(checkpoint.metadata, new Set(this.#options.reader.filesOf(checkpoint)));
    this.#claimedDirectories.delete(directoryOfMetadata(checkpoint.metadata));
  }

  /** What a run was restored from and claims is the job's from then on; what it does not claim stays its user's (row C27). */
  #onOwner({ owner, metadata }: RetainedCheckpoint, paths: readonly string[], at: number): void {
    if (owner === undefined) return;
    const directory = directoryOfMetadata(metadata);
    if (owner === 'claimed') this.#ofUsers.delete(directory);
    else if (!this.#ofUsers.has(directory))
      this.#ofUsers.set(directory, { kind: 'foreign', since: at, files: new Set(paths) });
  }

  /** A checkpoint that the pointer names for the first time must be there in full. */
  #onNamed(id: number, paths: readonly string[], at: number): void {
    if (this.#everNamed.has(id)) return;
    this.#everNamed.add(id);
    forgetOldest(this.#everNamed, EPISODES_KEPT);
    this.#checked += 1;
    this.#onForeign(id, paths, at);
    const missing = paths.find((path) => this.#options.durable.object(path) === undefined);
    if (missing === undefined) return;
    const message = (): string => `The pointer names checkpoint ${String(id)}, whose ${missing} does not exist`;
    this.#findings.violated('retained-file-missing', [at], message);
  }

  /** Row C27: the user may delete what was not claimed, whenever he likes. What was written before the run has an id up to its floor. */
  #onForeign(id: number, paths: readonly string[], at: number): void {
    const { floor } = this.#run;
    if (!this.#beganWithoutClaim || id <= floor) return;
    const foreign = paths.find((path) => creatorOf(path) <= floor);
    if (foreign === undefined) return;
    const message = (): string =>
      `Checkpoint ${String(id)} is made of ${foreign}, of a snapshot that its run did not claim`;
    this.#findings.violated('foreign-file-used', [at], message);
  }

  /** Who asks to dispose of a snapshot gives it up; who restores from it may claim it, which the pointer will say. */
  #onRequested({ operation, location }: Requested): void {
    this.#ofUsers.delete(location);
    if (operation !== 'dispose-savepoint' || this.#disposing.has(location)) return;
    this.#disposing.set(location, new Set());
    forgetOldest(this.#disposing, EPISODES_KEPT);
  }

  #onAnswered({ operation, outcome, location }: Answered, at: number): void {
    if (location === '') return;
    if (operation === 'dispose-savepoint') return this.#onDisposed(location, outcome, at);
    // Where the answer comes of a run that is over, another one may have claimed what it left: durably, before this client heard of it.
    if (this.#claimed === location) return;
    const { reader } = this.#options;
    const metadata = metadataIn(location);
    const read = reader.metadata(metadata);
    const files = read.kind === 'read' ? reader.filesOf({ id: read.value.checkpointId, metadata }) : [metadata];
    this.#ofUsers.set(location, { kind: 'told', since: at, files: new Set(files) });
    this.#checked += 1;
  }

  #onDisposed(location: string, outcome: Answered['outcome'], at: number): void {
    const deleted = this.#disposing.get(location);
    this.#disposing.delete(location);
    if (outcome === 'failed') return;
    const isLeft = (path: string): boolean => path.startsWith(`${location}/`) && deleted?.has(path) !== true;
    const left = this.#options.durable.objects().find(isLeft);
    if (left !== undefined) this.#findings.violated('disposed-file-remains', [at], () => `${left} still exists`);
  }
}

/** The checkpoint that a file was written for; undefined: its path does not say. */
function checkpointOf(path: string): number | undefined {
  const creator = creatorOf(path);
  if (!Number.isNaN(creator)) return creator;
  const named = CHECKPOINT_OF_PATH.exec(path)?.[1];
  return named === undefined ? undefined : Number(named);
}

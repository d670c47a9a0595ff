/**
 * What a checkpoint directory holds, seen from outside: checkpoints and savepoints, each file verified, missing and orphan files.
 *
 * Owns the document that `tidemark inspect` prints. Does not own: reading (the caller hands in bytes, so that it works on any storage),
 * the formats (state-contents.ts and the engine's decoders).
 * Used in this order: list all files, then per `metadataFiles()` entry `open`, and `verify` each file that it answers; then `document()`.
 *
 * I1: every byte that a `_metadata` answers for is verified: its own, files, inline pieces.
 * I2: a file is an orphan when no `_metadata` of the directory names it. What of that is still being written nobody can tell from here,
 *     so an orphan is no damage.
 * I3: the document is plain JSON and does not depend on the order in which the storage lists.
 */
import { CorruptData } from '../../engine/foundation/byte-reader.ts';
import { type CheckpointMetadata, decodeMetadata } from '../../engine/protocol/metadata-file.ts';
import { creatorOf } from '../../engine/protocol/checkpoint-paths.ts';
import { directoryOfMetadata, resolvedIn } from '../../engine/protocol/savepoint-paths.ts';
import {
  logicalBytes,
  logicalFileKey,
  type SegmentHandle,
  type StateHandle,
  type StateKind,
} from '../../engine/protocol/state-handle.ts';
import { mountOf, resolvedAt } from './file-resolution.ts';
import { damageOf, readSegment, readStateContents, type StateContents } from './state-contents.ts';

export interface ListedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Something that keeps a snapshot from being restored. `offset`: undefined where a file as a whole is concerned. */
export interface InspectionProblem {
  readonly kind: 'damaged' | 'missing';
  readonly file: string;
  readonly offset?: number;
  readonly message: string;
}

export interface InspectedHandle {
  readonly operator: string;
  readonly state: StateKind;
  /** As it lies below the directory; empty: inline in `_metadata`. */
  readonly file: string;
  /** Where it begins in a merged file, which holds state of others, too. Absent: it is the whole file. */
  readonly offset?: number;
  readonly bytes: number;
  readonly keyGroups?: { readonly start: number; readonly end: number };
  /** Files that its manifest lists, each checked. */
  readonly segments?: readonly { readonly file: string; readonly offset?: number; readonly bytes: number }[];
  /** Absent when it is damaged or missing. */
  readonly contents?: StateContents;
}

export interface InspectedSubtask {
  readonly vertex: number;
  readonly subtask: number;
  /** Its operators had finished, or the whole subtask had ended. */
  readonly finished?: 'operators' | 'task';
  readonly handles: readonly InspectedHandle[];
}

export interface InspectedSnapshot {
  readonly file: string;
  readonly checkpointId: number;
  readonly jobId: string;
  readonly triggeredAtUs: number;
  readonly snapshot: string;
  /** Of savepoints. */
  readonly format?: string;
  readonly highestParallelism: number;
  readonly operators: readonly {
    readonly uid: string;
    readonly parallelism: number;
    readonly maxParallelism: number;
    readonly stateBytes: number;
  }[];
  readonly subtasks: readonly InspectedSubtask[];
  readonly coordinators: readonly { readonly operator: string; readonly bytes: number }[];
  readonly sizes: {
    readonly metadata: number;
    readonly inline: number;
    readonly files: number;
    readonly fileCount: number;
  };
  readonly problems: readonly InspectionProblem[];
}

export interface OrphanFile extends ListedFile {
  /** `unfinished`: written for none of the completed checkpoints of its job here, so it may be of one that is under way. */
  readonly kind: 'orphan' | 'unfinished';
}

export interface InspectionDocument {
  readonly outcome: 'fine' | 'damaged';
  /** By path of their `_metadata`. */
  readonly snapshots: readonly InspectedSnapshot[];
  readonly orphans: readonly OrphanFile[];
  /** Those of the snapshots too. */
  readonly problems: readonly InspectionProblem[];
  readonly files: { readonly count: number; readonly bytes: number };
}

interface OpenSnapshot {
  readonly file: string;
  readonly metadata: CheckpointMetadata;
  readonly metadataBytes: number;
  readonly mount: string;
  readonly contents: Map<StateHandle, StateContents>;
  readonly problems: InspectionProblem[];
}

const METADATA = '_metadata';
const CHECKPOINT_ID = /(?:^|\/)chk-(\d+)\//;
const SHARED = /(?:^|\/)(?:shared|taskowned)\//;

export class DirectoryInspection {
  readonly #listing: readonly ListedFile[];
  readonly #listed: ReadonlySet<string>;
  readonly #snapshots: OpenSnapshot[] = [];
  readonly #problems: InspectionProblem[] = [];
  readonly #named = new Set<string>();
  #current: OpenSnapshot | undefined;

  constructor(listing: readonly ListedFile[]) {
    this.#listing = [...listing].sort(byPath);
    this.#listed = new Set(listing.map(({ path }) => path));
  }

  metadataFiles(): readonly string[] {
    return this.#listing.flatMap(({ path }) => (path === METADATA || path.endsWith(`/${METADATA}`) ? [path] : []));
  }

  /** Reads a `_metadata`; answers the files to `verify` before the next one is opened. */
  open(file: string, bytes: Uint8Array | undefined): readonly string[] {
    this.#current = undefined;
    this.#named.add(file);
    if (bytes === undefined) {
      this.#problems.push({ kind: 'missing', file, message: 'it was listed, but is not there any more' });
      return [];
    }
    const metadata = this.#decode(file, bytes);
    if (metadata === undefined) return [];
    const paths = handlesOf(metadata).flatMap(pathsOf);
    const mount = mountOf(paths, (path) => this.#listed.has(path));
    const snapshot: OpenSnapshot = {
      file,
      metadata,
      metadataBytes: bytes.length,
      mount,
      contents: new Map(),
      problems: [],
    };
    this.#snapshots.push(snapshot);
    this.#current = snapshot;
    for (const handle of handlesOf(metadata))
      if (handle.path === '') readHandle(snapshot, handle, handle.inline ?? new Uint8Array(0), file);
    return this.#filesOf(snapshot, paths);
  }

  /** Undefined bytes: it is not there. */
  verify(file: string, bytes: Uint8Array | undefined): void {
    const snapshot = this.#current;
    if (snapshot === undefined) return;
    if (bytes === undefined) {
      snapshot.problems.push({ kind: 'missing', file, message: `${snapshot.file} names it, but it is not there` });
      return;
    }
    for (const handle of handlesOf(snapshot.metadata))
      if (handle.path !== '' && resolvedAt(handle.path, snapshot.mount) === file)
        readHandle(snapshot, handle, logicalBytes(handle, bytes), file);
    for (const { segments = [] } of handlesOf(snapshot.metadata))
      for (const segment of segments)
        if (resolvedAt(segment.path, snapshot.mount) === file)
          checkSegment(snapshot, segment, logicalBytes(segment, bytes), file);
  }

  document(): InspectionDocument {
    const snapshots = this.#snapshots.map(inspected);
    const none = this.#snapshots.length === 0 && this.#problems.length === 0;
    const problems = [
      ...(none ? [{ kind: 'missing', file: METADATA, message: 'there is no completed checkpoint here' } as const] : []),
      ...this.#problems,
      ...snapshots.flatMap((snapshot) => snapshot.problems),
    ];
    return {
      outcome: problems.length === 0 ? 'fine' : 'damaged',
      snapshots,
      orphans: this.#orphans(),
      problems,
      files: { count: this.#listing.length, bytes: this.#listing.reduce((sum, { bytes }) => sum + bytes, 0) },
    };
  }

  #decode(file: string, bytes: Uint8Array): CheckpointMetadata | undefined {
    try {
      return resolvedIn(file === METADATA ? '.' : directoryOfMetadata(file), decodeMetadata(bytes));
    } catch (error) {
      if (!(error instanceof CorruptData)) throw error;
      this.#problems.push({ kind: 'damaged', file, ...damageOf(error) });
      return undefined;
    }
  }

  #filesOf(snapshot: OpenSnapshot, paths: readonly string[]): readonly string[] {
    const files = new Set<string>();
    for (const path of paths) {
      const file = resolvedAt(path, snapshot.mount);
      if (file === undefined) {
        const message = `${snapshot.file} names it, but it lies outside of what is inspected`;
        snapshot.problems.push({ kind: 'missing', file: path, message });
      } else {
        files.add(file);
        this.#named.add(file);
      }
    }
    return [...files];
  }

  #orphans(): readonly OrphanFile[] {
    const newest = new Map<string, number>();
    for (const { file, metadata } of this.#snapshots) {
      const root = jobRootOf(file);
      if (root !== undefined) newest.set(root, Math.max(newest.get(root) ?? 0, metadata.checkpointId));
    }
    return this.#listing.flatMap(({ path, bytes }) => {
      if (this.#named.has(path)) return [];
      const ofJob = newest.get(jobRootOf(path) ?? '') ?? Number.POSITIVE_INFINITY;
      // What is written ahead bears the id of the checkpoint before it, which may be complete; no checkpoint is NaN, older than any.
      const mayBeUnderWay = Number(CHECKPOINT_ID.exec(path)?.[1]) > ofJob || creatorOf(path) >= ofJob;
      return [{ path, bytes, kind: mayBeUnderWay ? 'unfinished' : 'orphan' } as const];
    });
  }
}

/** What stands before `chk-<n>/`, or before the directories of what checkpoints share; undefined for files of savepoints. */
function jobRootOf(path: string): string | undefined {
  const match = CHECKPOINT_ID.exec(path) ?? SHARED.exec(path);
  return match === null ? undefined : path.slice(0, match.index);
}

function handlesOf({ states }: CheckpointMetadata): readonly StateHandle[] {
  return states.flatMap(({ handles }) => handles);
}

function pathsOf({ path, segments = [] }: StateHandle): readonly string[] {
  return [path, ...segments.map((segment) => segment.path)].filter((file) => file !== '');
}

function checkSegment(snapshot: OpenSnapshot, handle: SegmentHandle, bytes: Uint8Array, file: string): void {
  const reading = readSegment(handle, bytes);
  if (reading.kind !== 'damaged') return;
  const { offset, message } = reading.damage;
  snapshot.problems.push({ kind: 'damaged', file, offset: offset + (handle.offset ?? 0), message });
}

function readHandle(snapshot: OpenSnapshot, handle: StateHandle, bytes: Uint8Array, file: string): void {
  const reading = readStateContents(handle, bytes);
  if (reading.kind === 'read') {
    snapshot.contents.set(handle, reading.contents);
    return;
  }
  const { offset, message } = reading.damage;
  const where = handle.path === '' ? `in the inline ${handle.state} state of ${handle.operator}: ` : '';
  const at = offset + (handle.offset ?? 0);
  snapshot.problems.push({ kind: 'damaged', file, offset: at, message: `${where}${message}` });
}

function inspected(snapshot: OpenSnapshot): InspectedSnapshot {
  const { metadata, file, mount, contents, metadataBytes, problems } = snapshot;
  const handles = handlesOf(metadata);
  const sum = (of: readonly StateHandle[]): number => of.reduce((bytes, handle) => bytes + handle.bytes, 0);
  const inFiles = handles.filter(({ path }) => path !== '');
  const segments = new Map(
    handles.flatMap((handle) => (handle.segments ?? []).map((file) => [logicalFileKey(file), file] as const)),
  );
  const segmentBytes = [...segments.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    file,
    checkpointId: metadata.checkpointId,
    jobId: metadata.jobId,
    triggeredAtUs: metadata.triggeredAtUs,
    snapshot: metadata.snapshot ?? 'checkpoint',
    ...(metadata.format === undefined ? {} : { format: metadata.format }),
    highestParallelism: metadata.highestParallelism,
    operators: metadata.operators.map((scale) => ({
      ...scale,
      stateBytes: sum(handles.filter(({ operator }) => operator === scale.uid)),
    })),
    subtasks: metadata.states.map((state) => ({
      vertex: state.vertex,
      subtask: state.subtask,
      ...(state.finished === undefined ? {} : { finished: state.finished }),
      handles: state.handles.map((handle) => inspectedHandle(handle, mount, contents.get(handle))),
    })),
    coordinators: (metadata.coordinators ?? []).map(({ operator, bytes }) => ({ operator, bytes: bytes.length })),
    sizes: {
      metadata: metadataBytes,
      inline: sum(handles.filter(({ path }) => path === '')),
      files: sum(inFiles) + segmentBytes,
      fileCount: new Set([...inFiles, ...segments.values()].map(({ path }) => path)).size,
    },
    problems,
  };
}

function inspectedHandle(handle: StateHandle, mount: string, contents: StateContents | undefined): InspectedHandle {
  const { operator, state, path, offset, bytes, keyGroups } = handle;
  return {
    operator,
    state,
    file: path === '' ? '' : (resolvedAt(path, mount) ?? path),
    ...(offset === undefined ? {} : { offset }),
    bytes,
    ...(keyGroups === undefined ? {} : { keyGroups }),
    ...(handle.segments === undefined ? {} : { segments: handle.segments.map((segment) => segmentOf(segment, mount)) }),
    ...(contents === undefined ? {} : { contents }),
  };
}

const segmentOf = (
  { path, offset, bytes }: SegmentHandle,
  mount: string,
): { file: string; offset?: number; bytes: number } => ({
  file: resolvedAt(path, mount) ?? path,
  ...(offset === undefined ? {} : { offset }),
  bytes,
});

/** Paths are unique: it never ties. */
const byPath = (a: ListedFile, b: ListedFile): number => (a.path < b.path ? -1 : 1);

/**
 * The asynchronous part of one subtask's snapshot: serialize, write, and gather the handles for the acknowledgement
 * (row T11; Flink: AsyncCheckpointRunnable). Channel state joins it when it is known (row B5).
 *
 * Owns: what is still outstanding. Does not own: the acknowledgement message (subtask-checkpoint sends it).
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointMetrics } from '../protocol/checkpoint-metrics.ts';
import { sometimes } from '../protocol/probes.ts';
import {
  type ChannelSection,
  type FinishedState,
  logicalFileKey,
  type SegmentHandle,
  type StateHandle,
  type StateKind,
} from '../protocol/state-handle.ts';
import { toCanonical } from '../state/canonical-savepoint.ts';
import { compressed } from '../state/compressed-state-file.ts';
import type { OperatorStateSnapshot } from '../state/operator-state.ts';
import type { KeyedStateSnapshot } from '../state/keyed-state-backend.ts';
import type { LoggedSnapshot, LoggedState } from '../state/logged-state.ts';
import { segmentKey, type UploadedFiles } from './uploaded-segments.ts';

/** One state to be written. */
export interface StatePart {
  readonly operator: string;
  readonly state: StateKind;
  readonly keyGroups?: { readonly start: number; readonly end: number };
  /** Of channel state. */
  readonly channels?: readonly ChannelSection[];
  readonly entryCount: number;
  readonly estimatedBytes: number;
  write(): Uint8Array;
  release(): void;
  /** What the bytes list, in that order: files of their own. */
  readonly segments?: SegmentParts;
  /** The same, where they are those of a state log (row S20). */
  readonly logged?: LoggedParts;
}

export interface LoggedParts {
  readonly state: LoggedState;
  readonly snapshot: LoggedSnapshot;
}

/** The segments of one keyed state (row S17). */
export interface SegmentParts {
  /** Directory that those go to which do not lie anywhere yet. */
  readonly directory: string;
  readonly segments: readonly SegmentPart[];
}

export interface SegmentPart {
  readonly id: number;
  /** In bytes. */
  readonly length: number;
  /** From the disk of the node, until the snapshot is released. */
  read(): Uint8Array;
  /** Where it lies already; undefined: it has to be written. */
  readonly known: SegmentHandle | undefined;
}

/** The bytes of those segments that have to be written. */
export type FreshSegments = readonly (Uint8Array | undefined)[];

export const freshSegments = ({ segments }: StatePart): FreshSegments =>
  (segments?.segments ?? []).map((segment) => (segment.known === undefined ? segment.read() : undefined));

export interface AlignmentFigures {
  readonly startDelayUs: number;
  readonly alignmentUs: number;
  readonly bytesProcessedDuringAlignment: number;
  readonly recordsInFlight: number;
  /** The snapshot was taken before all barriers were here. */
  readonly unaligned: boolean;
}

export interface AsyncPartOptions {
  readonly checkpointId: CheckpointId;
  /** Directory its files go to. */
  readonly location: string;
  readonly figures: AlignmentFigures;
  readonly parts: readonly StatePart[];
  readonly syncStartUs: number;
  /** The acknowledgement must wait for the sink's pre-commit. */
  readonly waitsForSink: boolean;
  readonly awaitsChannelState: boolean;
  /** Present when the end of the subtask's input lies before the snapshot. */
  readonly finished: FinishedState | undefined;
  /** Its segments may be part of later checkpoints: it is no savepoint. */
  readonly isShared: boolean;
}

export class AsyncPart {
  readonly checkpointId: CheckpointId;
  /** Directory its files go to. */
  readonly location: string;
  /** Final when all barriers are here. */
  figures: AlignmentFigures;
  readonly parts: readonly StatePart[];
  persistedInFlightBytes = 0;
  /** Files or inline pieces of channel state. */
  channelParts = 0;
  /** Its in-flight data is not known yet, or not yet taken to be written. */
  awaitsChannelState: boolean;
  /** All but its channel state was serialized and sent to be written. */
  isStateSent = false;
  readonly handles: StateHandle[] = [];
  /** By operator: where the segments lie; undefined where one is being written. */
  readonly segments = new Map<string, (SegmentHandle | undefined)[]>();
  /** Segments that this snapshot wrote, by `logicalFileKey`. */
  readonly written = new Set<string>();
  readonly isShared: boolean;
  /** Its files are being written: a snapshot for a state log is the changelog's from then on. */
  isWriting = false;
  readonly syncStartUs: number;
  syncEndUs = 0;
  readonly finished: FinishedState | undefined;
  /** Writes and confirmations the acknowledgement waits for. */
  outstanding: number;

  constructor(options: AsyncPartOptions) {
    this.checkpointId = options.checkpointId;
    this.location = options.location;
    this.figures = options.figures;
    this.parts = options.parts;
    this.syncStartUs = options.syncStartUs;
    this.isShared = options.isShared;
    this.outstanding = options.parts.length + (options.waitsForSink ? 1 : 0) + (options.awaitsChannelState ? 1 : 0);
    this.awaitsChannelState = options.awaitsChannelState;
    this.finished = options.finished;
  }

  /** From here on it waits for every file of its own. */
  beginWriting(out: Out): void {
    for (const { operator, segments } of this.parts) {
      if (segments === undefined) continue;
      const fresh = segments.segments.filter(({ known }) => known === undefined).length;
      this.outstanding += fresh;
      sometimes(fresh > 0 && fresh < segments.segments.length, out, 'segments-reused');
      sometimes(fresh === 0 && segments.segments.length > 0, out, 'segments-all-reused');
      this.segments.set(
        operator,
        segments.segments.map(({ known }) => known),
      );
    }
    this.isWriting = true;
    for (const { logged } of this.parts) this.outstanding += logged?.snapshot.pieces.length ?? 0;
  }

  release(): void {
    for (const part of this.parts) part.release();
    if (!this.isWriting) for (const { logged } of this.parts) logged?.snapshot.materialization?.release();
  }

  /** Of the state as a whole, and of what was written for it. */
  sizes(): { readonly stateBytes: number; readonly checkpointedBytes: number } {
    const ownBytes = this.handles.reduce((sum, { bytes }) => sum + bytes, 0);
    let stateBytes = ownBytes;
    let checkpointedBytes = ownBytes;
    for (const segment of [...this.segments.values()].flat()) {
      stateBytes += segment?.bytes ?? 0;
      if (segment !== undefined && this.written.has(logicalFileKey(segment))) checkpointedBytes += segment.bytes;
    }
    return { stateBytes, checkpointedBytes };
  }

  /** Of a snapshot that is acknowledged now. */
  metrics(nowUs: number): CheckpointMetrics {
    const { figures } = this;
    return {
      startDelayUs: figures.startDelayUs,
      alignmentUs: figures.alignmentUs,
      bytesProcessedDuringAlignment: figures.bytesProcessedDuringAlignment,
      recordsInFlight: figures.recordsInFlight,
      syncUs: this.syncEndUs - this.syncStartUs,
      asyncUs: nowUs - this.syncEndUs,
      ...this.sizes(),
      bytesPersistedDuringAlignment: this.persistedInFlightBytes,
      unaligned: figures.unaligned || this.persistedInFlightBytes > 0,
    };
  }

  /** Files of state logs that it is made of. */
  loggedPieces(): readonly { readonly operator: string; readonly id: string }[] {
    return this.parts.flatMap(({ operator, logged }) =>
      (logged?.snapshot.pieces ?? []).map(({ id }) => ({ operator, id })),
    );
  }

  /** Where each segment of the snapshot lies. */
  uploadedFiles(): UploadedFiles {
    const files = new Map<string, SegmentHandle>();
    for (const { operator, segments } of this.parts)
      segments?.segments.forEach(({ id }, index) => {
        const handle = this.segments.get(operator)?.[index];
        if (handle !== undefined) files.set(segmentKey(operator, id), handle);
      });
    return files;
  }
}

export function keyedStatePart(options: {
  operator: string;
  keyGroups: { readonly start: number; readonly end: number };
  snapshot: KeyedStateSnapshot;
  estimatedBytes: number;
  /** Row C26: whether every backend shall be able to read it. */
  isCanonical: boolean;
  /** Row S14. */
  compression: 'none' | 'lz4';
  /** Instead of one file the files of the backend. */
  segments: SegmentParts | undefined;
}): StatePart {
  const { operator, keyGroups, snapshot, isCanonical, compression, segments } = options;
  const { files } = snapshot;
  if (segments !== undefined && files !== undefined) {
    const fresh = segments.segments.filter(({ known }) => known === undefined);
    return {
      operator,
      state: 'keyed',
      keyGroups,
      // Files are copied as they are, entries are not looked at.
      entryCount: 0,
      estimatedBytes: fresh.reduce((sum, { length }) => sum + length, 0),
      write: () => files.manifest(),
      release: () => snapshot.release(),
      segments,
    };
  }
  const plain = (): Uint8Array => (isCanonical ? toCanonical(snapshot.write()) : snapshot.write());
  return {
    operator,
    state: 'keyed',
    keyGroups,
    entryCount: snapshot.entryCount,
    // To compress is one more pass over the bytes, as fast as the one that serializes them: LZ4 does some 500 MB/s on a shared core.
    estimatedBytes: compression === 'none' ? options.estimatedBytes : 2 * options.estimatedBytes,
    write: () => (compression === 'none' ? plain() : compressed(plain())),
    release: () => snapshot.release(),
  };
}

/** Row S20. What is not written yet is the end of the log, or a snapshot where there is none to build on. */
export function loggedStatePart(options: {
  operator: string;
  keyGroups: { readonly start: number; readonly end: number };
  logged: LoggedParts;
}): StatePart {
  const { operator, keyGroups, logged } = options;
  const { manifest, materialization } = logged.snapshot;
  const written = materialization?.pieces ?? [];
  return {
    operator,
    state: 'keyed',
    keyGroups,
    entryCount: written.reduce((sum, { entryCount }) => sum + entryCount, 0),
    estimatedBytes: written.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, manifest.length),
    write: () => manifest,
    // A snapshot that was begun is the changelog's.
    release: () => undefined,
    logged,
  };
}

/** Operator state of a user function: copied in the synchronous part (row S23), serialized in the asynchronous one. */
export function functionStatePart(operator: string, snapshot: OperatorStateSnapshot): StatePart {
  const { entryCount } = snapshot;
  const estimatedBytes = snapshot.estimateBytes();
  return { operator, state: 'operator', entryCount, estimatedBytes, write: () => snapshot.write(), release: () => {} };
}

/** Operator state of sources and sinks is small: it is copied, as bytes, in the synchronous part (row S23). */
export function operatorStatePart(operator: string, bytes: Uint8Array): StatePart {
  return {
    operator,
    state: 'operator',
    entryCount: 1,
    estimatedBytes: bytes.length,
    write: () => bytes,
    release: () => {},
  };
}

/**
 * Reads completed checkpoints from durable state, as a restore would: pointer, `_metadata`, state files.
 *
 * Owns what was read last, so that several judges that look at one checkpoint decode it once. Called by the judges of cuts,
 * state, lifecycle and progress.
 *
 * I1: what cannot be read is a value, never a throw: `unreadable` with the reason.
 * I2: every byte of state is checked against length and checksum of its handle before it is decoded.
 */
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { decodePointer, pointerKey, type RetainedCheckpoint } from '../../engine/protocol/checkpoint-pointer.ts';
import { type CheckpointMetadata, decodeMetadata } from '../../engine/protocol/metadata-file.ts';
import { directoryOfMetadata, resolvedIn } from '../../engine/protocol/savepoint-paths.ts';
import type { StateHandle } from '../../engine/protocol/state-handle.ts';
import type { DurableState } from './judge.ts';
import { attempt, type Readable, unreadable } from './readable.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import { decodeSourceOffsets, fromCanonical, isCanonical } from './state-decoders.ts';

/** Keyed state of one operator: one file or inline piece per subtask. */
export interface KeyedPiece {
  readonly operator: string;
  readonly bytes: Uint8Array;
  readonly keyGroups: { readonly start: number; readonly end: number };
}

export interface CheckpointContents {
  readonly id: number;
  readonly cut: Cut;
  readonly keyed: readonly KeyedPiece[];
}

export interface CheckpointReaderOptions {
  readonly graph: JobGraph;
  readonly index: InputIndex;
  readonly durable: DurableState;
}

const EMPTY_POINTER: readonly RetainedCheckpoint[] = [];

export class CheckpointReader {
  readonly #options: CheckpointReaderOptions;
  readonly #sources: ReadonlySet<string>;
  readonly #metadata = new Map<string, { readonly bytes: Uint8Array; readonly value: CheckpointMetadata }>();
  #pointerText = '';
  #pointer: readonly RetainedCheckpoint[] = EMPTY_POINTER;
  #floor = 0;

  constructor(options: CheckpointReaderOptions) {
    this.#options = options;
    this.#sources = new Set(options.graph.vertices.flatMap(({ source }) => (source === undefined ? [] : [source.uid])));
  }

  /** The retained checkpoints now, oldest first. */
  retained(): readonly RetainedCheckpoint[] {
    const text = this.#options.durable.coordination(pointerKey(this.#options.graph.jobId)) ?? '';
    if (text !== this.#pointerText) {
      this.#pointerText = text;
      const pointer = text === '' ? undefined : decodePointer(text);
      this.#pointer = pointer?.completed ?? EMPTY_POINTER;
      this.#floor = pointer?.job?.floor ?? 0;
    }
    return this.#pointer;
  }

  /** Ids up to this one belong to earlier runs of the job. */
  get floor(): number {
    this.retained();
    return this.#floor;
  }

  /** The newest retained checkpoint; undefined when there is none. */
  newest(): RetainedCheckpoint | undefined {
    return this.retained().at(-1);
  }

  metadata(path: string): Readable<CheckpointMetadata> {
    const bytes = this.#options.durable.object(path);
    if (bytes === undefined) return unreadable(`${path} does not exist`);
    const known = this.#metadata.get(path);
    if (known !== undefined && known.bytes === bytes) return { kind: 'read', value: known.value };
    const read = attempt(path, () => resolvedIn(directoryOfMetadata(path), decodeMetadata(bytes)));
    if (read.kind === 'read') this.#metadata.set(path, { bytes, value: read.value });
    return read;
  }

  /** `_metadata` and every file it names; only `_metadata` when that cannot be read. */
  filesOf(checkpoint: RetainedCheckpoint): readonly string[] {
    const metadata = this.metadata(checkpoint.metadata);
    if (metadata.kind === 'unreadable') return [checkpoint.metadata];
    const files = [checkpoint.metadata];
    for (const { handles } of metadata.value.states) {
      for (const { path } of handles) if (path !== '') files.push(path);
    }
    return files;
  }

  contents(checkpoint: RetainedCheckpoint): Readable<CheckpointContents> {
    const metadata = this.metadata(checkpoint.metadata);
    if (metadata.kind === 'unreadable') return metadata;
    if (metadata.value.checkpointId !== checkpoint.id) {
      return unreadable(`${checkpoint.metadata} says it is checkpoint ${String(metadata.value.checkpointId)}`);
    }
    const cut = new Int32Array(this.#options.index.input.length);
    const keyed: KeyedPiece[] = [];
    for (const { handles } of metadata.value.states) {
      for (const handle of handles) {
        const problem = this.#read(handle, cut, keyed);
        if (problem !== undefined) return unreadable(problem);
      }
    }
    return { kind: 'read', value: { id: checkpoint.id, cut, keyed } };
  }

  /** Returns what is wrong; undefined when nothing is. */
  #read(handle: StateHandle, cut: Cut, keyed: KeyedPiece[]): string | undefined {
    const place = handle.path === '' ? `inline ${handle.state} state of ${handle.operator}` : handle.path;
    const bytes = handle.path === '' ? handle.inline : this.#options.durable.object(handle.path);
    if (bytes === undefined) return `${place} does not exist`;
    if (bytes.length !== handle.bytes) return `${place} has ${String(bytes.length)} of ${String(handle.bytes)} bytes`;
    if (crc32c(bytes) !== handle.checksum) return `${place} does not match its checksum`;
    if (handle.state === 'keyed') {
      if (handle.keyGroups === undefined) return `${place} names no key groups`;
      const file = attempt(place, () => (isCanonical(bytes) ? fromCanonical(bytes) : bytes));
      if (file.kind === 'unreadable') return file.reason;
      keyed.push({ operator: handle.operator, bytes: file.value, keyGroups: handle.keyGroups });
      return undefined;
    }
    return this.#sources.has(handle.operator) ? this.#readOffsets(place, bytes, cut) : undefined;
  }

  #readOffsets(place: string, bytes: Uint8Array, cut: Cut): string | undefined {
    const offsets = attempt(place, () => decodeSourceOffsets(bytes));
    if (offsets.kind === 'unreadable') return offsets.reason;
    const { index } = this.#options;
    for (const { partition, offset } of offsets.value) {
      const slot = index.slotOf(partition);
      const length = slot === undefined ? -1 : (index.input[slot]?.values.length ?? -1);
      if (slot === undefined || offset > length) {
        return `${place} says offset ${String(offset)} of partition ${String(partition)}, which has no such record`;
      }
      if ((cut[slot] ?? 0) !== 0 && offset !== cut[slot])
        return `${place} contradicts another offset of partition ${String(partition)}`;
      cut[slot] = offset;
    }
    return undefined;
  }
}

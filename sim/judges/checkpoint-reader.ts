/**
 * Reads completed checkpoints from durable state, as a restore would: pointer, `_metadata`, state files.
 *
 * Owns what was read last, so that several judges that look at one checkpoint decode it once. Called by the judges of cuts,
 * state, lifecycle and progress.
 *
 * I1: what cannot be read is a value, never a throw: `unreadable` with the reason.
 * I2: every byte of state is checked against length and checksum of its handle before it is decoded.
 */
import { CorruptData } from '../../engine/foundation/byte-reader.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import { type JobGraph, keySerializerOf, type SourceSpec } from '../../engine/job/job-graph.ts';
import { type KeyGroupRange, keyGroupRangeOf } from '../../engine/job/key-groups.ts';
import { decodePointer, pointerKey, type RetainedCheckpoint } from '../../engine/protocol/checkpoint-pointer.ts';
import { type CheckpointMetadata, decodeMetadata } from '../../engine/protocol/metadata-file.ts';
import { directoryOfMetadata, resolvedIn } from '../../engine/protocol/savepoint-paths.ts';
import type { DataBuffer, Lineage, RecordValue } from '../../engine/protocol/stream-elements.ts';
import { logicalBytes, type SegmentHandle, type StateHandle } from '../../engine/protocol/state-handle.ts';
import { forgetOldest } from './forget-oldest.ts';
import type { DurableState } from './judge.ts';
import { attempt, type Readable, unreadable } from './readable.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import type { OperatorPiece } from './operator-state-audit.ts';
import { fileOfLog } from './logged-state.ts';
import { SegmentedState } from './segmented-state.ts';
import { keyGroupProblem, operatorStateProblem } from './state-coverage.ts';
import { operatorsOfSinks } from './sink-topology.ts';
import { UnstampedState } from './unstamped-state.ts';
import { type SplitPlaces, type SplitProblem, splitCut } from './split-cut.ts';
import {
  decodeChannelState,
  decodeEnumeratorState,
  decodeReaderSplits,
  decodeSourceOffsets,
  isChangelogManifest,
  isManifest,
  restorableFile,
} from './state-decoders.ts';

/** Decoded `_metadata` that is kept: more than a life ever retains at a time. What was forgotten is decoded again. */
const METADATA_KEPT = 64;

/** Keyed state of one operator: one file or inline piece per subtask. */
export interface KeyedPiece {
  readonly operator: string;
  readonly subtask: number;
  readonly bytes: Uint8Array;
  readonly keyGroups: { readonly start: number; readonly end: number };
}

/** A channel of one edge, and on which side of the network its data was persisted (row B17). */
export interface Channel {
  readonly edge: number;
  readonly producer: number;
  readonly consumer: number;
  readonly side: 'input' | 'output';
}

/** A record that was under way when the checkpoint was taken, on one edge of the job (row B5). */
export interface InFlightRecord {
  readonly edge: number;
  /** Shared by the records of a channel. */
  readonly channel: Channel;
  readonly value: RecordValue;
  readonly timestampUs: number;
  readonly lineage: Lineage;
}

export interface CheckpointContents {
  readonly id: number;
  readonly cut: Cut;
  readonly keyed: readonly KeyedPiece[];
  /** What is missing from the whole, or in it twice; undefined when nothing is. */
  readonly gap: string | undefined;
  /** Records before the cut whose effect on what lies behind their edge is still to come. */
  readonly inFlight: readonly InFlightRecord[];
  /** Splits that are not in exactly one place. */
  readonly splitProblems: readonly SplitProblem[];
  /** Operator state of user functions. */
  readonly operatorState: readonly OperatorPiece[];
  /** Key groups of subtasks that had ended: their state is gone, by operator that keeps state. */
  readonly ended: ReadonlyMap<string, readonly KeyGroupRange[]>;
}

interface ContentsSoFar {
  readonly cut: Cut;
  readonly keyed: KeyedPiece[];
  readonly operatorState: OperatorPiece[];
  readonly inFlight: InFlightRecord[];
}

type ReaderSplits = SplitPlaces['readers'][number];

export interface CheckpointReaderOptions {
  readonly graph: JobGraph;
  readonly index: InputIndex;
  readonly durable: DurableState;
  /** Row S24: further versions of the job, and the graph of the one that took a checkpoint. Absent: there is one. */
  readonly versions?:
    | { readonly graphs: readonly JobGraph[]; readonly of: (checkpoint: number) => JobGraph }
    | undefined;
}

const EMPTY_POINTER: readonly RetainedCheckpoint[] = [];

export class CheckpointReader {
  readonly #options: CheckpointReaderOptions;
  readonly #segmented = new SegmentedState();
  readonly #unstamped: UnstampedState;
  readonly #sources: ReadonlySet<string>;
  /** Parts of sinks: their state is verified, and not compared with anything. */
  readonly #ofSinks: ReadonlySet<string>;
  /** Of them, those whose splits an enumerator assigns. */
  readonly #splitSources: ReadonlySet<string>;
  /** Operators that run a user function. */
  readonly #withFunction: ReadonlySet<string>;
  /** Of those that are chains (row B24): which source of the chain each partition is of. */
  readonly #chains: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** The partitions of sources with splits. */
  readonly #splitPartitions: ReadonlySet<number>;
  readonly #metadata = new Map<string, { readonly bytes: Uint8Array; readonly value: CheckpointMetadata }>();
  /** Partitions whose offset was read, in the checkpoint being read. */
  readonly #listed = new Set<number>();
  #pointerText = '';
  #pointer: readonly RetainedCheckpoint[] = EMPTY_POINTER;
  #floor = 0;

  constructor(options: CheckpointReaderOptions) {
    this.#options = options;
    const vertices = [options.graph, ...(options.versions?.graphs ?? [])].flatMap((graph) => graph.vertices);
    this.#unstamped = new UnstampedState(vertices);
    const sources = vertices.flatMap(({ source }) => (source === undefined ? [] : [source]));
    this.#sources = new Set(sources.map(({ uid }) => uid));
    this.#ofSinks = new Set(
      [options.graph, ...(options.versions?.graphs ?? [])].flatMap((graph) => [...operatorsOfSinks(graph)]),
    );
    const operators = vertices.flatMap((vertex) => vertex.operators);
    this.#withFunction = new Set(operators.filter((operator) => 'function' in operator).map(({ uid }) => uid));
    const splitSources = sources.filter(({ kind }) => kind === 'split-log');
    this.#splitSources = new Set(splitSources.map(({ uid }) => uid));
    this.#chains = new Map(
      splitSources.flatMap(({ uid, chain }) => (chain === undefined ? [] : [[uid, sourcesByPartition(chain)]])),
    );
    this.#splitPartitions = new Set(splitSources.flatMap(({ partitions }) => partitions));
  }

  /** The retained checkpoints now, oldest first. */
  retained(): readonly RetainedCheckpoint[] {
    const text = this.#options.durable.coordination(pointerKey(this.#options.graph.jobId)) ?? '';
    if (text !== this.#pointerText) {
      this.#pointerText = text;
      const pointer = text === '' ? undefined : decodePointer(text);
      this.#pointer = pointer?.completed ?? EMPTY_POINTER;
      // A job that has ended has no pointer any more, and what earlier runs left is still theirs.
      if (pointer !== undefined) this.#floor = pointer.job?.floor ?? 0;
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

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#metadata.size;
  }

  metadata(path: string): Readable<CheckpointMetadata> {
    const bytes = this.#options.durable.object(path);
    if (bytes === undefined) return unreadable(`${path} does not exist`);
    const known = this.#metadata.get(path);
    if (known !== undefined && known.bytes === bytes) return { kind: 'read', value: known.value };
    const read = attempt(path, () => resolvedIn(directoryOfMetadata(path), decodeMetadata(bytes)));
    if (read.kind === 'read') this.#metadata.set(path, { bytes, value: read.value });
    forgetOldest(this.#metadata, METADATA_KEPT);
    return read;
  }

  /** `_metadata` and every file it names; only `_metadata` when that cannot be read. */
  filesOf(checkpoint: RetainedCheckpoint): readonly string[] {
    const metadata = this.metadata(checkpoint.metadata);
    if (metadata.kind === 'unreadable') return [checkpoint.metadata];
    const files = [checkpoint.metadata];
    for (const { handles } of metadata.value.states) {
      for (const { path, segments = [] } of handles) {
        if (path !== '') files.push(path);
        for (const segment of segments) files.push(segment.path);
      }
    }
    return files;
  }

  contents(checkpoint: RetainedCheckpoint): Readable<CheckpointContents> {
    const metadata = this.metadata(checkpoint.metadata);
    if (metadata.kind === 'unreadable') return metadata;
    if (metadata.value.checkpointId !== checkpoint.id) {
      return unreadable(`${checkpoint.metadata} says it is checkpoint ${String(metadata.value.checkpointId)}`);
    }
    this.#listed.clear();
    const into: ContentsSoFar = {
      cut: new Int32Array(this.#options.index.input.length),
      keyed: [],
      operatorState: [],
      inFlight: [],
    };
    const readers = new Map<string, ReaderSplits[]>();
    const ended = new Map<string, KeyGroupRange[]>();
    for (const { vertex, subtask, handles, finished } of metadata.value.states) {
      if (finished === 'task') this.#readEnded(vertex, subtask, { metadata: metadata.value, cut: into.cut, ended });
      for (const handle of handles) {
        const problem =
          handle.state === 'operator' && this.#splitSources.has(handle.operator)
            ? this.#readSplits(handle, subtask, readers)
            : this.#read(handle, { subtask, hasFinished: finished !== undefined }, into);
        if (problem !== undefined) return unreadable(problem);
      }
    }
    const splitProblems = this.#cutSplits(metadata.value, readers, into.cut);
    if (typeof splitProblems === 'string') return unreadable(splitProblems);
    const graph = this.#graphOf(checkpoint.id);
    const gap =
      keyGroupProblem(metadata.value, graph, ended) ??
      operatorStateProblem(metadata.value, graph) ??
      this.#partitionProblem();
    return { kind: 'read', value: { id: checkpoint.id, ...into, gap, splitProblems, ended } };
  }

  #graphOf(checkpoint: number): JobGraph {
    return this.#options.versions?.of(checkpoint) ?? this.#options.graph;
  }

  /** Each partition has an offset in exactly one handle; two are told of when they are read. Of splits the split judge knows. */
  #partitionProblem(): string | undefined {
    const missing = this.#options.index.input.find(({ partition }) => {
      return !this.#splitPartitions.has(partition) && !this.#listed.has(partition);
    });
    return missing === undefined ? undefined : `partition ${String(missing.partition)} has no offset`;
  }

  /** A subtask that had ended has read all of its partitions, and needs no state any more. */
  #readEnded(
    vertex: number,
    subtask: number,
    into: { metadata: CheckpointMetadata; cut: Cut; ended: Map<string, KeyGroupRange[]> },
  ): void {
    const { index } = this.#options;
    const jobVertex = this.#graphOf(into.metadata.checkpointId).vertices[vertex];
    if (jobVertex === undefined) return;
    const uids = [jobVertex.source, ...jobVertex.operators].map((operator) => operator?.uid);
    const scale = into.metadata.operators.find(({ uid }) => uids.includes(uid));
    const { parallelism, maxParallelism } = scale ?? jobVertex;
    jobVertex.source?.partitions.forEach((partition, position) => {
      const slot = index.slotOf(partition);
      if (slot === undefined || position % parallelism !== subtask) return;
      into.cut[slot] = index.input[slot]?.values.length ?? 0;
      this.#listed.add(partition);
    });
    const range = keyGroupRangeOf(subtask, parallelism, maxParallelism);
    for (const operator of jobVertex.operators) {
      const { uid } = operator;
      if (!('function' in operator) && keySerializerOf(operator) === undefined) continue;
      into.ended.set(uid, [...(into.ended.get(uid) ?? []), range]);
    }
  }

  /** The splits of one reader. Returns what is wrong. */
  #readSplits(handle: StateHandle, subtask: number, readers: Map<string, ReaderSplits[]>): string | undefined {
    const bytes = this.bytesOf(handle);
    if (typeof bytes === 'string') return bytes;
    const splits = attempt(placeOf(handle), () => decodeReaderSplits(bytes));
    if (splits.kind === 'unreadable') return splits.reason;
    readers.set(handle.operator, [...(readers.get(handle.operator) ?? []), { subtask, splits: splits.value }]);
    return undefined;
  }

  /** Puts the cuts of all sources with splits into `cut`; a text says what is unreadable. */
  #cutSplits(
    { coordinators = [] }: CheckpointMetadata,
    readers: ReadonlyMap<string, readonly ReaderSplits[]>,
    cut: Cut,
  ): readonly SplitProblem[] | string {
    const problems: SplitProblem[] = [];
    for (const uid of this.#splitSources) {
      const bytes = coordinators.find(({ operator }) => operator === uid)?.bytes;
      if (bytes === undefined) return `there is no state of the coordinator of ${uid}`;
      const enumerator = attempt(`state of the coordinator of ${uid}`, () => decodeEnumeratorState(bytes));
      if (enumerator.kind === 'unreadable') return enumerator.reason;
      const chain = this.#chains.get(uid);
      const found = splitCut({
        readers: readers.get(uid) ?? [],
        enumerator: enumerator.value,
        ...(chain === undefined ? {} : { sourceOfPartition: chain }),
      });
      problems.push(...found.problems);
      for (const [partition, position] of found.positions) {
        const slot = this.#options.index.slotOf(partition);
        const length = slot === undefined ? -1 : (this.#options.index.input[slot]?.values.length ?? -1);
        if (slot === undefined) return `${uid} has a split of partition ${String(partition)}, which there is not`;
        const { offset, sub } = position === 'end' ? { offset: 0, sub: 0 } : position;
        const records = position === 'end' ? length : this.#options.index.recordsBefore(slot, offset, sub);
        if (offset < 0 || records < 0 || records > length)
          return `${uid} stands at offset ${String(offset)} of partition ${String(partition)}, where it has nothing to read`;
        cut[slot] = records;
      }
    }
    return problems;
  }

  /** As they lie there, unchecked; undefined: they do not. */
  rawBytesOf(file: StateHandle | SegmentHandle): Uint8Array | undefined {
    if ('inline' in file && file.path === '') return file.inline;
    const physical = this.#options.durable.object(file.path);
    return physical === undefined ? undefined : logicalBytes(file, physical);
  }

  /** Keyed state as one file without times, whatever wrote it. Throws `CorruptData`, as `segmentOf` may. */
  keyedFile(handle: StateHandle, bytes: Uint8Array, segmentOf: (segment: SegmentHandle) => Uint8Array): Uint8Array {
    const { segments = [], keyGroups, operator } = handle;
    if (keyGroups === undefined) throw new CorruptData(`${placeOf(handle)} names no key groups`, 0);
    const file = this.#wholeFile(bytes, segments.map(segmentOf), keyGroups);
    if (typeof file === 'string') throw new CorruptData(`${placeOf(handle)}: ${file}`, 0);
    return this.withoutTimes(operator, file);
  }

  /** A keyed state file as it is compared (unstamped-state.ts). Throws `CorruptData`. */
  withoutTimes(operator: string, file: Uint8Array): Uint8Array {
    return this.#unstamped.fileOf(operator, file);
  }

  /** The bytes of a handle, or what is wrong with them. */
  bytesOf(file: StateHandle | SegmentHandle): Uint8Array | string {
    return this.#verified('state' in file ? placeOf(file) : file.path, this.rawBytesOf(file), file);
  }

  #verified(
    place: string,
    bytes: Uint8Array | undefined,
    handle: Pick<StateHandle, 'bytes' | 'checksum'>,
  ): Uint8Array | string {
    if (bytes === undefined) return `${place} does not exist`;
    if (bytes.length !== handle.bytes) return `${place} has ${String(bytes.length)} of ${String(handle.bytes)} bytes`;
    return crc32c(bytes) === handle.checksum ? bytes : `${place} does not match its checksum`;
  }

  /** Returns what is wrong; undefined when nothing is. */
  #read(
    handle: StateHandle,
    of: Pick<OperatorPiece, 'subtask' | 'hasFinished'>,
    into: ContentsSoFar,
  ): string | undefined {
    const place = placeOf(handle);
    const bytes = this.bytesOf(handle);
    if (typeof bytes === 'string') return bytes;
    if (this.#ofSinks.has(handle.operator)) return undefined;
    if (handle.state === 'keyed') {
      if (handle.keyGroups === undefined) return `${place} names no key groups`;
      const file = this.#keyedFileOf(place, bytes, { ...handle, keyGroups: handle.keyGroups });
      if (typeof file === 'string') return file;
      into.keyed.push({ operator: handle.operator, subtask: of.subtask, bytes: file, keyGroups: handle.keyGroups });
      return undefined;
    }
    if (handle.state === 'operator') {
      if (this.#sources.has(handle.operator)) return this.#readOffsets(place, bytes, into.cut);
      if (this.#withFunction.has(handle.operator)) into.operatorState.push({ operator: handle.operator, ...of, bytes });
      return undefined;
    }
    const channels = attempt(place, () => decodeChannelState(bytes, handle.channels ?? []));
    if (channels.kind === 'unreadable') return channels.reason;
    const { subtask } = of;
    const isInput = handle.state === 'input-channel';
    for (const { edge, peer, buffers } of channels.value) {
      const [producer, consumer] = isInput ? [peer, subtask] : [subtask, peer];
      addInFlight({ edge, producer, consumer, side: isInput ? 'input' : 'output' }, buffers, into.inFlight);
    }
    return undefined;
  }

  /** Whatever wrote it, as one keyed state file; a text says what is wrong. */
  #keyedFileOf(
    place: string,
    bytes: Uint8Array,
    { segments = [], keyGroups, operator }: StateHandle & { readonly keyGroups: KeyGroupRange },
  ): Uint8Array | string {
    const files: Uint8Array[] = [];
    for (const segment of segments) {
      const file = this.#verified(segment.path, this.rawBytesOf(segment), segment);
      if (typeof file === 'string') return file;
      files.push(file);
    }
    const file = attempt(place, () => this.#wholeFile(bytes, files, keyGroups));
    if (file.kind === 'unreadable') return file.reason;
    const { value } = file;
    if (typeof value === 'string') return `${place}: ${value}`;
    const comparable = attempt(place, () => this.#unstamped.fileOf(operator, value));
    return comparable.kind === 'unreadable' ? comparable.reason : comparable.value;
  }

  /** A text says what is wrong; throws `CorruptData`. */
  #wholeFile(bytes: Uint8Array, files: readonly Uint8Array[], range: KeyGroupRange): Uint8Array | string {
    if (isChangelogManifest(bytes)) return fileOfLog(bytes, files, range, this.#segmented);
    return isManifest(bytes) ? this.#segmented.fileOf(bytes, files, range) : restorableFile(bytes);
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
      if (this.#listed.has(partition)) return `${place} has a second offset of partition ${String(partition)}`;
      this.#listed.add(partition);
      cut[slot] = offset;
    }
    return undefined;
  }
}

const placeOf = ({ path, state, operator }: StateHandle): string =>
  path === '' ? `inline ${state} state of ${operator}` : path;

function addInFlight(channel: Channel, buffers: readonly DataBuffer[], into: InFlightRecord[]): void {
  const { edge } = channel;
  for (const { values, timestampsUs, lineages } of buffers) {
    values.forEach((value, index) => {
      into.push({ edge, channel, value, timestampUs: timestampsUs[index] ?? 0, lineage: lineages[index] ?? 0 });
    });
  }
}

const sourcesByPartition = (chain: readonly SourceSpec[]): ReadonlyMap<number, number> =>
  new Map(chain.flatMap(({ partitions }, source) => partitions.map((partition) => [partition, source] as const)));

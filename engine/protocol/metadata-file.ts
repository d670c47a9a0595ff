/**
 * The `_metadata` file of a completed checkpoint (rows T2, T4; Flink: MetadataV3Serializer).
 *
 * Layout: magic 0x4960672d, format version, checkpoint id, job id, trigger time, subtask states with their handles (inline state
 * included), sections, masked CRC32C over all of it. A section is its number, its length and its content; those that are empty are left
 * out, those of unknown numbers are skipped. A flipped byte is found by the checksum (Flink has none, row T9).
 *
 * Versions: 2 added channel state, 3 the lists of operator state in its handles. Older ones are read.
 */
import { assert } from '../foundation/assert.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import { BACKENDS, type BackendName } from './configuration.ts';
import type { OperatorScale } from './job-scale.ts';
import {
  type ChannelSection,
  type OperatorStateList,
  REDISTRIBUTION_MODES,
  type SegmentHandle,
  type StateHandle,
  type StateKind,
  type SubtaskState,
} from './state-handle.ts';
import type { SavepointFormat, SnapshotType } from './checkpoint-options.ts';

const MAGIC = 0x4960672d;
const FORMAT_VERSION = 3;
/** A handle's kind as a byte: a format. */
const KINDS: readonly StateKind[] = ['operator', 'keyed', 'input-channel', 'output-channel'];
const CHECKSUM_BYTES = 4;
/** Sections by number. */
const COORDINATORS = 1;
const FINISHED = 2;
const SCALE = 3;
/** Which kind of snapshot it is; left out for a checkpoint. */
const PROPERTIES = 4;
/** Keyed state that lies in segments. */
const SEGMENTS = 5;
/** The backend whose native state it is; left out for hashmap. */
const BACKEND = 6;
const MASTER_STATES = 7;
/** Where state begins that lies in merged files. */
const MERGED = 8;
/** Before each state of a master hook, as in Flink. */
const MASTER_STATE_MAGIC = 0xc96b1696;
/** Kinds and formats as a byte: a format. */
const SNAPSHOT_TYPES: readonly SnapshotType[] = ['checkpoint', 'savepoint', 'suspend-savepoint', 'terminate-savepoint'];
const FORMATS: readonly SavepointFormat[] = ['canonical', 'native'];

/** The snapshot of an operator coordinator (row C24; Flink: OperatorState.coordinatorState). */
export interface CoordinatorState {
  readonly operator: string;
  readonly bytes: Uint8Array;
}

/** What a master hook keeps (row C25; Flink: MasterState). */
export interface MasterState {
  readonly identifier: string;
  readonly bytes: Uint8Array;
}

export interface CheckpointMetadata {
  readonly checkpointId: CheckpointId;
  readonly jobId: string;
  readonly triggeredAtUs: number;
  /** Absent: `checkpoint`. */
  readonly snapshot?: SnapshotType;
  /** Of savepoints. */
  readonly format?: SavepointFormat;
  /** Whose native state it holds (row S24). Absent: that of `hashmap`. */
  readonly backend?: BackendName;
  /** By vertex, then subtask. */
  readonly states: readonly SubtaskState[];
  /** By operator; absent: there are none. */
  readonly coordinators?: readonly CoordinatorState[];
  /** By master hook; absent: there are none. */
  readonly masterStates?: readonly MasterState[];
  /** Parallelism and maximum parallelism of every operator; empty where the file does not say it (versions 1 and 2). */
  readonly operators: readonly OperatorScale[];
  /** No subtask index at or above this was deployed before the checkpoint; 0 where the file does not say it. */
  readonly highestParallelism: number;
}

/** Files are written here, one at a time, and each of their sections there. */
const scratch = new ByteWriter();
const sectionScratch = new ByteWriter();

export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  const out = scratch;
  out.reset();
  out.writeInt32(MAGIC);
  out.writeVarUint(FORMAT_VERSION);
  out.writeVarUint(metadata.checkpointId);
  out.writeString(metadata.jobId);
  out.writeVarUint(metadata.triggeredAtUs);
  out.writeVarUint(metadata.states.length);
  for (const state of metadata.states) {
    out.writeVarUint(state.vertex);
    out.writeVarUint(state.subtask);
    out.writeVarUint(state.handles.length);
    for (const handle of state.handles) writeHandle(out, handle);
  }
  const { coordinators = [], operators, highestParallelism } = metadata;
  if (coordinators.length > 0) writeSection(out, COORDINATORS, (section) => writeCoordinators(section, coordinators));
  if (operators.length > 0 || highestParallelism > 0)
    writeSection(out, SCALE, (section) => writeScale(section, metadata));
  const marked = metadata.states.some(({ finished }) => finished !== undefined);
  if (marked) writeSection(out, FINISHED, (section) => writeFinished(section, metadata.states));
  if (metadata.snapshot !== undefined && metadata.snapshot !== 'checkpoint')
    writeSection(out, PROPERTIES, (section) => writeProperties(section, metadata));
  const segmented = handlesOf(metadata.states).some(({ segments }) => segments !== undefined);
  if (segmented) writeSection(out, SEGMENTS, (section) => writeSegments(section, metadata.states));
  const places = mergedPlaces(handlesOf(metadata.states));
  if (places.length > 0) writeSection(out, MERGED, (section) => writeMerged(section, places));
  const { backend = 'hashmap' } = metadata;
  if (backend !== 'hashmap') writeSection(out, BACKEND, (section) => section.writeString(backend));
  const { masterStates = [] } = metadata;
  if (masterStates.length > 0) writeSection(out, MASTER_STATES, (section) => writeMasterStates(section, masterStates));
  out.writeUint32(out.maskedChecksum());
  return out.toBytes();
}

/** Whether the checksum fits: `decodeMetadata` of intact bytes does not throw. */
export function isIntactMetadata(bytes: Uint8Array): boolean {
  if (bytes.length < CHECKSUM_BYTES) return false;
  const end = bytes.length - CHECKSUM_BYTES;
  return maskedCrc32c(bytes, 0, end) === new ByteReader(bytes.subarray(end)).readUint32();
}

/** Throws `CorruptData` naming the offset when the bytes are not what was written. */
export function decodeMetadata(bytes: Uint8Array): CheckpointMetadata {
  if (bytes.length < CHECKSUM_BYTES) throw new CorruptData('a _metadata file has at least a checksum', bytes.length);
  const end = bytes.length - CHECKSUM_BYTES;
  const expected = new ByteReader(bytes.subarray(end)).readUint32();
  if (maskedCrc32c(bytes, 0, end) !== expected) throw new CorruptData('the checksum of _metadata differs', end);
  const input = new ByteReader(bytes.subarray(0, end));
  if (input.readInt32() !== MAGIC) throw new CorruptData('a _metadata file starts with its magic number', 0);
  const version = input.readVarUint();
  if (version < 1 || version > FORMAT_VERSION) throw new CorruptData(`_metadata format ${version} is unknown`, 4);
  const id = checkpointId(input.readVarUint());
  const jobId = input.readString();
  const triggeredAtUs = input.readVarUint();
  const states: SubtaskState[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const vertex = input.readVarUint();
    const subtask = input.readVarUint();
    const handles: StateHandle[] = [];
    for (let more = input.readVarUint(); more > 0; more -= 1) handles.push(readHandle(input, version));
    states.push({ vertex, subtask, handles });
  }
  const sections = readSections(input, states);
  return { checkpointId: id, jobId, triggeredAtUs, states, ...sections };
}

type Sections = Pick<
  CheckpointMetadata,
  'coordinators' | 'masterStates' | 'operators' | 'highestParallelism' | 'snapshot' | 'format' | 'backend'
>;

const handlesOf = (states: readonly SubtaskState[]): StateHandle[] => states.flatMap(({ handles }) => handles);

/** By position among all handles. */
function writeSegments(out: ByteWriter, states: readonly SubtaskState[]): void {
  const handles = handlesOf(states);
  out.writeVarUint(handles.filter(({ segments }) => segments !== undefined).length);
  handles.forEach(({ segments }, index) => {
    if (segments === undefined) return;
    out.writeVarUint(index);
    out.writeVarUint(segments.length);
    for (const { path, bytes, checksum, isPlaceholder } of segments) {
      assert(isPlaceholder !== true, 'no placeholder is written into _metadata (FLINK-6640)', { path });
      out.writeString(path);
      out.writeVarUint(bytes);
      out.writeUint32(checksum);
    }
  });
}

/** Puts them into `states`. */
function readSegments(input: ByteReader, states: SubtaskState[]): void {
  const byHandle = new Map<number, SegmentHandle[]>();
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const index = input.readVarUint();
    const segments = Array.from({ length: input.readVarUint() }, () => ({
      path: input.readString(),
      bytes: input.readVarUint(),
      checksum: input.readUint32(),
    }));
    byHandle.set(index, segments);
  }
  let index = 0;
  states.forEach((state, at) => {
    const handles = state.handles.map((handle) => {
      const segments = byHandle.get(index);
      index += 1;
      return segments === undefined ? handle : { ...handle, segments };
    });
    states[at] = { ...state, handles };
  });
}

/** By position among all handles; 0 is the handle itself, from 1 its segments. */
interface MergedPlace {
  readonly handle: number;
  readonly file: number;
  readonly offset: number;
}

function mergedPlaces(handles: readonly StateHandle[]): readonly MergedPlace[] {
  return handles.flatMap((of, handle) =>
    [of, ...(of.segments ?? [])].flatMap(({ offset }, file) =>
      offset === undefined ? [] : [{ handle, file, offset }],
    ),
  );
}

function writeMerged(out: ByteWriter, places: readonly MergedPlace[]): void {
  out.writeVarUint(places.length);
  for (const { handle, file, offset } of places) {
    out.writeVarUint(handle);
    out.writeVarUint(file);
    out.writeVarUint(offset);
  }
}

/** Puts them into `states`; segments are there before it. */
function readMerged(input: ByteReader, states: SubtaskState[]): void {
  const offsets = new Map<string, number>();
  for (let left = input.readVarUint(); left > 0; left -= 1)
    offsets.set(`${input.readVarUint()}/${input.readVarUint()}`, input.readVarUint());
  let index = -1;
  states.forEach((state, at) => {
    const handles = state.handles.map((handle) => {
      index += 1;
      const own = placedAt(handle, offsets.get(`${index}/0`));
      if (own.segments === undefined) return own;
      const segments = own.segments.map((segment, file) => placedAt(segment, offsets.get(`${index}/${file + 1}`)));
      return { ...own, segments };
    });
    states[at] = { ...state, handles };
  });
}

const placedAt = <H extends object>(handle: H, offset: number | undefined): H =>
  offset === undefined ? handle : { ...handle, offset };

function readBackend(input: ByteReader): Pick<CheckpointMetadata, 'backend'> {
  const name = input.readString();
  return { backend: BACKENDS.find((backend) => backend === name) ?? input.refuse('a backend has a known name') };
}

function writeProperties(out: ByteWriter, { snapshot = 'checkpoint', format }: CheckpointMetadata): void {
  out.writeByte(SNAPSHOT_TYPES.indexOf(snapshot));
  out.writeByte(format === undefined ? FORMATS.length : FORMATS.indexOf(format));
}

function readProperties(input: ByteReader): Pick<CheckpointMetadata, 'snapshot' | 'format'> {
  const snapshot = SNAPSHOT_TYPES[input.readByte()] ?? input.refuse('a snapshot has a known type');
  const format = FORMATS[input.readByte()];
  return { ...(snapshot === 'checkpoint' ? {} : { snapshot }), ...(format === undefined ? {} : { format }) };
}

function writeSection(out: ByteWriter, number: number, write: (section: ByteWriter) => void): void {
  const section = sectionScratch;
  section.reset();
  write(section);
  out.writeByte(number);
  out.writeVarUint(section.position);
  out.writeBytes(section.view());
}

/** Marks of who had finished are put into `states`. */
function readSections(input: ByteReader, states: SubtaskState[]): Sections {
  let sections: Sections = { operators: [], highestParallelism: 0 };
  while (input.remaining > 0) {
    const number = input.readByte();
    const length = input.readVarUint();
    const start = input.position;
    if (number === COORDINATORS) sections = { ...sections, coordinators: readCoordinators(input) };
    else if (number === SCALE) sections = { ...sections, ...readScale(input) };
    else if (number === MASTER_STATES) sections = { ...sections, masterStates: readMasterStates(input) };
    else if (number === FINISHED) readFinished(input, states);
    else if (number === PROPERTIES) sections = { ...sections, ...readProperties(input) };
    else if (number === SEGMENTS) readSegments(input, states);
    else if (number === MERGED) readMerged(input, states);
    else if (number === BACKEND) sections = { ...sections, ...readBackend(input) };
    else input.skip(length);
    if (input.position !== start + length) throw new CorruptData('a section of _metadata fills its length', start);
  }
  return sections;
}

function writeCoordinators(out: ByteWriter, coordinators: readonly CoordinatorState[]): void {
  out.writeVarUint(coordinators.length);
  for (const { operator, bytes } of coordinators) {
    out.writeString(operator);
    out.writeVarUint(bytes.length);
    out.writeBytes(bytes);
  }
}

function readCoordinators(input: ByteReader): CoordinatorState[] {
  return Array.from({ length: input.readVarUint() }, () => {
    const operator = input.readString();
    return { operator, bytes: input.readBytes(input.readVarUint()) };
  });
}

function writeMasterStates(out: ByteWriter, states: readonly MasterState[]): void {
  out.writeVarUint(states.length);
  for (const { identifier, bytes } of states) {
    out.writeUint32(MASTER_STATE_MAGIC);
    out.writeString(identifier);
    out.writeVarUint(bytes.length);
    out.writeBytes(bytes);
  }
}

function readMasterStates(input: ByteReader): MasterState[] {
  return Array.from({ length: input.readVarUint() }, () => {
    if (input.readUint32() !== MASTER_STATE_MAGIC)
      throw new CorruptData('the state of a master hook begins with its magic number', input.position);
    const identifier = input.readString();
    return { identifier, bytes: input.readBytes(input.readVarUint()) };
  });
}

function writeScale(out: ByteWriter, { operators, highestParallelism }: CheckpointMetadata): void {
  out.writeVarUint(operators.length);
  for (const { uid, parallelism, maxParallelism } of operators) {
    out.writeString(uid);
    out.writeVarUint(parallelism);
    out.writeVarUint(maxParallelism);
  }
  out.writeVarUint(highestParallelism);
}

function readScale(input: ByteReader): Pick<CheckpointMetadata, 'operators' | 'highestParallelism'> {
  const operators = Array.from({ length: input.readVarUint() }, () => ({
    uid: input.readString(),
    parallelism: input.readVarUint(),
    maxParallelism: input.readVarUint(),
  }));
  return { operators, highestParallelism: input.readVarUint() };
}

/** By position in the list of states, which is by vertex, then subtask. */
function writeFinished(out: ByteWriter, states: readonly SubtaskState[]): void {
  out.writeVarUint(states.filter(({ finished }) => finished !== undefined).length);
  states.forEach(({ finished }, index) => {
    if (finished === undefined) return;
    out.writeVarUint(index);
    out.writeByte(finished === 'task' ? 1 : 0);
  });
}

function readFinished(input: ByteReader, states: SubtaskState[]): void {
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const index = input.readVarUint();
    const finished = input.readByte() === 1 ? 'task' : 'operators';
    const state = states[index];
    if (state === undefined) throw new CorruptData('a finished subtask is one of the checkpoint', input.position);
    states[index] = { ...state, finished };
  }
}

function writeHandle(out: ByteWriter, handle: StateHandle): void {
  out.writeString(handle.operator);
  out.writeByte(KINDS.indexOf(handle.state));
  out.writeString(handle.path);
  out.writeVarUint(handle.bytes);
  out.writeUint32(handle.checksum);
  out.writeByte(handle.keyGroups === undefined ? 0 : 1);
  if (handle.keyGroups !== undefined) {
    out.writeVarUint(handle.keyGroups.start);
    out.writeVarUint(handle.keyGroups.end);
  }
  out.writeVarUint(handle.channels?.length ?? 0);
  for (const { edge, peer, offset, bytes } of handle.channels ?? []) {
    out.writeVarUint(edge);
    out.writeVarUint(peer);
    out.writeVarUint(offset);
    out.writeVarUint(bytes);
  }
  if (handle.path === '') out.writeBytes(handle.inline ?? new Uint8Array(0));
  writeLists(out, handle.lists);
}

function readHandle(input: ByteReader, version: number): StateHandle {
  const operator = input.readString();
  const state = KINDS[input.readByte()];
  if (state === undefined) throw new CorruptData('a handle is of a known kind', input.position);
  const path = input.readString();
  const bytes = input.readVarUint();
  const checksum = input.readUint32();
  const keyGroups = input.readByte() === 1 ? { start: input.readVarUint(), end: input.readVarUint() } : undefined;
  const channels: ChannelSection[] = [];
  for (let left = version >= 2 ? input.readVarUint() : 0; left > 0; left -= 1) {
    channels.push({
      edge: input.readVarUint(),
      peer: input.readVarUint(),
      offset: input.readVarUint(),
      bytes: input.readVarUint(),
    });
  }
  const inline = path === '' ? input.readBytes(bytes) : undefined;
  const lists = version >= 3 ? readLists(input) : undefined;
  return {
    operator,
    state,
    path,
    bytes,
    checksum,
    ...(keyGroups === undefined ? {} : { keyGroups }),
    ...(channels.length === 0 ? {} : { channels }),
    ...(inline === undefined ? {} : { inline }),
    ...(lists === undefined ? {} : { lists }),
  };
}

/** 0: none; else their number plus one. Offsets rise, so their differences are short. */
function writeLists(out: ByteWriter, lists: StateHandle['lists']): void {
  out.writeVarUint(lists === undefined ? 0 : lists.length + 1);
  for (const { name, mode, offsets } of lists ?? []) {
    out.writeString(name);
    out.writeByte(REDISTRIBUTION_MODES.indexOf(mode));
    out.writeVarUint(offsets.length);
    let before = 0;
    for (const offset of offsets) {
      out.writeVarUint(offset - before);
      before = offset;
    }
  }
}

function readLists(input: ByteReader): OperatorStateList[] | undefined {
  const count = input.readVarUint();
  if (count === 0) return undefined;
  return Array.from({ length: count - 1 }, () => {
    const name = input.readString();
    const mode = REDISTRIBUTION_MODES[input.readByte()] ?? input.refuse('a list has a known mode');
    let before = 0;
    const offsets = Array.from({ length: input.readVarUint() }, () => {
      before += input.readVarUint();
      return before;
    });
    return { name, mode, offsets };
  });
}

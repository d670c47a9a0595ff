/**
 * The `_metadata` file of a completed checkpoint (rows T2, T4; Flink: MetadataV3Serializer).
 *
 * Layout: magic 0x4960672d, format version (2 since there is channel state), checkpoint id, job id, trigger time, subtask states with
 * their handles (inline state included), sections, CRC32C over all of it. A section is its number, its length and its content; those
 * that are empty are left out. A flipped byte is found by the checksum (Flink has none, row T9).
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { crc32c } from '../foundation/crc32c.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { SavepointFormat, SnapshotType } from './checkpoint-options.ts';
import type { ChannelSection, StateHandle, StateKind, SubtaskState } from './state-handle.ts';

const MAGIC = 0x4960672d;
/** 2 added channel state. Version 1 is read. */
const FORMAT_VERSION = 2;
/** A handle's kind as a byte: a format. */
const KINDS: readonly StateKind[] = ['operator', 'keyed', 'input-channel', 'output-channel'];
const CHECKSUM_BYTES = 4;
/** Sections by number. */
const COORDINATORS = 1;
const FINISHED = 2;
/** Which kind of snapshot it is; left out for a checkpoint. */
const PROPERTIES = 3;
/** Kinds and formats as a byte: a format. */
const SNAPSHOT_TYPES: readonly SnapshotType[] = ['checkpoint', 'savepoint', 'suspend-savepoint', 'terminate-savepoint'];
const FORMATS: readonly SavepointFormat[] = ['canonical', 'native'];

/** The snapshot of an operator coordinator (row C24; Flink: OperatorState.coordinatorState). */
export interface CoordinatorState {
  readonly operator: string;
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
  /** By vertex, then subtask. */
  readonly states: readonly SubtaskState[];
  /** By operator; absent: there are none. */
  readonly coordinators?: readonly CoordinatorState[];
}

export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  const out = new ByteWriter();
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
  writeCoordinators(out, metadata.coordinators ?? []);
  writeFinished(out, metadata.states);
  writeProperties(out, metadata);
  const body = out.toBytes();
  out.writeUint32(crc32c(body));
  return out.toBytes();
}

/** Whether the checksum fits: `decodeMetadata` of intact bytes does not throw. */
export function isIntactMetadata(bytes: Uint8Array): boolean {
  if (bytes.length < CHECKSUM_BYTES) return false;
  const end = bytes.length - CHECKSUM_BYTES;
  return crc32c(bytes, 0, end) === new ByteReader(bytes.subarray(end)).readUint32();
}

/** Throws `CorruptData` naming the offset when the bytes are not what was written. */
export function decodeMetadata(bytes: Uint8Array): CheckpointMetadata {
  if (bytes.length < CHECKSUM_BYTES) throw new CorruptData('a _metadata file has at least a checksum', bytes.length);
  const end = bytes.length - CHECKSUM_BYTES;
  const expected = new ByteReader(bytes.subarray(end)).readUint32();
  if (crc32c(bytes, 0, end) !== expected) throw new CorruptData('the checksum of _metadata differs', end);
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
  const coordinators: CoordinatorState[] = [];
  let properties: Pick<CheckpointMetadata, 'snapshot' | 'format'> = {};
  while (input.remaining > 0) {
    const section = input.readByte();
    const length = input.readVarUint();
    const start = input.position;
    if (section === COORDINATORS) readCoordinators(input, coordinators);
    else if (section === FINISHED) readFinished(input, states);
    else if (section === PROPERTIES) properties = readProperties(input);
    else input.skip(length);
    if (input.position !== start + length) throw new CorruptData('a section of _metadata fills its length', start);
  }
  const metadata = { checkpointId: id, jobId, triggeredAtUs, ...properties, states };
  return coordinators.length === 0 ? metadata : { ...metadata, coordinators };
}

function writeProperties(out: ByteWriter, { snapshot = 'checkpoint', format }: CheckpointMetadata): void {
  if (snapshot === 'checkpoint') return;
  out.writeByte(PROPERTIES);
  const start = out.beginLengthPrefixed();
  out.writeByte(SNAPSHOT_TYPES.indexOf(snapshot));
  out.writeByte(format === undefined ? FORMATS.length : FORMATS.indexOf(format));
  out.endLengthPrefixed(start);
}

function readProperties(input: ByteReader): Pick<CheckpointMetadata, 'snapshot' | 'format'> {
  const snapshot = SNAPSHOT_TYPES[input.readByte()] ?? input.refuse('a snapshot has a known type');
  const format = FORMATS[input.readByte()];
  return { ...(snapshot === 'checkpoint' ? {} : { snapshot }), ...(format === undefined ? {} : { format }) };
}

function writeCoordinators(out: ByteWriter, coordinators: readonly CoordinatorState[]): void {
  if (coordinators.length === 0) return;
  const section = new ByteWriter();
  section.writeVarUint(coordinators.length);
  for (const { operator, bytes } of coordinators) {
    section.writeString(operator);
    section.writeVarUint(bytes.length);
    section.writeBytes(bytes);
  }
  const content = section.toBytes();
  out.writeByte(COORDINATORS);
  out.writeVarUint(content.length);
  out.writeBytes(content);
}

function readCoordinators(input: ByteReader, coordinators: CoordinatorState[]): void {
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const operator = input.readString();
    coordinators.push({ operator, bytes: input.readBytes(input.readVarUint()) });
  }
}

/** By position in the list of states, which is by vertex, then subtask. */
function writeFinished(out: ByteWriter, states: readonly SubtaskState[]): void {
  const marked = states.filter(({ finished }) => finished !== undefined).length;
  if (marked === 0) return;
  out.writeByte(FINISHED);
  const start = out.beginLengthPrefixed();
  out.writeVarUint(marked);
  states.forEach(({ finished }, index) => {
    if (finished === undefined) return;
    out.writeVarUint(index);
    out.writeByte(finished === 'task' ? 1 : 0);
  });
  out.endLengthPrefixed(start);
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
  return {
    operator,
    state,
    path,
    bytes,
    checksum,
    ...(keyGroups === undefined ? {} : { keyGroups }),
    ...(channels.length === 0 ? {} : { channels }),
    ...(inline === undefined ? {} : { inline }),
  };
}

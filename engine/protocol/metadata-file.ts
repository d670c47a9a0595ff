/**
 * The `_metadata` file of a completed checkpoint (rows T2, T4; Flink: MetadataV3Serializer).
 *
 * Layout: magic 0x4960672d, format version, checkpoint id, job id, trigger time, subtask states with their handles (inline
 * state included), CRC32C over all of it. A flipped byte is found by the checksum (Flink has none, row T9).
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { crc32c } from '../foundation/crc32c.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { SavepointFormat, SnapshotType } from './checkpoint-options.ts';
import type { StateHandle, SubtaskState } from './state-handle.ts';

const MAGIC = 0x4960672d;
/** Version 2 says which kind of snapshot it is; version 1 knew checkpoints only. */
const FORMAT_VERSION = 2;
const SNAPSHOT_TYPES: readonly SnapshotType[] = ['checkpoint', 'savepoint', 'suspend-savepoint', 'terminate-savepoint'];
const FORMATS: readonly SavepointFormat[] = ['canonical', 'native'];
const CHECKSUM_BYTES = 4;

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
}

export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  const out = new ByteWriter();
  out.writeInt32(MAGIC);
  out.writeVarUint(FORMAT_VERSION);
  out.writeVarUint(metadata.checkpointId);
  out.writeString(metadata.jobId);
  out.writeVarUint(metadata.triggeredAtUs);
  out.writeByte(SNAPSHOT_TYPES.indexOf(metadata.snapshot ?? 'checkpoint'));
  out.writeByte(metadata.format === undefined ? FORMATS.length : FORMATS.indexOf(metadata.format));
  out.writeVarUint(metadata.states.length);
  for (const state of metadata.states) {
    out.writeVarUint(state.vertex);
    out.writeVarUint(state.subtask);
    out.writeVarUint(state.handles.length);
    for (const handle of state.handles) writeHandle(out, handle);
  }
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
  const properties = version >= 2 ? readProperties(input) : {};
  const states: SubtaskState[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const vertex = input.readVarUint();
    const subtask = input.readVarUint();
    const handles: StateHandle[] = [];
    for (let more = input.readVarUint(); more > 0; more -= 1) handles.push(readHandle(input));
    states.push({ vertex, subtask, handles });
  }
  return { checkpointId: id, jobId, triggeredAtUs, ...properties, states };
}

function readProperties(input: ByteReader): Pick<CheckpointMetadata, 'snapshot' | 'format'> {
  const snapshot = SNAPSHOT_TYPES[input.readByte()] ?? input.refuse('a snapshot has a known type');
  const format = FORMATS[input.readByte()];
  return { ...(snapshot === 'checkpoint' ? {} : { snapshot }), ...(format === undefined ? {} : { format }) };
}

function writeHandle(out: ByteWriter, handle: StateHandle): void {
  out.writeString(handle.operator);
  out.writeByte(handle.state === 'keyed' ? 1 : 0);
  out.writeString(handle.path);
  out.writeVarUint(handle.bytes);
  out.writeUint32(handle.checksum);
  out.writeByte(handle.keyGroups === undefined ? 0 : 1);
  if (handle.keyGroups !== undefined) {
    out.writeVarUint(handle.keyGroups.start);
    out.writeVarUint(handle.keyGroups.end);
  }
  if (handle.path === '') out.writeBytes(handle.inline ?? new Uint8Array(0));
}

function readHandle(input: ByteReader): StateHandle {
  const operator = input.readString();
  const state = input.readByte() === 1 ? 'keyed' : 'operator';
  const path = input.readString();
  const bytes = input.readVarUint();
  const checksum = input.readUint32();
  const keyGroups = input.readByte() === 1 ? { start: input.readVarUint(), end: input.readVarUint() } : undefined;
  const inline = path === '' ? input.readBytes(bytes) : undefined;
  return {
    operator,
    state,
    path,
    bytes,
    checksum,
    ...(keyGroups === undefined ? {} : { keyGroups }),
    ...(inline === undefined ? {} : { inline }),
  };
}

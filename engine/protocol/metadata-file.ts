/**
 * The `_metadata` file of a completed checkpoint (rows T2, T4; Flink: MetadataV3Serializer).
 *
 * Layout: magic 0x4960672d, format version, checkpoint id, job id, trigger time, subtask states with their handles (inline
 * state included), CRC32C over all of it. A flipped byte is found by the checksum (Flink has none, row T9).
 *
 * Version 2 has sections behind the states, each a tag, its length and its bytes, closed by tag 0: what only some checkpoints have.
 * A checkpoint without any is written as version 1. Tags: 1, who had finished.
 */
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { crc32c } from '../foundation/crc32c.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { StateHandle, SubtaskState } from './state-handle.ts';

const MAGIC = 0x4960672d;
const FORMAT_VERSION = 1;
const FORMAT_VERSION_WITH_SECTIONS = 2;
const END_OF_SECTIONS = 0;
const FINISHED_SECTION = 1;
const CHECKSUM_BYTES = 4;

export interface CheckpointMetadata {
  readonly checkpointId: CheckpointId;
  readonly jobId: string;
  readonly triggeredAtUs: number;
  /** By vertex, then subtask. */
  readonly states: readonly SubtaskState[];
}

export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  const out = new ByteWriter();
  out.writeInt32(MAGIC);
  const hasSections = metadata.states.some(({ finished }) => finished !== undefined);
  out.writeVarUint(hasSections ? FORMAT_VERSION_WITH_SECTIONS : FORMAT_VERSION);
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
  if (hasSections) {
    out.writeByte(FINISHED_SECTION);
    const start = out.beginLengthPrefixed();
    writeFinished(out, metadata.states);
    out.endLengthPrefixed(start);
    out.writeByte(END_OF_SECTIONS);
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
  if (version !== FORMAT_VERSION && version !== FORMAT_VERSION_WITH_SECTIONS)
    throw new CorruptData(`_metadata format ${version} is unknown`, 4);
  const id = checkpointId(input.readVarUint());
  const jobId = input.readString();
  const triggeredAtUs = input.readVarUint();
  const states: SubtaskState[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const vertex = input.readVarUint();
    const subtask = input.readVarUint();
    const handles: StateHandle[] = [];
    for (let more = input.readVarUint(); more > 0; more -= 1) handles.push(readHandle(input));
    states.push({ vertex, subtask, handles });
  }
  const metadata = { checkpointId: id, jobId, triggeredAtUs, states };
  return version === FORMAT_VERSION ? metadata : { ...metadata, states: withSections(input, states) };
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

function withSections(input: ByteReader, states: readonly SubtaskState[]): readonly SubtaskState[] {
  const sections: SubtaskState[] = [...states];
  for (let tag = input.readByte(); tag !== END_OF_SECTIONS; tag = input.readByte()) {
    const length = input.readVarUint();
    const start = input.position;
    if (tag !== FINISHED_SECTION) throw new CorruptData(`section ${tag} of _metadata is unknown`, start);
    for (let left = input.readVarUint(); left > 0; left -= 1) {
      const index = input.readVarUint();
      const finished = input.readByte() === 1 ? 'task' : 'operators';
      const state = sections[index];
      if (state === undefined) throw new CorruptData('a finished subtask is one of the checkpoint', input.position);
      sections[index] = { ...state, finished };
    }
    if (input.position !== start + length) throw new CorruptData('a section of _metadata fills its length', start);
  }
  return sections;
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

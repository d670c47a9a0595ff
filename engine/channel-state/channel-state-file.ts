/**
 * The file of a subtask's channel state: the data buffers that were under way on its channels (rows B5, B17; Flink:
 * ChannelStateSerializerImpl).
 *
 *     'TMCS'    uint32 format version
 *     sections  one per channel: varuint buffer count, then each buffer length-prefixed:
 *               bytes on the wire | varuint record count | records: value (JSON), event time (JSON), varuint lineage
 *     uint32    masked CRC32C of everything above
 *
 * Owns the layout. Which channel a section belongs to, and where it begins, stands in the handle and so in `_metadata`: a reader of one
 * channel needs that section only, and a rescaled restore deals out sections (row B19).
 *
 * I1: nothing is handed out before the checksum over the whole file was verified.
 * I2: buffers leave in the order they were written; events are never in it (row B5).
 */
import { assert } from '../foundation/assert.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import type { ChannelSection } from '../protocol/state-handle.ts';
import type { DataBuffer } from '../protocol/stream-elements.ts';
import { JsonSerializer, type JsonValue } from '../state/json-serializer.ts';

/** What was under way on one channel. `peer`: the subtask at its other end, producer for input and consumer for output. */
export interface ChannelBuffers {
  readonly edge: number;
  readonly peer: number;
  readonly buffers: readonly DataBuffer[];
}

/** 'TMCS' as it reads in a hex dump. */
const MAGIC = 0x53_43_4d_54;
const FORMAT_VERSION = 2;
const PREFIX_BYTES = 8;
const CHECKSUM_BYTES = 4;
const json = new JsonSerializer();
/** Files are written here, one at a time. */
const scratch = new ByteWriter();

export function encodeChannelState(channels: readonly ChannelBuffers[]): {
  readonly bytes: Uint8Array;
  readonly sections: readonly ChannelSection[];
} {
  const out = scratch;
  out.reset();
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  const sections = channels.map(({ edge, peer, buffers }): ChannelSection => {
    const offset = out.position;
    out.writeVarUint(buffers.length);
    for (const buffer of buffers) writeBuffer(buffer, out);
    return { edge, peer, offset, bytes: out.position - offset };
  });
  out.writeUint32(out.maskedChecksum());
  return { bytes: out.toBytes(), sections };
}

/** Throws `CorruptData` when the bytes are not what was written. */
export function decodeChannelState(bytes: Uint8Array, sections: readonly ChannelSection[]): ChannelBuffers[] {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < PREFIX_BYTES) throw new CorruptData('a channel state file is longer', bytes.length);
  const input = new ByteReader(bytes, 0, end);
  if (input.readUint32() !== MAGIC) throw new CorruptData('a channel state file begins with TMCS', 0);
  if (input.readUint32() !== FORMAT_VERSION) throw new CorruptData('a channel state file has format version 2', 4);
  if (maskedCrc32c(bytes, 0, end) !== new ByteReader(bytes, end).readUint32()) {
    throw new CorruptData('the file does not match its checksum', end);
  }
  return sections.map(({ edge, peer, offset, bytes: length }) => {
    if (offset < PREFIX_BYTES || offset + length > end) throw new CorruptData('a section lies within its file', offset);
    const section = new ByteReader(bytes, offset, offset + length);
    const buffers: DataBuffer[] = [];
    for (let left = section.readVarUint(); left > 0; left -= 1) buffers.push(readBuffer(section));
    if (section.remaining !== 0) section.refuse('the buffers fill their section');
    return { edge, peer, buffers };
  });
}

function writeBuffer(buffer: DataBuffer, out: ByteWriter): void {
  const { values, timestampsUs, lineages } = buffer;
  assert(
    values.length === timestampsUs.length && values.length === lineages.length,
    'a record has a time and a lineage',
  );
  const start = out.beginLengthPrefixed();
  out.writeVarUint(buffer.bytes);
  out.writeVarUint(values.length);
  values.forEach((value, index) => {
    json.serialize(value as JsonValue, out);
    json.serialize(timestampsUs[index] ?? 0, out);
    out.writeVarInt(lineages[index] ?? 0);
  });
  out.endLengthPrefixed(start);
}

function readBuffer(input: ByteReader): DataBuffer {
  const length = input.readVarUint();
  const end = input.position + length;
  const bytes = input.readVarUint();
  const values: JsonValue[] = [];
  const timestampsUs: number[] = [];
  const lineages: number[] = [];
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    values.push(json.deserialize(input));
    timestampsUs.push(Number(json.deserialize(input)));
    lineages.push(input.readVarInt());
  }
  if (input.position !== end) input.refuse('the records fill their buffer');
  return { kind: 'data', values, timestampsUs, lineages, bytes };
}

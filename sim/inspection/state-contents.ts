/**
 * What the bytes behind one state handle hold, or where they are damaged.
 *
 * Owns the description of each kind of state; the formats are the engine's (../judges/state-decoders.ts). Called by the inspection of
 * a checkpoint, for files and inline pieces alike.
 *
 * I1: what is described was verified: length and checksum of the handle, then everything the format itself can tell.
 * I2: damage is a value that names a byte: where a check of the format failed, or else the first byte of what does not fit.
 */
import { CorruptData } from '../../engine/foundation/byte-reader.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { SegmentHandle, StateHandle } from '../../engine/protocol/state-handle.ts';
import {
  decodeChangeLog,
  decodeChangelogManifest,
  decodeChannelState,
  decodeKeyedStateFile,
  decodeManifest,
  decodeOperatorStateFile,
  describeSerializer,
  isCanonical,
  isChangeLog,
  isChangelogManifest,
  isManifest,
  restorableFile,
  uncompressed,
  isSegment,
  type KeyedStateHeader,
  locateKeyedStateEntries,
  readSegmentRows,
} from '../judges/state-decoders.ts';

export interface KeyedContents {
  readonly kind: 'keyed';
  /** `segments`: of an incremental snapshot; `log`: a snapshot and changes behind it. Neither manifest counts entries. */
  readonly format: 'native' | 'canonical' | 'segments' | 'log';
  readonly keyType: string;
  readonly maxParallelism: number;
  readonly keyGroups: { readonly start: number; readonly end: number };
  readonly states: readonly {
    readonly name: string;
    readonly kind: string;
    readonly type: string;
    readonly entries?: number;
  }[];
}

export interface OperatorContents {
  readonly kind: 'operator';
  readonly lists: readonly {
    readonly name: string;
    readonly mode: string;
    readonly type: string;
    readonly elements: number;
  }[];
}

export interface ChannelContents {
  readonly kind: 'channel';
  readonly channels: readonly {
    readonly edge: number;
    readonly peer: number;
    readonly buffers: number;
    readonly records: number;
    readonly bytes: number;
  }[];
}

export type StateContents = KeyedContents | OperatorContents | ChannelContents;

export interface Damage {
  readonly offset: number;
  readonly message: string;
}

interface Damaged {
  readonly kind: 'damaged';
  readonly damage: Damage;
}
export type StateReading = { readonly kind: 'read'; readonly contents: StateContents } | Damaged;
export type SegmentReading = { readonly kind: 'read'; readonly rows: number } | Damaged;

export function readStateContents(handle: StateHandle, bytes: Uint8Array): StateReading {
  if (bytes.length !== handle.bytes) return wrongLength(handle, bytes);
  const fits = crc32c(bytes) === handle.checksum;
  const reading = tryReading(() => contentsOf(handle, bytes));
  if (fits || reading.kind === 'damaged') return reading;
  // Its own checksums fit, so it is a whole file: another one than the handle means.
  return { kind: 'damaged', damage: { offset: 0, message: 'it does not match the checksum of its handle' } };
}

function wrongLength(handle: Pick<StateHandle, 'bytes'>, bytes: Uint8Array): Damaged {
  const message = `it has ${String(bytes.length)} bytes, its handle says ${String(handle.bytes)}`;
  return { kind: 'damaged', damage: { offset: Math.min(bytes.length, handle.bytes), message } };
}

/** Runs a decoder; bytes that are not what their format says are an answer here, like in ../judges/readable.ts. */
export function tryReading(decode: () => StateContents): StateReading {
  try {
    return { kind: 'read', contents: decode() };
  } catch (error) {
    if (error instanceof CorruptData) return { kind: 'damaged', damage: damageOf(error) };
    throw error;
  }
}

/** The sentence without the offset, which is told beside it. */
export function damageOf({ message, offset }: CorruptData): Damage {
  return { offset, message: message.replace(/ \(at byte \d+\)$/, '') };
}

function contentsOf(handle: StateHandle, bytes: Uint8Array): StateContents {
  if (handle.state === 'keyed') return keyedContents(bytes);
  if (handle.state === 'operator') return operatorContents(bytes);
  const channels = decodeChannelState(bytes, handle.channels ?? []).map(({ edge, peer, buffers }) => ({
    edge,
    peer,
    buffers: buffers.length,
    records: buffers.reduce((sum, { values }) => sum + values.length, 0),
    bytes: buffers.reduce((sum, buffer) => sum + buffer.bytes, 0),
  }));
  return { kind: 'channel', channels };
}

/** A file that a manifest lists: its rows, changes or entries are read, and told by the manifest. */
export function readSegment(handle: Pick<SegmentHandle, 'bytes' | 'checksum'>, bytes: Uint8Array): SegmentReading {
  if (bytes.length !== handle.bytes) return wrongLength(handle, bytes);
  let rows = 0;
  const reading = tryReading(() => {
    rows = rowsOf(bytes);
    return { kind: 'channel', channels: [] };
  });
  if (reading.kind === 'damaged') return reading;
  if (crc32c(bytes) === handle.checksum) return { kind: 'read', rows };
  return { kind: 'damaged', damage: { offset: 0, message: 'it does not match the checksum of its handle' } };
}

/** Whatever lies in the shared directory says by itself what it is. */
function rowsOf(bytes: Uint8Array): number {
  if (isChangeLog(bytes)) return decodeChangeLog(bytes).rows.length;
  let rows = 0;
  const count = (): void => {
    rows += 1;
  };
  if (isManifest(bytes)) decodeManifest(bytes);
  else if (isSegment(bytes)) readSegmentRows(bytes, count);
  else locateKeyedStateEntries(restorableFile(bytes), count);
  return rows;
}

function keyedContents(bytes: Uint8Array): KeyedContents {
  if (isManifest(bytes)) return manifestContents(decodeManifest(bytes), 'segments');
  if (isChangelogManifest(bytes)) return manifestContents(decodeChangelogManifest(bytes), 'log');
  const canonical = isCanonical(uncompressed(bytes));
  const file = restorableFile(bytes);
  const { keySerializer, maxParallelism, keyGroups, states } = decodeKeyedStateFile(file);
  const entries = new Map<string, number>();
  locateKeyedStateEntries(file, (name) => entries.set(name, (entries.get(name) ?? 0) + 1));
  return {
    kind: 'keyed',
    format: canonical ? 'canonical' : 'native',
    keyType: describeSerializer(keySerializer),
    maxParallelism,
    keyGroups,
    states: states.map(({ name, kind, serializer }) => ({
      name,
      kind,
      type: describeSerializer(serializer),
      entries: entries.get(name) ?? 0,
    })),
  };
}

function manifestContents(
  { keySerializer, maxParallelism, keyGroups, states }: KeyedStateHeader,
  format: 'segments' | 'log',
): KeyedContents {
  return {
    kind: 'keyed',
    format,
    keyType: describeSerializer(keySerializer),
    maxParallelism,
    keyGroups,
    states: states.map(({ name, kind, serializer }) => ({ name, kind, type: describeSerializer(serializer) })),
  };
}

function operatorContents(bytes: Uint8Array): OperatorContents {
  const lists = decodeOperatorStateFile(bytes).map(({ name, mode, serializer, elements }) => ({
    name,
    mode,
    type: describeSerializer(serializer),
    elements: elements.length,
  }));
  return { kind: 'operator', lists };
}

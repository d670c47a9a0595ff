/**
 * Keyed state as a snapshot and a log of changes, as one keyed state file (row S20).
 *
 * Written from the formats of manifest and log, which have one description; that stretches follow each other, which changes come after the
 * snapshot and what they leave is found here without the engine's replay. Called by the checkpoint reader.
 *
 * I1: a gap in the log, or a change of a key group outside the range of its handle, is a fault of the checkpoint.
 */
import { ByteReader, CorruptData } from '../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { KeyGroupRange } from '../../engine/job/key-groups.ts';
import {
  type ChangelogManifest,
  decodeChangeLog,
  decodeChangelogManifest,
  decodeKeyedStateFile,
  encodeKeyedStateFile,
  isManifest,
  type KeyedStateHeader,
  locateKeyedStateEntries,
  type RowPlace,
  readRowPlace,
  restorableFile,
  type SerializerSnapshot,
  skipOf,
} from './state-decoders.ts';
import type { SegmentedState } from './segmented-state.ts';

type StateMeta = KeyedStateHeader['states'][number];

/** By text of the key bytes; of a map, entries by text of the bytes of their user keys. */
type Contents = Map<
  string,
  { readonly key: Uint8Array; whole: Uint8Array; parts: Map<string, Uint8Array> | undefined }
>;

/** `files`: what the handle names. A text says what is wrong; throws `CorruptData` where bytes are damaged. */
export function fileOfLog(
  bytes: Uint8Array,
  files: readonly Uint8Array[],
  range: KeyGroupRange,
  segmented: SegmentedState,
): Uint8Array | string {
  const manifest = decodeChangelogManifest(bytes);
  const { snapshotFiles, log } = manifest;
  if (files.length !== snapshotFiles + log.length)
    return `the manifest names ${String(snapshotFiles + log.length)} files, the handle ${String(files.length)}`;
  const below = fileBelow(manifest, files.slice(0, snapshotFiles), range, segmented);
  if (typeof below === 'string') return below;
  const header = decodeKeyedStateFile(below);
  const states = new Map(header.states.map((state) => [state.name, state]));
  const contents = contentsOf(below);
  let next = manifest.materializedTo;
  for (const [index, stretch] of log.entries()) {
    const { from, rows, states: described } = decodeChangeLog(files[snapshotFiles + index] ?? new Uint8Array(0));
    if (from !== stretch.from || from + rows.length !== stretch.to || from > next)
      return `the log has a gap before change ${String(from)}`;
    for (const state of described) states.set(state.name, state);
    for (const [at, [row, value]] of rows.entries()) {
      if (from + at < next) continue;
      const place = placeOf(row);
      if (place.keyGroup < range.start || place.keyGroup > range.end)
        return `it logs key group ${String(place.keyGroup)} of ${place.state}, outside ${String(range.start)} to ${String(range.end)}`;
      apply(contents, states.get(place.state), place, value);
    }
    next = Math.max(next, stretch.to);
  }
  return written({ ...header, states: inOrder(states) }, contents);
}

function fileBelow(
  manifest: ChangelogManifest,
  files: readonly Uint8Array[],
  range: KeyGroupRange,
  segmented: SegmentedState,
): Uint8Array | string {
  const [main, ...segments] = files;
  if (main === undefined) return encodeKeyedStateFile(manifest, () => 0);
  return isManifest(main) ? segmented.fileOf(main, segments, range) : restorableFile(main);
}

function contentsOf(file: Uint8Array): Map<string, Contents> {
  const sections = new Map<string, Contents>();
  locateKeyedStateEntries(file, (state, keyGroup, { keyStart, keyEnd, valueStart, valueEnd }) => {
    const key = file.slice(keyStart, keyEnd);
    section(sections, keyGroup, state).set(key.join(), {
      key,
      whole: file.slice(valueStart, valueEnd),
      parts: undefined,
    });
  });
  return sections;
}

function section(sections: Map<string, Contents>, keyGroup: number, state: string): Contents {
  const name = `${String(keyGroup)}/${state}`;
  const known = sections.get(name) ?? new Map<string, never>();
  sections.set(name, known);
  return known;
}

function apply(
  sections: Map<string, Contents>,
  meta: StateMeta | undefined,
  { keyGroup, state, key, userKey }: RowPlace,
  value: Uint8Array | undefined,
): void {
  const contents = section(sections, keyGroup, state);
  const name = key.join();
  if (userKey.length === 0) {
    if (value === undefined) contents.delete(name);
    else contents.set(name, { key, whole: value, parts: undefined });
    return;
  }
  const entry = contents.get(name) ?? { key, whole: new Uint8Array(1), parts: undefined };
  entry.parts ??= partsOf(entry.whole, meta?.serializer);
  if (value === undefined) entry.parts.delete(userKey.join());
  else entry.parts.set(userKey.join(), value);
  if (entry.parts.size === 0) contents.delete(name);
  else contents.set(name, entry);
}

/** Entries of a whole map: its size, then each user key and value behind each other. */
function partsOf(whole: Uint8Array, form: SerializerSnapshot | undefined): Map<string, Uint8Array> {
  const skips = form?.fields?.map(({ serializer }) => skipOf(serializer)) ?? [];
  const input = new ByteReader(whole);
  const part = (at: number): Uint8Array => {
    const start = input.position;
    const skip = skips[at];
    if (skip === undefined) throw new CorruptData('the entries of a map can be told apart', start);
    skip(input);
    return whole.slice(start, input.position);
  };
  const parts = new Map<string, Uint8Array>();
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const userKey = part(0);
    parts.set(userKey.join(), part(1));
  }
  return parts;
}

function written(header: KeyedStateHeader, sections: ReadonlyMap<string, Contents>): Uint8Array {
  return encodeKeyedStateFile(header, (state, keyGroup, out) => {
    const contents = sections.get(`${String(keyGroup)}/${header.states[state]?.name ?? ''}`);
    for (const { key, whole, parts } of contents?.values() ?? []) {
      const value = parts === undefined ? whole : mapOf(parts);
      out.writeVarUint(key.length);
      out.writeBytes(key);
      out.writeVarUint(value.length);
      out.writeBytes(value);
    }
    return contents?.size ?? 0;
  });
}

function mapOf(parts: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const out = new ByteWriter();
  out.writeVarUint(parts.size);
  const keys = [...parts.keys()].map((text) => text.split(',').map(Number));
  for (const userKey of keys.sort(byBytes)) {
    for (const byte of userKey) out.writeByte(byte);
    out.writeBytes(parts.get(userKey.join()) ?? new Uint8Array(0));
  }
  return out.toBytes();
}

/** User keys of one map differ, so it never ties. */
function byBytes(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  if (at < 0) return -1;
  return (a[at] ?? 0) - (b[at] ?? -1);
}

const inOrder = (states: ReadonlyMap<string, StateMeta>): StateMeta[] =>
  [...states.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

function placeOf(row: string): RowPlace {
  const bytes = Uint8Array.from(row, (character) => character.charCodeAt(0));
  return readRowPlace(new ByteReader(bytes), bytes.length);
}

/**
 * Keyed state in segments, as one keyed state file: what the newest row of each key says, map entries gathered (rows S17, S18).
 *
 * Written from the formats of manifest and segment, which have one description; which row is the newest, and what belongs to a subtask, is
 * found here without the engine's store. Called by the checkpoint reader.
 *
 * I1: a row of a key group outside the range of its handle is a fault of the checkpoint: after the next rescale it would be state again.
 */
import { ByteReader } from '../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { KeyGroupRange } from '../../engine/job/key-groups.ts';
import {
  decodeManifest,
  encodeKeyedStateFile,
  type Manifest,
  type RowPlace,
  readRowPlace,
  readSegmentRows,
} from './state-decoders.ts';

interface SegmentRow extends RowPlace {
  /** The whole row key as text, one character per byte. */
  readonly id: string;
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined;
}

/** Bytes of a whole entry: one piece, or of a map user key and value of each of its entries. */
interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly rows: SegmentRow[];
}

/** Segments that many checkpoints have in common are read once. */
const REMEMBERED_MAX = 512;

export class SegmentedState {
  readonly #read = new Map<Uint8Array, readonly SegmentRow[]>();

  /** `segments` in the order of the manifest. A text says what is wrong; throws `CorruptData` where bytes are damaged. */
  fileOf(bytes: Uint8Array, segments: readonly Uint8Array[], range: KeyGroupRange): Uint8Array | string {
    const manifest = decodeManifest(bytes);
    const { segments: listed } = manifest;
    if (listed.length !== segments.length)
      return `the manifest lists ${String(listed.length)} segments, the handle ${String(segments.length)}`;
    const newest = new Map<string, SegmentRow>();
    for (let level = Math.max(0, ...listed.map((entry) => entry.level)); level >= 0; level -= 1)
      listed.forEach((entry, index) => {
        if (entry.level !== level) return;
        for (const row of this.#rowsOf(segments[index] ?? new Uint8Array(0))) newest.set(row.id, row);
      });
    const rows = [...newest.values()];
    const stray = rows.find(({ keyGroup }) => keyGroup < range.start || keyGroup > range.end);
    if (stray !== undefined)
      return `it holds key group ${String(stray.keyGroup)} of ${stray.state}, outside ${String(range.start)} to ${String(range.end)}`;
    return fileOfRows(manifest, rows);
  }

  #rowsOf(bytes: Uint8Array): readonly SegmentRow[] {
    const known = this.#read.get(bytes);
    if (known !== undefined) return known;
    const rows: SegmentRow[] = [];
    readSegmentRows(bytes, (key, value) => {
      rows.push({ id: String.fromCharCode(...key), ...readRowPlace(new ByteReader(key), key.length), value });
    });
    if (this.#read.size >= REMEMBERED_MAX) this.#read.clear();
    this.#read.set(bytes, rows);
    return rows;
  }
}

function fileOfRows(manifest: Manifest, rows: readonly SegmentRow[]): Uint8Array {
  const sections = new Map<string, Map<string, Entry>>();
  for (const row of rows) {
    const { keyGroup, state, key, userKey, value, id } = row;
    if (value === undefined) continue;
    const name = `${String(keyGroup)}/${state}`;
    const section = sections.get(name) ?? new Map<string, Entry>();
    sections.set(name, section);
    const whole = id.slice(0, id.length - userKey.length);
    const entry = section.get(whole) ?? { key, value, rows: [] };
    section.set(whole, entry);
    if (userKey.length > 0) entry.rows.push(row);
  }
  return encodeKeyedStateFile(manifest, (state, keyGroup, out) => {
    const section = sections.get(`${String(keyGroup)}/${manifest.states[state]?.name ?? ''}`);
    for (const { key, value, rows: ofMap } of section?.values() ?? []) {
      const bytes = ofMap.length === 0 ? value : mapOf(ofMap);
      out.writeVarUint(key.length);
      out.writeBytes(key);
      out.writeVarUint(bytes.length);
      out.writeBytes(bytes);
    }
    return section?.size ?? 0;
  });
}

/** Size, then user key and value of each entry in the order of the bytes of the user keys. */
function mapOf(rows: readonly SegmentRow[]): Uint8Array {
  const out = new ByteWriter();
  out.writeVarUint(rows.length);
  // Rows of one key differ in their user keys, so the comparison never ties.
  for (const { userKey, value } of [...rows].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    out.writeBytes(userKey);
    out.writeBytes(value ?? new Uint8Array(0));
  }
  return out.toBytes();
}

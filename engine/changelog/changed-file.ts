/**
 * A keyed state file with logged changes applied to it, without the types of the job: only the descriptions in the file are needed, so
 * state that no function has registered takes part.
 *
 * I1: the last change of a row decides; I2: a map is taken apart by the descriptions of its keys and values; what they cannot be read over
 *     by is refused, never guessed; I3: a state has one form in file and log.
 */
import { compareBytes } from '../foundation/byte-order.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { type ByteString, readRowPlace, toByteString, toBytes } from '../lsm/row-key.ts';
import type { LoggedChanges } from '../state/keyed-state-backend.ts';
import {
  decodeKeyedStateFile,
  encodeKeyedStateFile,
  locateKeyedStateEntries,
  type StateMetaInfo,
} from '../state/keyed-state-file.ts';
import { skipOf } from '../state/schema-compatibility.ts';
import { describeSerializer, IncompatibleState, type Read, sameSnapshot } from '../state/type-serializer.ts';

interface Entry {
  readonly key: Uint8Array;
  /** Of a map that was changed, its entries take the place of this. */
  value: Uint8Array;
  map?: Map<ByteString, Uint8Array>;
}

/** Entries of one state in one key group by key, as they lie in the file. */
type Section = Map<ByteString, Entry>;

/** Throws `CorruptData` or `IncompatibleState`. Changes of key groups that the file does not have are left out. */
export function changedFile(file: Uint8Array, { states: changed, rows }: LoggedChanges): Uint8Array {
  const header = decodeKeyedStateFile(file);
  const states = unitedStates(header.states, changed);
  const kinds = new Map(states.map((meta) => [meta.name, meta]));
  const sections = new Map<string, Section>();
  locateKeyedStateEntries(file, (state, keyGroup, place) => {
    const key = file.slice(place.keyStart, place.keyEnd);
    sectionOf(sections, keyGroup, state).set(nameOf(key), { key, value: file.slice(place.valueStart, place.valueEnd) });
  });
  const { start, end } = header.keyGroups;
  for (const [row, value] of rows) {
    const { keyGroup, state, key, userKey } = readRowPlace(new ByteReader(toBytes(row)), row.length);
    if (keyGroup < start || keyGroup > end) continue;
    const meta = kinds.get(state);
    if (meta === undefined) throw new CorruptData(`the log describes state '${state}'`, 0);
    const section = sectionOf(sections, keyGroup, state);
    if (userKey.length > 0) changeMap({ section, meta, key, userKey: toByteString(userKey), value });
    else if (value === undefined) section.delete(nameOf(key));
    else section.set(nameOf(key), { key, value });
  }
  return encodeKeyedStateFile({ ...header, states }, (state, keyGroup, out) =>
    writeSection(sections.get(`${keyGroup}/${states[state]?.name ?? ''}`), out),
  );
}

/** By name (I3). */
export function unitedStates(
  before: readonly StateMetaInfo[],
  after: readonly StateMetaInfo[],
): readonly StateMetaInfo[] {
  const united = new Map(before.map((meta) => [meta.name, meta]));
  for (const meta of after) {
    const known = united.get(meta.name);
    if (known !== undefined && (known.kind !== meta.kind || !sameSnapshot(known.serializer, meta.serializer))) {
      const [first, second] = [describeSerializer(known.serializer), describeSerializer(meta.serializer)];
      throw new IncompatibleState(`state '${meta.name}' is logged as ${second}, and lies as ${first} in what is below`);
    }
    united.set(meta.name, meta);
  }
  // Names differ, so the comparison never ties.
  return [...united.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sectionOf(sections: Map<string, Section>, keyGroup: number, state: string): Section {
  const name = `${keyGroup}/${state}`;
  const section = sections.get(name) ?? new Map<ByteString, Entry>();
  sections.set(name, section);
  return section;
}

const nameOf = (key: Uint8Array): ByteString => toByteString(key);

function changeMap(change: {
  readonly section: Section;
  readonly meta: StateMetaInfo;
  readonly key: Uint8Array;
  readonly userKey: ByteString;
  readonly value: Uint8Array | undefined;
}): void {
  const { section, meta, key, userKey, value } = change;
  const name = nameOf(key);
  const entry: Entry = section.get(name) ?? { key, value: EMPTY_MAP };
  entry.map ??= entriesOf(meta, entry.value);
  if (value === undefined) entry.map.delete(userKey);
  else entry.map.set(userKey, value);
  if (entry.map.size === 0) section.delete(name);
  else section.set(name, entry);
}

/** What a map without entries is written as. */
const EMPTY_MAP = new Uint8Array([0]);

/** I2. */
function entriesOf({ name, serializer }: StateMetaInfo, bytes: Uint8Array): Map<ByteString, Uint8Array> {
  const [keyForm, valueForm] = serializer.fields ?? [];
  const skipKey = keyForm && skipOf(keyForm.serializer);
  const skipValue = valueForm && skipOf(valueForm.serializer);
  if (skipKey === undefined || skipValue === undefined)
    throw new IncompatibleState(`the entries of map '${name}' cannot be told apart: ${describeSerializer(serializer)}`);
  const input = new ByteReader(bytes);
  const part = (skip: Read<void>): Uint8Array => {
    const start = input.position;
    skip(input);
    return bytes.slice(start, input.position);
  };
  const entries = new Map<ByteString, Uint8Array>();
  for (let left = input.readVarUint(); left > 0; left -= 1) {
    const userKey = toByteString(part(skipKey));
    entries.set(userKey, part(skipValue));
  }
  if (input.remaining !== 0) input.refuse('the entries of a map fill it');
  return entries;
}

function writeSection(section: Section | undefined, out: ByteWriter): number {
  for (const { key, value, map } of section?.values() ?? []) {
    const bytes = map === undefined ? value : wholeMap(map);
    out.writeVarUint(key.length);
    out.writeBytes(key);
    out.writeVarUint(bytes.length);
    out.writeBytes(bytes);
  }
  return section?.size ?? 0;
}

/** In the order of the bytes of the user keys (keyed-state-handles.ts, I3). */
function wholeMap(map: ReadonlyMap<ByteString, Uint8Array>): Uint8Array {
  const out = new ByteWriter();
  out.writeVarUint(map.size);
  const entries = Array.from(map, ([userKey, value]) => ({ userKey: toBytes(userKey), value }));
  for (const { userKey, value } of entries.sort((a, b) => compareBytes(a.userKey, b.userKey))) {
    out.writeBytes(userKey);
    out.writeBytes(value);
  }
  return out.toBytes();
}

/**
 * Rows of a store as the entries of a keyed state file, where all entries of a map are one value, and back: so that a full snapshot in
 * segments, a savepoint and a file of another backend say the same (row C26).
 *
 * Invariant I1: a map of a state that no function has registered yet lies whole in one row without a user key, because only its
 * serializers can take it apart; it is taken apart when the state is registered.
 */
import { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { encodeKeyedStateFile, type KeyedStateHeader } from '../state/keyed-state-file.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import { type ByteString, keyGroupOfRow, readRowPlace, toBytes } from './row-key.ts';

export interface KeyedEntry {
  readonly keyGroup: number;
  readonly state: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

type PresentRow = readonly [key: ByteString, value: Uint8Array];

/** Rows by rising key. `isMap`: what the header says of a state. */
export function entriesOf(rows: readonly PresentRow[], isMap: (state: string) => boolean): KeyedEntry[] {
  const entries: KeyedEntry[] = [];
  let map: { readonly prefix: ByteString; readonly entry: KeyedEntry; readonly rows: Uint8Array[][] } | undefined;
  const endMap = (): void => {
    if (map !== undefined) entries.push({ ...map.entry, value: wholeMap(map.rows) });
    map = undefined;
  };
  for (const [row, value] of rows) {
    const { keyGroup, state, key, userKey } = readRowPlace(new ByteReader(toBytes(row)), row.length);
    const prefix = row.slice(0, row.length - userKey.length);
    if (map?.prefix !== prefix) endMap();
    if (userKey.length === 0 || !isMap(state)) entries.push({ keyGroup, state, key, value });
    else {
      map ??= { prefix, entry: { keyGroup, state, key, value }, rows: [] };
      map.rows.push([userKey, value]);
    }
  }
  endMap();
  return entries;
}

/** The file that another backend restores, and of which a canonical savepoint is made. */
export function keyedStateFileOf(header: KeyedStateHeader, rows: readonly PresentRow[]): Uint8Array {
  const maps = new Set(header.states.filter(({ kind }) => kind === 'map').map(({ name }) => name));
  const sections = new Map<string, KeyedEntry[]>();
  for (const entry of entriesOf(rows, (state) => maps.has(state))) {
    const section = `${entry.keyGroup}/${entry.state}`;
    const entries = sections.get(section);
    if (entries === undefined) sections.set(section, [entry]);
    else entries.push(entry);
  }
  return encodeKeyedStateFile(header, (state, keyGroup, out) => {
    const entries = sections.get(`${keyGroup}/${header.states[state]?.name ?? ''}`) ?? [];
    for (const { key, value } of entries) {
      out.writeVarUint(key.length);
      out.writeBytes(key);
      out.writeVarUint(value.length);
      out.writeBytes(value);
    }
    return entries.length;
  });
}

/** A whole map, taken apart into user key and value (I1). */
export function takeApart(
  bytes: Uint8Array,
  { keyType, valueType }: { keyType: TypeSerializer<StateKey>; valueType: TypeSerializer<unknown> },
): { readonly userKey: Uint8Array; readonly value: Uint8Array }[] {
  const input = new ByteReader(bytes);
  const part = (type: TypeSerializer<unknown>): Uint8Array => {
    const start = input.position;
    type.deserialize(input);
    return bytes.slice(start, input.position);
  };
  const entries = Array.from({ length: input.readVarUint() }, () => {
    const userKey = part(keyType);
    return { userKey, value: part(valueType) };
  });
  if (input.remaining !== 0) input.refuse('the entries of a map fill it');
  return entries;
}

/** Size, then entries in the order of their key bytes, which is that of the rows. */
function wholeMap(rows: readonly (readonly Uint8Array[])[]): Uint8Array {
  const out = new ByteWriter();
  out.writeVarUint(rows.length);
  for (const parts of rows) for (const part of parts) out.writeBytes(part);
  return out.toBytes();
}

/** Whether a row belongs to a range of key groups. */
export const isWithin = (row: ByteString, { start, end }: { readonly start: number; readonly end: number }): boolean =>
  keyGroupOfRow(row) >= start && keyGroupOfRow(row) <= end;

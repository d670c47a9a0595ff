/**
 * What a user function gets from the reference for each state it declared: Flink's kinds over plain cells.
 *
 * Owns the meaning of the kinds and the bytes of their content, written from the state contract and not from the engine's
 * backend. Called by the reference's operator state.
 *
 * I1: a list or map that becomes empty is no entry.
 * I2: the first value folded into a reducing state is copied: `reduce` may change what is there, never a record.
 * I3: reading content that is mutable marks it as changed.
 */
import { assert, unreachable } from '../../engine/foundation/assert.ts';
import type { ByteReader } from '../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { StateKey } from '../../engine/job/functions.ts';
import { StateCells } from './reference-cells.ts';
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from './state-decoders.ts';

export interface ReferenceHandle {
  /** ValueState, ListState, MapState, ReducingState or AggregatingState. */
  readonly state: unknown;
  readonly cells: StateCells;
  /** The content that bytes stand for, for messages; throws `CorruptData`. */
  readonly decode: (input: ByteReader) => unknown;
  /** The content that bytes stand for, as a cell holds it; throws `CorruptData`. */
  readonly load: (input: ByteReader) => unknown;
}

export function bindReferenceState(descriptor: StateDescriptor): ReferenceHandle {
  switch (descriptor.kind) {
    case 'value':
      return valueHandle(descriptor);
    case 'list':
      return listHandle(descriptor);
    case 'map':
      return mapHandle(descriptor);
    case 'reducing':
      return reducingHandle(descriptor);
    case 'aggregating':
      return aggregatingHandle(descriptor);
    default:
      return unreachable(descriptor);
  }
}

function valueHandle({ type }: ValueStateDescriptor<unknown>): ReferenceHandle {
  const cells = new StateCells((content, out) => type.serialize(content, out));
  const touches = !type.immutable;
  const state: ValueState<unknown> = {
    value: () => cells.content(touches),
    update: (value) => {
      assert(value !== undefined, 'a state value is not undefined');
      cells.put(value);
    },
    clear: () => cells.remove(),
  };
  const decode = (input: ByteReader): unknown => type.deserialize(input);
  return { state, cells, decode, load: decode };
}

function reducingHandle(descriptor: ReducingStateDescriptor<unknown>): ReferenceHandle {
  const { type } = descriptor;
  const cells = new StateCells((content, out) => type.serialize(content, out));
  const touches = !type.immutable;
  const state: ReducingState<unknown> = {
    get: () => cells.content(touches),
    add: (value) => {
      const current = cells.content(false);
      cells.put(current === undefined ? type.copy(value) : descriptor.reduce(current, value));
    },
    clear: () => cells.remove(),
  };
  const decode = (input: ByteReader): unknown => type.deserialize(input);
  return { state, cells, decode, load: decode };
}

/** What a value adds goes into an accumulator of the key's own; the result is asked of it and never stored. */
function aggregatingHandle(descriptor: AggregatingStateDescriptor<unknown, unknown, unknown>): ReferenceHandle {
  const { type } = descriptor;
  const cells = new StateCells((content, out) => type.serialize(content, out));
  const touches = !type.immutable;
  const state: AggregatingState<unknown, unknown> = {
    get: () => {
      const accumulator = cells.content(touches);
      return accumulator === undefined ? undefined : descriptor.getResult(accumulator);
    },
    add: (value) => cells.put(descriptor.add(cells.content(false) ?? descriptor.createAccumulator(), value)),
    clear: () => cells.remove(),
  };
  const decode = (input: ByteReader): unknown => type.deserialize(input);
  return { state, cells, decode, load: decode };
}

function listHandle({ type }: ListStateDescriptor<unknown>): ReferenceHandle {
  const cells = new StateCells((content, out) => {
    const list = content as readonly unknown[];
    out.writeVarUint(list.length);
    for (const element of list) type.serialize(element, out);
  });
  const touches = !type.immutable;
  const list = (touched: boolean): unknown[] | undefined => cells.content(touched) as unknown[] | undefined;
  const update = (elements: readonly unknown[]): void => {
    if (elements.length === 0) cells.remove();
    else cells.put(elements.slice());
  };
  const state: ListState<unknown> = {
    get: () => list(touches) ?? [],
    add: (element) => {
      const current = list(true);
      if (current === undefined) cells.put([element]);
      else current.push(element);
    },
    addAll: (elements) => update([...(list(false) ?? []), ...elements]),
    update,
    clear: () => cells.remove(),
  };
  const decode = (input: ByteReader): unknown =>
    Array.from({ length: input.readVarUint() }, () => type.deserialize(input));
  return { state, cells, decode, load: decode };
}

function mapHandle(descriptor: MapStateDescriptor<StateKey, unknown>): ReferenceHandle {
  const cells = new StateCells((content, out) => writeMap(descriptor, content as Map<StateKey, unknown>, out));
  const touches = !descriptor.valueType.immutable;
  const map = (touched: boolean): Map<StateKey, unknown> | undefined =>
    cells.content(touched) as Map<StateKey, unknown> | undefined;
  const state: MapState<StateKey, unknown> = {
    get: (key) => map(touches)?.get(key),
    put: (key, value) => {
      assert(value !== undefined, 'a map value is not undefined');
      const current = map(true);
      if (current === undefined) cells.put(new Map([[key, value]]));
      else current.set(key, value);
    },
    remove: (key) => {
      const current = map(true);
      current?.delete(key);
      if (current?.size === 0) cells.remove();
    },
    contains: (key) => map(false)?.has(key) ?? false,
    entries: () => [...(map(touches) ?? [])].sort(([a], [b]) => inOrderOfKeys(a, b)),
    keys: () => [...(map(false)?.keys() ?? [])].sort(inOrderOfKeys),
    isEmpty: () => map(false) === undefined,
    clear: () => cells.remove(),
  };
  const { keyType, valueType } = descriptor;
  const pair = (input: ByteReader): [StateKey, unknown] => [keyType.deserialize(input), valueType.deserialize(input)];
  const decode = (input: ByteReader): [StateKey, unknown][] =>
    Array.from({ length: input.readVarUint() }, () => pair(input));
  return { state, cells, decode, load: (input) => new Map(decode(input)) };
}

/** A map lists its keys in order: false, true, numbers by value, strings by code unit. */
function inOrderOfKeys(a: StateKey, b: StateKey): number {
  const kinds = ['boolean', 'number', 'string'];
  const byKind = kinds.indexOf(typeof a) - kinds.indexOf(typeof b);
  if (byKind !== 0 || a === b) return byKind;
  return a < b ? -1 : 1;
}

/** Size, then pairs in the order of their key bytes. */
function writeMap(
  { keyType, valueType }: MapStateDescriptor<StateKey, unknown>,
  map: ReadonlyMap<StateKey, unknown>,
  out: ByteWriter,
): void {
  const pairs = Array.from(map, ([key, value]) => {
    const keyOut = new ByteWriter();
    keyType.serialize(key, keyOut);
    return { keyBytes: keyOut.toBytes(), value };
  });
  pairs.sort((a, b) => compareBytes(a.keyBytes, b.keyBytes));
  out.writeVarUint(pairs.length);
  for (const { keyBytes, value } of pairs) {
    out.writeBytes(keyBytes);
    valueType.serialize(value, out);
  }
}

/** Byte order; a shorter prefix comes first. Different keys have different bytes, so it never ties. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

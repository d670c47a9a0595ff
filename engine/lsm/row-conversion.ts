/**
 * Rows of an earlier form of a state made rows of its present form (row S13). As Flink's RocksDB backend: all of a state at once, when a
 * function registers it, because rows of two forms could not be told apart.
 *
 * A serializer that only asks to be reconfigured has its rows written anew, too: the store keeps bytes, not serializers.
 */
import { ByteReader } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateMetaInfo } from '../state/keyed-state-file.ts';
import { AS_IS, readerOf, resolveSchema } from '../state/schema-compatibility.ts';
import type { StateDescriptor } from '../state/state-descriptor.ts';
import { resolveStoredState } from '../state/stored-state.ts';
import type { Read, TypeSerializer } from '../state/type-serializer.ts';

/** Bytes of a row's value in the present form. `isEntry`: the row is one entry of a map, not a whole value. */
export type RowConversion = (value: Uint8Array, isEntry: boolean) => Uint8Array;

export interface PresentState {
  readonly descriptor: StateDescriptor;
  /** Of the state as a whole. */
  readonly serializer: TypeSerializer<unknown>;
}

/** Undefined: rows are what they should be. Throws `IncompatibleState`. */
export function rowConversion(
  written: StateMetaInfo,
  { descriptor, serializer }: PresentState,
  operator: string | undefined,
): RowConversion | undefined {
  const found = resolveStoredState(written, { kind: descriptor.kind, serializer }, operator);
  if (found.kind === 'compatible-as-is') return undefined;
  const whole = rewriter(serializer, readerOf(serializer, found));
  if (descriptor.kind !== 'map') return whole;
  const { valueType } = descriptor;
  const before = written.serializer.fields?.[1]?.serializer;
  const entry = rewriter(
    valueType,
    readerOf(valueType, before === undefined ? AS_IS : resolveSchema(valueType, before)),
  );
  return (value, isEntry) => (isEntry ? entry(value) : whole(value));
}

function rewriter<T>(serializer: TypeSerializer<T>, read: Read<T>): (value: Uint8Array) => Uint8Array {
  return (value) => {
    const input = new ByteReader(value);
    const converted = read(input);
    if (input.remaining !== 0) input.refuse('a value fills its row');
    const out = new ByteWriter();
    serializer.serialize(converted, out);
    return out.toBytes();
  };
}

/**
 * Splits in durable state, as rows: what a reader keeps in operator state, and what an enumerator keeps in `_metadata` (row K1). The
 * names of lists and fields are a format. A reader's splits are elements of one list, so that they can be dealt out on rescale. Of a chain of
 * sources (row B24) each row says which source it is of, and the enumerator's state says which one is read now.
 */
import { CorruptData } from '../foundation/byte-reader.ts';
import { type LogSplit, sourceOf } from '../protocol/operator-events.ts';
import type { OperatorStateList } from '../protocol/state-handle.ts';
import { OperatorStateStore } from '../state/operator-state.ts';
import { Types } from '../state/type-information.ts';

/** `next`: where the next range of the partition begins; `UNBOUNDED`, `ENDED`: there will be none. */
export interface DiscoveredPartition {
  readonly partition: number;
  readonly next: number;
}
export interface EnumeratorRows {
  readonly discovered: readonly DiscoveredPartition[];
  readonly unassigned: readonly LogSplit[];
}

const SPLIT_FIELDS = {
  splitId: Types.string,
  partition: Types.int,
  offset: Types.int,
  sub: Types.int,
  end: Types.int,
};
const SPLIT = Types.row(SPLIT_FIELDS);
const DISCOVERED = Types.row({ partition: Types.int, next: Types.int });
const SPLIT_OF_CHAIN = Types.row({ source: Types.int, ...SPLIT_FIELDS });
const DISCOVERED_OF_CHAIN = Types.row({ source: Types.int, partition: Types.int, next: Types.int });

/** Encoders: each holds only what it encodes now. */
const READER = new OperatorStateStore();
const READER_SPLITS = READER.getListState('splits', SPLIT);
const ENUMERATOR = new OperatorStateStore();
const ENUMERATOR_DISCOVERED = ENUMERATOR.getListState('discovered', DISCOVERED);
const ENUMERATOR_UNASSIGNED = ENUMERATOR.getListState('unassigned', SPLIT);
const CHAIN_READER = new OperatorStateStore();
const CHAIN_READER_SPLITS = CHAIN_READER.getListState('chain-splits', SPLIT_OF_CHAIN);
const CHAIN = new OperatorStateStore();
const CHAIN_SOURCE = CHAIN.getListState('source', Types.int);
const CHAIN_DISCOVERED = CHAIN.getListState('chain-discovered', DISCOVERED_OF_CHAIN);
const CHAIN_UNASSIGNED = CHAIN.getListState('chain-unassigned', SPLIT_OF_CHAIN);

export function encodeReaderSplits(splits: readonly LogSplit[], isChain = false): Uint8Array {
  if (isChain) {
    CHAIN_READER_SPLITS.update(splits.map((split) => ({ source: sourceOf(split), ...split })));
    return CHAIN_READER.snapshot().write();
  }
  READER_SPLITS.update(splits);
  return READER.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeReaderSplits(bytes: Uint8Array, lists?: readonly OperatorStateList[]): readonly LogSplit[] {
  const store = new OperatorStateStore();
  store.restore(bytes, lists);
  return [...store.getListState('splits', SPLIT).get(), ...store.getListState('chain-splits', SPLIT_OF_CHAIN).get()];
}

export function encodeEnumeratorState({ discovered, unassigned }: EnumeratorRows): Uint8Array {
  ENUMERATOR_DISCOVERED.update(discovered);
  ENUMERATOR_UNASSIGNED.update(unassigned);
  return ENUMERATOR.snapshot().write();
}

/** The enumerators of a chain up to the one whose splits are assigned now, which is the last (Flink: HybridSourceEnumeratorState). */
export function encodeChainState(enumerators: readonly EnumeratorRows[]): Uint8Array {
  CHAIN_SOURCE.update([enumerators.length - 1]);
  CHAIN_DISCOVERED.update(
    enumerators.flatMap(({ discovered }, source) => discovered.map((partition) => ({ source, ...partition }))),
  );
  CHAIN_UNASSIGNED.update(
    enumerators.flatMap(({ unassigned }, source) => unassigned.map((split) => ({ source, ...split }))),
  );
  return CHAIN.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. Of a chain: of all of its sources. */
export function decodeEnumeratorState(bytes: Uint8Array): EnumeratorRows {
  const store = new OperatorStateStore();
  store.restore(bytes);
  return {
    discovered: [
      ...store.getListState('discovered', DISCOVERED).get(),
      ...store.getListState('chain-discovered', DISCOVERED_OF_CHAIN).get(),
    ],
    unassigned: [
      ...store.getListState('unassigned', SPLIT).get(),
      ...store.getListState('chain-unassigned', SPLIT_OF_CHAIN).get(),
    ],
  };
}

/** By source of the chain, up to the one whose splits are assigned now. Throws `CorruptData` or `IncompatibleState`. */
export function decodeChainState(bytes: Uint8Array): readonly EnumeratorRows[] {
  const store = new OperatorStateStore();
  store.restore(bytes);
  const [current] = store.getListState('source', Types.int).get();
  if (current === undefined) throw new CorruptData('the state of a chain of sources says which one is read', 0);
  const discovered = store.getListState('chain-discovered', DISCOVERED_OF_CHAIN).get();
  const unassigned = store.getListState('chain-unassigned', SPLIT_OF_CHAIN).get();
  return Array.from({ length: current + 1 }, (_, source) => ({
    discovered: discovered.filter((row) => row.source === source).map(({ partition, next }) => ({ partition, next })),
    unassigned: unassigned.filter((split) => split.source === source),
  }));
}

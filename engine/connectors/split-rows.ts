/**
 * Splits in durable state, as rows: what a reader keeps in operator state, and what an enumerator keeps in `_metadata` (row K1). The
 * names of lists and fields are a format. A reader's splits are elements of one list, so that they can be dealt out on rescale.
 */
import type { LogSplit } from '../protocol/operator-events.ts';
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

const SPLIT = Types.row({
  splitId: Types.string,
  partition: Types.int,
  offset: Types.int,
  sub: Types.int,
  end: Types.int,
});
const DISCOVERED = Types.row({ partition: Types.int, next: Types.int });

/** Encoders: each holds only what it encodes now. */
const READER = new OperatorStateStore();
const READER_SPLITS = READER.getListState('splits', SPLIT);
const ENUMERATOR = new OperatorStateStore();
const ENUMERATOR_DISCOVERED = ENUMERATOR.getListState('discovered', DISCOVERED);
const ENUMERATOR_UNASSIGNED = ENUMERATOR.getListState('unassigned', SPLIT);

export function encodeReaderSplits(splits: readonly LogSplit[]): Uint8Array {
  READER_SPLITS.update(splits);
  return READER.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeReaderSplits(bytes: Uint8Array, lists?: readonly OperatorStateList[]): readonly LogSplit[] {
  const store = new OperatorStateStore();
  store.restore(bytes, lists);
  return store.getListState('splits', SPLIT).get();
}

export function encodeEnumeratorState({ discovered, unassigned }: EnumeratorRows): Uint8Array {
  ENUMERATOR_DISCOVERED.update(discovered);
  ENUMERATOR_UNASSIGNED.update(unassigned);
  return ENUMERATOR.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeEnumeratorState(bytes: Uint8Array): EnumeratorRows {
  const store = new OperatorStateStore();
  store.restore(bytes);
  return {
    discovered: store.getListState('discovered', DISCOVERED).get(),
    unassigned: store.getListState('unassigned', SPLIT).get(),
  };
}

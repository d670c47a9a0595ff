/**
 * What sources and sinks keep in operator state, as rows (rows K4, K9). The names of lists and fields are a format: files live longer
 * than code.
 *
 * Both lists are UNION state (row S6): after a change of parallelism each subtask sees all, and keeps the partitions and the producers
 * that are its own now. Dealt out one by one (SPLIT_DISTRIBUTE) an offset could land where nobody reads its partition, and a
 * transaction where it is fenced off by the subtask that took over its producer (decision 0023).
 */
import type { OperatorStateList } from '../protocol/state-handle.ts';
import { OperatorStateStore } from '../state/operator-state.ts';
import { Types } from '../state/type-information.ts';

/** `offset` is the next record to read. */
export interface SourceOffset {
  readonly partition: number;
  readonly offset: number;
}
/** A transaction pre-committed for a checkpoint and not yet known to be committed. */
export interface SinkTransaction {
  /** Index of the producer that wrote it: a subtask index of this or an earlier deployment. */
  readonly producer: number;
  readonly transaction: string;
  readonly checkpointId: number;
}

const OFFSETS = Types.row({ partition: Types.int, offset: Types.int });
const TRANSACTIONS = Types.row({ producer: Types.int, transaction: Types.string, checkpointId: Types.int });

/** Encoders: each holds only what it encodes now. Made once, because every subtask encodes at every checkpoint. */
const OFFSETS_ENCODER = new OperatorStateStore();
const OFFSETS_LIST = OFFSETS_ENCODER.getUnionListState('offsets', OFFSETS);
const TRANSACTIONS_ENCODER = new OperatorStateStore();
const TRANSACTIONS_LIST = TRANSACTIONS_ENCODER.getUnionListState('transactions', TRANSACTIONS);

export function encodeSourceOffsets(offsets: readonly SourceOffset[]): Uint8Array {
  OFFSETS_LIST.update(offsets);
  return OFFSETS_ENCODER.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeSourceOffsets(bytes: Uint8Array, lists?: readonly OperatorStateList[]): readonly SourceOffset[] {
  const store = new OperatorStateStore();
  store.restore(bytes, lists);
  return store.getUnionListState('offsets', OFFSETS).get();
}

export function encodeSinkTransactions(transactions: readonly SinkTransaction[]): Uint8Array {
  TRANSACTIONS_LIST.update(transactions);
  return TRANSACTIONS_ENCODER.snapshot().write();
}

export function decodeSinkTransactions(
  bytes: Uint8Array,
  lists?: readonly OperatorStateList[],
): readonly SinkTransaction[] {
  const store = new OperatorStateStore();
  store.restore(bytes, lists);
  return store.getUnionListState('transactions', TRANSACTIONS).get();
}

/**
 * What sources and sinks keep in operator state, as rows (rows K4, K9). The names of lists and fields are a format: files live longer
 * than code.
 */
import { OperatorStateStore } from '../state/operator-state.ts';
import { Types } from '../state/type-information.ts';

/** `offset` is the next record to read. */
export interface SourceOffset {
  readonly partition: number;
  readonly offset: number;
}
/** A transaction pre-committed for a checkpoint and not yet known to be committed. */
export interface SinkTransaction {
  readonly transaction: string;
  readonly checkpointId: number;
}

const OFFSETS = Types.row({ partition: Types.int, offset: Types.int });
const TRANSACTIONS = Types.row({ transaction: Types.string, checkpointId: Types.int });

/** Encoders: each holds only what it encodes now. Made once, because every subtask encodes at every checkpoint. */
const OFFSETS_ENCODER = new OperatorStateStore();
const OFFSETS_LIST = OFFSETS_ENCODER.getListState('offsets', OFFSETS);
const TRANSACTIONS_ENCODER = new OperatorStateStore();
const TRANSACTIONS_LIST = TRANSACTIONS_ENCODER.getListState('transactions', TRANSACTIONS);

export function encodeSourceOffsets(offsets: readonly SourceOffset[]): Uint8Array {
  OFFSETS_LIST.update(offsets);
  return OFFSETS_ENCODER.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeSourceOffsets(bytes: Uint8Array): readonly SourceOffset[] {
  const store = new OperatorStateStore();
  store.restore(bytes);
  return store.getListState('offsets', OFFSETS).get();
}

export function encodeSinkTransactions(transactions: readonly SinkTransaction[]): Uint8Array {
  TRANSACTIONS_LIST.update(transactions);
  return TRANSACTIONS_ENCODER.snapshot().write();
}

export function decodeSinkTransactions(bytes: Uint8Array): readonly SinkTransaction[] {
  const store = new OperatorStateStore();
  store.restore(bytes);
  return store.getListState('transactions', TRANSACTIONS).get();
}

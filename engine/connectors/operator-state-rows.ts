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

export function encodeSourceOffsets(offsets: readonly SourceOffset[]): Uint8Array {
  const store = new OperatorStateStore();
  store.getListState('offsets', OFFSETS).update(offsets.map(({ partition, offset }) => ({ partition, offset })));
  return store.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeSourceOffsets(bytes: Uint8Array): readonly SourceOffset[] {
  const store = new OperatorStateStore();
  store.restore(bytes);
  return store.getListState('offsets', OFFSETS).get();
}

export function encodeSinkTransactions(transactions: readonly SinkTransaction[]): Uint8Array {
  const store = new OperatorStateStore();
  store
    .getListState('transactions', TRANSACTIONS)
    .update(transactions.map(({ transaction, checkpointId }) => ({ transaction, checkpointId })));
  return store.snapshot().write();
}

export function decodeSinkTransactions(bytes: Uint8Array): readonly SinkTransaction[] {
  const store = new OperatorStateStore();
  store.restore(bytes);
  return store.getListState('transactions', TRANSACTIONS).get();
}

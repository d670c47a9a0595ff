/**
 * What sources keep in operator state, as rows (row K4). The names of lists and fields are a format: files live longer than code.
 *
 * The list is UNION state (row S6): after a change of parallelism each subtask sees all, and keeps the partitions that are its own now.
 * Dealt out one by one (SPLIT_DISTRIBUTE) an offset could land where nobody reads its partition.
 */
import type { OperatorStateList } from '../protocol/state-handle.ts';
import { OperatorStateStore } from '../state/operator-state.ts';
import { Types } from '../state/type-information.ts';

/** `offset` is the next record to read. */
export interface SourceOffset {
  readonly partition: number;
  readonly offset: number;
}

const OFFSETS = Types.row({ partition: Types.int, offset: Types.int });

/** Encoders: each holds only what it encodes now. Made once, because every subtask encodes at every checkpoint. */
const OFFSETS_ENCODER = new OperatorStateStore();
const OFFSETS_LIST = OFFSETS_ENCODER.getUnionListState('offsets', OFFSETS);

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

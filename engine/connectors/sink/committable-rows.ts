/**
 * What a sink keeps in operator state, as rows (rows K5 to K7). The names of lists and fields are a format: files live longer than code.
 *
 * Both lists are UNION state (row S6): after a change of parallelism each subtask sees all, and keeps what belongs to the writer subtasks
 * whose number is its own modulo the parallelism. Dealt out one by one, a committable could land where its producer is fenced off by the
 * subtask that took it over (decision 0023).
 */
import type { OperatorStateList } from '../../protocol/state-handle.ts';
import { OperatorStateStore } from '../../state/operator-state.ts';
import { Types } from '../../state/type-information.ts';
import type { CommittableRow } from './committable-collector.ts';

export interface SinkState {
  readonly committables: readonly CommittableRow[];
  /** What writers keep for themselves. */
  readonly writers: readonly string[];
}

const COMMITTABLES = Types.row({
  checkpointId: Types.int,
  subtask: Types.int,
  subtasks: Types.int,
  expected: Types.int,
  received: Types.int,
  committable: Types.string,
});
const WRITER = Types.string;

/** Encoders: each holds only what it encodes now. Made once, because every subtask encodes at every checkpoint. */
const ENCODER = new OperatorStateStore();
const ENCODED = ENCODER.getUnionListState('committables', COMMITTABLES);
/** Most writers keep nothing: then there is no list of it. */
const WRITER_ENCODER = new OperatorStateStore();
const WRITER_ENCODED = WRITER_ENCODER.getUnionListState('committables', COMMITTABLES);
const WRITERS_ENCODED = WRITER_ENCODER.getUnionListState('writers', WRITER);

export function encodeSinkState({ committables, writers }: SinkState): Uint8Array {
  if (writers.length === 0) {
    ENCODED.update(committables);
    return ENCODER.snapshot().write();
  }
  WRITER_ENCODED.update(committables);
  WRITERS_ENCODED.update(writers);
  return WRITER_ENCODER.snapshot().write();
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function decodeSinkState(bytes: Uint8Array, lists?: readonly OperatorStateList[]): SinkState {
  const store = new OperatorStateStore();
  store.restore(bytes, lists);
  return {
    committables: store.getUnionListState('committables', COMMITTABLES).get(),
    writers: store.getUnionListState('writers', WRITER).get(),
  };
}

/** Of all subtasks, one behind the other. */
export const joinedSinkState = (states: readonly SinkState[]): SinkState => ({
  committables: states.flatMap(({ committables }) => committables),
  writers: states.flatMap(({ writers }) => writers),
});

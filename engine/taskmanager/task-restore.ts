/**
 * Gives every part of a subtask what it kept in the checkpoint (Flink: StreamTask.restoreStateAndGates,
 * OperatorChain.initializeStateAndOpenOperators).
 *
 * Owns: who gets which state. Does not own: the fetching (state-restore.ts), what is to be committed, which the sink settles by itself
 * (sink-operator.ts).
 */
import { restoredChannels } from '../channel-state/channel-state-restore.ts';
import { takenOverData } from '../channel-state/taken-over-data.ts';
import { decodeSinkState, joinedSinkState, type SinkState } from '../connectors/sink/committable-rows.ts';
import type { RestoredPiece, SourceReader } from '../connectors/source-reader.ts';
import { type KeyedPiece, OperatorChain, type OperatorChainOptions } from './operator-chain.ts';
import type { RestoredState } from './state-restore.ts';
import type { TaskInput } from './task-input.ts';
import type { TaskOutputs } from './task-outputs.ts';

export interface TaskRestoreOptions extends Omit<OperatorChainOptions, 'keyedStateOf' | 'operatorStateOf'> {
  /** First what is taken over from channels of another parallelism (row B19), then the subtask's own. */
  readonly states: readonly RestoredState[];
  /** How many of them are taken over. */
  readonly takenOver: number;
  readonly tail: TaskOutputs;
  readonly input: TaskInput | undefined;
  readonly source: SourceReader | undefined;
}

/** `sinkState`: of the sinks of all subtasks. */
export function restoreTask(options: TaskRestoreOptions): {
  readonly chain: OperatorChain;
  readonly sinkState: SinkState;
} {
  const { environment, subtask, userCode, takenOver, tail, input, source } = options;
  const states = options.states.slice(takenOver);
  const piecesOf = (operator: string, kind: 'keyed' | 'operator'): readonly (RestoredPiece & KeyedPiece)[] =>
    states
      .filter(({ handle }) => handle.operator === operator && handle.state === kind)
      .map(({ bytes, handle, segments }) => ({ bytes, lists: handle.lists, segments }));
  const chain = new OperatorChain({
    keyedStateOf: (operator) => piecesOf(operator, 'keyed'),
    operatorStateOf: (operator) => piecesOf(operator, 'operator'),
    ...options,
  });
  tail.recover(restoredChannels(states, 'output-channel'));
  input?.recover(restoredChannels(states, 'input-channel'));
  const consumer = { graph: environment.graph, subtask, userCode };
  input?.takeOver(takenOverData(options.states.slice(0, takenOver), consumer));
  source?.restore(piecesOf(source.uid, 'operator'));
  const { sink } = chain;
  const sinkPieces = sink === undefined ? [] : piecesOf(sink.uid, 'operator');
  return { chain, sinkState: joinedSinkState(sinkPieces.map(({ bytes, lists }) => decodeSinkState(bytes, lists))) };
}

/**
 * Gives every part of a subtask what it kept in the checkpoint (Flink: StreamTask.restoreStateAndGates,
 * OperatorChain.initializeStateAndOpenOperators).
 *
 * Owns: who gets which state. Does not own: the fetching (state-restore.ts), the transactions, which the sink settles by itself
 * (transactional-sink.ts).
 */
import { restoredChannels } from '../channel-state/channel-state-restore.ts';
import { takenOverData } from '../channel-state/taken-over-data.ts';
import { decodeSinkTransactions, type SinkTransaction } from '../connectors/operator-state-rows.ts';
import type { RestoredPiece, SourceReader } from '../connectors/source-reader.ts';
import { type KeyedPiece, OperatorChain, type OperatorChainOptions } from './operator-chain.ts';
import type { RestoredState } from './state-restore.ts';
import type { TaskInput } from './task-input.ts';
import type { TaskOutputs } from './task-outputs.ts';

export interface TaskRestoreOptions extends Omit<OperatorChainOptions, 'keyedStateOf'> {
  /** First what is taken over from channels of another parallelism (row B19), then the subtask's own. */
  readonly states: readonly RestoredState[];
  /** How many of them are taken over. */
  readonly takenOver: number;
  readonly tail: TaskOutputs;
  readonly input: TaskInput | undefined;
  readonly source: SourceReader | undefined;
}

/** `transactions`: what the sink has pre-committed. */
export function restoreTask(options: TaskRestoreOptions): {
  readonly chain: OperatorChain;
  readonly transactions: readonly SinkTransaction[];
} {
  const { environment, subtask, userCode, takenOver, tail, input, source } = options;
  const states = options.states.slice(takenOver);
  const piecesOf = (operator: string, kind: 'keyed' | 'operator'): readonly (RestoredPiece & KeyedPiece)[] =>
    states
      .filter(({ handle }) => handle.operator === operator && handle.state === kind)
      .map(({ bytes, handle, segments }) => ({ bytes, lists: handle.lists, segments }));
  const chain = new OperatorChain({
    ...options,
    keyedStateOf: (operator) => piecesOf(operator, 'keyed'),
  });
  tail.recover(restoredChannels(states, 'output-channel'));
  input?.recover(restoredChannels(states, 'input-channel'));
  const consumer = { graph: environment.graph, subtask, userCode };
  input?.takeOver(takenOverData(options.states.slice(0, takenOver), consumer));
  source?.restore(piecesOf(source.uid, 'operator'));
  const { sink } = chain;
  const transactions =
    sink === undefined
      ? []
      : piecesOf(sink.uid, 'operator').flatMap(({ bytes, lists }) => decodeSinkTransactions(bytes, lists));
  return { chain, transactions };
}

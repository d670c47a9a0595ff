/**
 * Producers and the broker of a RocketMQ-like system: half messages, their end, and the broker's question what became of them.
 *
 * Owns: the vocabulary, and the names of transactions. A half message is stored and nobody sees it; its transaction is ended by a message that
 * nobody confirms, so the broker asks the producer group when it hears nothing (check-back; RocketMQ: CHECK_TRANSACTION_STATE).
 * Invariants:
 *   I1 all half messages of a transaction are of one writer attempt and belong to one checkpoint; its name says both.
 */
import type { Lineage, RecordValue } from './stream-elements.ts';

/** What a producer says of a transaction; `unknown`: ask again later. */
export type TransactionState = 'commit' | 'rollback' | 'unknown';

export type RocketMqRequest =
  /** A producer of the group is here and can be asked (RocketMQ: the heartbeat of a client). */
  | { readonly kind: 'rocketmq-register'; readonly requestId: number; readonly group: string }
  | RocketMqHalf
  /** Answers a check, too. Has no reply. */
  | {
      readonly kind: 'rocketmq-end';
      readonly group: string;
      readonly transaction: string;
      readonly state: TransactionState;
    };

export interface RocketMqHalf {
  readonly kind: 'rocketmq-half';
  readonly requestId: number;
  readonly group: string;
  readonly transaction: string;
  /** The same when the message is sent again: the broker stores it twice, and consumers may tell by it (RocketMQ: the message key). */
  readonly key: string;
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
  readonly bytes: number;
}

export interface RocketMqCheck {
  readonly kind: 'rocketmq-check';
  readonly group: string;
  readonly transaction: string;
}

export interface TransactionName {
  readonly uid: string;
  readonly subtask: number;
  readonly attempt: number;
  /** The first that may hold it. */
  readonly checkpoint: number;
}

const NAME = /^(.+)-(\d+)-(\d+)-(\d+)$/;

export const producerGroup = (uid: string, subtask: number): string => `${uid}-${subtask}`;

export const transactionName = ({ uid, subtask, attempt, checkpoint }: TransactionName): string =>
  `${producerGroup(uid, subtask)}-${attempt}-${checkpoint}`;

export function parseTransactionName(text: string): TransactionName | undefined {
  const [, uid, subtask, attempt, checkpoint] = NAME.exec(text) ?? [];
  if (uid === undefined) return undefined;
  return { uid, subtask: Number(subtask), attempt: Number(attempt), checkpoint: Number(checkpoint) };
}

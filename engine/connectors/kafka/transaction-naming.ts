/**
 * Which transactional ids a writer uses, and which ones earlier attempts may have left open (row K10; Flink: TransactionNamingStrategyImpl,
 * TransactionAbortStrategyImpl). Pure.
 *
 * An id is `<sink>-<subtask>-<offset>`. `incrementing`: the offset is the checkpoint that the transaction belongs to, and each is used once.
 * `pooling`: the smallest one that is not in use.
 */
import type { KafkaTransactionId } from '../../protocol/kafka-messages.ts';

export const transactionalId = (prefix: string, subtask: number, offset: number): string =>
  `${prefix}-${subtask}-${offset}`;

/** Subtask and offset of an id of this prefix; undefined: it is none. */
export function parseTransactionalId(
  id: string,
  prefix: string,
): { readonly subtask: number; readonly offset: number } | undefined {
  const match = id.startsWith(`${prefix}-`) ? /^(\d+)-(\d+)$/.exec(id.slice(prefix.length + 1)) : null;
  return match === null ? undefined : { subtask: Number(match[1]), offset: Number(match[2]) };
}

/** The smallest offset that no id in use has. */
export function freeOffset(inUse: ReadonlySet<string>, prefix: string, subtask: number): number {
  let offset = 0;
  while (inUse.has(transactionalId(prefix, subtask, offset))) offset += 1;
  return offset;
}

/** What a commit must know, as text in the state of the committer. */
export const encodeCommittable = ({ transactionalId: id, producerId, producerEpoch }: KafkaTransactionId): string =>
  `${id}/${producerId}/${producerEpoch}`;

export function decodeCommittable(text: string): KafkaTransactionId {
  const [id = '', producerId = '', producerEpoch = ''] = text.split('/');
  return { transactionalId: id, producerId: Number(producerId), producerEpoch: Number(producerEpoch) };
}

/**
 * Ends transactions whose checkpoint is complete (rows K6, K7, K11; Flink: KafkaCommitter). The producer's id and epoch are in the committable:
 * whoever has it can commit.
 */
import type { Micros } from '../../foundation/time.ts';
import type { Out } from '../../protocol/actor.ts';
import type { KafkaReply } from '../../protocol/kafka-messages.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import type { CommitAnswer, CommitAnswered, CommittableWithLineage, Committer } from '../sink/sink-contract.ts';
import { KafkaClient, type KafkaClientOptions } from './kafka-client.ts';
import { decodeCommittable } from './transaction-naming.ts';

/** To find the leader; beyond that the committer operator comes again. */
const PATIENCE = 4;

export class KafkaCommitter implements Committer {
  readonly #client: KafkaClient;

  constructor(options: KafkaClientOptions) {
    this.#client = new KafkaClient(options);
  }

  commit({ committable }: CommittableWithLineage, answered: CommitAnswered, out: Out): void {
    const transaction = decodeCommittable(committable);
    this.#client.request(
      {
        about: transaction.transactionalId,
        patience: PATIENCE,
        message: (requestId) => ({ kind: 'kafka-end-transaction', requestId, ...transaction, commit: true }),
        answered: (reply, _nowUs, replyOut) => answered(answerOf(reply), replyOut),
      },
      out,
    );
  }

  transactionOf(committable: string): string {
    return decodeCommittable(committable).transactionalId;
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind === 'kafka-reply') this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }
}

/**
 * A producer that is fenced, or a transaction that is not there, was aborted by its timeout, or committed before and its id used again since:
 * no later try can change that. Flink drops it and logs, and so the records may be lost (row K11).
 */
function answerOf(reply: KafkaReply | undefined): CommitAnswer {
  const reason = reply?.outcome ?? 'no-reply';
  switch (reason) {
    case 'done':
      return { outcome: 'committed', reason, failure: 'commit-failed' };
    case 'fenced':
    case 'invalid-transaction-state':
      return { outcome: 'failed-known', reason, failure: 'transaction-lost' };
    case 'no-reply':
    case 'not-leader':
    case 'unavailable':
    case 'concurrent-transactions':
      return { outcome: 'retry-later', reason, failure: 'commit-failed' };
    case 'out-of-order-sequence':
    case 'ongoing-transaction':
    case 'invalid-timeout':
      return { outcome: 'failed-unknown', reason, failure: 'commit-failed' };
    default:
      throw new RangeError(`unknown outcome ${String(reason satisfies never)}`);
  }
}

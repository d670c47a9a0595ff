/**
 * Commits transactions of the sink store (rows K6, K7). A committable is the name of a transaction; the producer follows from the subtask
 * that wrote it.
 */
import { RequestClient } from '../../clients/request-client.ts';
import type { ExecutionAttemptId, NodeId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkReply, SinkServiceReply } from '../../protocol/messages.ts';
import type { CommitAnswer, CommitAnswered, CommittableWithLineage, Committer } from '../sink/sink-contract.ts';
import { producerName } from './producer-name.ts';

export interface SinkStoreCommitterOptions {
  readonly uid: string;
  readonly attempt: ExecutionAttemptId;
  readonly store: NodeId;
  readonly requestTimeoutUs: number;
  readonly firstRequestId: number;
}

export class SinkStoreCommitter implements Committer {
  readonly #options: SinkStoreCommitterOptions;
  readonly #client: RequestClient<SinkReply>;

  constructor(options: SinkStoreCommitterOptions) {
    this.#options = options;
    const { store, requestTimeoutUs, firstRequestId } = options;
    const place = { node: store, via: 'datagram', name: 'sink-commit' } as const;
    this.#client = new RequestClient({ timeoutUs: requestTimeoutUs, firstRequestId, ...place });
  }

  commit({ committable, subtask }: CommittableWithLineage, answered: CommitAnswered, out: Out): void {
    const { uid, attempt } = this.#options;
    this.#client.request(
      (requestId) => ({
        kind: 'sink-commit',
        requestId,
        producer: producerName(uid, subtask),
        producerEpoch: attempt,
        transaction: committable,
      }),
      out,
      (reply, _nowUs, replyOut) => answered(answerOf(reply?.outcome), replyOut),
    );
  }

  transactionOf(committable: string): string {
    return committable;
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind === 'sink-reply') this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }
}

/** The store never drops what is pre-committed, so a lost transaction is no known reason: it fails the job (where Flink's Kafka sink drops). */
function answerOf(outcome: SinkReply['outcome'] | undefined): CommitAnswer {
  switch (outcome) {
    case 'done':
      return { outcome: 'committed', reason: outcome, failure: 'commit-failed' };
    case undefined:
    case 'unavailable':
      return { outcome: 'retry-later', reason: outcome ?? 'no-reply', failure: 'commit-failed' };
    case 'aborted':
      return { outcome: 'failed-unknown', reason: outcome, failure: 'transaction-lost' };
    case 'fenced':
      return { outcome: 'failed-unknown', reason: outcome, failure: 'sink-fenced' };
    case 'incomplete':
      return { outcome: 'failed-unknown', reason: outcome, failure: 'commit-failed' };
    default:
      throw new RangeError(`unknown outcome ${String(outcome satisfies never)}`);
  }
}

/**
 * Ends transactions whose checkpoint is complete (rows K6, K7; RocketMQ: endTransactionOneway). The message has no reply: sent is committed.
 * Where it is lost the broker asks, and the writer answers the same (rocketmq-writer.ts, I1).
 */
import { MAIN_MAILBOX, type NodeId } from '../../foundation/ids.ts';
import type { Out } from '../../protocol/actor.ts';
import { parseTransactionName, producerGroup } from '../../protocol/rocketmq-messages.ts';
import type { CommitAnswered, CommittableWithLineage, Committer } from '../sink/sink-contract.ts';

export class RocketMqCommitter implements Committer {
  readonly #broker: NodeId;

  constructor(broker: NodeId) {
    this.#broker = broker;
  }

  commit({ committable: transaction }: CommittableWithLineage, answered: CommitAnswered, out: Out): void {
    const name = parseTransactionName(transaction);
    const group = name === undefined ? '' : producerGroup(name.uid, name.subtask);
    const target = { node: this.#broker, mailbox: MAIN_MAILBOX, via: 'datagram' } as const;
    out.send(target, { kind: 'rocketmq-end', group, transaction, state: 'commit' });
    answered({ outcome: 'committed', reason: 'sent', failure: 'commit-failed' }, out);
  }

  transactionOf(committable: string): string {
    return committable;
  }

  handleReply(): void {
    // Nothing is answered.
  }

  handleTimer(): boolean {
    return false;
  }
}

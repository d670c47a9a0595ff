/**
 * One partition of the transaction log: the transactions whose ids hash to it (Kafka: TransactionStateManager, __transaction_state).
 *
 * Owns: states and their transitions, decided and done in one step; it is durable. Does not own: who leads it (kafka-cluster.ts), the
 * sending of markers (kafka-broker.ts), time.
 * Invariants:
 *   I1 the epoch of a producer rises with every initialization and every abort that its owner did not ask for: who has an older one is
 *      fenced, for good;
 *   I2 a transaction that is being ended goes to its end: prepared, markers in all its partitions, complete; meanwhile nobody else may begin;
 *   I3 ending what ended the same way is done again without effect; the other way is refused;
 *   I4 a producer id belongs to one transactional id;
 *   I5 an epoch has one transaction (KIP-890): a request that comes late, or twice, opens none;
 *   I6 whoever initializes an id and does not ask for more leaves what is open under it as it is, and its epoch (decision 0135).
 */
import { assert } from '../../../engine/foundation/assert.ts';
import type { KafkaOutcome } from '../../../engine/protocol/kafka-messages.ts';
import type { BrokerRules } from './broker-rules.ts';

export type TransactionState =
  | 'empty'
  | 'ongoing'
  | 'prepare-commit'
  | 'prepare-abort'
  | 'complete-commit'
  | 'complete-abort';

/** A marker that is still to be written. */
export interface DueMarker {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partition: string;
  readonly commit: boolean;
}

export interface TransactionFact {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly state: TransactionState;
  readonly partitions: readonly string[];
}

interface Transaction {
  readonly producerId: number;
  producerEpoch: number;
  state: TransactionState;
  /** Of an ending one: those whose marker is still to come. */
  readonly partitions: Set<string>;
  timeoutUs: number;
  startedAtUs: number;
}

type Who = Pick<DueMarker, 'transactionalId' | 'producerId' | 'producerEpoch'>;

export interface TransactionLogOptions {
  readonly rules: BrokerRules;
  /** Ids of new producers, over all partitions of the log. */
  readonly nextProducerId: () => number;
  /** Told of each transition. */
  readonly onState: (fact: TransactionFact) => void;
}

const IS_ENDING: ReadonlySet<TransactionState> = new Set(['prepare-commit', 'prepare-abort']);

export class TransactionLog {
  readonly #options: TransactionLogOptions;
  readonly #transactions = new Map<string, Transaction>();

  constructor(options: TransactionLogOptions) {
    this.#options = options;
  }

  /** Row J4, I1. An open transaction is aborted first, and the caller comes again; or it is left alone, and told (I6). */
  initialize(
    transactionalId: string,
    timeoutUs: number,
    abortsOngoing: boolean,
  ): { readonly outcome: KafkaOutcome; readonly producerId: number; readonly producerEpoch: number } {
    const known = this.#transactions.get(transactionalId);
    if (known === undefined) {
      const producerId = this.#options.nextProducerId();
      const fresh: Transaction = {
        producerId,
        producerEpoch: 0,
        state: 'empty',
        partitions: new Set(),
        timeoutUs,
        startedAtUs: 0,
      };
      this.#transactions.set(transactionalId, fresh);
      return { outcome: 'done', producerId, producerEpoch: 0 };
    }
    const { producerId } = known;
    if (known.state === 'ongoing') {
      if (!abortsOngoing) return { outcome: 'ongoing-transaction', producerId, producerEpoch: known.producerEpoch };
      this.fence(transactionalId);
    }
    if (IS_ENDING.has(known.state)) return { outcome: 'concurrent-transactions', producerId, producerEpoch: 0 };
    known.producerEpoch += 1;
    known.timeoutUs = timeoutUs;
    this.#move(transactionalId, known, 'empty');
    return { outcome: 'done', producerId, producerEpoch: known.producerEpoch };
  }

  /** The owner of an ongoing transaction has an old epoch from now on, and the transaction is being aborted under the one returned. */
  fence(transactionalId: string): number {
    const ongoing = this.#transactions.get(transactionalId);
    assert(ongoing?.state === 'ongoing', 'only what is ongoing can be taken from its owner', { transactionalId });
    ongoing.producerEpoch += 1;
    this.#move(transactionalId, ongoing, 'prepare-abort');
    return ongoing.producerEpoch;
  }

  addPartition(who: Who, partition: string, nowUs: number): KafkaOutcome {
    const transaction = this.#transactionOf(who);
    if (transaction === undefined) return 'fenced';
    if (IS_ENDING.has(transaction.state)) return 'concurrent-transactions';
    if (transaction.state === 'complete-commit' || transaction.state === 'complete-abort')
      return 'invalid-transaction-state';
    transaction.partitions.add(partition);
    if (transaction.state === 'ongoing') return 'done';
    transaction.startedAtUs = nowUs;
    this.#move(who.transactionalId, transaction, 'ongoing');
    return 'done';
  }

  /** I2, I3. */
  end(who: Who, commit: boolean): KafkaOutcome {
    const transaction = this.#transactionOf(who);
    if (transaction === undefined) return 'fenced';
    switch (transaction.state) {
      case 'ongoing':
        this.#move(who.transactionalId, transaction, commit ? 'prepare-commit' : 'prepare-abort');
        return 'done';
      case 'prepare-commit':
        return commit ? 'concurrent-transactions' : 'invalid-transaction-state';
      case 'prepare-abort':
        return commit ? 'invalid-transaction-state' : 'concurrent-transactions';
      case 'complete-commit':
        return commit ? 'done' : 'invalid-transaction-state';
      case 'complete-abort':
        return commit ? 'invalid-transaction-state' : 'done';
      case 'empty':
        return 'invalid-transaction-state';
      default:
        throw new RangeError(`unknown state ${String(transaction.state satisfies never)}`);
    }
  }

  /** KIP-890: whether this producer epoch is in a transaction that this partition belongs to. */
  isOngoing(who: Who, partition: string): boolean {
    const transaction = this.#transactions.get(who.transactionalId);
    if (transaction === undefined || transaction.producerId !== who.producerId) return false;
    const { state, producerEpoch, partitions } = transaction;
    return state === 'ongoing' && producerEpoch === who.producerEpoch && partitions.has(partition);
  }

  /** Aborts what is open for longer than its timeout; returns the ids. */
  expire(nowUs: number): readonly string[] {
    const expired: string[] = [];
    for (const [transactionalId, transaction] of this.#transactions) {
      const { state, startedAtUs, timeoutUs } = transaction;
      if (state !== 'ongoing' || nowUs - startedAtUs < timeoutUs) continue;
      if (this.#options.rules.timeoutFences) transaction.producerEpoch += 1;
      this.#move(transactionalId, transaction, 'prepare-abort');
      expired.push(transactionalId);
    }
    return expired;
  }

  /** What has not ended. */
  unfinished(prefix: string): readonly TransactionFact[] {
    return this.facts().filter(({ transactionalId, state }) => transactionalId.startsWith(prefix) && !isOver(state));
  }

  facts(): readonly TransactionFact[] {
    return [...this.#transactions].map(([transactionalId, transaction]) => factOf(transactionalId, transaction));
  }

  dueMarkers(): readonly DueMarker[] {
    return this.facts().flatMap(({ transactionalId, producerId, producerEpoch, state, partitions }) =>
      IS_ENDING.has(state)
        ? partitions.map((partition) => {
            return { transactionalId, producerId, producerEpoch, partition, commit: state === 'prepare-commit' };
          })
        : [],
    );
  }

  markerWritten({ transactionalId, producerEpoch, partition }: Omit<DueMarker, 'producerId' | 'commit'>): void {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined || !IS_ENDING.has(transaction.state)) return;
    if (transaction.producerEpoch !== producerEpoch) return;
    transaction.partitions.delete(partition);
    if (transaction.partitions.size > 0) return;
    this.#move(
      transactionalId,
      transaction,
      transaction.state === 'prepare-commit' ? 'complete-commit' : 'complete-abort',
    );
  }

  #transactionOf({ transactionalId, producerId, producerEpoch }: Who): Transaction | undefined {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction?.producerId !== producerId) return undefined;
    return this.#options.rules.epochMatches(producerEpoch, transaction.producerEpoch) ? transaction : undefined;
  }

  #move(transactionalId: string, transaction: Transaction, state: TransactionState): void {
    assert(
      !IS_ENDING.has(transaction.state) || state.startsWith('complete'),
      'I2: what is being ended goes to its end',
      {
        transactionalId,
      },
    );
    transaction.state = state;
    this.#options.onState(factOf(transactionalId, transaction));
  }
}

const isOver = (state: TransactionState): boolean => state === 'empty' || state.startsWith('complete');

const factOf = (transactionalId: string, transaction: Transaction): TransactionFact => ({
  transactionalId,
  producerId: transaction.producerId,
  producerEpoch: transaction.producerEpoch,
  state: transaction.state,
  partitions: [...transaction.partitions],
});

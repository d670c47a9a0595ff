/**
 * How near transactions came to being lost: to their time-out, and to a successor that would have aborted them.
 *
 * Owns: when each open transaction was opened, and the last commit of each producer. Judges nothing. Called by the judge of fencing.
 *
 * Of a Kafka-like cluster the coordinator says when: a transaction is open from its first partition on, and safe when its commit is prepared.
 * An id that is initialized again is a successor's where each is used once (incrementing); those of a pool come back to their own writer, and
 * nobody can tell it from its successor.
 */
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import type { Margins } from './margins.ts';

type Written = Pick<EventOf<'transaction-opened'>, 'transaction' | 'producer' | 'producerEpoch'>;

export class TransactionTimeouts {
  readonly #margins: Margins;
  /** 0: the sink knows none. */
  readonly #timeoutUs: number;
  readonly #usesIdsOnce: boolean;
  /** By transaction that is open. */
  readonly #openedUs = new Map<string, number>();
  /** By producer: its last commit, and by which epoch the transaction was written. */
  readonly #lastCommit = new Map<string, { readonly atUs: number; readonly producerEpoch: number }>();

  constructor({ sink, transactionTimeoutUs }: Pick<SimulationPlan, 'sink' | 'transactionTimeoutUs'>, margins: Margins) {
    this.#margins = margins;
    this.#timeoutUs = sink === undefined ? transactionTimeoutUs : sink.kind === 'kafka' ? sink.transactionTimeoutUs : 0;
    this.#usesIdsOnce = sink?.kind === 'kafka' && sink.naming === 'incrementing';
  }

  /** What comes before the last number of an id is its writer's. */
  kafka({ transactionalId, producerEpoch, state }: EventOf<'kafka-transaction'>, { atUs, index }: HistoryEvent): void {
    const producer = transactionalId.slice(0, transactionalId.lastIndexOf('-'));
    if (state === 'ongoing') this.#openedUs.set(transactionalId, atUs);
    else if (state === 'prepare-commit')
      this.#committed({ transaction: transactionalId, producer, producerEpoch }, atUs, index);
    else if (state === 'prepare-abort') this.aborted(transactionalId);
    else if (state === 'empty' && this.#usesIdsOnce) this.#succeeded(producer, atUs, index);
  }

  opened({ transaction, producer, producerEpoch }: EventOf<'transaction-opened'>, { atUs, index }: HistoryEvent): void {
    if (this.#timeoutUs > 0) this.#openedUs.set(transaction, atUs);
    const before = this.#lastCommit.get(producer);
    if (before !== undefined && before.producerEpoch < producerEpoch) this.#succeeded(producer, atUs, index);
  }

  committed(committed: EventOf<'transaction-committed'>, { atUs, index }: HistoryEvent): void {
    this.#committed(committed, atUs, index);
  }

  aborted(transaction: string): void {
    this.#openedUs.delete(transaction);
  }

  #succeeded(producer: string, atUs: number, index: number): void {
    const before = this.#lastCommit.get(producer);
    if (before !== undefined) this.#margins.near('fencing/commit-before-successor', atUs - before.atUs, index);
  }

  #committed({ transaction, producer, producerEpoch }: Written, atUs: number, index: number): void {
    this.#lastCommit.set(producer, { atUs, producerEpoch });
    const openedUs = this.#openedUs.get(transaction);
    if (openedUs === undefined) return;
    this.#openedUs.delete(transaction);
    this.#margins.near('exactly-once-output/commit-before-timeout', openedUs + this.#timeoutUs - atUs, index);
  }
}

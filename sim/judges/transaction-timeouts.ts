/**
 * How near transactions came to being lost: to their time-out, and to a successor that would have aborted them.
 *
 * Owns: when each open transaction was opened, and the last commit of each producer. Judges nothing. Called by the judge of fencing.
 */
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import type { Margins } from './margins.ts';

export class TransactionTimeouts {
  readonly #margins: Margins;
  /** 0: the sink knows none. */
  readonly #timeoutUs: number;
  /** By transaction that is open. */
  readonly #openedUs = new Map<string, number>();
  /** By producer: its last commit, and by which epoch the transaction was written. */
  readonly #lastCommit = new Map<string, { readonly atUs: number; readonly producerEpoch: number }>();

  constructor({ sink, transactionTimeoutUs }: Pick<SimulationPlan, 'sink' | 'transactionTimeoutUs'>, margins: Margins) {
    this.#margins = margins;
    this.#timeoutUs = sink === undefined ? transactionTimeoutUs : sink.kind === 'kafka' ? sink.transactionTimeoutUs : 0;
  }

  opened({ transaction, producer, producerEpoch }: EventOf<'transaction-opened'>, { atUs, index }: HistoryEvent): void {
    if (this.#timeoutUs > 0) this.#openedUs.set(transaction, atUs);
    const before = this.#lastCommit.get(producer);
    if (before === undefined || before.producerEpoch >= producerEpoch) return;
    this.#margins.near('fencing/commit-before-successor', atUs - before.atUs, index);
  }

  committed(
    { transaction, producer, producerEpoch }: EventOf<'transaction-committed'>,
    { atUs, index }: HistoryEvent,
  ): void {
    this.#lastCommit.set(producer, { atUs, producerEpoch });
    const openedUs = this.#openedUs.get(transaction);
    if (openedUs === undefined) return;
    this.#openedUs.delete(transaction);
    this.#margins.near('exactly-once-output/commit-before-timeout', openedUs + this.#timeoutUs - atUs, index);
  }

  aborted(transaction: string): void {
    this.#openedUs.delete(transaction);
  }
}

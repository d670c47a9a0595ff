/**
 * The sink store's durable state: producers, their transactions, and what readers can see (Kafka: the transaction coordinator's
 * log and the partitions below the last stable offset).
 *
 * Owns: what each request does to a transaction, decided and done in one step. Does not own: latency, replies and lost requests
 * (sink-store.ts), which also says when a transaction is too old. It survives the store's node.
 *
 * A transaction is open, then pre-committed (safe from timeouts), then ended for good as committed or aborted.
 *
 * I1: a transaction's name ends once: neither a late write nor a second commit or abort changes anything after that;
 * I2: readers see the records of committed transactions only, whole, once, in the order of commits; and direct output;
 * I3: a request with an epoch below its producer's changes nothing;
 * I4: only pre-committed transactions commit, and what is pre-committed does not change any more.
 */
import type { Micros } from '../../engine/foundation/time.ts';
import type { SinkReply, SinkRequest, SinkWrite } from '../../engine/protocol/messages.ts';
import type { Lineage, RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { WorldEvent } from '../history/history-event.ts';
import type { DurableState } from '../judges/judge.ts';
import type { ServiceOut } from './service-actor.ts';

export type SinkOutcome = SinkReply['outcome'];
export type SinkInitialize = Extract<SinkRequest, { kind: 'sink-initialize' }>;
export type SinkPreCommit = Extract<SinkRequest, { kind: 'sink-pre-commit' }>;
export type SinkEnd = Extract<SinkRequest, { kind: 'sink-commit' | 'sink-abort' }>;

interface Transaction {
  readonly name: string;
  readonly producer: string;
  readonly producerEpoch: number;
  readonly openedAtUs: number;
  state: 'open' | 'pre-committed';
  readonly values: RecordValue[];
  readonly lineages: Lineage[];
}

/** Output without a transaction of one producer epoch. */
interface DirectOutput {
  readonly producerEpoch: number;
  records: number;
}

type Reporter = Pick<ServiceOut, 'report'>;
type AbortReason = Extract<WorldEvent, { kind: 'transaction-aborted' }>['why'];

export class SinkStoreDisk {
  /** Lowest epoch a producer may act with; a producer never heard of may use any. */
  readonly #epochs = new Map<string, number>();
  /** Neither committed nor aborted, in the order they were opened. */
  readonly #unfinished = new Map<string, Transaction>();
  /** For ever: this is what makes late requests harmless (I1). */
  readonly #ended = new Map<string, 'committed' | 'aborted'>();
  readonly #direct = new Map<string, DirectOutput>();
  /** What became visible, in order, as it was committed or appended. */
  readonly #visible: { readonly values: readonly RecordValue[]; readonly lineages: readonly Lineage[] }[] = [];

  /** All that readers can see. */
  visible(): { readonly values: readonly RecordValue[]; readonly lineages: readonly Lineage[] } {
    return {
      values: this.#visible.flatMap(({ values }) => values),
      lineages: this.#visible.flatMap(({ lineages }) => lineages),
    };
  }

  openTransactions(): ReturnType<DurableState['openTransactions']> {
    return [...this.#unfinished.values()].map(({ name, producer, producerEpoch, state, values }) => ({
      transaction: name,
      producer,
      producerEpoch,
      preCommitted: state === 'pre-committed',
      records: values.length,
    }));
  }

  /**
   * Fences lower epochs and ends what they left behind. Transactions of the same epoch stay: they were opened after the first
   * of two equal requests, so a late double of it must not touch them.
   */
  initialize({ producer, producerEpoch, keep }: SinkInitialize, out: Reporter): SinkOutcome {
    if (this.#isFenced(producer, producerEpoch)) return 'fenced';
    this.#epochs.set(producer, producerEpoch);
    for (const transaction of this.#unfinished.values()) {
      const isLeftBehind = transaction.producer === producer && transaction.producerEpoch < producerEpoch;
      if (isLeftBehind && !keep.includes(transaction.name)) this.#abort(transaction, 'fenced', out);
    }
    return 'done';
  }

  /** There is no reply to a write: what was refused shows at the pre-commit. */
  write(message: SinkWrite, nowUs: Micros, out: Reporter): void {
    const why = this.#refusalOf(message);
    if (why !== undefined) out.report({ kind: 'message-discarded', message: 'sink-write', why });
    else if (message.transaction === '') this.#append(message, out);
    else {
      const transaction = this.#unfinished.get(message.transaction) ?? this.#open(message, nowUs, out);
      append(message.values, transaction.values);
      append(message.lineages, transaction.lineages);
    }
  }

  /**
   * Without a transaction name it tells whether all direct output of this producer epoch has arrived (`records` counts from the
   * epoch's first): what a sink without transactions must know before it acknowledges a checkpoint.
   */
  preCommit({ producer, producerEpoch, transaction: name, records }: SinkPreCommit, out: Reporter): SinkOutcome {
    if (this.#isFenced(producer, producerEpoch)) return 'fenced';
    if (name === '') return this.#directRecords(producer, producerEpoch) === records ? 'done' : 'incomplete';
    if (this.#ended.get(name) === 'committed') return 'done';
    const transaction = this.#unfinishedOf(producer, name);
    if (transaction === undefined) return records === 0 ? 'done' : 'aborted';
    if (transaction.state === 'pre-committed') return 'done';
    if (transaction.values.length !== records) return 'incomplete';
    transaction.state = 'pre-committed';
    out.report({ kind: 'transaction-pre-committed', ...namesOf(transaction) });
    return 'done';
  }

  commit({ producer, producerEpoch, transaction: name }: SinkEnd, out: Reporter): SinkOutcome {
    if (this.#ended.get(name) === 'committed') return 'done';
    if (this.#isFenced(producer, producerEpoch)) return 'fenced';
    const transaction = this.#unfinishedOf(producer, name);
    if (transaction?.state !== 'pre-committed') return 'aborted';
    const { values, lineages } = transaction;
    this.#unfinished.delete(name);
    this.#ended.set(name, 'committed');
    this.#visible.push({ values, lineages });
    out.report({
      kind: 'transaction-committed',
      ...namesOf(transaction),
      committedBy: producerEpoch,
      values,
      lineages,
    });
    return 'done';
  }

  /**
   * Aborting what was aborted is done. A name never heard of is taken out of use, because an abort (a datagram) may overtake the
   * writes it is about. What is committed stays: the producer has no say in it any more, hence `fenced`.
   */
  abort({ producer, producerEpoch, transaction: name }: SinkEnd, out: Reporter): SinkOutcome {
    const end = this.#ended.get(name);
    if (end !== undefined) return end === 'aborted' ? 'done' : 'fenced';
    if (this.#isFenced(producer, producerEpoch)) return 'fenced';
    const transaction = this.#unfinished.get(name);
    if (transaction === undefined) this.#ended.set(name, 'aborted');
    else if (transaction.producer !== producer) return 'aborted';
    else this.#abort(transaction, 'requested', out);
    return 'done';
  }

  /** Aborts what was opened at or before this time and never pre-committed; a late producer is fenced (Kafka: KAFKA-6119). */
  expire(openedAtOrBeforeUs: number, out: Reporter): void {
    for (const transaction of this.#unfinished.values()) {
      if (transaction.openedAtUs > openedAtOrBeforeUs) return;
      if (transaction.state === 'pre-committed') continue;
      this.#abort(transaction, 'timeout', out);
      const { producer, producerEpoch } = transaction;
      this.#epochs.set(producer, Math.max(this.#epochOf(producer), producerEpoch + 1));
    }
  }

  /** When the oldest transaction that may expire was opened; undefined when there is none. */
  oldestOpenedAtUs(): number | undefined {
    for (const { state, openedAtUs } of this.#unfinished.values()) if (state === 'open') return openedAtUs;
    return undefined;
  }

  #epochOf(producer: string): number {
    return this.#epochs.get(producer) ?? 0;
  }

  #isFenced(producer: string, producerEpoch: number): boolean {
    return producerEpoch < this.#epochOf(producer);
  }

  #refusalOf({ producer, producerEpoch, transaction: name }: SinkWrite): string | undefined {
    if (this.#isFenced(producer, producerEpoch)) return 'the producer is fenced';
    if (name === '') return undefined;
    if (this.#ended.has(name)) return 'the transaction has ended';
    const transaction = this.#unfinished.get(name);
    if (transaction === undefined) return undefined;
    if (transaction.producer !== producer) return 'the transaction is of another producer';
    return transaction.state === 'pre-committed' ? 'the transaction is pre-committed' : undefined;
  }

  #unfinishedOf(producer: string, name: string): Transaction | undefined {
    const transaction = this.#unfinished.get(name);
    return transaction?.producer === producer ? transaction : undefined;
  }

  #open({ transaction: name, producer, producerEpoch }: SinkWrite, openedAtUs: Micros, out: Reporter): Transaction {
    const transaction: Transaction = {
      name,
      producer,
      producerEpoch,
      openedAtUs,
      state: 'open',
      values: [],
      lineages: [],
    };
    this.#unfinished.set(name, transaction);
    out.report({ kind: 'transaction-opened', ...namesOf(transaction) });
    return transaction;
  }

  #append({ producer, producerEpoch, values, lineages }: SinkWrite, out: Reporter): void {
    this.#visible.push({ values, lineages });
    const records = this.#directRecords(producer, producerEpoch) + values.length;
    this.#direct.set(producer, { producerEpoch, records });
    out.report({ kind: 'output-appended', producer, values, lineages });
  }

  #directRecords(producer: string, producerEpoch: number): number {
    const direct = this.#direct.get(producer);
    return direct?.producerEpoch === producerEpoch ? direct.records : 0;
  }

  #abort(transaction: Transaction, why: AbortReason, out: Reporter): void {
    const { name, producer, state, lineages } = transaction;
    this.#unfinished.delete(name);
    this.#ended.set(name, 'aborted');
    out.report({
      kind: 'transaction-aborted',
      transaction: name,
      producer,
      why,
      preCommitted: state === 'pre-committed',
      lineages,
    });
  }
}

const namesOf = ({ name, producer, producerEpoch }: Transaction) => ({ transaction: name, producer, producerEpoch });

/** A loop: spreading a long batch into `push` would overflow the stack. */
function append<T>(from: readonly T[], to: T[]): void {
  for (const item of from) to.push(item);
}

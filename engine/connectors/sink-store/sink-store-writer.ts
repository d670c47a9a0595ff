/**
 * Writes into transactions of the sink store, one per subtask and checkpoint (rows K9, K10, K13; Flink: TwoPhaseCommitSinkFunction,
 * KafkaWriter).
 *
 * Owns: the open transaction, batches, pre-commits that are not confirmed, the fencing of earlier producers. Does not own: commits
 * (sink-store-committer.ts), when to close a transaction (it is told).
 * Invariants:
 *   I1 the pre-commit names how many records the transaction has; the store confirms it only if all of them are there;
 *   I2 every producer id that any deployment may have used is fenced by exactly one subtask before it runs: i of p takes over the ids
 *      that are i modulo p and ends what they left open, except what the restored checkpoint will commit (I1 and I2 in bugs.md). A
 *      producer writes under one id, its own index; so ids of subtasks never overlap, whatever the parallelism was.
 */
import { DelayedCalls, retryDelayUs } from '../../clients/delayed-calls.ts';
import { RequestClient } from '../../clients/request-client.ts';
import type { CheckpointId, ExecutionAttemptId, NodeId } from '../../foundation/ids.ts';
import { MAIN_MAILBOX } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { SinkSpec } from '../../job/job-graph.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out, Target } from '../../protocol/actor.ts';
import type { SinkReply, SinkServiceReply } from '../../protocol/messages.ts';
import { Linger } from '../sink/linger.ts';
import type {
  Committable,
  CommittableWithLineage,
  RestoredWriter,
  SinkWriter,
  SinkWriterHost,
} from '../sink/sink-contract.ts';
import { Unflushed } from '../sink/unflushed.ts';
import { producerName } from './producer-name.ts';
import { probe } from '../../protocol/probes.ts';

export interface SinkStoreWriterOptions {
  readonly uid: string;
  readonly spec: Pick<SinkSpec, 'guarantee' | 'batchRecords'>;
  readonly subtask: number;
  readonly parallelism: number;
  /** Producers with this index or above were never used. */
  readonly highestParallelism: number;
  readonly attempt: ExecutionAttemptId;
  readonly store: NodeId;
  readonly parts: Pick<EngineParts, 'producersToFence' | 'transactionsToKeep' | 'transactionAfterFinish'>;
  readonly host: SinkWriterHost;
  readonly recordBytes: number;
  readonly requestTimeoutUs: number;
  /** Longest wait of a record for its batch, at-least-once only. */
  readonly lingerUs: number;
  readonly firstRequestId: number;
}

interface Batch {
  readonly producer: string;
  readonly producerEpoch: number;
  readonly transaction: string;
  readonly values: readonly unknown[];
  readonly lineages: readonly number[];
  readonly bytes: number;
}

export class SinkStoreWriter implements SinkWriter {
  readonly isAvailable = true;
  readonly isGated = false;
  readonly #options: SinkStoreWriterOptions;
  readonly #producer: string;
  readonly #control: RequestClient<SinkReply>;
  readonly #data: RequestClient<SinkReply>;
  readonly #later = new DelayedCalls();
  readonly #linger: Linger;
  readonly #writeTarget: Target;
  /** Pre-commits sent and not confirmed; of at-least-once output flushes. */
  readonly #unflushed = new Unflushed();
  #values: unknown[] = [];
  #lineages: number[] = [];
  /** Highest checkpoint id seen; names the next transaction, as the Kafka sink does. */
  #lastCheckpoint = 0;
  #recordsWritten = 0;
  #restored: readonly CommittableWithLineage[] = [];
  readonly #full: Batch[] = [];

  constructor(options: SinkStoreWriterOptions) {
    this.#options = options;
    this.#linger = new Linger(this.#later, options.lingerUs, (out) => this.#sendAll(out));
    this.#producer = producerName(options.uid, options.subtask);
    const common = { node: options.store, timeoutUs: options.requestTimeoutUs };
    const { firstRequestId } = options;
    this.#control = new RequestClient({ via: 'datagram', name: 'sink', firstRequestId, ...common });
    const firstDataId = firstRequestId + 500_000_000;
    this.#data = new RequestClient({ via: 'connection', name: 'sink-data', firstRequestId: firstDataId, ...common });
    this.#writeTarget = { node: options.store, mailbox: MAIN_MAILBOX, via: 'connection' };
  }

  initialize({ checkpointId, committables }: RestoredWriter, out: Out): void {
    const { subtask, parallelism, highestParallelism, parts } = this.#options;
    this.#lastCheckpoint = checkpointId;
    this.#restored = committables;
    this.#fence(parts.producersToFence({ subtask, parallelism, highestParallelism }), out);
  }

  process(value: unknown, _timestampUs: number, lineage: number): void {
    this.#values.push(value);
    this.#lineages.push(lineage);
    if (this.#values.length >= this.#options.spec.batchRecords) this.#closeBatch();
  }

  /**
   * Output that is visible when written does not wait long for its batch to fill; output in a transaction is not seen before the
   * commit and may wait for the barrier.
   */
  sendBatches(out: Out): void {
    if (this.#values.length > 0 && this.#options.spec.guarantee === 'at-least-once') this.#linger.begin(out);
    for (const batch of this.#full) out.send(this.#writeTarget, { kind: 'sink-write', ...batch });
    this.#full.length = 0;
  }

  /** Those too that are not full. */
  #sendAll(out: Out): void {
    if (this.#values.length > 0) this.#closeBatch();
    this.sendBatches(out);
  }

  prepareCommit(id: CheckpointId, _isEnd: boolean, out: Out): readonly Committable[] {
    this.#sendAll(out);
    const transaction = this.#transaction();
    const records = this.#recordsWritten;
    this.#lastCheckpoint = id;
    if (this.#options.spec.guarantee === 'at-least-once') {
      this.#preCommit(transaction, id, () => this.#recordsWritten, out);
      this.#unflushed.wait(id);
      return [];
    }
    if (records > 0) {
      this.#recordsWritten = 0;
      this.#preCommit(transaction, id, () => records, out);
    }
    this.#unflushed.wait(id);
    return records > 0 ? [transaction] : [];
  }

  get isFlushed(): boolean {
    return this.#unflushed.isEmpty;
  }

  snapshotState(): readonly string[] {
    return [];
  }

  snapshotAfterEnd(id: CheckpointId, out: Out): void {
    this.#unflushed.wait(id);
    this.#lastCheckpoint = id;
    if (this.#options.parts.transactionAfterFinish === 'begun') this.#openTransaction(out);
  }

  committed(): void {
    // A name is never used again.
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind !== 'sink-reply') return;
    this.#control.handleReply(reply, nowUs, out);
    this.#data.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#control.handleTimer(timer, nowUs, out) ||
      this.#data.handleTimer(timer, nowUs, out)
    );
  }

  /** I2. One after the other: there is rarely more than the own one. */
  #fence(producers: readonly number[], out: Out): void {
    const [producer, ...others] = producers;
    const { uid, subtask, attempt, parts, host } = this.#options;
    if (producer === undefined) {
      this.#restored = [];
      return host.ready(out);
    }
    const restored = this.#restored.filter((committable) => committable.subtask === producer);
    const keep = parts.transactionsToKeep(restored.map(({ committable }) => committable));
    if (producer !== subtask) probe(out, 'producer-of-other-parallelism-fenced');
    this.#control.request(
      (requestId) => ({
        kind: 'sink-initialize',
        requestId,
        producer: producerName(uid, producer),
        producerEpoch: attempt,
        keep,
      }),
      out,
      (reply, _nowUs, replyOut) => {
        if (reply?.outcome === 'done') return this.#fence(others, replyOut);
        if (reply?.outcome === 'fenced') return host.fail('sink-fenced', replyOut);
        this.#retry('initialize', replyOut, (lateOut) => this.#fence(producers, lateOut));
      },
    );
  }

  /** `<uid>-<subtask>-<attempt>-<n>`: opened after checkpoint n - 1, so it belongs to checkpoint n or a later one. */
  #transaction(): string {
    if (this.#options.spec.guarantee === 'at-least-once') return '';
    return `${this.#producer}-${this.#options.attempt}-${this.#lastCheckpoint + 1}`;
  }

  #openTransaction(out: Out): void {
    const { attempt } = this.#options;
    const nothing = { values: [], lineages: [], bytes: 0 };
    out.send(this.#writeTarget, {
      kind: 'sink-write',
      producer: this.#producer,
      producerEpoch: attempt,
      transaction: this.#transaction(),
      ...nothing,
    });
  }

  #closeBatch(): void {
    this.#full.push({
      producer: this.#producer,
      producerEpoch: this.#options.attempt,
      transaction: this.#transaction(),
      values: this.#values,
      lineages: this.#lineages,
      bytes: this.#values.length * this.#options.recordBytes,
    });
    this.#recordsWritten += this.#values.length;
    this.#values = [];
    this.#lineages = [];
  }

  /** `records` is asked anew for a repeated flush: what was written meanwhile is in front of it on the connection. */
  #preCommit(transaction: string, id: CheckpointId, records: () => number, out: Out): void {
    const name = `${transaction}/${id}`;
    this.#unflushed.add(name, id);
    const { attempt, host } = this.#options;
    this.#data.request(
      (requestId) => ({
        kind: 'sink-pre-commit',
        requestId,
        producer: this.#producer,
        producerEpoch: attempt,
        transaction,
        records: records(),
      }),
      out,
      (reply, nowUs, replyOut) => {
        const outcome = reply?.outcome;
        if (outcome === 'done') return this.#confirmed(name, nowUs, replyOut);
        if (outcome === 'fenced') {
          probe(replyOut, 'sink-writer-fenced');
          return host.fail('sink-fenced', replyOut);
        }
        if (outcome === 'aborted') {
          probe(replyOut, 'transaction-lost');
          return host.fail('transaction-lost', replyOut);
        }
        if (outcome === 'incomplete') return host.fail('sink-unavailable', replyOut);
        probe(replyOut, 'pre-commit-repeated');
        this.#retry(`pre-commit/${name}`, replyOut, (lateOut) => this.#preCommit(transaction, id, records, lateOut));
      },
    );
  }

  #confirmed(name: string, nowUs: Micros, out: Out): void {
    for (const id of this.#unflushed.flushed(name)) this.#options.host.flushed(id, nowUs, out);
    if (this.#unflushed.isEmpty) this.#options.host.allFlushed(out);
  }

  #retry(name: string, out: Out, again: (out: Out) => void): void {
    this.#later.after(retryDelayUs(this.#options.requestTimeoutUs), name, out, (_nowUs, lateOut) => again(lateOut));
  }
}

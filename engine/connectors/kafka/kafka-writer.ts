/**
 * Writes into transactions of a Kafka-like cluster, one per subtask and checkpoint (rows K10, K11, K13; Flink: KafkaWriter,
 * ExactlyOnceKafkaWriter).
 *
 * Owns: the current transaction, those that are still being flushed, ids in use, what earlier attempts left open. Does not own: commits.
 * Invariants:
 *   I1 a transaction sends when those before it are drained: the partition has the records in the order they were written;
 *   I2 a transaction without records is no committable: its producer is used again (FLINK-31363);
 *   I3 before it is ready, everything that an earlier attempt of its own ids may have left open is aborted, except what the restored
 *      checkpoint will commit. Its own ids are those of the subtasks that are its number modulo the parallelism;
 *   I4 `incrementing`: ids of one subtask have no gap, so that probing forward finds them all: checkpoints that did not come get an id
 *      that is only initialized;
 *   I5 `pooling`: an id is used again when its transaction has come to its end, not before;
 *   I6 while no producer is ready no record comes (`isAvailable`): a committable names its producer's id and epoch;
 *   I7 initializing an id takes no transaction from anybody: one that is open is aborted by its producer and epoch, when an answer has
 *      said that it is there. A request that comes late, or from an attempt that was replaced, harms nobody (decision 0135).
 */
import { DelayedCalls } from '../../clients/delayed-calls.ts';
import { type CheckpointId, checkpointId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { KafkaSinkSpec, SinkSpec } from '../../job/job-graph.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import { type KafkaReply, type KafkaTransactionId, partitionName } from '../../protocol/kafka-messages.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import { Linger } from '../sink/linger.ts';
import type { Committable, RestoredWriter, SinkWriter, SinkWriterHost } from '../sink/sink-contract.ts';
import { Unflushed } from '../sink/unflushed.ts';
import { KafkaClient, type KafkaClientOptions } from './kafka-client.ts';
import { DELIVERY_PATIENCE, KafkaProducer } from './kafka-producer.ts';
import {
  decodeCommittable,
  encodeCommittable,
  freeOffset,
  parseTransactionalId,
  transactionalId,
} from './transaction-naming.ts';
import { probe } from '../../protocol/probes.ts';

export interface KafkaWriterOptions extends KafkaClientOptions {
  readonly uid: string;
  readonly jobId: string;
  readonly spec: SinkSpec;
  readonly kafka: KafkaSinkSpec;
  readonly subtask: number;
  readonly parallelism: number;
  readonly highestParallelism: number;
  readonly parts: Pick<
    EngineParts,
    | 'producersToFence'
    | 'transactionsToKeep'
    | 'probesFurther'
    | 'transactionUnderInitializedId'
    | 'transactionalIdPrefix'
    | 'flushBeforeBarrier'
    | 'flushErrors'
  >;
  readonly host: SinkWriterHost;
  readonly recordBytes: number;
  /** Longest wait of a record for its batch, at-least-once only. */
  readonly lingerUs: number;
}

/** Asking one coordinator after the other. */
interface Listing {
  readonly coordinator: number;
  /** Subtasks whose ids are this one's. */
  readonly producers: ReadonlySet<number>;
  readonly kept: ReadonlySet<Committable>;
  readonly found: readonly KafkaTransactionId[];
}

/** Batches that may wait for the brokers before input waits, too. */
const UNSENT_MAX = 64;

export class KafkaWriter implements SinkWriter {
  readonly #options: KafkaWriterOptions;
  readonly #client: KafkaClient;
  readonly #later = new DelayedCalls();
  readonly #linger: Linger;
  readonly #prefix: string;
  readonly #partition: string;
  readonly #unflushed = new Unflushed();
  /** First is the one whose turn it is, last the one that is written to. */
  readonly #producers: KafkaProducer[] = [];
  /** `pooling`: ids of transactions that have not come to their end. */
  readonly #inUse = new Set<string>();
  #values: unknown[] = [];
  #lineages: number[] = [];
  #full: { readonly values: readonly unknown[]; readonly lineages: readonly number[]; readonly bytes: number }[] = [];
  /** `incrementing`: all offsets up to this are initialized (I4), and what is being initialized. */
  #initializedTo = 0;
  #isInitializing = false;
  /** Flushes in their order: each is over when its producer has so many batches acknowledged. */
  readonly #flushes: { readonly id: CheckpointId; readonly producer: KafkaProducer; readonly batches: number }[] = [];

  constructor(options: KafkaWriterOptions) {
    this.#options = options;
    this.#linger = new Linger(this.#later, options.lingerUs, (out) => this.#sendAll(out));
    this.#client = new KafkaClient(options);
    this.#prefix = options.parts.transactionalIdPrefix(options.jobId, options.uid);
    this.#partition = partitionName(options.uid, options.subtask % options.kafka.partitions);
  }

  readonly isGated = true;

  get isAvailable(): boolean {
    const current = this.#producers.at(-1);
    return current?.isReady === true && current.unsent + this.#full.length < UNSENT_MAX;
  }

  initialize({ checkpointId: restored, committables }: RestoredWriter, out: Out): void {
    const { spec, kafka, parts, subtask, parallelism, highestParallelism } = this.#options;
    this.#initializedTo = restored;
    for (const { committable } of committables) this.#inUse.add(decodeCommittable(committable).transactionalId);
    const kept = parts.transactionsToKeep(committables.map(({ committable }) => committable));
    if (spec.guarantee === 'at-least-once') {
      this.#begin('', out);
      return this.#options.host.ready(out);
    }
    const producers = parts.producersToFence({ subtask, parallelism, highestParallelism });
    if (kafka.naming === 'incrementing') return this.#probe(producers, restored + 1, out);
    this.#list({ coordinator: 0, producers: new Set(producers), kept: new Set(kept), found: [] }, out);
  }

  process(value: unknown, _timestampUs: number, lineage: number): void {
    this.#values.push(value);
    this.#lineages.push(lineage);
    if (this.#values.length >= this.#options.spec.batchRecords) this.#closeBatch();
  }

  sendBatches(out: Out): void {
    if (this.#values.length > 0 && this.#options.spec.guarantee === 'at-least-once') this.#linger.begin(out);
    const current = this.#producers.at(-1);
    if (this.#full.length === 0 || current === undefined) return;
    const full = this.#full;
    this.#full = [];
    for (const batch of full) current.send(batch, out);
  }

  /** Those too that are not full. */
  #sendAll(out: Out): void {
    if (this.#values.length > 0) this.#closeBatch();
    this.sendBatches(out);
  }

  prepareCommit(id: CheckpointId, isEnd: boolean, out: Out): readonly Committable[] {
    this.#sendAll(out);
    const current = this.#producers.at(-1);
    if (current === undefined) return [];
    const { spec, host, parts } = this.#options;
    if (!current.isDrained && parts.flushBeforeBarrier === 'flushed') {
      this.#unflushed.add(`${id}`, id);
      this.#flushes.push({ id, producer: current, batches: current.given });
    }
    this.#unflushed.wait(id);
    if (spec.guarantee === 'at-least-once') return [];
    if (current.records > 0 && !current.isReady) {
      // What was written at the end of input has no producer yet, so it cannot be named in the checkpoint.
      host.fail('sink-unavailable', out);
      return [];
    }
    const committable = current.records > 0 ? [encodeCommittable(current.identity)] : [];
    if (!isEnd) this.#next(id, current, out);
    return committable;
  }

  get isFlushed(): boolean {
    return this.#unflushed.isEmpty;
  }

  snapshotState(): readonly string[] {
    return [];
  }

  snapshotAfterEnd(id: CheckpointId): void {
    this.#unflushed.wait(id);
  }

  /** I5. */
  committed(committable: Committable): void {
    this.#inUse.delete(decodeCommittable(committable).transactionalId);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind === 'kafka-reply') this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#client.handleTimer(timer, nowUs, out);
  }

  #closeBatch(): void {
    const values = this.#values;
    this.#full.push({ values, lineages: this.#lineages, bytes: values.length * this.#options.recordBytes });
    this.#values = [];
    this.#lineages = [];
  }

  /* ---- what earlier attempts left open (I3) ---- */

  /** Until an id that was never used: its epoch is 0. What is open of one is aborted, and then it is initialized: its holder is fenced. */
  #probe(producers: readonly number[], offset: number, out: Out): void {
    const [producer, ...others] = producers;
    if (producer === undefined) return this.#settled(out);
    const { subtask, parts } = this.#options;
    const id = transactionalId(this.#prefix, producer, offset);
    const initialized = ({ producerEpoch }: KafkaReply, lateOut: Out): void => {
      if (producer !== subtask) probe(lateOut, 'producer-of-other-parallelism-fenced');
      if (parts.probesFurther(producerEpoch)) return this.#probe(producers, offset + 1, lateOut);
      this.#probe(others, this.#initializedTo + 1, lateOut);
    };
    this.#initProducer(id, out, initialized, ({ producerId, producerEpoch }, lateOut) =>
      this.#abort([{ transactionalId: id, producerId, producerEpoch }], lateOut, (abortedOut) =>
        this.#probe(producers, offset, abortedOut),
      ),
    );
  }

  /**
   * All coordinators are asked which transactions of the prefix have not ended. What is kept is named with its epoch: its id may have been
   * used again since, by an attempt that had committed it, and what is open of that must go.
   */
  #list(listing: Listing, out: Out): void {
    const { coordinator, producers, kept, found } = listing;
    if (coordinator === this.#options.brokers.length) {
      const lingering = found.filter((transaction) => {
        const owner = parseTransactionalId(transaction.transactionalId, this.#prefix);
        return owner !== undefined && producers.has(owner.subtask) && !kept.has(encodeCommittable(transaction));
      });
      return this.#abort(lingering, out, (abortedOut) => this.#settled(abortedOut));
    }
    this.#client.request(
      {
        about: `coordinator ${coordinator}`,
        patience: DELIVERY_PATIENCE,
        message: (requestId) => ({
          kind: 'kafka-list-transactions',
          requestId,
          coordinator,
          prefix: `${this.#prefix}-`,
        }),
        answered: (reply, _nowUs, replyOut) => {
          if (reply?.outcome !== 'done') return this.#options.host.fail('sink-unavailable', replyOut);
          const more = [...found, ...reply.transactions];
          this.#list({ ...listing, coordinator: coordinator + 1, found: more }, replyOut);
        },
      },
      out,
    );
  }

  /** By producer and epoch, so that no other transaction of the id is meant (I7). */
  #abort(lingering: readonly KafkaTransactionId[], out: Out, done: (out: Out) => void): void {
    const [first, ...others] = lingering;
    if (first === undefined) return done(out);
    probe(out, 'lingering-transaction-aborted');
    this.#client.request(
      {
        about: first.transactionalId,
        patience: DELIVERY_PATIENCE,
        message: (requestId) => ({ kind: 'kafka-end-transaction', requestId, ...first, commit: false }),
        answered: (reply, _nowUs, replyOut) => {
          if (!isNotOpen(reply)) return this.#options.host.fail('sink-unavailable', replyOut);
          this.#abort(others, replyOut, done);
        },
      },
      out,
    );
  }

  #settled(out: Out): void {
    this.#next(checkpointId(this.#initializedTo), undefined, out);
    this.#options.host.ready(out);
  }

  /* ---- transactions ---- */

  /** The transaction behind this checkpoint. */
  #next(id: CheckpointId, current: KafkaProducer | undefined, out: Out): void {
    const { kafka, subtask } = this.#options;
    if (kafka.naming === 'incrementing') {
      this.#begin(transactionalId(this.#prefix, subtask, id + 1), out);
      return this.#initializeUpTo(out);
    }
    // I2: whatever the checkpoint, its id says nothing.
    if (current !== undefined && current.records === 0) return;
    const producer = this.#begin(
      transactionalId(this.#prefix, subtask, freeOffset(this.#inUse, this.#prefix, subtask)),
      out,
    );
    this.#inUse.add(producer.transactionalId);
    this.#initProducer(producer.transactionalId, out, (reply, lateOut) => producer.initialized(reply, lateOut));
  }

  #begin(id: string, out: Out): KafkaProducer {
    const { host, parts } = this.#options;
    const producer = new KafkaProducer({
      client: this.#client,
      transactionalId: id,
      partition: this.#partition,
      errors: parts.flushErrors,
      fail: (failure, lateOut) => host.fail(failure, lateOut),
      acknowledged: (nowUs, lateOut) => this.#acknowledged(nowUs, lateOut),
    });
    // I2: nobody waits for one that was never written to.
    if (this.#producers.at(-1)?.records === 0) this.#producers.pop();
    this.#producers.push(producer);
    this.#passTurn(out);
    return producer;
  }

  /** I4. One id after the other, up to the current one, so that a crash never leaves a gap in front of one that is used. */
  #initializeUpTo(out: Out): void {
    if (this.#isInitializing) return;
    this.#isInitializing = true;
    const offset = this.#initializedTo + 1;
    const id = transactionalId(this.#prefix, this.#options.subtask, offset);
    this.#initProducer(id, out, (reply, lateOut) => {
      this.#initializedTo = offset;
      this.#isInitializing = false;
      const current = this.#producers.at(-1);
      if (current === undefined) return;
      if (current.transactionalId === id) return current.initialized(reply, lateOut);
      this.#initializeUpTo(lateOut);
    });
  }

  /** I7. An id of its own that somebody else has a transaction open under: this attempt was replaced, or will be. */
  #initProducer(
    id: string,
    out: Out,
    done: (reply: KafkaReply, out: Out) => void,
    ongoing = (_reply: KafkaReply, lateOut: Out): void => this.#options.host.fail('sink-fenced', lateOut),
  ): void {
    const { kafka, host, parts } = this.#options;
    this.#client.request(
      {
        about: id,
        patience: DELIVERY_PATIENCE,
        message: (requestId) => ({
          kind: 'kafka-init-producer',
          requestId,
          transactionalId: id,
          timeoutUs: kafka.transactionTimeoutUs,
          abortsOngoing: parts.transactionUnderInitializedId === 'aborted',
        }),
        answered: (reply, _nowUs, replyOut) => {
          if (reply?.outcome === 'done') return done(reply, replyOut);
          if (reply?.outcome === 'ongoing-transaction') return ongoing(reply, replyOut);
          const isRefused = reply?.outcome === 'invalid-timeout';
          host.fail(isRefused ? 'transaction-timeout-refused' : 'sink-unavailable', replyOut);
        },
      },
      out,
    );
  }

  /** I1. To the first one that has something to send, or is still written to. */
  #passTurn(out: Out): void {
    while (this.#producers.length > 1 && this.#producers[0]?.isDrained === true) this.#producers.shift();
    this.#producers[0]?.takeTurn(out);
  }

  #acknowledged(nowUs: Micros, out: Out): void {
    this.#passTurn(out);
    const { host } = this.#options;
    for (let flush = this.#flushes[0]; flush !== undefined; flush = this.#flushes[0]) {
      if (flush.producer.acknowledged < flush.batches) return;
      this.#flushes.shift();
      for (const id of this.#unflushed.flushed(`${flush.id}`)) host.flushed(id, nowUs, out);
    }
    if (this.#unflushed.isEmpty) host.allFlushed(out);
  }
}

/** Of a transaction that was to be aborted: it is, or it had come to its end before. */
const isNotOpen = (reply: KafkaReply | undefined): boolean =>
  reply?.outcome === 'done' || reply?.outcome === 'fenced' || reply?.outcome === 'invalid-transaction-state';

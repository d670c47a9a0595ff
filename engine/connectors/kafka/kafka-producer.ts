/**
 * One transaction of a producer, or output without one (Flink: FlinkKafkaInternalProducer; Kafka: KafkaProducer, TransactionManager).
 *
 * Owns: the producer's id and epoch, the batches that are not acknowledged. Does not own: which id it has (transaction-naming.ts), when its
 * turn is (kafka-writer.ts), the commit (kafka-committer.ts).
 * Invariants:
 *   I1 one batch is under way at a time, in the order they were given; a repeated one has the same sequence number, so that it is
 *      appended once;
 *   I2 the partition is part of the transaction before the first record is sent;
 *   I3 what a broker refuses for good fails the subtask, at once (I6 in bugs.md): nothing waits for an answer that cannot come.
 */
import type { Micros } from '../../foundation/time.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { KafkaReply } from '../../protocol/kafka-messages.ts';
import type { TaskFailure } from '../../protocol/task.ts';
import type { KafkaClient } from './kafka-client.ts';

export interface KafkaBatch {
  readonly values: readonly unknown[];
  readonly lineages: readonly number[];
  readonly bytes: number;
}

export interface KafkaProducerOptions {
  readonly client: KafkaClient;
  /** Empty: no transaction. */
  readonly transactionalId: string;
  readonly partition: string;
  /** Whether what a broker refuses is an error (I3). */
  readonly errors: EngineParts['flushErrors'];
  readonly fail: (failure: TaskFailure, out: Out) => void;
  /** One more batch is safe. */
  readonly acknowledged: (nowUs: Micros, out: Out) => void;
}

/** In quarters of a request timeout (Kafka: delivery.timeout.ms). */
export const DELIVERY_PATIENCE = 48;

export class KafkaProducer {
  readonly #options: KafkaProducerOptions;
  #producerId = -1;
  #producerEpoch = -1;
  #state: 'new' | 'ready' | 'in-transaction' = 'new';
  readonly #batches: KafkaBatch[] = [];
  #sequence = 0;
  #isUnderWay = false;
  #hasTurn = false;
  #records = 0;
  #given = 0;

  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    if (options.transactionalId === '') this.#state = 'in-transaction';
  }

  get transactionalId(): string {
    return this.#options.transactionalId;
  }
  /** It has an id and an epoch: records may come. */
  get isReady(): boolean {
    return this.#state !== 'new';
  }
  get isDrained(): boolean {
    return this.#batches.length === 0;
  }
  get unsent(): number {
    return this.#batches.length;
  }
  /** Batches that were given, and of those the ones that are replicated. */
  get given(): number {
    return this.#given;
  }
  get acknowledged(): number {
    return this.#given - this.#batches.length;
  }
  /** Records given to this transaction. */
  get records(): number {
    return this.#records;
  }
  get identity(): { readonly transactionalId: string; readonly producerId: number; readonly producerEpoch: number } {
    return {
      transactionalId: this.transactionalId,
      producerId: this.#producerId,
      producerEpoch: this.#producerEpoch,
    };
  }

  /** The id was initialized: earlier holders of it are fenced, and what they left open is aborted. */
  initialized({ producerId, producerEpoch }: Pick<KafkaReply, 'producerId' | 'producerEpoch'>, out: Out): void {
    this.#producerId = producerId;
    this.#producerEpoch = producerEpoch;
    this.#state = 'ready';
    this.#pump(out);
  }

  /** Those before it in the partition are drained. */
  takeTurn(out: Out): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    this.#pump(out);
  }

  send(batch: KafkaBatch, out: Out): void {
    this.#batches.push(batch);
    this.#given += 1;
    this.#records += batch.values.length;
    this.#pump(out);
  }

  #pump(out: Out): void {
    const batch = this.#batches[0];
    if (batch === undefined || this.#isUnderWay || !this.#hasTurn || this.#state === 'new') return;
    this.#isUnderWay = true;
    if (this.#state === 'ready') this.#addPartition(out);
    else this.#produce(batch, out);
  }

  /** I2. */
  #addPartition(out: Out): void {
    const { client, partition } = this.#options;
    client.request(
      {
        about: this.transactionalId,
        patience: DELIVERY_PATIENCE,
        message: (requestId) => ({ kind: 'kafka-add-partition', requestId, ...this.identity, partition }),
        answered: (reply, _nowUs, replyOut) => {
          if (reply?.outcome !== 'done') return this.#refused(reply, replyOut);
          this.#state = 'in-transaction';
          this.#isUnderWay = false;
          this.#pump(replyOut);
        },
      },
      out,
    );
  }

  #produce(batch: KafkaBatch, out: Out): void {
    const { client, partition } = this.#options;
    const sequence = this.#sequence;
    client.request(
      {
        about: partition,
        patience: DELIVERY_PATIENCE,
        message: (requestId) => ({
          kind: 'kafka-produce',
          requestId,
          ...this.identity,
          partition,
          sequence,
          ...batch,
        }),
        answered: (reply, nowUs, replyOut) => {
          if (reply?.outcome !== 'done' && this.#options.errors === 'checked') return this.#refused(reply, replyOut);
          this.#isUnderWay = false;
          if (reply?.outcome === 'done') this.#sequence += batch.values.length;
          this.#batches.shift();
          this.#options.acknowledged(nowUs, replyOut);
          this.#pump(replyOut);
        },
      },
      out,
    );
  }

  /** I3. */
  #refused(reply: KafkaReply | undefined, out: Out): void {
    const isFenced = reply?.outcome === 'fenced' || reply?.outcome === 'invalid-transaction-state';
    this.#options.fail(isFenced ? 'sink-fenced' : 'sink-unavailable', out);
  }
}

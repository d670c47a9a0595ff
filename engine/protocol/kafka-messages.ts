/**
 * What producers and brokers of the Kafka-like cluster say to each other (Kafka: InitProducerId, AddPartitionsToTxn, Produce, EndTxn,
 * ListTransactions, WriteTxnMarkers). All over connections; a producer repeats what was not answered, and sequence numbers keep the rest.
 *
 * A partition is named `<topic>-<number>`. Every request has one kind of reply; what a kind of request does not ask for is empty in it.
 */
import type { Lineage, RecordValue } from './stream-elements.ts';

interface OfRequest {
  readonly requestId: number;
}

/** Who asks, as the coordinator knows it: an id and its epoch, which fences older ones. */
interface OfProducer extends OfRequest {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface KafkaProduce extends OfProducer {
  /** `transactionalId` is empty: not transactional, visible when replicated. */
  readonly kind: 'kafka-produce';
  readonly partition: string;
  /** Number of the first record among those of this producer epoch and partition; -1: not counted. */
  readonly sequence: number;
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
  readonly bytes: number;
}

export interface KafkaWriteMarker extends OfProducer {
  /** From a coordinator to the leader of a partition. */
  readonly kind: 'kafka-write-marker';
  readonly partition: string;
  readonly commit: boolean;
}

export type KafkaRequest =
  | ({
      readonly kind: 'kafka-init-producer';
      readonly transactionalId: string;
      /** Open transactions older than this are aborted, microseconds. */
      readonly timeoutUs: number;
      /** What becomes of a transaction that is open under this id: aborted, or left as it is, and `ongoing-transaction` is the answer. */
      readonly abortsOngoing: boolean;
    } & OfRequest)
  | ({ readonly kind: 'kafka-add-partition'; readonly partition: string } & OfProducer)
  | KafkaProduce
  | ({ readonly kind: 'kafka-end-transaction'; readonly commit: boolean } & OfProducer)
  | ({
      readonly kind: 'kafka-list-transactions';
      /** Which partition of the transaction log is asked. */
      readonly coordinator: number;
      /** Of transactional ids. */
      readonly prefix: string;
    } & OfRequest)
  | KafkaWriteMarker;

export type KafkaOutcome =
  | 'done'
  /** Another broker leads; `leader` names it if it is known. */
  | 'not-leader'
  | 'unavailable'
  /** The epoch is not the current one (ProducerFenced, InvalidProducerEpoch). */
  | 'fenced'
  /** A transaction of this id is just being ended; come again. */
  | 'concurrent-transactions'
  /** Somebody has a transaction open under the id, and it was not to be aborted; the reply names its producer and epoch. */
  | 'ongoing-transaction'
  /** There is no such transaction to end or to write into (InvalidTxnState). */
  | 'invalid-transaction-state'
  | 'out-of-order-sequence'
  /** Longer than the broker allows (InvalidTransactionTimeout). */
  | 'invalid-timeout';

/** One transaction: an epoch has one. */
export interface KafkaTransactionId {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface KafkaReply {
  readonly kind: 'kafka-reply';
  readonly requestId: number;
  readonly outcome: KafkaOutcome;
  /** Of `not-leader`; else empty. */
  readonly leader: string;
  /** Of `kafka-init-producer`: those to write with, or of the transaction that is open. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Of `kafka-list-transactions`: those that have not ended, each with its epoch (Kafka: DescribeTransactions). */
  readonly transactions: readonly KafkaTransactionId[];
}

export type KafkaMessage = KafkaRequest | KafkaReply;

/** Topics deal their records to partitions by subtask (Flink: FlinkFixedPartitioner). */
export const partitionName = (topic: string, partition: number): string => `${topic}-${partition}`;

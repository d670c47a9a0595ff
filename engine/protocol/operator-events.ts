/**
 * What an operator and its coordinator tell each other (rows C24, K1, K3; Flink: OperatorEvent and its kinds).
 *
 * Owns: the vocabulary and the split of a log. Does not own: delivery (event-channel.ts), nor who assigns what (split-enumerator.ts).
 */
import type { CheckpointId } from '../foundation/ids.ts';

/** A stretch of one partition that one reader reads at a time (Flink: KafkaPartitionSplit). */
export interface LogSplit {
  readonly splitId: string;
  readonly partition: number;
  /** The next entry of the log to read: always a number, never "latest" (H5, H6 in bugs.md). */
  readonly offset: number;
  /** Records of that entry that were read: an entry may hold several (Flink: SequenceNumber of Kinesis with its sub-sequence number). */
  readonly sub: number;
  /** One past its last entry; `UNBOUNDED`: the split goes on as long as its partition. */
  readonly end: number;
  /** Which source of a chain it is of (row B24; Flink: HybridSourceSplit). Absent: of the only one. */
  readonly source?: number;
}

/** Of a split, or of a request for one. */
export const sourceOf = ({ source = 0 }: Pick<LogSplit, 'source'>): number => source;

/** `end` of a split without an end of its own. */
export const UNBOUNDED = -1;
/** In place of an offset: wherever the partition ends when it is first read. No split of a right engine says so. */
export const LATEST = -3;
/** Where the next split of a partition begins when there is none: the partition has ended. */
export const ENDED = -2;

/** Everything of it was read. */
export const isFinished = ({ offset, end }: LogSplit): boolean => end !== UNBOUNDED && offset >= end;

/** Operator -> coordinator. */
export type EventFromOperator =
  /** The reader is there (again), and this is what its restored state holds (Flink: ReaderRegistrationEvent). `hasFinished`: it takes no more. */
  | { readonly kind: 'register-reader'; readonly splits: readonly LogSplit[]; readonly hasFinished: boolean }
  /** It has room for one more split, of this source of a chain (Flink: RequestSplitEvent). One is under way at a time. */
  | { readonly kind: 'request-split'; readonly source?: number }
  /**
   * It read this split to its end, and keeps it in its state until `release-split`. `partitionEnded`: no record will ever lie behind it.
   */
  | { readonly kind: 'split-finished'; readonly split: LogSplit; readonly partitionEnded: boolean }
  /** It lags far behind the end of what it reads, or no longer (row C5; Flink: ReaderInfo's lag, RecordAttributes). */
  | { readonly kind: 'report-backlog'; readonly isProcessingBacklog: boolean }
  /** Its barrier has left: what was held back for it may come now (Flink: AcknowledgeCheckpointEvent). */
  | { readonly kind: 'acknowledge-checkpoint-event'; readonly checkpointId: CheckpointId };

/** Coordinator -> operator. */
export type EventToOperator =
  | { readonly kind: 'assign-splits'; readonly splits: readonly LogSplit[] }
  /** There is nothing more to ask for (Flink: NoMoreSplitsEvent). Not state: said again after each restart (row K3). */
  | { readonly kind: 'no-more-splits' }
  /** Row B24. Splits of this source of the chain are assigned now (Flink: SwitchSourceEvent). Not state: said to each reader that registers. */
  | { readonly kind: 'switch-source'; readonly source: number }
  /** The enumerator has taken note that the split is finished; from now on that is in its state and no longer in the reader's. */
  | { readonly kind: 'release-split'; readonly splitId: string };

export type OperatorEvent = EventFromOperator | EventToOperator;

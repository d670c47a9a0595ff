/**
 * What a subtask that begins its job's graph asks of a source, whatever kind it is (Flink: SourceReader and, around it, SourceOperator).
 *
 * Owns: the contract. Does not own: when it is called (stream-task.ts, task-checkpointing.ts), which kind there is (open-source.ts).
 * Invariants, of every source:
 *   I1 `restore` comes before `start`, once, and is given every piece of operator state that the subtask was assigned;
 *   I2 `snapshot` is called in the mailbox action in which the barrier was sent, so that its positions are exactly what went before;
 *   I3 after `stop` nothing is emitted, and the positions stay.
 */
import type { CheckpointId, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { LogRecords, OperatorEventMessage, StorageReply } from '../protocol/messages.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { TaskRestore } from '../protocol/task.ts';
import type { OperatorStateList } from '../protocol/state-handle.ts';

export interface SourceReaderOptions {
  readonly spec: SourceSpec;
  readonly uid: string;
  readonly parallelism: number;
  readonly broker: NodeId;
  readonly requestTimeoutUs: number;
  readonly firstRequestId: number;
  /** Of sources that read files: a client of the storage that checkpoints lie on. */
  readonly openStorage: () => CheckpointStorage;
  /** What it begins from; undefined: nothing. */
  readonly restore: Pick<TaskRestore, 'checkpointId' | 'finished'> | undefined;
}

/** A piece of operator state; `lists`: which elements of which list are this subtask's, absent: all (rows S5, S6). */
export interface RestoredPiece {
  readonly bytes: Uint8Array;
  readonly lists?: readonly OperatorStateList[] | undefined;
}

/**
 * What a source that stops at markers (row C25) tells of them; a marker is named by its checkpoint. It reads a split up to a marker and not
 * further, until it is told to pass or to drop it.
 */
export interface MarkedSource {
  /** Every split ended, and nothing is to come of any. */
  readonly isExhausted: boolean;
  /** At which all of its open splits stand; undefined: they do not, or not at the same one. */
  readonly marker: CheckpointId | undefined;
  /** The checkpoint is taken: read on behind its marker. */
  passMarker(id: CheckpointId, out: Out): void;
  /** The checkpoint is over: its marker holds no split, now or later. */
  dropMarker(id: CheckpointId, out: Out): void;
}

/** What concerns a source among the messages to its subtask. */
export type SourceMessage = LogRecords | StorageReply | OperatorEventMessage;

export interface SourceReader {
  /** Present: markers in its input say when a snapshot is due. */
  readonly markers?: MarkedSource;
  /** Under this name it finds its operator state again. */
  readonly uid: string;
  /** Fetched and not emitted. */
  readonly hasRecords: boolean;
  /** No record will come any more. */
  readonly isExhausted: boolean;
  /** False: the subtask may not end yet, its coordinator has not heard what it must know. */
  readonly isHeard?: boolean;
  /** Names of the splits or partitions that more records may come from. */
  openSplits(): readonly string[];
  /** Which of them the next record is of; undefined: none is there. */
  readonly nextSplit: string | undefined;
  /** Throws `CorruptData` or `IncompatibleState`. */
  restore(pieces: readonly RestoredPiece[]): void;
  /** The subtask runs; one that is restored as finished reads nothing. */
  start(out: Out): void;
  /** Emits up to `limit` records of one fetched batch, stopping early when `mayEmit` turns false. Returns how many. */
  emit(limit: number, consumer: ElementConsumer, mayEmit: () => boolean, out: Out): number;
  /** Operator state: the positions, as bytes. */
  snapshot(checkpointId: CheckpointId, checkpointedOffset: EngineParts['checkpointedOffset'], out: Out): Uint8Array;
  /** Stop-with-savepoint: what was fetched and not emitted will be read again (row C28). */
  stop(): void;
  /** What an outside system answers, an event of its coordinator, or the acknowledgement of an event to it. */
  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void;
  /** False: the timer is not of this source. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

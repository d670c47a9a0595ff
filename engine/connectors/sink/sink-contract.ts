/**
 * What a sink consists of, and what each part may rely on (rows K5 to K8, K13; Flink: Sink V2, FLIP-143, FLIP-191).
 *
 * A connector implements a `SinkWriter` and, if what it writes has to be committed, a `Committer`. The engine does the rest: it asks the
 * writer for committables before each barrier, keeps them in the checkpoint and commits them when that is complete
 * (sink-operator.ts, committer-operator.ts). Nothing here blocks: what Flink waits for is told through a callback.
 *
 * Invariants that a connector must keep:
 *   I1 all that was written before `prepareCommit` belongs to the committables it returns or returned before, nothing after it does;
 *   I2 a snapshot is acknowledged only when the writer says that everything prepared so far is flushed, and did not fail (I6 in bugs.md);
 *   I3 a commit may be repeated, by another process too: what is committed already counts as committed (row K7);
 *   I4 until a writer says that it is ready it is handed no record, and no barrier; while it is not available no record that can wait.
 */
import type { CheckpointId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { ElementConsumer } from '../../operators/element-consumer.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import type { TaskFailure } from '../../protocol/task.ts';

/** One thing to commit, in the connector's own words. Text, because it is kept in state and travels between operators. */
export type Committable = string;

/** How many committables a writer subtask has for a checkpoint; goes ahead of them (Flink: CommittableSummary). */
export interface CommittableSummary {
  readonly kind: 'committable-summary';
  readonly checkpointId: number;
  /** Of the writer. */
  readonly subtask: number;
  /** Parallelism of the writer: a global committer waits for as many. */
  readonly subtasks: number;
  readonly count: number;
}

/** Flink: CommittableWithLineage. */
export interface CommittableWithLineage {
  readonly kind: 'committable';
  readonly checkpointId: number;
  readonly subtask: number;
  readonly committable: Committable;
}

export type CommittableMessage = CommittableSummary | CommittableWithLineage;

/** Committables go by the subtask that wrote them: a group reaches one committer, whole (row K8). */
export function writerSubtask(value: unknown): number {
  return isCommittableMessage(value) ? value.subtask : 0;
}

export function isCommittableMessage(value: unknown): value is CommittableMessage {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('subtask' in value)) return false;
  return value.kind === 'committable' || value.kind === 'committable-summary';
}

/** What a writer finds of the time before. */
export interface RestoredWriter {
  /** Checkpoint that the subtask is restored from; 0: none. */
  readonly checkpointId: number;
  /** What the writers of all subtasks kept for themselves; each takes what is its own. */
  readonly states: readonly string[];
  /** Committables that this subtask will commit before it is handed a record. */
  readonly committables: readonly CommittableWithLineage[];
}

/** What a writer tells the operator around it. */
export interface SinkWriterHost {
  /** Earlier attempts can do no more harm, records may come. */
  ready(out: Out): void;
  /** A snapshot that waited need not any more (I2). */
  flushed(checkpointId: CheckpointId, nowUs: Micros, out: Out): void;
  /** `isFlushed` holds again. */
  allFlushed(out: Out): void;
  fail(failure: TaskFailure, out: Out): void;
}

/** `process` of a record makes no effect; `sendBatches` follows at the end of each mailbox action. */
export interface SinkWriter extends ElementConsumer {
  /** False: input waits. Asked between records only where `isGated` says that it may be false. */
  readonly isAvailable: boolean;
  readonly isGated: boolean;
  initialize(restored: RestoredWriter, out: Out): void;
  sendBatches(out: Out): void;
  /** Flushes, and closes what is written (Flink: prepareCommit after flush). `isEnd`: no record follows. */
  prepareCommit(checkpointId: CheckpointId, isEnd: boolean, out: Out): readonly Committable[];
  /** Whether all that was prepared is flushed; else the host will be told. */
  readonly isFlushed: boolean;
  /** What the next attempt must know and no committable says. Called right after `prepareCommit`. */
  snapshotState(): readonly string[];
  /** In place of `prepareCommit` where all input had come before and nothing was written since. */
  snapshotAfterEnd(checkpointId: CheckpointId, out: Out): void;
  /** A committable of this subtask is committed (Flink: the back channel of the Kafka sink). */
  committed(committable: Committable, out: Out): void;
  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

/**
 * `retry-later`: the outcome may be another one next time. `failed-known`: it never will, and the connector knows why: the data is
 * dropped and that is said (Flink: signalFailedWithKnownReason). `failed-unknown`: the job fails.
 */
export type CommitOutcome = 'committed' | 'already-committed' | 'retry-later' | 'failed-known' | 'failed-unknown';

export interface CommitAnswer {
  readonly outcome: CommitOutcome;
  /** What the outside system said, for people. */
  readonly reason: string;
  /** Of the subtask, if this is the end of it. */
  readonly failure: TaskFailure;
}

export type CommitAnswered = (answer: CommitAnswer, out: Out) => void;

/** One committable on its way through a committer (Flink: CommitRequestImpl). */
export interface CommitRequest extends CommittableWithLineage {
  readonly state: 'received' | 'retry' | 'failed' | 'committed';
  /** How often it was tried, this time included. */
  readonly tries: number;
}

export interface Committer {
  /** Answers exactly once, later. At most one is under way. */
  commit(request: CommittableWithLineage, answered: CommitAnswered, out: Out): void;
  /** Under which name the outside system knows it, for facts. */
  transactionOf(committable: Committable): string;
  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

/**
 * Every message between two mailboxes, control plane and data plane, outside systems included.
 *
 * Owns: the vocabulary. Does not own: who answers what (the actors' headers say).
 * Invariants:
 *   I1 messages are plain readonly data; `encodeMessage`/`decodeMessage` (message-codec.ts) round-trip them through JSON;
 *   I2 each control message carries the ids that make it safe when late or doubled: leader epoch, attempt, checkpoint, request;
 *   I3 a reply repeats the `requestId` of its request; request ids are unique per sender incarnation and mailbox.
 */
import type { StartPosition } from './start-position.ts';
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { CheckpointFailure } from './checkpoint-failure.ts';
import type { CheckpointOptions } from './checkpoint-options.ts';
import type { CheckpointMetrics } from './checkpoint-metrics.ts';
import type { ClientCommandMessage, ClientReply, ClientRequest } from './client-operations.ts';
import type { KafkaMessage, KafkaReply } from './kafka-messages.ts';
import type { KubernetesMessage } from './kubernetes-messages.ts';
import type { OperatorEvent } from './operator-events.ts';
import type { RocketMqCheck, RocketMqRequest } from './rocketmq-messages.ts';
import type { MergingMessage } from './merging-messages.ts';
import type { FinishedState, SegmentHandle, StateHandle } from './state-handle.ts';
import type { Lineage, RecordValue, StreamBuffer } from './stream-elements.ts';
import type { ExecutionState, TaskDeployment, TaskFailure } from './task.ts';
import type { FileRequest, OpenUpload, StorageRefusal, UploadRequest } from './storage-messages.ts';
import type { ZooKeeperMessage } from './zookeeper-messages.ts';

/** JobManager -> TaskManager. The heartbeat also announces the leader: a TaskManager follows the highest epoch it has seen. */
export type JobManagerMessage =
  | { readonly kind: 'heartbeat-request'; readonly epoch: LeaderEpoch }
  | {
      readonly kind: 'deploy-task';
      readonly epoch: LeaderEpoch;
      /** Process the slot was offered by: a deployment that outlives it is void. */
      readonly incarnation: number;
      readonly deployment: TaskDeployment;
    }
  | { readonly kind: 'cancel-task'; readonly epoch: LeaderEpoch; readonly attempt: ExecutionAttemptId }
  | TriggerCheckpoint
  | NotifyCheckpointComplete
  | NotifyCheckpointAborted
  | AcknowledgeConfirmed;

export interface TriggerCheckpoint {
  readonly kind: 'trigger-checkpoint';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
  readonly triggeredAtUs: Micros;
  readonly options: CheckpointOptions;
  /** Present: the JobManager waits for `trigger-confirmed` (row C1). */
  readonly isAsked?: true;
}
export interface NotifyCheckpointComplete {
  readonly kind: 'notify-checkpoint-complete';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
  /** Newest checkpoint that was subsumed (row C14); 0: none yet. */
  readonly lastSubsumedId: number;
  /** With file merging (row S19): nothing below this one is retained any more. */
  readonly oldestRetainedId?: number;
}
export interface NotifyCheckpointAborted {
  readonly kind: 'notify-checkpoint-aborted';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
  /** Newest checkpoint that is complete (row C14): makes good a notice that was lost; 0: none. */
  readonly latestCompletedId: number;
}
/** Answer to `acknowledge-checkpoint` and `decline-checkpoint`: it arrived, whatever it was worth (row C11). */
export interface AcknowledgeConfirmed {
  readonly kind: 'acknowledge-confirmed';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
}

/** TaskManager -> JobManager. */
export type TaskManagerMessage =
  | {
      readonly kind: 'heartbeat-response';
      readonly epoch: LeaderEpoch;
      /** Rises by one each time the TaskManager's process starts. */
      readonly incarnation: number;
      readonly slots: number;
      /** What runs there: the JobManager reconciles (Flink: ExecutionDeploymentReport). */
      readonly executions: readonly ListedExecution[];
    }
  | {
      readonly kind: 'task-state';
      readonly epoch: LeaderEpoch;
      /** Of the TaskManager's process: a new one speaks of attempts it never had only to say that they are gone. */
      readonly incarnation: number;
      readonly attempt: ExecutionAttemptId;
      readonly state: ExecutionState;
      /** Present when state is `failed`. */
      readonly failure?: TaskFailure;
      /** What is wrong, where somebody must mend it (row S13). */
      readonly reason?: string;
      /** See WhyFailed. */
      readonly unreachable?: readonly ExecutionAttemptId[];
    }
  /** All input of the subtask ended and its operators have finished (row C23; Flink: notifyEndOfData). */
  | { readonly kind: 'end-of-data'; readonly epoch: LeaderEpoch; readonly attempt: ExecutionAttemptId }
  | TriggerConfirmed
  | AcknowledgeCheckpoint
  | DeclineCheckpoint;

/** A subtask that a TaskManager has: one that is being cancelled still holds its slot. */
export interface ListedExecution {
  readonly attempt: ExecutionAttemptId;
  readonly state: ExecutionState;
  /** Present when state is `failed`: the report of it may have been lost. */
  readonly failure?: TaskFailure;
  readonly reason?: string;
  /** True: its input ended and its operators have finished; the `end-of-data` message may have been lost. */
  readonly endOfData?: boolean;
}

/** Answer to a `trigger-checkpoint` that asks for one: it arrived, whatever the subtask makes of it. */
export interface TriggerConfirmed {
  readonly kind: 'trigger-confirmed';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
}
/** Flink: AcknowledgeCheckpoint. */
export interface AcknowledgeCheckpoint {
  readonly kind: 'acknowledge-checkpoint';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
  readonly handles: readonly StateHandle[];
  readonly metrics: CheckpointMetrics;
  /** Absent: the input of the subtask had not ended before the snapshot. */
  readonly finished?: FinishedState;
  /** Row S20: shared files, written or being written, that are not part of this checkpoint and may be of a later one. Absent: none. */
  readonly reserved?: readonly SegmentHandle[];
}
/** Flink: DeclineCheckpoint. */
export interface DeclineCheckpoint {
  readonly kind: 'decline-checkpoint';
  readonly epoch: LeaderEpoch;
  readonly attempt: ExecutionAttemptId;
  readonly checkpointId: CheckpointId;
  readonly reason: CheckpointFailure;
}

/**
 * JobManager <-> subtask: operator coordinators and their operators (row C24; Flink: sendOperatorEventToTask, -ToCoordinator).
 * `attempt` is the subtask's in both directions; `sequence` counts from 0 per attempt, operator and direction.
 */
export type OperatorEventMessage =
  | {
      readonly kind: 'operator-event';
      readonly epoch: LeaderEpoch;
      readonly attempt: ExecutionAttemptId;
      readonly operator: string;
      readonly sequence: number;
      readonly event: OperatorEvent;
    }
  | {
      /** The event of this number was handled. */
      readonly kind: 'operator-event-acknowledged';
      readonly epoch: LeaderEpoch;
      readonly attempt: ExecutionAttemptId;
      readonly operator: string;
      readonly sequence: number;
    };

/** TaskManager <-> TaskManager, over connections (Flink: PartitionRequest, AddCredit, BufferResponse). */
export type DataPlaneMessage =
  | {
      /** Consumer task -> producer task. */
      readonly kind: 'partition-request';
      readonly producer: ExecutionAttemptId;
      readonly edge: number;
      readonly subpartition: number;
      readonly consumer: ExecutionAttemptId;
      /** Index of the channel in the consumer's gate; comes back with each buffer. */
      readonly channel: number;
      /** Initial credit: exclusive buffers of the channel. */
      readonly credit: number;
    }
  | {
      /** Producer's TaskManager -> consumer task: the producing task is not there (yet). */
      readonly kind: 'partition-not-found';
      readonly producer: ExecutionAttemptId;
      readonly channel: number;
    }
  | BufferMessage
  | {
      /** Consumer task -> producer task. */
      readonly kind: 'add-credit';
      readonly edge: number;
      readonly subpartition: number;
      readonly consumer: ExecutionAttemptId;
      readonly credit: number;
    }
  | {
      /** Consumer task -> producer task: buffers begun from now on are to be of this size (row B16). */
      readonly kind: 'new-buffer-size';
      readonly edge: number;
      readonly subpartition: number;
      readonly consumer: ExecutionAttemptId;
      readonly bytes: number;
    }
  | AllRecordsProcessed;

/** Consumer task -> producer task: the end of data of a channel was reached (row C23; Flink: AckAllUserRecordsProcessed). */
export interface AllRecordsProcessed {
  readonly kind: 'all-records-processed';
  readonly edge: number;
  readonly subpartition: number;
  readonly consumer: ExecutionAttemptId;
}

export interface BufferMessage {
  /** Producer task -> consumer task. */
  readonly kind: 'buffer';
  readonly producer: ExecutionAttemptId;
  readonly channel: number;
  /** Per channel, from 0, without gaps: a gap fails the task (row B12). */
  readonly sequence: number;
  /** Buffers still queued behind this one. */
  readonly backlog: number;
  readonly buffer: StreamBuffer;
}

/** What a node tells itself. `target` mailboxes are on the same node; these never cross the network. */
export type LocalMessage =
  | { readonly kind: 'continue' }
  | { readonly kind: 'task-start'; readonly deployment: TaskDeployment }
  /** Main mailbox -> mailbox of a cancelled subtask: handled when whatever keeps that mailbox busy is over. */
  | { readonly kind: 'task-end' }
  /** The synchronous part is over; the asynchronous part starts in its own mailbox. */
  | { readonly kind: 'start-async-part'; readonly checkpointId: CheckpointId }
  /** The serializing is over (its busy time has passed): write the state. */
  | { readonly kind: 'write-async-part'; readonly checkpointId: CheckpointId }
  /** All in-flight data of the checkpoint is known: serialize and write it. */
  | { readonly kind: 'write-channel-state'; readonly checkpointId: CheckpointId }
  /** Something is to be done about the state logs of the subtask. */
  | { readonly kind: 'changelog-step'; readonly step: ChangelogStep };

/** Row S20: write what is full of the log; serialize a snapshot to be put below it; write that. */
export type ChangelogStep = 'write-full' | 'serialize-snapshot' | 'write-snapshot';

/** World -> main mailbox of both ends: the connection to `peer` was reset or timed out. The TaskManager passes it to its tasks. */
export interface ConnectionLost {
  readonly kind: 'connection-lost';
  readonly peer: NodeId;
}

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

/** Checkpoint storage. Puts are an object store's: atomic, visible when complete; a file takes several requests (storage-messages.ts). */
export type StorageRequest =
  | {
      readonly kind: 'storage-put';
      readonly requestId: number;
      readonly path: string;
      readonly bytes: Uint8Array;
      /** False: fail with `already-exists` when the path is taken (NO_OVERWRITE). */
      readonly overwrite: boolean;
    }
  | {
      readonly kind: 'storage-get';
      readonly requestId: number;
      readonly path: string;
      /** Absent: the whole file. */
      readonly range?: ByteRange;
    }
  | { readonly kind: 'storage-delete'; readonly requestId: number; readonly paths: readonly string[] }
  | { readonly kind: 'storage-list'; readonly requestId: number; readonly prefix: string }
  | FileRequest
  | UploadRequest;
export interface StorageReply {
  readonly kind: 'storage-reply';
  readonly requestId: number;
  /** `failed`: the service says the request had no effect. No reply at all: the outcome is unknown. */
  readonly outcome: 'done' | StorageRefusal;
  /** Of the stored object: after `done` of a get, `done` and `already-exists` of a put. */
  readonly checksum?: number;
  readonly bytes?: Uint8Array;
  /** Of a list, sorted. */
  readonly paths?: readonly string[];
  /** Of the file that was appended to. */
  readonly length?: number;
  /** The one that was begun. */
  readonly upload?: string;
  /** Of a list of uploads, by path, then upload. */
  readonly uploads?: readonly OpenUpload[];
}

/** Lease store: versioned values, what ZooKeeper (setData with version) and Kubernetes (resourceVersion) have in common. */
export type CoordinationRequest =
  | { readonly kind: 'coordination-get'; readonly requestId: number; readonly key: string }
  | {
      readonly kind: 'coordination-compare-and-set';
      readonly requestId: number;
      readonly key: string;
      /** 0 creates; -1 matches any (ZooKeeper: setData with version -1). */
      readonly expectedVersion: number;
      /** JSON text. */
      readonly value: string;
    };
export interface CoordinationReply {
  readonly kind: 'coordination-reply';
  readonly requestId: number;
  readonly outcome: 'done' | 'conflict' | 'failed';
  readonly key: string;
  /** Current version; 0 when the key does not exist. */
  readonly version: number;
  /** Current value after the request; empty when the key does not exist or the outcome is `failed`. */
  readonly value: string;
}

/** Replayable partitioned log. */
export interface LogFetch {
  readonly kind: 'log-fetch';
  readonly requestId: number;
  readonly partition: number;
  readonly offset: number;
  readonly maxRecords: number;
  /** The broker holds the reply until a record is there, at most this long. */
  readonly maxWaitUs: Micros;
  /** Present: the reader stops at markers, and has passed the one of this checkpoint and all before it (row C25); 0: none. */
  readonly markersAfter?: number;
}
export interface LogRecords {
  readonly kind: 'log-records';
  readonly requestId: number;
  /** `out-of-range`: what was asked for was deleted (row K1). */
  readonly outcome: 'done' | 'unavailable' | 'out-of-range';
  readonly partition: number;
  /** Offset of the first record; with `out-of-range`: of the first that is still there. */
  readonly offset: number;
  readonly values: readonly RecordValue[];
  readonly timestampsUs: readonly number[];
  /** Position of each record in the whole input; becomes its lineage. */
  readonly sourceIndices: readonly number[];
  /** Records of the partition that are readable behind these: how far the reader lags. */
  readonly behind: number;
  /** True: the partition is bounded and nothing will ever come behind these records. */
  readonly ended: boolean;
  /** Behind these records lies the marker of this checkpoint (row C25). */
  readonly marker?: number;
  /** Records of each entry of the log, in order; absent: one. Offsets count entries. */
  readonly entrySizes?: readonly number[];
}

/** Which partitions a topic has, and where to begin in each (Kafka: describeTopics, listOffsets). */
export interface LogListOffsets {
  readonly kind: 'log-list-offsets';
  readonly requestId: number;
  /** Who asks: the uid of a source. */
  readonly group: string;
  readonly topic: string;
  readonly at: StartPosition;
}
export interface LogOffsets {
  readonly kind: 'log-offsets';
  readonly requestId: number;
  readonly group: string;
  readonly outcome: 'done' | 'unavailable';
  readonly partitions: readonly number[];
  /** In the order of the partitions. */
  readonly offsets: readonly number[];
}

/**
 * A master hook tells the log that a checkpoint begins (row C25): a marker is to be put into each of these partitions, behind what is readable
 * now. Of a group of readers the command of the highest epoch and sequence counts; the same one twice is done once.
 */
export interface LogMark {
  readonly kind: 'log-mark';
  readonly requestId: number;
  /** Whose markers they are: the uid of a source. */
  readonly group: string;
  readonly epoch: LeaderEpoch;
  readonly sequence: number;
  readonly partitions: readonly number[];
  /** 0: no marker is put anywhere. */
  readonly checkpointId: number;
  /** Markers of before are taken back first: the job was restored, their checkpoints are over. */
  readonly takesBack: boolean;
}
export interface LogMarked {
  readonly kind: 'log-marked';
  readonly requestId: number;
  readonly group: string;
  /** `fenced`: a later command has come. */
  readonly outcome: 'done' | 'fenced' | 'unavailable';
  /** Where the marker lies in each partition, in their order; empty when there is none. */
  readonly offsets: readonly number[];
}

/** Transactional sink store (Kafka-like producer transactions). */
export type SinkRequest =
  | {
      /** Fences lower epochs of this producer and aborts its open and pre-committed transactions that are not in `keep`. */
      readonly kind: 'sink-initialize';
      readonly requestId: number;
      readonly producer: string;
      readonly producerEpoch: number;
      readonly keep: readonly string[];
    }
  | SinkWrite
  | {
      /** All `records` written must be there; then the transaction survives timeouts until committed or aborted. */
      readonly kind: 'sink-pre-commit';
      readonly requestId: number;
      readonly producer: string;
      readonly producerEpoch: number;
      readonly transaction: string;
      readonly records: number;
    }
  | {
      readonly kind: 'sink-commit' | 'sink-abort';
      readonly requestId: number;
      readonly producer: string;
      readonly producerEpoch: number;
      readonly transaction: string;
    };
export interface SinkWrite {
  readonly kind: 'sink-write';
  readonly producer: string;
  readonly producerEpoch: number;
  /** Opened by the first write. Empty: not transactional, visible at once (at-least-once sinks). */
  readonly transaction: string;
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
  readonly bytes: number;
}
/** A table that is written row by row: an upsert inserts a row, or replaces it if it may. */
export interface TableUpsert {
  readonly kind: 'table-upsert';
  readonly requestId: number;
  readonly table: string;
  readonly rows: readonly TableRow[];
  /** Only rows whose version is higher than the one that is there (ON CONFLICT DO UPDATE ... WHERE), or any. */
  readonly replaces: 'older' | 'any';
  readonly bytes: number;
}
export interface TableRow {
  readonly key: string;
  readonly version: number;
  readonly value: RecordValue;
  readonly lineage: Lineage;
}
export interface SinkReply {
  readonly kind: 'sink-reply';
  readonly requestId: number;
  /**
   * `incomplete`: fewer records than announced arrived. `aborted`: the transaction was aborted or never existed.
   * Committing a committed transaction is `done` (row K7).
   */
  readonly outcome: 'done' | 'fenced' | 'incomplete' | 'aborted' | 'unavailable';
}

/** What a sink may be answered, whatever it writes to. */
export type SinkServiceReply = SinkReply | KafkaReply | StorageReply | RocketMqCheck;

export type ServiceMessage =
  | StorageRequest
  | StorageReply
  | CoordinationRequest
  | CoordinationReply
  | ZooKeeperMessage
  | KubernetesMessage
  | LogFetch
  | LogRecords
  | LogMark
  | LogMarked
  | LogListOffsets
  | LogOffsets
  | SinkRequest
  | TableUpsert
  | RocketMqRequest
  | RocketMqCheck
  | SinkReply
  | KafkaMessage;

export type ClientMessage = ClientCommandMessage | ClientRequest | ClientReply;

export type EngineMessage =
  | JobManagerMessage
  | TaskManagerMessage
  | OperatorEventMessage
  | DataPlaneMessage
  | LocalMessage
  | MergingMessage
  | ConnectionLost
  | ClientMessage
  | ServiceMessage;

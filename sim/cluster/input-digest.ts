/**
 * Folds what an input says into the running digest: kind, ids, positions, counts, sizes, first and last lineage, and a
 * checksum of bytes that become durable. Enough that actors that behave differently leave different digests.
 *
 * The event loop has folded the time already.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { CheckpointOptions } from '../../engine/protocol/checkpoint-options.ts';
import type {
  CoordinationReply,
  CoordinationRequest,
  DataPlaneMessage,
  EngineMessage,
  JobManagerMessage,
  LogFetch,
  LogRecords,
  OperatorEventMessage,
  ServiceMessage,
  SinkReply,
  SinkRequest,
  StorageReply,
  StorageRequest,
  TaskManagerMessage,
} from '../../engine/protocol/messages.ts';
import type { LogSplit } from '../../engine/protocol/operator-events.ts';
import type { StreamBuffer } from '../../engine/protocol/stream-elements.ts';
import { highAvailabilityText } from '../network/high-availability-text.ts';
import { foldDeployment, foldHandles } from './deployment-digest.ts';
import type { Digest } from '../kernel/digest.ts';

export function foldMessage(digest: Digest, message: EngineMessage): void {
  digest.foldString(message.kind);
  switch (message.kind) {
    case 'continue':
    case 'task-end':
      return;
    case 'buffer':
    case 'add-credit':
    case 'new-buffer-size':
    case 'partition-request':
    case 'partition-not-found':
    case 'all-records-processed':
      foldDataPlane(digest, message);
      return;
    case 'heartbeat-request':
    case 'deploy-task':
    case 'cancel-task':
    case 'trigger-checkpoint':
    case 'notify-checkpoint-complete':
    case 'notify-checkpoint-aborted':
      foldJobManager(digest, message);
      return;
    case 'heartbeat-response':
    case 'task-state':
    case 'end-of-data':
    case 'acknowledge-checkpoint':
    case 'decline-checkpoint':
      foldTaskManager(digest, message);
      return;
    case 'operator-event':
    case 'operator-event-acknowledged':
      foldOperatorEvent(digest, message);
      return;
    case 'task-start':
      foldDeployment(digest, message.deployment);
      return;
    case 'start-async-part':
    case 'write-async-part':
    case 'write-channel-state':
      digest.fold(message.checkpointId);
      return;
    case 'connection-lost':
      digest.foldString(message.peer);
      return;
    case 'rescale-request':
      digest.fold(message.requestId);
      digest.fold(message.parallelism);
      return;
    case 'rescale-reply':
      digest.fold(message.requestId);
      return;
    default:
      foldService(digest, message);
  }
}

function foldDataPlane(digest: Digest, message: DataPlaneMessage): void {
  switch (message.kind) {
    case 'buffer':
      digest.fold(message.producer);
      digest.fold(message.channel);
      digest.fold(message.sequence);
      digest.fold(message.backlog);
      foldBuffer(digest, message.buffer);
      return;
    case 'add-credit':
      digest.fold(message.edge);
      digest.fold(message.subpartition);
      digest.fold(message.consumer);
      digest.fold(message.credit);
      return;
    case 'new-buffer-size':
      digest.fold(message.edge);
      digest.fold(message.subpartition);
      digest.fold(message.consumer);
      digest.fold(message.bytes);
      return;
    case 'partition-request':
      digest.fold(message.producer);
      digest.fold(message.edge);
      digest.fold(message.subpartition);
      digest.fold(message.consumer);
      digest.fold(message.channel);
      digest.fold(message.credit);
      return;
    case 'partition-not-found':
      digest.fold(message.producer);
      digest.fold(message.channel);
      return;
    case 'all-records-processed':
      digest.fold(message.edge);
      digest.fold(message.subpartition);
      digest.fold(message.consumer);
      return;
    default:
      unreachable(message);
  }
}

function foldBuffer(digest: Digest, buffer: StreamBuffer): void {
  switch (buffer.kind) {
    case 'data': {
      const last = buffer.lineages.length - 1;
      digest.fold(last);
      digest.fold(buffer.bytes);
      digest.fold(buffer.lineages[0] ?? 0);
      digest.fold(buffer.lineages[last] ?? 0);
      return;
    }
    case 'barrier':
      digest.fold(-2);
      digest.fold(buffer.checkpointId);
      digest.fold(buffer.triggeredAtUs);
      foldOptions(digest, buffer.options);
      return;
    case 'cancel-marker':
      digest.fold(-3);
      digest.fold(buffer.checkpointId);
      return;
    case 'end-of-partition':
      digest.fold(-4);
      return;
    case 'end-of-data':
      digest.fold(-5);
      digest.foldString(buffer.mode);
      return;
    default:
      unreachable(buffer);
  }
}

function foldOptions(digest: Digest, options: CheckpointOptions): void {
  digest.foldString(options.snapshot);
  digest.foldString(options.alignment);
  digest.fold(options.alignedTimeoutUs);
}

function foldJobManager(digest: Digest, message: JobManagerMessage): void {
  digest.fold(message.epoch);
  switch (message.kind) {
    case 'heartbeat-request':
      return;
    case 'deploy-task':
      foldDeployment(digest, message.deployment);
      return;
    case 'cancel-task':
      digest.fold(message.attempt);
      return;
    case 'trigger-checkpoint':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      digest.fold(message.triggeredAtUs);
      foldOptions(digest, message.options);
      return;
    case 'notify-checkpoint-complete':
    case 'notify-checkpoint-aborted':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      return;
    default:
      unreachable(message);
  }
}

function foldTaskManager(digest: Digest, message: TaskManagerMessage): void {
  digest.fold(message.epoch);
  switch (message.kind) {
    case 'heartbeat-response':
      digest.fold(message.incarnation);
      digest.fold(message.slots);
      digest.fold(message.executions.length);
      for (const execution of message.executions) {
        digest.fold(execution.attempt);
        digest.foldString(execution.state);
        if (execution.failure !== undefined) digest.foldString(execution.failure);
        if (execution.endOfData === true) digest.fold(-1);
      }
      return;
    case 'end-of-data':
      digest.fold(message.attempt);
      return;
    case 'task-state':
      digest.fold(message.attempt);
      digest.foldString(message.state);
      digest.foldString(message.failure ?? '');
      return;
    case 'acknowledge-checkpoint':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      digest.fold(message.metrics.alignmentUs);
      digest.fold(message.metrics.asyncUs);
      foldHandles(digest, message.handles);
      if (message.finished !== undefined) digest.foldString(message.finished);
      return;
    case 'decline-checkpoint':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      digest.foldString(message.reason);
      return;
    default:
      unreachable(message);
  }
}

function foldOperatorEvent(digest: Digest, message: OperatorEventMessage): void {
  digest.fold(message.epoch);
  digest.fold(message.attempt);
  digest.foldString(message.operator);
  digest.fold(message.sequence);
  if (message.kind === 'operator-event-acknowledged') return;
  const { event } = message;
  digest.foldString(event.kind);
  if ('checkpointId' in event) digest.fold(event.checkpointId);
  if ('splitId' in event) digest.foldString(event.splitId);
  if ('split' in event) foldSplit(digest, event.split);
  if ('splits' in event) for (const split of event.splits) foldSplit(digest, split);
}

function foldSplit(digest: Digest, split: LogSplit): void {
  digest.foldString(split.splitId);
  digest.fold(split.offset);
  digest.fold(split.end);
}

function foldService(digest: Digest, message: ServiceMessage): void {
  switch (message.kind) {
    case 'storage-put':
    case 'storage-get':
    case 'storage-delete':
    case 'storage-list':
    case 'storage-reply':
      foldStorage(digest, message);
      return;
    case 'coordination-get':
    case 'coordination-compare-and-set':
    case 'coordination-reply':
      foldCoordination(digest, message);
      return;
    case 'zookeeper-request':
    case 'zookeeper-reply':
    case 'zookeeper-watch-event':
    case 'zookeeper-closed':
    case 'kubernetes-request':
    case 'kubernetes-reply':
    case 'kubernetes-watch-event':
      digest.foldString(highAvailabilityText(message));
      return;
    case 'log-fetch':
    case 'log-records':
      foldLog(digest, message);
      return;
    case 'sink-initialize':
    case 'sink-write':
    case 'sink-pre-commit':
    case 'sink-commit':
    case 'sink-abort':
    case 'sink-reply':
      foldSink(digest, message);
      return;
    default:
      unreachable(message);
  }
}

function foldStorage(digest: Digest, message: StorageRequest | StorageReply): void {
  digest.fold(message.requestId);
  switch (message.kind) {
    case 'storage-put':
      digest.foldString(message.path);
      foldBytes(digest, message.bytes);
      digest.fold(message.overwrite ? 1 : 0);
      return;
    case 'storage-get':
      digest.foldString(message.path);
      return;
    case 'storage-delete':
      for (const path of message.paths) digest.foldString(path);
      return;
    case 'storage-list':
      digest.foldString(message.prefix);
      return;
    case 'storage-reply':
      digest.foldString(message.outcome);
      digest.fold(message.checksum ?? -1);
      digest.fold(message.bytes?.length ?? -1);
      if (message.paths !== undefined) for (const path of message.paths) digest.foldString(path);
      return;
    default:
      unreachable(message);
  }
}

function foldCoordination(digest: Digest, message: CoordinationRequest | CoordinationReply): void {
  digest.fold(message.requestId);
  digest.foldString(message.key);
  switch (message.kind) {
    case 'coordination-get':
      return;
    case 'coordination-compare-and-set':
      digest.fold(message.expectedVersion);
      digest.foldString(message.value);
      return;
    case 'coordination-reply':
      digest.foldString(message.outcome);
      digest.fold(message.version);
      digest.foldString(message.value);
      return;
    default:
      unreachable(message);
  }
}

function foldLog(digest: Digest, message: LogFetch | LogRecords): void {
  digest.fold(message.requestId);
  digest.fold(message.partition);
  digest.fold(message.offset);
  switch (message.kind) {
    case 'log-fetch':
      digest.fold(message.maxRecords);
      digest.fold(message.maxWaitUs);
      return;
    case 'log-records': {
      const last = message.sourceIndices.length - 1;
      digest.foldString(message.outcome);
      digest.fold(last);
      digest.fold(message.sourceIndices[0] ?? 0);
      digest.fold(message.sourceIndices[last] ?? 0);
      if (message.ended === true) digest.fold(-1);
      return;
    }
    default:
      unreachable(message);
  }
}

function foldSink(digest: Digest, message: SinkRequest | SinkReply): void {
  if (message.kind === 'sink-reply') {
    digest.fold(message.requestId);
    digest.foldString(message.outcome);
    return;
  }
  digest.foldString(message.producer);
  digest.fold(message.producerEpoch);
  switch (message.kind) {
    case 'sink-write': {
      const last = message.lineages.length - 1;
      digest.foldString(message.transaction);
      digest.fold(last);
      digest.fold(message.bytes);
      digest.fold(message.lineages[0] ?? 0);
      digest.fold(message.lineages[last] ?? 0);
      return;
    }
    case 'sink-initialize':
      digest.fold(message.requestId);
      for (const transaction of message.keep) digest.foldString(transaction);
      return;
    case 'sink-pre-commit':
      digest.fold(message.requestId);
      digest.foldString(message.transaction);
      digest.fold(message.records);
      return;
    case 'sink-commit':
    case 'sink-abort':
      digest.fold(message.requestId);
      digest.foldString(message.transaction);
      return;
    default:
      unreachable(message);
  }
}

function foldBytes(digest: Digest, bytes: Uint8Array): void {
  digest.fold(bytes.length);
  digest.fold(crc32c(bytes));
}

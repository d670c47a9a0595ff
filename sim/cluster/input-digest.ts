/**
 * Folds what an input says into the running digest: kind, ids, positions, counts, sizes, first and last lineage, and a
 * checksum of bytes that become durable. Enough that actors that behave differently leave different digests.
 *
 * The event loop has folded the time already. What services are asked and answer: service-digest.ts.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { CheckpointOptions } from '../../engine/protocol/checkpoint-options.ts';
import type {
  DataPlaneMessage,
  EngineMessage,
  JobManagerMessage,
  OperatorEventMessage,
  TaskManagerMessage,
} from '../../engine/protocol/messages.ts';
import type { MergingMessage } from '../../engine/protocol/merging-messages.ts';
import type { LogSplit } from '../../engine/protocol/operator-events.ts';
import type { StreamBuffer } from '../../engine/protocol/stream-elements.ts';
import { foldDeployment, foldHandles, foldSegments } from './deployment-digest.ts';
import type { Digest } from '../kernel/digest.ts';
import { foldService } from './service-digest.ts';

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
    case 'acknowledge-confirmed':
      foldJobManager(digest, message);
      return;
    case 'heartbeat-response':
    case 'task-state':
    case 'end-of-data':
    case 'trigger-confirmed':
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
    case 'merge-state':
    case 'merge-end':
    case 'state-merged':
    case 'merge-retained':
      foldMerging(digest, message);
      return;
    case 'changelog-step':
      digest.foldString(message.step);
      return;
    case 'connection-lost':
      digest.foldString(message.peer);
      return;
    case 'client-command':
      digest.foldString(message.id);
      return;
    case 'client-request':
      digest.foldString(message.triggerId);
      digest.foldString(message.operation.kind);
      return;
    case 'client-reply':
      digest.foldString(message.triggerId);
      digest.foldString(message.result.kind);
      if ('location' in message.result) digest.foldString(message.result.location ?? '');
      return;
    default:
      foldService(digest, message);
  }
}

function foldMerging(digest: Digest, message: MergingMessage): void {
  switch (message.kind) {
    case 'merge-state':
      digest.fold(message.checkpointId);
      digest.fold(message.attempt);
      digest.foldString(message.pool);
      digest.fold(message.number);
      digest.fold(message.bytes.length);
      return;
    case 'merge-end':
      digest.fold(message.checkpointId);
      digest.fold(message.attempt);
      return;
    case 'state-merged':
      digest.fold(message.number);
      digest.foldString(message.path);
      digest.fold(message.offset);
      return;
    case 'merge-retained':
      digest.fold(message.oldestRetainedId);
      return;
    default:
      unreachable(message);
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
    case 'watermark':
      digest.fold(-6);
      digest.fold(buffer.timestampUs);
      return;
    case 'watermark-status':
      digest.fold(buffer.idle ? -7 : -8);
      return;
    default:
      unreachable(buffer);
  }
}

function foldOptions(digest: Digest, options: CheckpointOptions): void {
  digest.foldString(options.snapshot);
  digest.foldString(options.alignment);
  digest.fold(options.alignedTimeoutUs);
  if (options.location !== undefined) digest.foldString(options.location);
  if (options.sharing !== undefined) digest.foldString(options.sharing);
  if (options.format !== undefined) digest.foldString(options.format);
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
      if (message.isAsked !== undefined) digest.fold(1);
      return;
    case 'notify-checkpoint-complete':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      digest.fold(message.lastSubsumedId);
      return;
    case 'notify-checkpoint-aborted':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      digest.fold(message.latestCompletedId);
      return;
    case 'acknowledge-confirmed':
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
      for (const attempt of message.unreachable ?? []) digest.fold(attempt);
      return;
    case 'trigger-confirmed':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      return;
    case 'acknowledge-checkpoint':
      digest.fold(message.attempt);
      digest.fold(message.checkpointId);
      digest.fold(message.metrics.alignmentUs);
      digest.fold(message.metrics.asyncUs);
      foldHandles(digest, message.handles);
      if (message.reserved !== undefined) foldSegments(digest, message.reserved);
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

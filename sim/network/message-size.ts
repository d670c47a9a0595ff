/**
 * How many bytes a message takes on the wire.
 *
 * Owns: the estimate. Does not own: encoding; messages travel as objects. Large payloads count exactly, everything
 * else by a flat rate, because only large payloads decide how long a link is occupied.
 *
 * I1: a size is a positive whole number, but 0 for what never crosses the network.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type {
  EngineMessage,
  LogFetch,
  LogListOffsets,
  LogMark,
  LogMarked,
  LogOffsets,
  LogRecords,
  ServiceMessage,
} from '../../engine/protocol/messages.ts';
import type { OperatorEvent } from '../../engine/protocol/operator-events.ts';
import type { SegmentHandle, StateHandle } from '../../engine/protocol/state-handle.ts';
import type { KubernetesMessage } from '../../engine/protocol/kubernetes-messages.ts';
import type { ZooKeeperMessage } from '../../engine/protocol/zookeeper-messages.ts';
import { highAvailabilityText } from './high-availability-text.ts';
import type { StreamBuffer } from '../../engine/protocol/stream-elements.ts';
import type { TaskDeployment } from '../../engine/protocol/task.ts';

/** Frame, addresses, ids: Ethernet, IP and TCP headers alone are 54 bytes. */
const HEADER_BYTES = 96;
/** One entry of a list of small records: two or three numbers. */
const ENTRY_BYTES = 24;
/** Checkpoint metrics: nine numbers and a flag. */
const METRICS_BYTES = 73;
/** A handle without its path and inline state. */
const HANDLE_BYTES = 40;
/** Place of an element of operator state. */
const OFFSET_BYTES = 8;
/** A split: its id and three numbers. */
const SPLIT_BYTES = 40;
/** A log record: values are opaque here, and this is a usual size of a small JSON value with its timestamp. */
const LOG_RECORD_BYTES = 100;

export function messageBytes(message: EngineMessage): number {
  // The most frequent kinds first.
  switch (message.kind) {
    case 'buffer':
      return HEADER_BYTES + streamBufferBytes(message.buffer);
    case 'add-credit':
      return HEADER_BYTES;
    case 'log-fetch':
      return HEADER_BYTES + ENTRY_BYTES;
    case 'log-records':
      return HEADER_BYTES + ENTRY_BYTES + message.values.length * LOG_RECORD_BYTES;
    case 'partition-request':
    case 'new-buffer-size':
    case 'partition-not-found':
    case 'heartbeat-request':
    case 'cancel-task':
    case 'trigger-checkpoint':
    case 'trigger-confirmed':
    case 'notify-checkpoint-complete':
    case 'notify-checkpoint-aborted':
    case 'acknowledge-confirmed':
    case 'task-state':
    case 'end-of-data':
    case 'all-records-processed':
    case 'decline-checkpoint':
      return HEADER_BYTES;
    case 'operator-event-acknowledged':
      return HEADER_BYTES + ENTRY_BYTES;
    case 'operator-event':
      return HEADER_BYTES + ENTRY_BYTES + splitsOf(message.event) * SPLIT_BYTES;
    case 'heartbeat-response':
      return HEADER_BYTES + message.executions.length * ENTRY_BYTES;
    case 'deploy-task':
      return HEADER_BYTES + deploymentBytes(message.deployment);
    case 'acknowledge-checkpoint':
      return HEADER_BYTES + METRICS_BYTES + handlesBytes(message.handles) + segmentsBytes(message.reserved ?? []);
    case 'continue':
    case 'task-start':
    case 'task-end':
    case 'start-async-part':
    case 'write-async-part':
    case 'write-channel-state':
    case 'merge-state':
    case 'merge-end':
    case 'state-merged':
    case 'merge-retained':
    case 'changelog-step':
    case 'connection-lost':
    case 'client-command':
      return 0;
    case 'client-request':
    case 'client-reply':
      return HEADER_BYTES + ENTRY_BYTES;
    default:
      return HEADER_BYTES + serviceBytes(message);
  }
}

function splitsOf(event: OperatorEvent): number {
  if ('splits' in event) return event.splits.length;
  return 'split' in event ? 1 : 0;
}

function logBytes(message: LogMark | LogMarked | LogListOffsets | LogOffsets): number {
  switch (message.kind) {
    case 'log-mark':
      return message.group.length + message.partitions.length * ENTRY_BYTES;
    case 'log-list-offsets':
      return message.group.length + message.topic.length;
    case 'log-offsets':
      return message.group.length + message.offsets.length * ENTRY_BYTES;
    case 'log-marked':
      return message.group.length + message.offsets.length * ENTRY_BYTES;
    default:
      return unreachable(message);
  }
}

function serviceBytes(message: Exclude<ServiceMessage, LogFetch | LogRecords>): number {
  switch (message.kind) {
    case 'log-mark':
    case 'log-marked':
    case 'log-list-offsets':
    case 'log-offsets':
      return logBytes(message);
    case 'storage-put':
      return message.path.length + message.bytes.length;
    case 'storage-get':
      return message.path.length;
    case 'storage-delete':
      return textsBytes(message.paths);
    case 'storage-list':
      return message.prefix.length;
    case 'storage-file':
    case 'storage-upload':
      return message.path.length + ENTRY_BYTES + ('bytes' in message.operation ? message.operation.bytes.length : 0);
    case 'storage-reply':
      return (
        (message.bytes?.length ?? 0) +
        (message.paths === undefined ? 0 : textsBytes(message.paths)) +
        textsBytes(message.uploads?.map(({ path }) => path) ?? [])
      );
    case 'coordination-get':
      return message.key.length;
    case 'coordination-compare-and-set':
    case 'coordination-reply':
      return message.key.length + message.value.length;
    case 'zookeeper-request':
    case 'zookeeper-reply':
    case 'zookeeper-watch-event':
    case 'zookeeper-closed':
    case 'kubernetes-request':
    case 'kubernetes-reply':
    case 'kubernetes-watch-event':
      return highAvailabilityBytes(message);
    case 'sink-initialize':
      return message.producer.length + textsBytes(message.keep);
    case 'sink-write':
      return message.transaction.length + message.bytes;
    case 'rocketmq-half':
      return message.transaction.length + message.key.length + message.bytes;
    case 'rocketmq-register':
      return message.group.length;
    case 'rocketmq-end':
    case 'rocketmq-check':
      return message.group.length + message.transaction.length;
    case 'table-upsert':
      return message.table.length + message.bytes;
    case 'sink-pre-commit':
    case 'sink-commit':
    case 'sink-abort':
      return message.producer.length + message.transaction.length;
    case 'sink-reply':
      return ENTRY_BYTES;
    case 'kafka-produce':
      return message.transactionalId.length + message.partition.length + message.bytes;
    case 'kafka-init-producer':
    case 'kafka-add-partition':
    case 'kafka-end-transaction':
    case 'kafka-write-marker':
      return ENTRY_BYTES + message.transactionalId.length;
    case 'kafka-list-transactions':
      return ENTRY_BYTES + message.prefix.length;
    case 'kafka-reply':
      return ENTRY_BYTES + ENTRY_BYTES * message.transactions.length;
    default:
      return unreachable(message);
  }
}

/** Text as it is written. */
const highAvailabilityBytes = (message: ZooKeeperMessage | KubernetesMessage): number =>
  ENTRY_BYTES + highAvailabilityText(message).length;

function streamBufferBytes(buffer: StreamBuffer): number {
  return buffer.kind === 'data' ? buffer.bytes : ENTRY_BYTES;
}

function deploymentBytes(deployment: TaskDeployment): number {
  let bytes = ENTRY_BYTES + deployment.inputs.length * ENTRY_BYTES;
  if (deployment.scale !== undefined) bytes += deployment.scale.vertices.length * ENTRY_BYTES;
  if (deployment.restore === undefined) return bytes;
  for (const state of deployment.restore.state) bytes += ENTRY_BYTES + handlesBytes(state.handles);
  bytes += handlesBytes(deployment.restore.takenOver ?? []);
  return bytes;
}

function handlesBytes(handles: readonly StateHandle[]): number {
  let bytes = 0;
  for (const handle of handles) {
    bytes +=
      HANDLE_BYTES + handle.path.length + (handle.inline?.length ?? 0) + (handle.channels?.length ?? 0) * ENTRY_BYTES;
    bytes += segmentsBytes(handle.segments ?? []);
    for (const { name, offsets } of handle.lists ?? []) bytes += name.length + offsets.length * OFFSET_BYTES;
  }
  return bytes;
}

function segmentsBytes(segments: readonly SegmentHandle[]): number {
  let bytes = 0;
  for (const { path } of segments) bytes += HANDLE_BYTES + path.length;
  return bytes;
}

function textsBytes(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += text.length;
  return bytes;
}

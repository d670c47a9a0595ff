/**
 * The part of the running digest that comes from the outside systems: what storage, coordination, log and sink are asked and what
 * they answer, in the measure input-digest.ts sets. The kind is folded already.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type {
  CoordinationReply,
  CoordinationRequest,
  LogFetch,
  LogMark,
  LogMarked,
  LogRecords,
  ServiceMessage,
  SinkReply,
  SinkRequest,
  TableUpsert,
} from '../../engine/protocol/messages.ts';
import type { RocketMqCheck, RocketMqRequest } from '../../engine/protocol/rocketmq-messages.ts';
import type { KafkaMessage } from '../../engine/protocol/kafka-messages.ts';
import type { Digest } from '../kernel/digest.ts';
import { highAvailabilityText } from '../network/high-availability-text.ts';
import { foldStorage } from './storage-digest.ts';

export function foldService(digest: Digest, message: ServiceMessage): void {
  switch (message.kind) {
    case 'storage-put':
    case 'storage-get':
    case 'storage-delete':
    case 'storage-list':
    case 'storage-file':
    case 'storage-upload':
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
    case 'log-mark':
    case 'log-marked':
      foldMarkers(digest, message);
      return;
    case 'log-list-offsets':
      digest.fold(message.requestId);
      digest.foldString(message.topic);
      digest.foldString(typeof message.at === 'string' ? message.at : String(message.at.timestampUs));
      return;
    case 'log-offsets':
      digest.fold(message.requestId);
      digest.foldString(message.outcome);
      for (const offset of message.offsets) digest.fold(offset);
      return;
    case 'sink-initialize':
    case 'sink-write':
    case 'sink-pre-commit':
    case 'sink-commit':
    case 'sink-abort':
    case 'sink-reply':
      foldSink(digest, message);
      return;
    case 'rocketmq-register':
    case 'rocketmq-half':
    case 'rocketmq-end':
    case 'rocketmq-check':
      foldRocketMq(digest, message);
      return;
    case 'table-upsert':
      foldUpsert(digest, message);
      return;
    case 'kafka-init-producer':
    case 'kafka-add-partition':
    case 'kafka-produce':
    case 'kafka-end-transaction':
    case 'kafka-list-transactions':
    case 'kafka-write-marker':
    case 'kafka-reply':
      foldKafka(digest, message);
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
      if (message.markersAfter !== undefined) digest.fold(message.markersAfter);
      return;
    case 'log-records': {
      const last = message.sourceIndices.length - 1;
      digest.foldString(message.outcome);
      digest.fold(last);
      digest.fold(message.sourceIndices[0] ?? 0);
      digest.fold(message.sourceIndices[last] ?? 0);
      if (message.ended) digest.fold(-1);
      if (message.marker !== undefined) digest.fold(message.marker);
      return;
    }
    default:
      unreachable(message);
  }
}

function foldMarkers(digest: Digest, message: LogMark | LogMarked): void {
  digest.fold(message.requestId);
  digest.foldString(message.group);
  if (message.kind === 'log-marked') {
    digest.foldString(message.outcome);
    for (const offset of message.offsets) digest.fold(offset);
    return;
  }
  digest.fold(message.epoch);
  digest.fold(message.sequence);
  digest.fold(message.checkpointId);
  if (message.takesBack) digest.fold(-1);
}

function foldRocketMq(digest: Digest, message: RocketMqRequest | RocketMqCheck): void {
  digest.foldString(message.kind);
  digest.foldString(message.group);
  if ('requestId' in message) digest.fold(message.requestId);
  if (message.kind === 'rocketmq-register') return;
  digest.foldString(message.transaction);
  if (message.kind === 'rocketmq-end') digest.foldString(message.state);
  if (message.kind !== 'rocketmq-half') return;
  digest.foldString(message.key);
  for (const lineage of message.lineages) digest.fold(lineage);
}

function foldUpsert(digest: Digest, { requestId, table, rows, replaces }: TableUpsert): void {
  digest.fold(requestId);
  digest.foldString(table);
  digest.foldString(replaces);
  for (const { key, version, lineage } of rows) {
    digest.foldString(key);
    digest.fold(version);
    digest.fold(lineage);
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

function foldKafka(digest: Digest, message: KafkaMessage): void {
  digest.fold(message.requestId);
  switch (message.kind) {
    case 'kafka-reply':
      digest.foldString(message.outcome);
      digest.foldString(message.leader);
      digest.fold(message.producerId);
      digest.fold(message.producerEpoch);
      for (const { transactionalId, producerEpoch } of message.transactions) {
        digest.foldString(transactionalId);
        digest.fold(producerEpoch);
      }
      return;
    case 'kafka-init-producer':
      digest.foldString(message.transactionalId);
      digest.fold(message.timeoutUs);
      digest.fold(Number(message.abortsOngoing));
      return;
    case 'kafka-list-transactions':
      digest.fold(message.coordinator);
      digest.foldString(message.prefix);
      return;
    case 'kafka-add-partition':
    case 'kafka-produce':
    case 'kafka-end-transaction':
    case 'kafka-write-marker':
      digest.foldString(message.transactionalId);
      digest.fold(message.producerId);
      digest.fold(message.producerEpoch);
      break;
    default:
      unreachable(message);
  }
  if ('partition' in message) digest.foldString(message.partition);
  if ('commit' in message) digest.fold(message.commit ? 1 : 0);
  if (message.kind !== 'kafka-produce') return;
  const last = message.lineages.length - 1;
  digest.fold(message.sequence);
  digest.fold(last);
  digest.fold(message.bytes);
  digest.fold(message.lineages[0] ?? 0);
  digest.fold(message.lineages[last] ?? 0);
}

/**
 * Every kind of message survives a JSON round trip (messages.ts, I1). The record of arbitraries is total over the union: a new kind
 * without an arbitrary does not compile.
 */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../engine/protocol/message-codec.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import {
  attempt,
  bytes,
  checkpoint,
  command,
  configMap,
  count,
  counts,
  deployment,
  epoch,
  executionState,
  failure,
  handles,
  kubernetesOperation,
  message,
  metrics,
  node,
  ofProducer,
  ofTransaction,
  operation,
  operatorEvent,
  record,
  records,
  result,
  row,
  small,
  streamBuffer,
  text,
  trigger,
  us,
  zooKeeperOperation,
} from '../support/message-parts.ts';

type Kind = EngineMessage['kind'];

const MESSAGES: Readonly<Record<Kind, fc.Arbitrary<EngineMessage>>> = {
  'heartbeat-request': message('heartbeat-request', { epoch }),
  'deploy-task': message('deploy-task', { epoch, incarnation: small, deployment }),
  'cancel-task': message('cancel-task', { epoch, attempt }),
  'trigger-checkpoint': fc.oneof(
    message('trigger-checkpoint', trigger),
    message('trigger-checkpoint', { ...trigger, isAsked: fc.constant(true) }),
  ),
  'notify-checkpoint-complete': message('notify-checkpoint-complete', {
    epoch,
    attempt,
    checkpointId: checkpoint,
    lastSubsumedId: count,
  }),
  'notify-checkpoint-aborted': message('notify-checkpoint-aborted', {
    epoch,
    attempt,
    checkpointId: checkpoint,
    latestCompletedId: count,
  }),
  'acknowledge-confirmed': message('acknowledge-confirmed', { epoch, attempt, checkpointId: checkpoint }),
  'client-command': message('client-command', { id: text, command }),
  'client-request': message('client-request', { triggerId: text, operation }),
  'client-reply': message('client-reply', { triggerId: text, result }),
  'heartbeat-response': message('heartbeat-response', {
    epoch,
    incarnation: small,
    slots: small,
    executions: fc.array(
      fc.oneof(
        row({ attempt, state: executionState, endOfData: fc.boolean() }, { requiredKeys: ['attempt', 'state'] }),
        row({ attempt, state: fc.constant('failed'), failure: fc.constant('unrecoverable') }),
      ),
      { maxLength: 3 },
    ),
  }),
  'task-state': fc.oneof(
    message('task-state', { epoch, incarnation: fc.nat(), attempt, state: executionState }),
    message('task-state', {
      epoch,
      incarnation: fc.nat(),
      attempt,
      state: executionState,
      failure: fc.constantFrom('restore-failed', 'sink-fenced'),
    }),
  ),
  'trigger-confirmed': message('trigger-confirmed', { epoch, attempt, checkpointId: checkpoint }),
  'acknowledge-checkpoint': message('acknowledge-checkpoint', {
    epoch,
    attempt,
    checkpointId: checkpoint,
    handles,
    metrics,
  }),
  'end-of-data': message('end-of-data', { epoch, attempt }),
  'all-records-processed': message('all-records-processed', { edge: small, subpartition: small, consumer: attempt }),
  'decline-checkpoint': message('decline-checkpoint', { epoch, attempt, checkpointId: checkpoint, reason: failure }),
  'operator-event': message('operator-event', {
    epoch,
    attempt,
    operator: text,
    sequence: count,
    event: operatorEvent,
  }),
  'operator-event-acknowledged': message('operator-event-acknowledged', {
    epoch,
    attempt,
    operator: text,
    sequence: count,
  }),
  'partition-request': message('partition-request', {
    producer: attempt,
    edge: small,
    subpartition: small,
    consumer: attempt,
    channel: small,
    credit: small,
  }),
  'partition-not-found': message('partition-not-found', { producer: attempt, channel: small }),
  buffer: message('buffer', {
    producer: attempt,
    channel: small,
    sequence: count,
    backlog: small,
    buffer: streamBuffer,
  }),
  'new-buffer-size': message('new-buffer-size', { edge: small, subpartition: small, consumer: attempt, bytes: count }),
  'add-credit': message('add-credit', { edge: small, subpartition: small, consumer: attempt, credit: small }),
  continue: fc.constant({ kind: 'continue' }),
  'task-start': message('task-start', { deployment }),
  'task-end': fc.constant({ kind: 'task-end' }),
  'start-async-part': message('start-async-part', { checkpointId: checkpoint }),
  'changelog-step': message('changelog-step', {
    step: fc.constantFrom('write-full', 'serialize-snapshot', 'write-snapshot'),
  }),
  'write-channel-state': message('write-channel-state', { checkpointId: checkpoint }),
  'write-async-part': message('write-async-part', { checkpointId: checkpoint }),
  'merge-state': message('merge-state', {
    checkpointId: checkpoint,
    attempt,
    pool: text,
    number: count,
    bytes,
  }),
  'merge-end': message('merge-end', { checkpointId: checkpoint, attempt }),
  'state-merged': message('state-merged', { number: count, path: text, offset: count }),
  'merge-retained': message('merge-retained', { oldestRetainedId: count }),
  'connection-lost': message('connection-lost', { peer: node }),
  'storage-put': message('storage-put', { requestId: count, path: text, bytes, overwrite: fc.boolean() }),
  'storage-get': row(
    {
      kind: fc.constant('storage-get' as const),
      requestId: count,
      path: text,
      range: row({ offset: count, bytes: count }),
    },
    { requiredKeys: ['kind', 'requestId', 'path'] },
  ),
  'storage-delete': message('storage-delete', { requestId: count, paths: fc.array(text) }),
  'storage-list': message('storage-list', { requestId: count, prefix: text }),
  'storage-file': message('storage-file', {
    requestId: count,
    path: text,
    writer: text,
    sequence: count,
    operation: fc.oneof(
      row({ kind: fc.constant('create'), overwrite: fc.boolean() }),
      row({ kind: fc.constant('write'), offset: count, bytes }),
      row({ kind: fc.constantFrom('flush', 'sync', 'close', 'append') }),
      row({ kind: fc.constant('truncate'), length: count }),
      row({ kind: fc.constant('rename'), to: text }),
      row({ kind: fc.constant('remove-directory'), recursive: fc.boolean() }),
    ),
  }),
  'storage-upload': message('storage-upload', {
    requestId: count,
    path: text,
    operation: fc.oneof(
      row({ kind: fc.constantFrom('begin', 'list') }),
      row({ kind: fc.constant('part'), upload: text, part: count, bytes }),
      row({ kind: fc.constant('complete'), upload: text, parts: count, overwrite: fc.boolean() }),
      row({ kind: fc.constant('abort'), upload: text }),
    ),
  }),
  'storage-reply': row(
    {
      kind: fc.constant('storage-reply'),
      requestId: count,
      outcome: fc.constantFrom('done', 'already-exists', 'not-found', 'failed', 'unavailable', 'slow-down', 'stale'),
      checksum: count,
      bytes,
      paths: fc.array(text),
      length: count,
      upload: text,
      uploads: fc.array(row({ path: text, upload: text })),
    },
    { requiredKeys: ['kind', 'requestId', 'outcome'] },
  ),
  'coordination-get': message('coordination-get', { requestId: count, key: text }),
  'coordination-compare-and-set': message('coordination-compare-and-set', {
    requestId: count,
    key: text,
    expectedVersion: count,
    value: text,
  }),
  'coordination-reply': message('coordination-reply', {
    requestId: count,
    outcome: fc.constantFrom('done', 'conflict', 'failed'),
    key: text,
    version: count,
    value: text,
  }),
  'zookeeper-request': message('zookeeper-request', { connection: count, xid: count, operation: zooKeeperOperation }),
  'zookeeper-reply': row(
    {
      kind: fc.constant('zookeeper-reply'),
      connection: count,
      xid: count,
      zxid: count,
      code: fc.constantFrom('ok', 'no-node', 'bad-version', 'session-expired'),
      session: row({ sessionId: count, timeoutUs: count }),
      paths: fc.array(text, { maxLength: 2 }),
      data: text,
      stat: row({ czxid: count, mzxid: count, version: small, cversion: small, ephemeralOwner: count }),
      children: fc.array(text, { maxLength: 3 }),
      failed: small,
    },
    { requiredKeys: ['kind', 'connection', 'xid', 'zxid', 'code'] },
  ),
  'zookeeper-watch-event': message('zookeeper-watch-event', {
    connection: count,
    path: text,
    type: fc.constantFrom('node-created', 'node-deleted', 'node-data-changed', 'node-children-changed'),
  }),
  'zookeeper-closed': message('zookeeper-closed', { connection: count }),
  'kubernetes-request': message('kubernetes-request', { requestId: count, operation: kubernetesOperation }),
  'kubernetes-reply': row(
    {
      kind: fc.constant('kubernetes-reply'),
      requestId: count,
      status: fc.constantFrom(200, 201, 404, 409, 410, 500, 503),
      object: configMap,
    },
    { requiredKeys: ['kind', 'requestId', 'status'] },
  ),
  'kubernetes-watch-event': row(
    {
      kind: fc.constant('kubernetes-watch-event'),
      requestId: count,
      type: fc.constantFrom('modified', 'deleted', 'closed'),
      object: configMap,
    },
    { requiredKeys: ['kind', 'requestId', 'type'] },
  ),
  'log-fetch': row(
    {
      kind: fc.constant('log-fetch'),
      requestId: count,
      partition: small,
      offset: count,
      maxRecords: small,
      maxWaitUs: us,
      markersAfter: count,
    },
    { requiredKeys: ['kind', 'requestId', 'partition', 'offset', 'maxRecords', 'maxWaitUs'] },
  ),
  'log-records': row(
    {
      kind: fc.constant('log-records'),
      requestId: count,
      outcome: fc.constantFrom('done', 'unavailable', 'out-of-range'),
      partition: small,
      offset: count,
      values: records,
      timestampsUs: counts,
      sourceIndices: counts,
      behind: fc.nat(),
      ended: fc.boolean(),
      marker: count,
      entrySizes: counts,
    },
    {
      requiredKeys: [
        'kind',
        'requestId',
        'outcome',
        'partition',
        'offset',
        'values',
        'timestampsUs',
        'sourceIndices',
        'behind',
        'ended',
      ],
    },
  ),
  'log-list-offsets': message('log-list-offsets', {
    requestId: count,
    group: text,
    topic: text,
    at: fc.oneof(fc.constantFrom('earliest', 'latest', 'committed'), row({ timestampUs: count })),
  }),
  'log-offsets': message('log-offsets', {
    requestId: count,
    group: text,
    outcome: fc.constantFrom('done', 'unavailable'),
    partitions: counts,
    offsets: counts,
  }),
  'log-mark': message('log-mark', {
    requestId: count,
    group: text,
    epoch,
    sequence: count,
    partitions: counts,
    checkpointId: count,
    takesBack: fc.boolean(),
  }),
  'log-marked': message('log-marked', {
    requestId: count,
    group: text,
    outcome: fc.constantFrom('done', 'fenced', 'unavailable'),
    offsets: counts,
  }),
  'kafka-init-producer': message('kafka-init-producer', {
    requestId: count,
    transactionalId: text,
    timeoutUs: count,
    abortsOngoing: fc.boolean(),
  }),
  'kafka-add-partition': message('kafka-add-partition', { ...ofProducer, partition: text }),
  'kafka-produce': message('kafka-produce', {
    ...ofProducer,
    partition: text,
    sequence: fc.constantFrom(-1, 0, 12),
    values: records,
    lineages: counts,
    bytes: count,
  }),
  'kafka-end-transaction': message('kafka-end-transaction', { ...ofProducer, commit: fc.boolean() }),
  'kafka-list-transactions': message('kafka-list-transactions', { requestId: count, coordinator: small, prefix: text }),
  'kafka-write-marker': message('kafka-write-marker', { ...ofProducer, partition: text, commit: fc.boolean() }),
  'kafka-reply': message('kafka-reply', {
    requestId: count,
    outcome: fc.constantFrom('done', 'not-leader', 'fenced', 'concurrent-transactions'),
    leader: text,
    producerId: count,
    producerEpoch: count,
    transactions: fc.array(row({ transactionalId: text, producerId: count, producerEpoch: count })),
  }),
  'sink-initialize': message('sink-initialize', {
    requestId: count,
    producer: text,
    producerEpoch: count,
    keep: fc.array(text),
  }),
  'sink-write': message('sink-write', {
    producer: text,
    producerEpoch: count,
    transaction: text,
    values: records,
    lineages: counts,
    bytes: count,
  }),
  'rocketmq-register': message('rocketmq-register', { requestId: count, group: text }),
  'rocketmq-half': message('rocketmq-half', {
    requestId: count,
    group: text,
    transaction: text,
    key: text,
    values: records,
    lineages: counts,
    bytes: count,
  }),
  'rocketmq-end': message('rocketmq-end', {
    group: text,
    transaction: text,
    state: fc.constantFrom('commit', 'rollback', 'unknown'),
  }),
  'rocketmq-check': message('rocketmq-check', { group: text, transaction: text }),
  'table-upsert': message('table-upsert', {
    requestId: count,
    table: text,
    rows: fc.array(row({ key: text, version: count, value: record, lineage: count }), { maxLength: 3 }),
    replaces: fc.constantFrom('older', 'any'),
    bytes: count,
  }),
  'sink-pre-commit': message('sink-pre-commit', { ...ofTransaction, records: count }),
  'sink-commit': message('sink-commit', ofTransaction),
  'sink-abort': message('sink-abort', ofTransaction),
  'sink-reply': message('sink-reply', {
    requestId: count,
    outcome: fc.constantFrom('done', 'fenced', 'incomplete', 'aborted', 'unavailable'),
  }),
};

describe('messages', () => {
  test.each(Object.keys(MESSAGES) as Kind[])('%s: decoding what was encoded gives the same message', (kind) => {
    fc.assert(
      fc.property(MESSAGES[kind], (made) => {
        expect(made.kind).toBe(kind);
        const again = decodeMessage(encodeMessage(made));
        expect(again).toStrictEqual(made);
        expect(encodeMessage(again)).toBe(encodeMessage(made));
      }),
      { numRuns: 60, seed: 20_191_212 },
    );
  });

  it('bytes are written in base64 as others write it', () => {
    const put = (data: Uint8Array): EngineMessage => ({
      kind: 'storage-put',
      requestId: 1,
      path: 'p',
      bytes: data,
      overwrite: false,
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(encodeMessage(put(data))).toContain(`{"$bytes":"${Buffer.from(data).toString('base64')}"}`);
        expect(decodeMessage(encodeMessage(put(data)))).toStrictEqual(put(data));
      }),
      { numRuns: 100, seed: 20_191_212 },
    );
  });

  it('what JSON would change without a word is refused', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, undefined, () => 0]) {
      const written: EngineMessage = {
        kind: 'sink-write',
        producer: '',
        producerEpoch: 0,
        transaction: '',
        values: [value],
        lineages: [0],
        bytes: 0,
      };
      expect(() => encodeMessage(written)).toThrow(/a message holds/);
    }
  });
});

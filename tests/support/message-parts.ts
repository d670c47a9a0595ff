/**
 * Arbitraries of what messages are made of: ids, handles, deployments, options of checkpoints, requests of clients.
 */
import fc from 'fast-check';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../engine/foundation/ids.ts';
import { micros } from '../../engine/foundation/time.ts';
import { CHECKPOINT_FAILURES, type CheckpointFailure } from '../../engine/protocol/checkpoint-failure.ts';
import type { KubernetesOperation } from '../../engine/protocol/kubernetes-messages.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import { REDISTRIBUTION_MODES, type StateHandle } from '../../engine/protocol/state-handle.ts';
import type { ZooKeeperOperation } from '../../engine/protocol/zookeeper-messages.ts';

/** As messages are made in the engine: objects with the usual prototype. */
export function row<T, R extends keyof T = keyof T>(
  fields: { [P in keyof T]: fc.Arbitrary<T[P]> },
  options: { readonly requiredKeys?: R[] } = {},
): fc.Arbitrary<fc.RecordValue<T, R>> {
  return fc.record(fields, { noNullPrototype: true, ...options });
}

export const count = fc.maxSafeNat();
export const small = fc.nat(64);
export const text = fc.string({ unit: 'grapheme', maxLength: 12 });
export const epoch = small.map(leaderEpoch);
export const attempt = count.map(executionAttemptId);
export const checkpoint = count.map(checkpointId);
export const us = count.map(micros);
export const node = text.map(nodeId);
export const bytes = fc.uint8Array({ maxLength: 20 });
/** As a record comes out of JSON: no -0; sometimes it looks like encoded bytes. */
export const record = fc
  .oneof(
    { weight: 4, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: row({ $bytes: fc.jsonValue() }) },
    { weight: 1, arbitrary: row({ $$bytes: row({ $bytes: text }) }) },
  )
  .map((value): unknown => JSON.parse(JSON.stringify(value)));
export const records = fc.array(record, { maxLength: 4 });
export const counts = fc.array(count, { maxLength: 4 });
export const executionState = fc.constantFrom(
  'deploying',
  'initializing',
  'running',
  'failed',
  'canceling',
  'canceled',
);
export const failure = fc.constantFrom(...(Object.keys(CHECKPOINT_FAILURES) as CheckpointFailure[]));
export const metrics = row({
  startDelayUs: count,
  alignmentUs: count,
  syncUs: count,
  asyncUs: count,
  stateBytes: count,
  checkpointedBytes: count,
  bytesProcessedDuringAlignment: count,
  bytesPersistedDuringAlignment: count,
  unaligned: fc.boolean(),
  recordsInFlight: count,
});
const handle: fc.Arbitrary<StateHandle> = row(
  {
    operator: text,
    state: fc.constantFrom('keyed', 'operator', 'input-channel', 'output-channel'),
    path: text,
    offset: count,
    inline: bytes,
    bytes: count,
    checksum: count,
    keyGroups: row({ start: small, end: small }),
    lists: fc.array(
      row({ name: text, mode: fc.constantFrom(...REDISTRIBUTION_MODES), offsets: fc.array(count, { maxLength: 4 }) }),
      { maxLength: 2 },
    ),
    channels: fc.array(row({ edge: small, peer: small, offset: count, bytes: count }), { maxLength: 2 }),
  },
  { requiredKeys: ['operator', 'state', 'path', 'bytes', 'checksum'] },
);
export const handles = fc.array(handle, { maxLength: 3 });
const input = row({
  producerNode: node,
  producerAttempt: attempt,
  producerSubtask: small,
  edge: small,
  subpartition: small,
});
const finished = fc.constantFrom('task' as const, 'operators' as const);
const subtaskState = row(
  { vertex: small, subtask: small, handles, finished },
  { requiredKeys: ['vertex', 'subtask', 'handles'] },
);
export const deployment = row(
  {
    attempt,
    vertex: small,
    subtask: small,
    slot: small,
    inputs: fc.array(input, { maxLength: 3 }),
    scale: row({
      vertices: fc.array(row({ parallelism: small, maxParallelism: small }), { maxLength: 3 }),
      highestParallelism: small,
    }),
    restore: row(
      {
        checkpointId: checkpoint,
        state: fc.array(subtaskState, { maxLength: 2 }),
        takenOver: fc.array(handle, { maxLength: 2 }),
        finished,
      },
      { requiredKeys: ['checkpointId', 'state'] },
    ),
  },
  { requiredKeys: ['attempt', 'vertex', 'subtask', 'slot', 'inputs'] },
);
const options = row({
  snapshot: fc.constantFrom('checkpoint' as const, 'savepoint' as const, 'terminate-savepoint' as const),
  alignment: fc.constantFrom('aligned' as const, 'unaligned' as const, 'at-least-once' as const),
  alignedTimeoutUs: count,
});
export const streamBuffer = fc.oneof(
  row({ kind: fc.constant('data'), values: records, timestampsUs: counts, lineages: counts, bytes: count }),
  row({ kind: fc.constant('barrier'), checkpointId: checkpoint, triggeredAtUs: us, options }),
  row({ kind: fc.constant('cancel-marker'), checkpointId: checkpoint }),
  row({ kind: fc.constant('end-of-partition') }),
  row({ kind: fc.constant('end-of-data'), mode: fc.constantFrom('drain', 'no-drain') }),
  row({ kind: fc.constant('watermark'), timestampUs: us }),
  row({ kind: fc.constant('watermark-status'), idle: fc.boolean() }),
);
const split = row({ splitId: text, partition: small, offset: count, sub: small, end: fc.integer({ min: -1 }) });
export const operatorEvent = fc.oneof(
  row({
    kind: fc.constant('register-reader' as const),
    splits: fc.array(split, { maxLength: 3 }),
    hasFinished: fc.boolean(),
  }),
  row({ kind: fc.constant('request-split' as const) }),
  row({ kind: fc.constant('request-split' as const), source: fc.nat({ max: 3 }) }),
  row({ kind: fc.constant('report-backlog' as const), isProcessingBacklog: fc.boolean() }),
  row({ kind: fc.constant('split-finished' as const), split, partitionEnded: fc.boolean() }),
  row({ kind: fc.constant('acknowledge-checkpoint-event' as const), checkpointId: checkpoint }),
  row({ kind: fc.constant('assign-splits' as const), splits: fc.array(split, { maxLength: 3 }) }),
  row({ kind: fc.constant('no-more-splits' as const) }),
  row({ kind: fc.constant('release-split' as const), splitId: text }),
);
export const ofProducer = { requestId: count, transactionalId: text, producerId: count, producerEpoch: count };
export const ofTransaction = { requestId: count, producer: text, producerEpoch: count, transaction: text };

const version = fc.integer({ min: -1, max: 9 });
const zooKeeperWrite = fc.oneof(
  row({
    kind: fc.constant('create'),
    path: text,
    data: text,
    mode: fc.constantFrom('persistent', 'ephemeral', 'persistent-sequential', 'ephemeral-sequential'),
  }),
  row({ kind: fc.constantFrom('delete', 'check'), path: text, version }),
  row({ kind: fc.constant('set-data'), path: text, data: text, version }),
);
export const zooKeeperOperation: fc.Arbitrary<ZooKeeperOperation> = fc.oneof(
  zooKeeperWrite,
  row({ kind: fc.constant('connect'), sessionId: count, timeoutUs: count }),
  row({ kind: fc.constantFrom('ping', 'close') }),
  row({ kind: fc.constantFrom('get-data', 'exists', 'get-children'), path: text, watch: fc.boolean() }),
  row({ kind: fc.constant('multi'), operations: fc.array(zooKeeperWrite, { maxLength: 3 }) }),
);
const texts = fc
  .array(
    fc.tuple(
      text.map((name) => `k${name}`),
      text,
    ),
    { maxLength: 2 },
  )
  .map((entries) => Object.fromEntries(entries));
export const configMap = row({ name: text, resourceVersion: count, annotations: texts, data: texts });
export const kubernetesOperation: fc.Arbitrary<KubernetesOperation> = fc.oneof(
  row({ verb: fc.constant('get'), name: text }),
  row({ verb: fc.constantFrom('create', 'update'), object: configMap }),
  row({ verb: fc.constantFrom('delete', 'watch'), name: text, resourceVersion: count }),
);

/** The kind and its fields; generic, so that each entry below is checked against the union. */
export function message<K extends EngineMessage['kind'], F>(
  kind: K,
  fields: { [P in keyof F]: fc.Arbitrary<F[P]> },
): fc.Arbitrary<{ kind: K } & F> {
  return row(fields).map((made) => ({ kind, ...(made as F) }));
}

export const command = fc.oneof(
  row({ kind: fc.constant('savepoint'), format: fc.constantFrom('canonical', 'native') }),
  row({
    kind: fc.constant('cancel'),
    thenResume: row({
      from: fc.constant('newest-savepoint'),
      claimMode: fc.constant('claim'),
      allowNonRestored: fc.boolean(),
      version: fc.constant(2),
      fallBack: fc.constant(1),
    }),
  }),
  row({ kind: fc.constant('dispose-savepoint') }),
);
export const operation = fc.oneof(
  row({ kind: fc.constant('savepoint'), format: fc.constantFrom('canonical', 'native') }),
  row({ kind: fc.constant('stop-with-savepoint'), drain: fc.boolean(), format: fc.constant('canonical') }),
  row({ kind: fc.constant('dispose-savepoint'), location: text }),
  row({
    kind: fc.constant('resume'),
    restore: row({
      location: text,
      claimMode: fc.constant('claim'),
      allowNonRestored: fc.boolean(),
      version: fc.constant(2),
    }),
    after: count,
  }),
);
export const result = fc.oneof(
  row({ kind: fc.constant('in-progress') }),
  row({ kind: fc.constant('done'), location: text, run: count }, { requiredKeys: ['kind'] }),
  row({ kind: fc.constant('failed'), reason: text, location: text, run: count }, { requiredKeys: ['kind', 'reason'] }),
);

export const trigger = { epoch, attempt, checkpointId: checkpoint, triggeredAtUs: us, options };

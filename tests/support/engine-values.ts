/** Small values of the engine's vocabulary for tests: ids, configuration, handles. Times are round numbers of microseconds. */
import type { NamedRegisters } from '../../engine/high-availability/named-registers.ts';
import type { CheckpointStorage } from '../../engine/storage/checkpoint-storage.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import {
  type CheckpointId,
  checkpointId,
  type ExecutionAttemptId,
  executionAttemptId,
  leaderEpoch,
  nodeId,
} from '../../engine/foundation/ids.ts';
import type { CheckpointOptions } from '../../engine/protocol/checkpoint-options.ts';
import type { CheckpointMetrics } from '../../engine/protocol/checkpoint-metrics.ts';
import type {
  CheckpointConfiguration,
  EngineConfiguration,
  RestartConfiguration,
  SchedulerConfiguration,
  RuntimeConfiguration,
} from '../../engine/protocol/configuration.ts';
import type { AcknowledgeCheckpoint, DeclineCheckpoint } from '../../engine/protocol/messages.ts';
import type { StateHandle } from '../../engine/protocol/state-handle.ts';

export const JOB = 'job';
export const EPOCH = leaderEpoch(1);
export const STORAGE = nodeId('object-store');
export const COORDINATION = nodeId('coordination-store');
export const LOG = nodeId('log-broker');
export const SINK = nodeId('sink-store');
export const SERVICES = { storage: STORAGE, coordination: COORDINATION, log: LOG, sink: SINK };
/** For parts that are given a storage and here never use it. */
export const NO_STORAGE = {} as CheckpointStorage;
/** The same of registers. */
export const NO_REGISTERS = {} as NamedRegisters;

export const id = (value: number): CheckpointId => checkpointId(value);
export const attempt = (value: number): ExecutionAttemptId => executionAttemptId(value);

/** A request without reply counts as lost after this. */
export const REQUEST_TIMEOUT_US = 400;
/** What waits a quarter of the time-out before it tries again. */
export const RETRY_US = 100;

const CHECKPOINT: CheckpointConfiguration = {
  intervalUs: 100_000,
  minPauseUs: 0,
  timeoutUs: 50_000,
  mode: 'exactly-once',
  unaligned: false,
  alignedTimeoutUs: 0,
  maxConcurrent: 1,
  tolerableFailures: 1_000,
  retained: 1,
  storage: {
    kind: 'object-store',
    maxStateBytes: 64,
    frameBytes: 128,
    writeBufferBytes: 16,
    uploadPartBytes: 0,
    entropy: false,
  },
  directory: 'checkpoints',
  savepointDirectory: 'savepoints',
  savepointTimeoutUs: 50_000,
  firstId: 1,
  retention: 'retain-on-cancellation',
  backend: 'hashmap',
  incremental: false,
  inlineThresholdBytes: 8,
  compression: 'none',
  timelineLogging: false,
};
const RUNTIME: RuntimeConfiguration = {
  heartbeatIntervalUs: 10_000,
  heartbeatTimeoutUs: 50_000,
  leaseRenewUs: 1_000,
  leaseUs: 5_000,
  deploymentTimeoutUs: 100_000,
  bufferTimeoutUs: 1_000,
  bufferBytes: 4,
  exclusiveBuffersPerChannel: 2,
  floatingBuffersPerGate: 3,
  overdraftBuffers: 5,
  bufferDebloat: {
    enabled: false,
    targetUs: 1_000_000,
    periodUs: 200_000,
    samples: 20,
    thresholdPercent: 25,
    minBufferBytes: 256,
  },
  requestTimeoutUs: REQUEST_TIMEOUT_US,
  partitionRequestBackoffUs: 100,
  slotsPerTaskManager: 2,
  failoverStrategy: 'region',
  taskCancellationTimeoutUs: 30_000,
  blocklist: { failures: 0, withinUs: 0, forUs: 0 },
};

export function configuration(
  changes: {
    checkpoint?: Partial<CheckpointConfiguration>;
    runtime?: Partial<RuntimeConfiguration>;
    restart?: RestartConfiguration;
    scheduler?: SchedulerConfiguration;
  } = {},
): EngineConfiguration {
  return {
    scheduler: changes.scheduler ?? { mode: 'default' },
    checkpoint: { ...CHECKPOINT, ...changes.checkpoint },
    runtime: { ...RUNTIME, ...changes.runtime },
    highAvailability: { kind: 'lease-store', tolerateSuspendedConnections: false },
    restart: changes.restart ?? { strategy: 'fixed-delay', attempts: 100, delayUs: 1_000 },
  };
}

export const ALIGNED: CheckpointOptions = { snapshot: 'checkpoint', alignment: 'aligned', alignedTimeoutUs: 0 };

export const METRICS: CheckpointMetrics = {
  startDelayUs: 1,
  alignmentUs: 2,
  syncUs: 3,
  asyncUs: 4,
  stateBytes: 5,
  checkpointedBytes: 5,
  bytesProcessedDuringAlignment: 6,
  bytesPersistedDuringAlignment: 0,
  unaligned: false,
  recordsInFlight: 7,
};

export function inlineHandle(operator: string, bytes: Uint8Array): StateHandle {
  return { operator, state: 'operator', path: '', inline: bytes, bytes: bytes.length, checksum: crc32c(bytes) };
}

export function keyedHandle(operator: string, start: number, end: number): StateHandle {
  return {
    operator,
    state: 'keyed',
    path: `chk/${operator}-${start}`,
    bytes: 3,
    checksum: 1,
    keyGroups: { start, end },
  };
}

export function acknowledgement(of: number, by: number, handles: readonly StateHandle[] = []): AcknowledgeCheckpoint {
  return {
    kind: 'acknowledge-checkpoint',
    epoch: EPOCH,
    attempt: attempt(by),
    checkpointId: id(of),
    handles,
    metrics: METRICS,
  };
}

export function declination(of: number, by: number, reason: DeclineCheckpoint['reason']): DeclineCheckpoint {
  return { kind: 'decline-checkpoint', epoch: EPOCH, attempt: attempt(by), checkpointId: id(of), reason };
}

/**
 * A hand-made life: a world of maps, and a story told event by event to the bench of judges.
 *
 * The job counts records per key: source `src` (two partitions) -> `count` (keyed, parallelism 2) -> sink `out`. Checkpoint
 * files are made with the engine's own backend and encoders, so that the reference's bytes are held against the real format.
 */
import { USUAL_STORAGE } from '../../../../sim/services/storage-physics.ts';
import { encodeSourceOffsets } from '../../../../engine/connectors/operator-state-rows.ts';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { KeyedProcessFunction, RuntimeContext, StateKey } from '../../../../engine/job/functions.ts';
import type { JobGraph } from '../../../../engine/job/job-graph.ts';
import { keyGroupOf, keyGroupRangeOf, subtaskOf } from '../../../../engine/job/key-groups.ts';
import {
  encodeLease,
  encodePointer,
  leaderKey,
  pointerKey,
  type RetainedCheckpoint,
} from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { EngineEvent } from '../../../../engine/protocol/engine-events.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import type { StateHandle, SubtaskState } from '../../../../engine/protocol/state-handle.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import type { ValueState } from '../../../../engine/state/keyed-state.ts';
import { valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import type { HistoryEvent, WorldEvent } from '../../../../sim/history/history-event.ts';
import type { JobAudit } from '../../../../sim/judges/job-audit.ts';
import type { DurableState, EndOfLife } from '../../../../sim/judges/judge.ts';
import { JudgeBench, type JudgedJob, judgedJob } from '../../../../sim/judges/judge-bench.ts';
import type { JudgedInput } from '../../../../sim/judges/reference-run.ts';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { ALIGNED } from '../../../support/engine-values.ts';

export interface Word {
  readonly key: string;
  /** Records marked so are dropped by the filter before the count. */
  readonly dropped?: boolean;
}

export interface Count {
  readonly key: string;
  readonly count: number;
}

export const COUNT = valueState('count', Types.int);
export const MAX_PARALLELISM = 8;
export const JOB_ID = 'job';
export const TASKS = [1, 2, 3, 4] as const;

class Counter implements KeyedProcessFunction<unknown, unknown> {
  #count: ValueState<number> | undefined;

  open(runtime: RuntimeContext): void {
    this.#count = runtime.value<number>('count');
  }

  processElement(_value: unknown, context: { currentKey: StateKey }, out: { collect(value: unknown): void }): void {
    const count = (this.#count?.value() ?? 0) + 1;
    this.#count?.update(count);
    out.collect({ key: context.currentKey, count });
  }
}

export const wordKey = (value: unknown): StateKey => (value as Word).key;

export function countGraph(partitions: readonly number[]): JobGraph {
  const source = {
    kind: 'log' as const,
    uid: 'src',
    name: 'words',
    topic: 'words',
    partitions,
    recordBytes: 20,
    fetchRecords: 10,
    fetchWaitUs: 0,
  };
  const keep = {
    uid: 'keep',
    name: 'keep',
    kind: 'filter',
    filter: (value: unknown) => (value as Word).dropped !== true,
  } as const;
  const count = {
    uid: 'count',
    name: 'count',
    kind: 'process',
    key: wordKey,
    keySerializer: Types.key,
    function: { states: [COUNT], create: () => new Counter() },
  } as const;
  const sink = {
    uid: 'out',
    name: 'out',
    kind: 'sink',
    sink: { guarantee: 'exactly-once', batchRecords: 10 },
  } as const;
  return {
    jobId: JOB_ID,
    name: 'counts',
    vertices: [
      { index: 0, name: 'words -> keep', parallelism: 2, maxParallelism: MAX_PARALLELISM, source, operators: [keep] },
      { index: 1, name: 'count -> out', parallelism: 2, maxParallelism: MAX_PARALLELISM, operators: [count, sink] },
    ],
    edges: [{ index: 0, from: 0, to: 1, input: 0, partitioning: 'hash', key: wordKey }],
  };
}

export const COUNT_AUDIT: JobAudit = {
  stateIsOrderInsensitive: true,
  outputValues: 'multiset',
  outputKey: (value) => (value as Count).key,
};

/** `keys[p]` are the keys of partition p's records; source indices are dealt round robin, as a topic deals them. */
export function wordInput(keys: readonly (readonly string[])[]): JudgedInput {
  return keys.map((own, partition) => ({
    topic: 'words',
    partition,
    values: own.map((key) => (key.startsWith('!') ? { key: key.slice(1), dropped: true } : { key })),
    timestampsUs: own.map((_, offset) => offset * 1_000),
    sourceIndices: own.map((_, offset) => offset * keys.length + partition),
    bounded: false,
  }));
}

/** Keyed state as the engine would write it, after these keys were counted. */
export function countedState(keys: readonly string[], subtask: number): Uint8Array {
  const keyGroups = keyGroupRangeOf(subtask, 2, MAX_PARALLELISM);
  const backend = new HashMapStateBackend({ keySerializer: Types.key, keyGroups, maxParallelism: MAX_PARALLELISM });
  const state = backend.getState(COUNT);
  for (const key of keys) {
    if (subtaskOf(keyGroupOf(key, MAX_PARALLELISM), 2, MAX_PARALLELISM) !== subtask) continue;
    backend.setCurrentKey(key);
    state.update((state.value() ?? 0) + 1);
  }
  return backend.snapshot().write();
}

/** What may be told differently from the truth. */
export interface CheckpointStory {
  readonly id: number;
  /** Offsets that the checkpoint says, by partition. */
  readonly offsets: readonly number[];
  /** Keys that its state has counted; by default what lies before the offsets. */
  readonly counted?: readonly string[];
  readonly epoch?: number;
  /** Checkpoints the pointer keeps. */
  readonly retained?: number;
}

/** Outside systems as maps, read through the judges' own window. */
export class SmallWorld implements DurableState {
  readonly files = new Map<string, Uint8Array>();
  readonly values = new Map<string, string>();
  open: ReturnType<DurableState['openTransactions']> = [];

  object(path: string): Uint8Array | undefined {
    return this.files.get(path);
  }

  objects(): readonly string[] {
    return [...this.files.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  leftovers(): readonly string[] {
    return [];
  }

  coordination(key: string): string | undefined {
    return this.values.get(key);
  }

  abortedRecord(): undefined {
    return undefined;
  }

  openTransactions(): ReturnType<DurableState['openTransactions']> {
    return this.open;
  }
}

export const metadataPath = (id: number): string => `checkpoints/${JOB_ID}/chk-${id}/_metadata`;
export const statePath = (id: number, subtask: number): string => `checkpoints/${JOB_ID}/chk-${id}/count-${subtask}`;

export class SmallLife {
  readonly world = new SmallWorld();
  readonly job: JudgedJob;
  readonly input: JudgedInput;
  readonly bench: JudgeBench;
  readonly history: HistoryEvent[] = [];
  retained: RetainedCheckpoint[] = [];
  atUs = 0;

  constructor(keys: readonly (readonly string[])[], audit: JobAudit = COUNT_AUDIT) {
    this.input = wordInput(keys);
    this.job = judgedJob(countGraph(this.input.map(({ partition }) => partition)), audit, this.input);
    this.bench = new JudgeBench({ job: this.job, durable: this.world, plan: SMALL_PLAN });
  }

  /** Tells the judges one event; returns its history index. */
  tell(event: EngineEvent | WorldEvent, node = 'jobmanager-1'): number {
    this.atUs += 10;
    const entry = { index: this.history.length, atUs: this.atUs, node: nodeId(node), event };
    this.history.push(entry);
    this.bench.observe(entry);
    return entry.index;
  }

  lead(epoch: number): number {
    const lease = { epoch: leaderEpoch(epoch), holder: 'jobmanager-1', incarnation: 1, renewal: 0 };
    const key = leaderKey(JOB_ID);
    this.tell({
      kind: 'coordination-updated',
      key,
      version: epoch,
      value: encodeLease(lease),
      by: nodeId('jobmanager-1'),
    });
    return this.tell({ kind: 'leadership-acquired', epoch: leaderEpoch(epoch) });
  }

  run(epoch = 1): void {
    this.tell({ kind: 'job-status', epoch: leaderEpoch(epoch), status: 'running', jobAttempt: 1 });
  }

  trigger(id: number, epoch = 1, tasks: readonly number[] = TASKS): number {
    return this.tell({
      kind: 'checkpoint-triggered',
      epoch: leaderEpoch(epoch),
      jobAttempt: 1,
      tasks: tasks.map(executionAttemptId),
      options: ALIGNED,
      checkpointId: checkpointId(id),
    });
  }

  acknowledge(id: number, attempt: number): void {
    this.tell({
      kind: 'acknowledge-sent',
      attempt: executionAttemptId(attempt),
      vertex: attempt > 2 ? 1 : 0,
      subtask: (attempt - 1) % 2,
      checkpointId: checkpointId(id),
      metrics: {
        startDelayUs: 1,
        alignmentUs: 2 * attempt,
        syncUs: 3,
        asyncUs: 4,
        stateBytes: 100,
        checkpointedBytes: 100,
        bytesProcessedDuringAlignment: 0,
        bytesPersistedDuringAlignment: 0,
        unaligned: false,
        recordsInFlight: 5,
      },
    });
    this.tell({
      kind: 'acknowledge-received',
      attempt: executionAttemptId(attempt),
      checkpointId: checkpointId(id),
      result: 'success',
    });
  }

  /** Writes the files of a checkpoint into the world. */
  store({ id, offsets, counted }: CheckpointStory): void {
    const keys = counted ?? this.keysBefore(offsets);
    const states: SubtaskState[] = [{ vertex: 0, subtask: 0, handles: [offsetsHandle(offsets)] }];
    for (const subtask of [0, 1]) {
      const bytes = countedState(keys, subtask);
      const path = statePath(id, subtask);
      this.put(path, bytes);
      const keyGroups = keyGroupRangeOf(subtask, 2, MAX_PARALLELISM);
      const handle: StateHandle = {
        operator: 'count',
        state: 'keyed',
        path,
        bytes: bytes.length,
        checksum: crc32c(bytes),
        keyGroups,
      };
      states.push({ vertex: 1, subtask, handles: [handle] });
    }
    this.put(
      metadataPath(id),
      encodeMetadata({
        checkpointId: checkpointId(id),
        jobId: JOB_ID,
        triggeredAtUs: 0,
        states,
        operators: [],
        highestParallelism: 0,
      }),
    );
  }

  put(path: string, bytes: Uint8Array): void {
    this.world.files.set(path, bytes);
    this.tell({ kind: 'object-stored', path, bytes: bytes.length }, 'object-store');
  }

  remove(path: string): number {
    this.world.files.delete(path);
    return this.tell({ kind: 'object-deleted', path }, 'object-store');
  }

  /** Moves the pointer so that it names this checkpoint last. */
  point(id: number, epoch = 1, keep = 1): number {
    this.retained = [...this.retained, { id: checkpointId(id), metadata: metadataPath(id) }].slice(-keep);
    const value = encodePointer({ epoch: leaderEpoch(epoch), completed: this.retained });
    this.world.values.set(pointerKey(JOB_ID), value);
    const by = nodeId('jobmanager-1');
    return this.tell({ kind: 'coordination-updated', key: pointerKey(JOB_ID), version: id, value, by }, 'coordination');
  }

  complete(id: number, epoch = 1): number {
    return this.tell({
      kind: 'checkpoint-completed',
      epoch: leaderEpoch(epoch),
      checkpointId: checkpointId(id),
      triggeredAtUs: micros(0),
      stateBytes: 400,
      metadataBytes: 100,
      endToEndUs: 50,
    });
  }

  /** A checkpoint as it should go; older ones' files are deleted behind the pointer. Returns the index of its completion. */
  checkpoint(story: CheckpointStory): number {
    const { id, epoch = 1, retained = 1 } = story;
    this.trigger(id, epoch);
    for (const attempt of TASKS) this.acknowledge(id, attempt);
    this.store(story);
    const before = this.retained;
    this.point(id, epoch, retained);
    const completed = this.complete(id, epoch);
    this.tell({ kind: 'notify-complete-sent', epoch: leaderEpoch(epoch), checkpointId: checkpointId(id) });
    for (const old of before) {
      if (this.retained.includes(old)) continue;
      for (const path of [metadataPath(old.id), statePath(old.id, 0), statePath(old.id, 1)]) this.remove(path);
    }
    return completed;
  }

  /** Makes records visible: each is [key, count, source index]. */
  commit(transaction: string, records: readonly (readonly [string, number, number])[]): number {
    return this.tell(
      {
        kind: 'transaction-committed',
        committedBy: Number.MAX_SAFE_INTEGER,
        transaction,
        producer: transaction.split('-').slice(0, 2).join('-'),
        producerEpoch: 3,
        values: records.map(([key, count]) => ({ key, count })),
        lineages: records.map(([, , lineage]) => lineage),
      },
      'sink-store',
    );
  }

  end(cause: EndOfLife['cause'] = 'liveness-reached'): Verdict[] {
    return this.bench.finish({ atUs: this.atUs, cause, historyLength: this.history.length });
  }

  keysBefore(offsets: readonly number[]): string[] {
    return this.input.flatMap(({ values }, slot) =>
      values
        .slice(0, offsets[slot] ?? 0)
        .map((value) => value as Word)
        .filter(({ dropped }) => dropped !== true)
        .map(({ key }) => key),
    );
  }
}

export function offsetsHandle(offsets: readonly number[]): StateHandle {
  const inline = encodeSourceOffsets(offsets.map((offset, partition) => ({ partition, offset })));
  return { operator: 'src', state: 'operator', path: '', inline, bytes: inline.length, checksum: crc32c(inline) };
}

/** `judge/anomaly` of everything that is not passed. */
export function anomaliesOf(verdicts: readonly Verdict[]): string[] {
  return verdicts.filter(({ outcome }) => outcome !== 'passed').map(({ judge, anomaly }) => `${judge}/${anomaly}`);
}

export const SMALL_PLAN: SimulationPlan = {
  version: 1,
  scenario: 'hand-made',
  seed: '1',
  job: { use: 'counts', parallelism: 2, parameters: {} },
  topics: [],
  cluster: { taskManagers: 1, slots: 4, jobManagers: 1, profile: 'none' },
  engine: {
    scheduler: { mode: 'default' },
    checkpoint: {
      intervalUs: 300,
      minPauseUs: 0,
      timeoutUs: 10_000,
      mode: 'exactly-once',
      unaligned: false,
      alignedTimeoutUs: 0,
      maxConcurrent: 1,
      tolerableFailures: 0,
      retained: 1,
      storage: {
        kind: 'object-store',
        maxStateBytes: 1,
        frameBytes: 1,
        writeBufferBytes: 1,
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
      inlineThresholdBytes: 0,
      compression: 'none',
      timelineLogging: false,
    },
    restart: { strategy: 'none' },
    highAvailability: { kind: 'lease-store', tolerateSuspendedConnections: false },
    runtime: {
      heartbeatIntervalUs: 1,
      heartbeatTimeoutUs: 1,
      leaseRenewUs: 1,
      leaseUs: 1,
      deploymentTimeoutUs: 1,
      bufferTimeoutUs: 1,
      bufferBytes: 1,
      exclusiveBuffersPerChannel: 1,
      floatingBuffersPerGate: 1,
      overdraftBuffers: 1,
      bufferDebloat: {
        enabled: false,
        targetUs: 1,
        periodUs: 1,
        samples: 1,
        thresholdPercent: 1,
        minBufferBytes: 1,
      },
      requestTimeoutUs: 1,
      partitionRequestBackoffUs: 1,
      slotsPerTaskManager: 4,
      failoverStrategy: 'region',
      taskCancellationTimeoutUs: 180_000_000,
      blocklist: { failures: 0, withinUs: 0, forUs: 0 },
    },
  },
  storage: USUAL_STORAGE,
  transactionTimeoutUs: 1_000,
  faults: [],
  liveness: { stormUs: 0, withinUs: 1_000_000 },
  limits: { maxEvents: 1_000, maxVirtualUs: 1_000_000, maxQueueLength: 1_000 },
  variant: 'standard',
  expect: 'exactly-once',
};

/** Keys by partition; `!` marks records that the filter drops. */
export const KEYS = [
  ['a', 'b', 'a', '!c'],
  ['b', 'a', 'b', 'c'],
];

/** A life up to its second checkpoint, which covers the whole input. Source index = offset * 2 + partition. */
export function rightLife(): SmallLife {
  const life = new SmallLife(KEYS);
  life.lead(1);
  life.run();
  life.checkpoint({ id: 1, offsets: [2, 1] });
  life.commit('out-0-3-1', [
    ['a', 1, 0],
    ['b', 1, 2],
    ['b', 2, 1],
  ]);
  life.tell({ kind: 'phase', phase: 'liveness' }, 'world');
  life.checkpoint({ id: 2, offsets: [4, 4] });
  return life;
}

/** The rest of the output of `KEYS`, due after checkpoint 2. */
export const REST = [
  ['a', 2, 4],
  ['a', 3, 3],
  ['b', 3, 5],
  ['c', 1, 7],
] as const;

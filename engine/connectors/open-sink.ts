/** The sink of a kind: its writer and its committer, put together (Flink: Sink.createWriter, SupportsCommitter.createCommitter). */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { FileSinkSpec, SinkSpec } from '../job/job-graph.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { ServiceNodes } from '../protocol/service-nodes.ts';
import { FileCommitter } from './file/file-committer.ts';
import { FileWriter } from './file/file-writer.ts';
import { HdfsOutput, ObjectStoreOutput } from './file/output-storage.ts';
import { KafkaCommitter } from './kafka/kafka-committer.ts';
import { KafkaWriter } from './kafka/kafka-writer.ts';
import { CommitterTask } from './sink/committer-task.ts';
import { type CommitFact, type CommitterHost, CommitterOperator } from './sink/committer-operator.ts';
import type { Committer, SinkWriter, SinkWriterHost } from './sink/sink-contract.ts';
import { SinkOperator } from './sink/sink-operator.ts';
import type { SinkTask } from './sink/sink-task.ts';
import { RocketMqCommitter } from './rocketmq/rocketmq-committer.ts';
import { RocketMqWriter } from './rocketmq/rocketmq-writer.ts';
import { SinkStoreCommitter } from './sink-store/sink-store-committer.ts';
import { UpsertWriter } from './upsert/upsert-writer.ts';
import { SinkStoreWriter } from './sink-store/sink-store-writer.ts';

/** What a sink asks of the subtask it lives in. */
export interface SinkHost {
  /** All that this snapshot lists is flushed: the acknowledgement may go. */
  preCommitted(checkpointId: CheckpointId, nowUs: Micros, out: Out): void;
  /** Restored committables are committed, writing may begin. */
  initialized(out: Out): void;
  fail(failure: TaskFailure, out: Out): void;
  reportCommit(fact: CommitFact, out: Out): void;
  reportCommitFailure(fact: CommitFact, reason: string, out: Out): void;
}

export interface OpenSinkOptions {
  readonly uid: string;
  readonly jobId: string;
  readonly spec: SinkSpec;
  readonly place: {
    readonly subtask: number;
    readonly parallelism: number;
    /** No subtask index at or above this was ever deployed. */
    readonly highestParallelism: number;
    readonly attempt: ExecutionAttemptId;
  };
  readonly services: Pick<ServiceNodes, 'sink' | 'kafka'>;
  readonly runtime: Pick<EngineConfiguration['runtime'], 'requestTimeoutUs' | 'bufferTimeoutUs'>;
  readonly parts: EngineParts;
  readonly host: SinkHost;
  readonly recordBytes: number;
  /** The channels behind, where the committer is a vertex of its own. */
  readonly behind: ElementConsumer;
}

export function openSink(options: OpenSinkOptions): SinkTask {
  const { uid, spec, place, behind, host, services } = options;
  const { subtask, parallelism } = place;
  // The operator is there before anything it is told: nothing happens before `initialize`.
  let operator: SinkOperator | undefined;
  const writer = openWriter(options, {
    ready: (out) => operator?.ready(out),
    flushed: (id, nowUs, out) => host.preCommitted(id, nowUs, out),
    allFlushed: (out) => operator?.allFlushed(out),
    fail: (failure, out) => host.fail(failure, out),
  });
  const isBeside = spec.kafka?.committer === undefined && spec.upsert === undefined;
  const committed: Committed = ({ committable }, _isDropped, out) => writer.committed(committable, out);
  const committer = isBeside ? openCommitterOperator(options, committed) : undefined;
  operator = new SinkOperator({
    uid,
    subtask,
    parallelism,
    writer,
    committer,
    behind,
    initialized: (out) => host.initialized(out),
    ...(isKeptByConnection(spec) ? { store: services.sink } : {}),
  });
  return operator;
}

/** Row K8: the part of a sink that is a vertex behind its writers. */
export function openCommitter(options: OpenSinkOptions): SinkTask {
  const { uid, place, host, behind } = options;
  const { subtask, parallelism } = place;
  let task: CommitterTask | undefined;
  const committer = openCommitterOperator(options, (request, isDropped, out) => {
    if (!isDropped) task?.committed(request, out);
  });
  const initialized = (out: Out): void => host.initialized(out);
  task = new CommitterTask({ uid, subtask, parallelism, committer, behind, initialized });
  return task;
}

type Committed = CommitterHost['committed'];

function openCommitterOperator(options: OpenSinkOptions, committed: Committed): CommitterOperator {
  const { host, parts, runtime, spec } = options;
  return new CommitterOperator({
    committer: openConnectorsCommitter(options),
    host: {
      fail: (failure, out) => host.fail(failure, out),
      reportCommit: (fact, out) => host.reportCommit(fact, out),
      reportCommitFailure: (fact, reason, out) => host.reportCommitFailure(fact, reason, out),
      committed,
    },
    parts,
    retryDelayUs: retryDelayUs(runtime.requestTimeoutUs),
    isGlobal: spec.kafka?.committer === 'global',
  });
}

function openWriter(options: OpenSinkOptions, host: SinkWriterHost): SinkWriter {
  const { uid, jobId, spec, place, services, runtime, parts, recordBytes } = options;
  const { requestTimeoutUs, bufferTimeoutUs: lingerUs } = runtime;
  const { attempt, ...subtask } = place;
  const output = { uid, spec, recordBytes, lingerUs, requestTimeoutUs, ...subtask, parts, host, firstRequestId: 1 };
  if (spec.rocketmq === true) {
    const client = { name: 'rocketmq', firstRequestId: 1, ...datagrams(options) };
    return new RocketMqWriter({ attempt, batchRecords: spec.batchRecords, client, ...output });
  }
  if (spec.upsert !== undefined) {
    const table = { name: 'table', firstRequestId: WRITE_REQUESTS, ...datagrams(options) };
    return new UpsertWriter({ upsert: spec.upsert, batchRecords: spec.batchRecords, client: table, ...output });
  }
  if (spec.file !== undefined) return openFileWriter(options, spec.file, host);
  if (spec.kafka === undefined) return new SinkStoreWriter({ attempt, store: services.sink, ...output });
  return new KafkaWriter({ jobId, kafka: spec.kafka, brokers: services.kafka ?? [], name: 'kafka', ...output });
}

function openConnectorsCommitter(options: OpenSinkOptions): Committer {
  const { uid, spec, place, services, runtime, parts } = options;
  const client = { requestTimeoutUs: runtime.requestTimeoutUs, firstRequestId: COMMIT_REQUESTS };
  if (spec.rocketmq === true) return new RocketMqCommitter(services.sink);
  if (spec.file !== undefined) {
    const requests = { name: 'output-commit', firstRequestId: COMMIT_REQUESTS, ...datagrams(options) };
    const writer = `${leaseHolder(options)}/commit`;
    return new FileCommitter({ client: requests, writer, storage: spec.file.storage, parts });
  }
  if (spec.kafka === undefined) {
    return new SinkStoreCommitter({ uid, attempt: place.attempt, store: services.sink, ...client });
  }
  return new KafkaCommitter({ brokers: services.kafka ?? [], name: 'kafka-commit', ...client });
}

function openFileWriter(options: OpenSinkOptions, file: FileSinkSpec, host: SinkWriterHost): SinkWriter {
  const { uid, spec, place, parts } = options;
  const requests = { name: 'output', firstRequestId: WRITE_REQUESTS, ...datagrams(options) };
  const isHdfs = file.storage === 'hdfs';
  const storage = isHdfs ? new HdfsOutput(requests, leaseHolder(options), parts) : new ObjectStoreOutput(requests);
  return new FileWriter({ uid, file, batchRecords: spec.batchRecords, ...place, storage, parts, host });
}

/** Requests that may be repeated go over datagrams, as those to checkpoint storages do: there is no connection to lose. */
const datagrams = ({ services, runtime }: OpenSinkOptions) =>
  ({ node: services.sink, via: 'datagram', timeoutUs: runtime.requestTimeoutUs }) as const;

const isKeptByConnection = ({ kafka, file, upsert, rocketmq }: SinkSpec): boolean =>
  kafka === undefined && file === undefined && upsert === undefined && rocketmq === undefined;

const leaseHolder = ({ uid, place }: OpenSinkOptions): string => `${uid}-${place.subtask}/${place.attempt}`;

/** Of a writer of files: its subtask asks the checkpoint storage, too, with ids from 1. */
const WRITE_REQUESTS = 200_000_000;
/** Request ids of a committer begin here, those of the writer beside it below and above. */
const COMMIT_REQUESTS = 250_000_000;

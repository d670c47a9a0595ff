/** The sink of a kind: its writer and its committer, put together (Flink: Sink.createWriter, SupportsCommitter.createCommitter). */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { FileSinkSpec, KafkaSinkSpec, SinkSpec } from '../job/job-graph.ts';
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
import { type CommitFact, CommitterOperator } from './sink/committer-operator.ts';
import type { Committer, SinkWriter, SinkWriterHost } from './sink/sink-contract.ts';
import { SinkOperator } from './sink/sink-operator.ts';
import { SinkStoreCommitter } from './sink-store/sink-store-committer.ts';
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
}

export function openSink(options: OpenSinkOptions): SinkOperator {
  const { uid, place, parts, host, runtime } = options;
  // The operator is there before anything it is told: nothing happens before `initialize`.
  let operator: SinkOperator | undefined;
  const connector = openConnector(options, {
    ready: (out) => operator?.ready(out),
    flushed: (id, nowUs, out) => host.preCommitted(id, nowUs, out),
    allFlushed: (out) => operator?.allFlushed(out),
    fail: (failure, out) => host.fail(failure, out),
  });
  const committer = new CommitterOperator({
    committer: connector.committer,
    host: {
      fail: (failure, out) => host.fail(failure, out),
      reportCommit: (fact, out) => host.reportCommit(fact, out),
      reportCommitFailure: (fact, reason, out) => host.reportCommitFailure(fact, reason, out),
      committed: ({ committable }) => connector.writer.committed(committable),
    },
    parts,
    retryDelayUs: retryDelayUs(runtime.requestTimeoutUs),
    isGlobal: false,
  });
  const { subtask, parallelism } = place;
  const { kafka, file } = options.spec;
  const store = kafka === undefined && file === undefined ? { store: options.services.sink } : {};
  operator = new SinkOperator({ uid, subtask, parallelism, writer: connector.writer, committer, host, ...store });
  return operator;
}

interface Connector {
  readonly writer: SinkWriter;
  readonly committer: Committer;
}

function openConnector(options: OpenSinkOptions, host: SinkWriterHost): Connector {
  const { uid, spec, place, services, runtime, parts, recordBytes } = options;
  const { requestTimeoutUs, bufferTimeoutUs: lingerUs } = runtime;
  if (spec.kafka !== undefined) return openKafka(options, spec.kafka, host);
  if (spec.file !== undefined) return openFile(options, spec.file, host);
  const store = { uid, attempt: place.attempt, store: services.sink, requestTimeoutUs };
  return {
    writer: new SinkStoreWriter({ ...store, ...place, spec, parts, host, recordBytes, lingerUs, firstRequestId: 1 }),
    committer: new SinkStoreCommitter({ ...store, firstRequestId: COMMIT_REQUESTS }),
  };
}

function openKafka(options: OpenSinkOptions, kafka: KafkaSinkSpec, host: SinkWriterHost): Connector {
  const { uid, jobId, spec, place, services, runtime, parts, recordBytes } = options;
  const { requestTimeoutUs, bufferTimeoutUs: lingerUs } = runtime;
  const client = { brokers: services.kafka ?? [], requestTimeoutUs };
  const output = { uid, jobId, spec, kafka, recordBytes, lingerUs };
  return {
    writer: new KafkaWriter({ ...client, ...output, ...place, parts, host, name: 'kafka', firstRequestId: 1 }),
    committer: new KafkaCommitter({ ...client, name: 'kafka-commit', firstRequestId: COMMIT_REQUESTS }),
  };
}

/** Files are asked for over datagrams, as checkpoints are: no connection to lose. */
function openFile(options: OpenSinkOptions, file: FileSinkSpec, host: SinkWriterHost): Connector {
  const { uid, spec, place, services, runtime, parts } = options;
  const timeoutUs = runtime.requestTimeoutUs;
  const common = { node: services.sink, via: 'datagram', timeoutUs } as const;
  const writer = `${uid}-${place.subtask}/${place.attempt}`;
  const requests = { ...common, name: 'output', firstRequestId: WRITE_REQUESTS };
  const storage = file.storage === 'hdfs' ? new HdfsOutput(requests, writer) : new ObjectStoreOutput(requests);
  const client = { ...common, name: 'output-commit', firstRequestId: COMMIT_REQUESTS };
  return {
    writer: new FileWriter({ uid, file, batchRecords: spec.batchRecords, ...place, storage, parts, host }),
    committer: new FileCommitter({ client, writer: `${writer}/commit`, storage: file.storage, parts }),
  };
}

/** Of a writer whose subtask asks the checkpoint storage, too, with ids from 1. */
const WRITE_REQUESTS = 200_000_000;
/** Request ids of a committer begin here, those of the writer beside it below and above. */
const COMMIT_REQUESTS = 250_000_000;

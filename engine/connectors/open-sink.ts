/** The sink of a kind: its writer and its committer, put together (Flink: Sink.createWriter, SupportsCommitter.createCommitter). */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { KafkaSinkSpec, SinkSpec } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { ServiceNodes } from '../protocol/service-nodes.ts';
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
  const store = options.spec.kafka === undefined ? { store: options.services.sink } : {};
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

/** Request ids of a committer begin here, those of the writer beside it below and above. */
const COMMIT_REQUESTS = 250_000_000;

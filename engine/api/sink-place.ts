/** Where a sink writes and how, as the author of a job says it, and what the job graph has of that. */
import type { FileSinkSpec, KafkaSinkSpec, SinkSpec, UpsertSinkSpec } from '../job/job-graph.ts';
import { InvalidJob } from './invalid-job.ts';

/** How a sink shows what it was given. */
export interface SinkPlace {
  /** `exactly-once`: transactions committed with the checkpoint. `at-least-once`: visible when written. */
  readonly guarantee: SinkSpec['guarantee'];
  /** Records per write request. Default 100. */
  readonly batchRecords?: number;
  /** Into topics of a Kafka-like cluster. Default: into the sink store. */
  readonly kafka?: KafkaSinkSpec;
  /** As half messages to a RocketMQ-like broker. */
  readonly rocketmq?: true;
  /** Into a table, by key. */
  readonly upsert?: UpsertSinkSpec;
  /** Into files by bucket. */
  readonly file?: FileSinkSpec;
}

const DEFAULT_SINK_BATCH_RECORDS = 100;

/** Throws `InvalidJob`. */
export function sinkSpecOf(options: SinkPlace): SinkSpec {
  const batchRecords = options.batchRecords ?? DEFAULT_SINK_BATCH_RECORDS;
  if (!Number.isInteger(batchRecords) || batchRecords < 1)
    throw new InvalidJob(`A sink batch of ${batchRecords} records is not a positive integer.`);
  if (options.file !== undefined && options.guarantee !== 'exactly-once')
    throw new InvalidJob('A file sink is exactly-once: its files are visible with their checkpoint.');
  const { kafka, file, upsert, rocketmq } = options;
  const place = {
    ...(kafka === undefined ? {} : { kafka }),
    ...(file === undefined ? {} : { file }),
    ...(upsert === undefined ? {} : { upsert }),
    ...(rocketmq === undefined ? {} : { rocketmq }),
  };
  return { guarantee: options.guarantee, batchRecords, ...place };
}

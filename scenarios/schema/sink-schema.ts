/** The section `sink` of a scenario file, and its form in a plan: where sinks write. */
import { z } from 'zod';
import { count, duration, record, size } from './scalars.ts';

const NAMINGS = ['incrementing', 'pooling'] as const;
const FILE_STORAGES = ['hdfs', 'object-store'] as const;
const CONSUMERS = ['keyed', 'plain'] as const;
const BUCKETINGS = ['key', 'value', 'time'] as const;
const positive = z.int({ error: 'expected a whole number' }).min(1, { error: 'expected a whole number of at least 1' });

export const sinkSchema = z.discriminatedUnion(
  'kind',
  [
    record({ kind: z.literal('sink-store') }),
    record({
      kind: z.literal('kafka'),
      brokers: count().default(3).describe('Brokers of the cluster.'),
      partitions: count().default(2).describe('Partitions of each topic.'),
      transactionalIds: z
        .enum(NAMINGS)
        .default('incrementing')
        .describe("A new id for each checkpoint, or ids that are used again. Flink's default: incrementing."),
      transactionTimeout: duration()
        .prefault('60s')
        .describe(
          'Brokers abort a transaction that is open for longer. It must outlast a checkpoint and the longest downtime. Flink: 1h.',
        ),
      maxTransactionTimeout: duration()
        .prefault('15m')
        .describe("The longest timeout that brokers allow; a job that asks for more does not start. Kafka's default."),
      committer: z
        .enum(['beside', 'separate', 'global'])
        .default('beside')
        .describe(
          'Where transactions are committed: beside their writer, in a vertex behind, or by one subtask for all writers. Not beside needs incrementing ids.',
        ),
      sessionTimeout: duration()
        .prefault('6s')
        .describe('A broker that is silent for so long leads nothing any more. Kafka: 9s.'),
    }),
    record({
      kind: z.literal('file'),
      storage: z
        .enum(FILE_STORAGES)
        .default('hdfs')
        .describe(
          'Where files lie, apart from checkpoints. `hdfs`: renamed to commit. `object-store`: uploads, completed to commit.',
        ),
      partSize: size()
        .prefault('128MiB')
        .describe("A file of this size is closed before the next checkpoint. Flink's default."),
      bucketBy: z
        .enum(BUCKETINGS)
        .default('key')
        .describe('What decides on the directory of a record: its key, all of its value, or its time.'),
      compactEvery: count()
        .optional()
        .describe('hdfs: files are held back for so many checkpoints and made one. Default: they are not.'),
      buckets: count().default(2).describe('Directories that keys or values are spread over.'),
      bucketTime: duration().prefault('1h').describe('Event time that each directory stands for, by time.'),
    }),
    record({
      kind: z.literal('upsert'),
      version: z
        .string()
        .default('count')
        .describe('Field of the output that is its version: a number that rises with each record of a key.'),
    }),
    record({
      kind: z.literal('rocketmq'),
      checkAfter: duration()
        .prefault('6s')
        .describe(
          "The broker asks about a transaction of which it heard nothing for so long. RocketMQ's default, and 60s between two.",
        ),
      consumers: z
        .enum(CONSUMERS)
        .default('keyed')
        .describe('Whether consumers know by its key a message that was stored twice; plain ones see it twice.'),
    }),
  ],
  { error: 'expected a kind: sink-store, kafka, file, upsert or rocketmq' },
);

const filePlanSchema = record({
  kind: z.literal('file'),
  storage: z.enum(FILE_STORAGES),
  partBytes: positive,
  compactCheckpoints: positive.exactOptional(),
  bucketBy: z.enum(BUCKETINGS),
  buckets: positive,
  bucketUs: positive,
});

const rocketMqPlanSchema = record({
  kind: z.literal('rocketmq'),
  checkAfterUs: positive,
  consumers: z.enum(CONSUMERS),
});

const upsertPlanSchema = record({ kind: z.literal('upsert'), version: z.string() });

const kafkaPlanSchema = record({
  kind: z.literal('kafka'),
  partitions: positive,
  naming: z.enum(NAMINGS),
  committer: z.enum(['separate', 'global']).exactOptional(),
  transactionTimeoutUs: positive,
  maxTransactionTimeoutUs: positive,
  sessionTimeoutUs: positive,
});

export const sinkPlanSchema = z.discriminatedUnion('kind', [
  kafkaPlanSchema,
  filePlanSchema,
  upsertPlanSchema,
  rocketMqPlanSchema,
]);

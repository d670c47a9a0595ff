/** The section `sink` of a scenario file, and its form in a plan: where sinks write. */
import { z } from 'zod';
import { count, duration, record } from './scalars.ts';

const NAMINGS = ['incrementing', 'pooling'] as const;
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
  ],
  { error: 'expected a kind: sink-store or kafka' },
);

export const kafkaPlanSchema = record({
  kind: z.literal('kafka'),
  partitions: positive,
  naming: z.enum(NAMINGS),
  committer: z.enum(['separate', 'global']).exactOptional(),
  transactionTimeoutUs: positive,
  maxTransactionTimeoutUs: positive,
  sessionTimeoutUs: positive,
});

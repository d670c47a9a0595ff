/** An input of a scenario file: topic, socket or files, what is in it, and how it can be read. Keys, units, defaults and one sentence each. */
import { z } from 'zod';
import { DATASET_NAMES } from '../datasets/dataset-name.ts';
import { count, duration, rate, record, size, text } from './scalars.ts';

const START_POSITIONS = ['earliest', 'latest', 'committed', 'timestamp'] as const;
const OFFSET_RESETS = ['none', 'earliest'] as const;

export const inputSchema = record({
  dataset: text('the name of a data set')
    .optional()
    .describe(
      `A shipped data set (flights, ${DATASET_NAMES.join(', ')}), generated:<keys>x<skew percent> or nexmark:<events per second>.`,
    ),
  file: text('the path of a file')
    .optional()
    .describe('Path of a .csv, .jsonl or .parquet file, instead of a data set.'),
  key: text('the name of a field').optional().describe('Field that is the key, unless the job is told otherwise.'),
  time: text('the name of a field').optional().describe('Field that is the event time of a record of a file.'),
  records: count().describe('Records used, from the start of the data set.'),
  rate: rate().prefault('unlimited').describe('Records that become readable per second, over the whole topic.'),
  partitions: count().optional().describe("Partitions of the topic. Default: the job's parallelism."),
  start: duration().prefault('0s').describe('When the first record becomes readable.'),
  bounded: z
    .boolean()
    .default(false)
    .describe('Whether sources end behind the last record; the job finishes when all have.'),
  socket: z
    .boolean()
    .default(false)
    .describe('No log but a socket: each record is handed out once, and what is lost then cannot be read again.'),
  before: count(0)
    .default(0)
    .describe('Of the records, so many lie there when the job begins; the others come from `start` on.'),
  startFrom: z
    .enum(START_POSITIONS)
    .default('earliest')
    .describe(
      'Where a source begins that reads by splits: `timestamp` at `fromTime`, `committed` where its group had come to.',
    ),
  fromTime: z
    .int({ error: 'expected a whole number of milliseconds since 1970' })
    .optional()
    .describe('With `timestamp`: the first record of this time or a later one, milliseconds since 1970.'),
  committed: count(0)
    .optional()
    .describe('With `committed`: records that the group had read, from the start of the topic.'),
  grow: record({
    at: duration().describe('When.'),
    partitions: count().describe('How many there are then.'),
  })
    .optional()
    .describe('Further partitions, over which what comes then is dealt, too.'),
  discovery: duration()
    .optional()
    .describe("How often a source that reads by splits asks for new partitions. Default: never. Kafka's default: 5m."),
  retention: duration().optional().describe('How long a record can be read. Default: for ever. Kafka: 7 days.'),
  offsetReset: z
    .enum(OFFSET_RESETS)
    .default('none')
    .describe(
      'Where a source goes on that wants what was deleted: `none`, it fails its job; `earliest`, at what is still there. auto.offset.reset of Kafka.',
    ),
  files: record({
    count: count().default(4).describe('How many.'),
    parts: count().default(2).describe('Splits of each.'),
    partSize: size().prefault('8KiB').describe('Of each split of a file but the last, which goes to its end.'),
    blockSize: size()
      .prefault('1KiB')
      .describe('What is read at a time; a position is a block and the records to skip in it.'),
    every: duration()
      .prefault('0s')
      .describe('From `start` on the files come one after the other at this distance; 0s: all are there.'),
  })
    .optional()
    .describe(
      'No topic but files of lines, on the storage that checkpoints lie on. Without a discovery they are looked for once, and all is read.',
    ),
  thenLog: record({
    records: count().describe('Records of the data set behind those of the files.'),
    overlap: count(0)
      .default(0)
      .describe(
        'Of the records in the files, so many of the last lie in the log, too; the log is read from behind them.',
      ),
    partitions: count().optional().describe("Partitions of the topic. Default: the job's parallelism."),
    start: duration().prefault('0s').describe('When the first record becomes readable.'),
    rate: rate().prefault('unlimited').describe('Records that become readable per second.'),
    bounded: z.boolean().default(false).describe('Whether the source ends behind the last record.'),
  })
    .optional()
    .describe(
      'With `files`: when all of them are read, the same source goes on with the log (HybridSource), where the files end.',
    ),
  entryRecords: count().default(1).describe('Most records that one entry of the log holds; a position counts both.'),
  induced: z
    .boolean()
    .default(false)
    .describe(
      'Whether the log decides when sources take a checkpoint: it is asked for a marker in each partition (ExternallyInducedSource).',
    ),
}).superRefine((input, context) => {
  if ((input.startFrom === 'timestamp') !== (input.fromTime !== undefined))
    context.addIssue({ code: 'custom', path: ['startFrom'], message: 'expected timestamp and a fromTime, or neither' });
  if ((input.startFrom === 'committed') !== (input.committed !== undefined))
    context.addIssue({ code: 'custom', path: ['startFrom'], message: 'expected committed and how many, or neither' });
  if (input.before > input.records)
    context.addIssue({ code: 'custom', path: ['before'], message: 'expected at most the number of records' });
  if (input.grow !== undefined && input.discovery === undefined)
    context.addIssue({ code: 'custom', path: ['grow'], message: 'expected a discovery, or nobody would read them' });
  if (input.grow !== undefined && input.grow.partitions <= (input.partitions ?? 0))
    context.addIssue({ code: 'custom', path: ['grow', 'partitions'], message: 'expected more than partitions' });
  if (input.files !== undefined && input.partitions !== undefined)
    context.addIssue({ code: 'custom', path: ['partitions'], message: 'expected none with files: their splits are' });
  if (input.files !== undefined && input.discovery === undefined && input.files.every > 0)
    context.addIssue({
      code: 'custom',
      path: ['files', 'every'],
      message: 'expected a discovery, or nobody would read them',
    });
  if (input.files !== undefined && input.discovery === undefined && input.start > 0)
    context.addIssue({
      code: 'custom',
      path: ['start'],
      message: 'expected 0s, or a discovery: files that come later nobody would read',
    });
  if (input.files !== undefined && input.discovery !== undefined && input.bounded)
    context.addIssue({
      code: 'custom',
      path: ['bounded'],
      message: 'expected false with a discovery, which may find more',
    });
  if (input.thenLog !== undefined && (input.files === undefined || input.discovery !== undefined))
    context.addIssue({
      code: 'custom',
      path: ['thenLog'],
      message: 'expected files, and no discovery: only what ends can be followed by something',
    });
  if (input.thenLog !== undefined && input.thenLog.overlap > input.records)
    context.addIssue({
      code: 'custom',
      path: ['thenLog', 'overlap'],
      message: 'expected at most the number of records',
    });
  if (input.induced && input.socket)
    context.addIssue({ code: 'custom', path: ['induced'], message: 'expected socket: false with induced: true' });
  if (input.retention === 0)
    context.addIssue({
      code: 'custom',
      path: ['retention'],
      message: 'expected more than 0s, or nothing is ever read',
    });
  if (input.retention !== undefined && (input.socket || input.files !== undefined))
    context.addIssue({ code: 'custom', path: ['retention'], message: 'expected none with a socket or files' });
  if (input.offsetReset !== 'none' && input.retention === undefined)
    context.addIssue({ code: 'custom', path: ['offsetReset'], message: 'expected a retention, or nothing is deleted' });
  if ((input.dataset === undefined) === (input.file === undefined)) {
    context.addIssue({ code: 'custom', message: 'expected exactly one of dataset and file' });
  }
});

/**
 * The sections of a scenario file but inputs and faults: keys, units, defaults and one sentence each.
 *
 * Defaults suit a simulated cluster, in which a minute is long: failures are noticed within seconds. Where a default is Flink's, it says so.
 */
import { z } from 'zod';
import { BACKENDS, LOCAL_RECOVERIES } from '../../engine/protocol/configuration.ts';
import { HARDWARE_PROFILES } from '../../sim/node/hardware-profile.ts';
import { changelogSchema } from './changelog-schema.ts';
import { chance, count, duration, multiplier, partsPerMillion, record, size, text } from './scalars.ts';
import { fileMergingSchema, storageKindSchema } from './storage-schema.ts';

const PROFILES = HARDWARE_PROFILES.map((profile) => profile.name);
const GUARANTEES = ['exactly-once', 'at-least-once'] as const;
const COMPRESSIONS = ['none', 'lz4'] as const;
const RETENTIONS = ['no-externalized', 'delete-on-cancellation', 'retain-on-cancellation'] as const;

export const jobSchema = record({
  use: text('the name of a job').describe('Name of the job.'),
  parallelism: count().default(2).describe('Subtasks of each operator.'),
  guarantee: z
    .enum(GUARANTEES)
    .default('exactly-once')
    .describe('Of the sink: transactions committed with the checkpoint, or output visible when written.'),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('What the job lets you set.'),
});

const clocksSchema = record({
  offset: duration().prefault('0s').describe('How far each is ahead of the time or behind it, at most.'),
  drift: partsPerMillion().prefault('0ppm').describe('How much each gains or loses per second, at most.'),
});

export const clusterSchema = record({
  taskManagers: count().default(3).describe('Number of TaskManagers.'),
  slots: count().default(2).describe('Slots of each TaskManager.'),
  jobManagers: count().default(2).describe('Number of JobManagers: one leads, the others stand by.'),
  profile: z.enum(PROFILES).default('cloud-small').describe('Hardware profile.'),
  clocks: clocksSchema
    .optional()
    .describe('Wall clocks of the machines, each wrong in its own way. Absent: all show the time.'),
});

export const checkpointingSchema = record({
  interval: duration().prefault('4s').describe('From trigger to trigger. 0s switches checkpointing off.'),
  intervalDuringBacklog: duration()
    .optional()
    .describe('The same while a source is in backlog, not shorter; 0s: no checkpoints then. Default: the interval.'),
  minPause: duration().prefault('0s').describe('From the end of one checkpoint to the next trigger.'),
  timeout: duration().prefault('10s').describe('A checkpoint that takes longer is aborted.'),
  mode: z.enum(GUARANTEES).default('exactly-once').describe('Whether barriers are aligned.'),
  maxConcurrent: count()
    .default(1)
    .describe('Checkpoints that may be pending at the same time. Unaligned ones: 1. Savepoints do not count.'),
  unaligned: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Whether barriers overtake records, which then are part of the checkpoint. Needs exactly-once.'),
  alignedTimeout: duration()
    .prefault('0ms')
    .describe('With unaligned: barriers keep their place so long after the trigger, then overtake. 0: from the start.'),
  withoutChannelStateOf: count()
    .optional()
    .describe(
      'With unaligned: id of a checkpoint whose in-flight data a restore gives up; everything else of it is restored. Absent: of none.',
    ),
  storage: storageKindSchema,
  backend: z
    .enum(BACKENDS)
    .default('hashmap')
    .describe(
      'Where keyed state lives: `hashmap`, objects in memory; `lsm`, bytes in a log-structured store on the node.',
    ),
  incremental: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe(
      'Checkpoints of lsm write the segments that no earlier checkpoint wrote. As in Flink, hashmap and storage jobmanager take no notice.',
    ),
  changelog: changelogSchema,
  localRecovery: z
    .enum(['none', ...LOCAL_RECOVERIES])
    .default('none')
    .describe(
      'Whether subtasks keep copies of their keyed state on their node: for as long as its `process` lives, or in a `working-directory` that a restarted one finds.',
    ),
  tolerableFailures: count(0)
    .default(10)
    .describe('Checkpoint failures in a row that do not fail the job. Flink: 0; here the storm breaks many.'),
  retained: count().default(2).describe('Completed checkpoints kept. Flink: 1.'),
  directory: text('a directory').default('checkpoints').describe('Directory on the checkpoint storage.'),
  savepointDirectory: text('a directory')
    .default('savepoints')
    .describe('Directory for savepoints on the same storage.'),
  savepointTimeout: duration()
    .prefault('60s')
    .describe('A savepoint that takes longer is aborted. Flink: as `timeout`.'),
  compression: z
    .enum(COMPRESSIONS)
    .default('none')
    .describe(
      'Whether snapshots of keyed state are compressed. Costs CPU, saves bytes on the network and in the store.',
    ),
  fileMerging: fileMergingSchema.describe('Small state of many subtasks in common files.'),
  firstId: count().default(1).describe('Id of the first checkpoint, to begin near a boundary such as 9 or 99.'),
  retention: z
    .enum(RETENTIONS)
    .default('retain-on-cancellation')
    .describe('What becomes of the retained checkpoints when the job is canceled or failed. Flink: no-externalized.'),
  inlineThreshold: size()
    .prefault('256B')
    .describe('State up to this size travels in the acknowledgement. Flink: 20kb; simulated state is smaller.'),
  timelineLogging: z.boolean().default(false).describe('A line per completed checkpoint and task in timeline.log.'),
}).superRefine((checkpointing, context) => {
  const { interval, intervalDuringBacklog: backlog = interval } = checkpointing;
  if (backlog !== 0 && backlog < interval) {
    context.addIssue({
      code: 'custom',
      path: ['intervalDuringBacklog'],
      message: 'expected 0s, or at least the interval',
    });
  }
  if (checkpointing.unaligned && checkpointing.mode !== 'exactly-once') {
    context.addIssue({
      code: 'custom',
      path: ['unaligned'],
      message: 'expected mode exactly-once with unaligned: true',
    });
  }
  if (checkpointing.unaligned && checkpointing.maxConcurrent > 1) {
    context.addIssue({
      code: 'custom',
      path: ['maxConcurrent'],
      message: 'expected maxConcurrent: 1 with unaligned: true: in-flight data belongs to one checkpoint at a time',
    });
  }
  if (!checkpointing.unaligned && checkpointing.alignedTimeout > 0) {
    context.addIssue({
      code: 'custom',
      path: ['alignedTimeout'],
      message: 'expected unaligned: true with an alignedTimeout',
    });
  }
  if (!checkpointing.unaligned && checkpointing.withoutChannelStateOf !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['withoutChannelStateOf'],
      message:
        'expected unaligned: true with withoutChannelStateOf: aligned checkpoints hold no in-flight data to give up',
    });
  }
});

export const schedulerSchema = z.discriminatedUnion(
  'mode',
  [
    record({ mode: z.literal('default') }),
    record({
      mode: z.literal('adaptive'),
      minParallelism: count().default(1).describe('Fewest subtasks the job runs with.'),
      maxParallelism: count().optional().describe("Most subtasks it runs with. Default: the job's parallelism."),
      resourceStabilization: duration()
        .prefault('3s')
        .describe('Before a deployment: how long more slots are waited for once there are enough. Flink: 10s.'),
      cooldown: duration().prefault('5s').describe('From a deployment to the next rescale at least. Flink: 30s.'),
      stabilization: duration()
        .prefault('5s')
        .describe('While the job runs: how long more slots are waited for. Flink: 1min.'),
      maxDelay: duration()
        .optional()
        .describe(
          'Longest wait for a checkpoint to rescale at. Default: interval * (maxCheckpointFailures + 1), as Flink.',
        ),
      maxCheckpointFailures: count()
        .default(2)
        .describe("Failed checkpoints in a row after which none is waited for. Flink's default."),
      activeCheckpoint: z.boolean().default(true).describe("Take a checkpoint for the rescale. Flink's default."),
    }),
  ],
  { error: 'expected a mode: default or adaptive' },
);
const failover = {
  failover: z
    .enum(['region', 'full', 'approximate'])
    .default('region')
    .describe(
      'What a failed task restarts with it: its pipelined region, the whole job, or what is behind it, while its producers go on ' +
        '(Flink: execution.checkpointing.approximate-local-recovery).',
    ),
};

export const restartSchema = z.discriminatedUnion(
  'strategy',
  [
    record({
      strategy: z.literal('exponential-delay'),
      initial: duration().prefault('1s').describe("Delay of the first restart. Flink's default."),
      max: duration().prefault('1m').describe("Longest delay. Flink's default."),
      multiplier: multiplier().prefault('3/2').describe("Growth from one restart to the next. Flink's default."),
      jitter: chance()
        .prefault('1/10')
        .describe("Share of a delay by which it is longer or shorter, as chance has it. Flink's default; 0/1: none."),
      resetAfter: duration()
        .prefault('1h')
        .describe("Time without failure after which the delay is the first again. Flink's default."),
      attemptsBeforeReset: count(0)
        .default(0)
        .describe("Restarts without such a time before the job fails; 0: any number. Flink's default."),
      ...failover,
    }),
    record({
      strategy: z.literal('fixed-delay'),
      attempts: count().default(1).describe("Restarts before the job fails. Flink's default."),
      delay: duration().prefault('1s').describe("Delay of each restart. Flink's default."),
      ...failover,
    }),
    record({
      strategy: z.literal('failure-rate'),
      maxFailures: count().default(1).describe("Failures within the interval that are restarted. Flink's default."),
      interval: duration().prefault('1m').describe("The interval. Flink's default."),
      delay: duration().prefault('1s').describe("Delay of each restart. Flink's default."),
      ...failover,
    }),
    record({ strategy: z.literal('none') }),
  ],
  { error: 'expected a strategy: exponential-delay, fixed-delay, failure-rate or none' },
);

const blocklistSchema = record({
  failures: count(0).default(0).describe('Times a node loses its tasks until it is blocked; 0: never.'),
  within: duration().prefault('1m').describe('Time in which these failures lie.'),
  for: duration().prefault('1m').describe("How long no new task is placed there. Flink's default."),
});

export const runtimeSchema = record({
  heartbeatInterval: duration().prefault('2s').describe('Between two heartbeats.'),
  heartbeatTimeout: duration().prefault('7s').describe('A TaskManager that is silent this long is lost.'),
  leaseRenew: duration().prefault('2s').describe('How often a leader renews its lease.'),
  lease: duration().prefault('7s').describe('A leader that could not renew this long gives up; others take over then.'),
  deploymentTimeout: duration().prefault('10s').describe('Tasks that do not run after this time fail the deployment.'),
  bufferTimeout: duration().prefault('100ms').describe("Partial buffers are sent after this time. Flink's default."),
  bufferSize: size().prefault('32KiB').describe("Size of a network buffer. Flink's default."),
  exclusiveBuffers: count().default(2).describe("Buffers of each channel. Flink's default."),
  floatingBuffers: count(0).default(8).describe("Buffers that the channels of a gate share. Flink's default."),
  overdraftBuffers: count(0)
    .default(5)
    .describe("Buffers that a record in progress may take beyond the pool. Flink's default."),
  bufferDebloat: record({
    enabled: z.boolean().default(false).describe('Whether buffers shrink to what is consumed in the target time.'),
    target: duration().prefault('1s').describe("In-flight data is to be consumed in this time. Flink's default."),
    period: duration().prefault('200ms').describe("Between two calculations. Flink's default."),
    samples: count().default(20).describe("Of the moving average. Flink's default."),
    thresholdPercent: count(0).default(25).describe("Smaller changes are not announced. Flink's default."),
    minBuffer: size().prefault('256B').describe("Smallest buffer. Flink's default."),
  })
    .prefault({})
    .describe('Buffer debloating.'),
  requestTimeout: duration().prefault('1s').describe('A request without reply is repeated after this time.'),
  askTimeout: duration()
    .prefault('10s')
    .describe(
      "A checkpoint fails whose triggers are not all confirmed after this time. Flink's default (`pekko.ask.timeout`).",
    ),
  partitionRequestBackoff: duration()
    .prefault('100ms')
    .describe("A refused partition request is repeated after this time. Flink's default."),
  taskCancellationTimeout: duration()
    .prefault('3m')
    .describe(
      "A TaskManager whose cancelled task has not ended after this time ends its own process; 0s: never. Flink's default.",
    ),
  blocklist: blocklistSchema.prefault({}).describe('Nodes that get no new tasks for a while after failures.'),
  transactionTimeout: duration()
    .prefault('2m')
    .describe('Open transactions older than this are aborted by the sink store.'),
  fetchWait: duration().prefault('500ms').describe("Longest time the log broker may hold a fetch. Kafka's default."),
  fetchRecords: count().default(500).describe("Records a fetch asks for. Kafka's max.poll.records."),
  recordSize: size().prefault('100B').describe('Size of a record on the wire.'),
  sinkBatchRecords: count().default(100).describe('Records per write request of the sink.'),
}).superRefine((runtime, context) => {
  if (runtime.heartbeatInterval >= runtime.heartbeatTimeout) {
    context.addIssue({
      code: 'custom',
      path: ['heartbeatTimeout'],
      message: 'expected a heartbeatTimeout longer than heartbeatInterval',
    });
  }
  if (runtime.leaseRenew >= runtime.lease) {
    context.addIssue({ code: 'custom', path: ['lease'], message: 'expected a lease longer than leaseRenew' });
  }
});

export const livenessSchema = record({
  within: duration()
    .prefault('60s')
    .describe(
      'Within this time after the storm the job must run, complete two more checkpoints and commit all output.',
    ),
});

export const limitsSchema = record({
  events: count().default(20_000_000).describe('Events of a life. Reaching a limit is inconclusive, never passed.'),
  virtualTime: duration().optional().describe('Virtual time of a life. Default: storm, liveness phase and a minute.'),
  queueLength: count().default(1_000_000).describe('Events that wait at the same time.'),
});

export const expectSchema = z.enum([...GUARANTEES, 'at-most-once']);

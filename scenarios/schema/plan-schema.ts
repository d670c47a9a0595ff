/**
 * The form of a plan file: every field of `SimulationPlan`, no unknown keys, and defaults only for
 * fields that came later: a plan that does not say them was made when there was one answer.
 */
import { z } from 'zod';
import { nodeId } from '../../engine/foundation/ids.ts';
import { BACKENDS, LOCAL_RECOVERIES } from '../../engine/protocol/configuration.ts';
import { type Fault, PARTITION_SHAPES, USER_CALLS } from '../../sim/faults/fault.ts';
import { FAULT_POINTS } from '../../sim/faults/checkpoint-point.ts';
import { changelogPlanSchema } from './changelog-schema.ts';
import { highAvailabilityPlanSchema } from './high-availability-schema.ts';
import { CHECKPOINT_KINDS, CLAIM_MODES, RESUME_SOURCES, SAVEPOINT_FORMATS } from './operation-schema.ts';
import { record } from './scalars.ts';
import { sinkPlanSchema } from './sink-schema.ts';
import { fileMergingPlanSchema, storageConfigurationPlanSchema, storagePlanSchema } from './storage-schema.ts';

const GUARANTEES = ['exactly-once', 'at-least-once'] as const;
const COMPRESSIONS = ['none', 'lz4'] as const;
const RETENTIONS = ['no-externalized', 'delete-on-cancellation', 'retain-on-cancellation'] as const;

const SERVICE_EFFECTS = [
  'slow',
  'unavailable',
  'fail',
  'unknown-outcome',
  'session-expiry',
  'watch-loss',
  'throttled',
  'write-fails',
  'disk-full',
  'namenode-outage',
  'bit-rot',
  'short-read',
  'missing',
  'stale-list',
  'fence',
] as const satisfies readonly Extract<Fault, { kind: 'service' }>['effect'][];

const whole = z.int({ error: 'expected a whole number' });
const natural = whole.min(0, { error: 'expected a whole number of at least 0' });
const positive = whole.min(1, { error: 'expected a whole number of at least 1' });
const node = z.string({ error: 'expected the name of a node' }).transform(nodeId);
const nodes = z.array(node);
const ratio = record({ numerator: natural, denominator: positive });

const trigger = z.union(
  [
    record({ atUs: natural }),
    record({
      point: z.enum(FAULT_POINTS),
      checkpoint: positive.exactOptional(),
      vertex: natural.exactOptional(),
      subtask: natural.exactOptional(),
      node: node.exactOptional(),
      since: z.string().exactOptional(),
      fromUs: natural.exactOptional(),
      occurrence: positive,
      afterUs: natural.exactOptional(),
    }),
  ],
  { error: 'expected a trigger: { atUs } or { point, occurrence }' },
);
const ofFault = { id: z.string(), trigger };
const betweenSides = { a: nodes, b: nodes, forUs: natural };

const thenResume = record({
  from: z.enum(RESUME_SOURCES),
  claimMode: z.enum(CLAIM_MODES),
  allowNonRestored: z.boolean(),
  parallelism: positive.exactOptional(),
  backend: z.enum(BACKENDS).exactOptional(),
  fileMerging: z.boolean().exactOptional(),
  version: positive.exactOptional(),
  fallBack: positive.exactOptional(),
  onlyIfFailed: z.literal(true).exactOptional(),
}).exactOptional();
const format = z.enum(SAVEPOINT_FORMATS);
const command = z.discriminatedUnion(
  'kind',
  [
    record({ kind: z.literal('savepoint'), format }),
    record({ kind: z.literal('checkpoint'), checkpoint: z.enum(CHECKPOINT_KINDS) }),
    record({ kind: z.literal('stop-with-savepoint'), drain: z.boolean(), format, thenResume }),
    record({ kind: z.literal('cancel'), thenResume }),
    record({ kind: z.literal('dispose-savepoint') }),
    record({ kind: z.literal('rescale'), parallelism: positive }),
  ],
  { error: 'expected a kind: savepoint, checkpoint, stop-with-savepoint, cancel, dispose-savepoint or rescale' },
);

const fault = z.discriminatedUnion(
  'kind',
  [
    record({
      ...ofFault,
      kind: z.literal('crash'),
      node,
      restartAfterUs: whole.min(-1, { error: 'expected microseconds, or -1 for never' }),
    }),
    record({ ...ofFault, kind: z.literal('power-loss'), node, restartAfterUs: natural }),
    record({
      ...ofFault,
      kind: z.literal('out-of-memory'),
      node,
      headroomBytes: natural,
      restartAfterUs: natural,
    }),
    record({ ...ofFault, kind: z.literal('pause'), node, forUs: natural }),
    record({ ...ofFault, kind: z.literal('disk-damage'), node, chance: ratio, place: natural, forUs: natural }),
    record({ ...ofFault, kind: z.literal('slow-cpu'), node, factor: positive, forUs: natural }),
    record({
      ...ofFault,
      kind: z.literal('throw'),
      node,
      vertex: natural.exactOptional(),
      call: z.enum(USER_CALLS).exactOptional(),
      afterCalls: natural.exactOptional(),
      recoverable: z.boolean(),
    }),
    record({
      ...ofFault,
      kind: z.literal('hang'),
      node,
      vertex: natural.exactOptional(),
      call: z.enum(USER_CALLS).exactOptional(),
      hangUs: natural,
    }),
    record({
      ...ofFault,
      ...betweenSides,
      kind: z.literal('partition'),
      shape: z.enum(PARTITION_SHAPES),
      oneWay: z.boolean(),
    }),
    record({ ...ofFault, ...betweenSides, kind: z.literal('hold'), oneWay: z.boolean() }),
    record({ ...ofFault, kind: z.literal('reset'), a: nodes, b: nodes }),
    record({ ...ofFault, ...betweenSides, kind: z.literal('delay'), extraUs: record({ low: natural, high: natural }) }),
    record({ ...ofFault, ...betweenSides, kind: z.enum(['loss', 'duplicate', 'reorder']), chance: ratio }),
    record({ ...ofFault, ...betweenSides, kind: z.literal('slow-link'), factor: positive }),
    record({
      ...ofFault,
      kind: z.literal('service'),
      node,
      effect: z.enum(SERVICE_EFFECTS),
      factor: positive,
      chance: ratio,
      forUs: natural,
    }),
    record({ ...ofFault, kind: z.literal('operation'), command }),
    record({ ...ofFault, kind: z.literal('clock-step'), node, byUs: whole, forUs: natural.exactOptional() }),
    record({ ...ofFault, kind: z.literal('clock-drift'), node, driftPpm: whole, forUs: natural }),
  ],
  {
    error:
      'expected a kind: crash, power-loss, out-of-memory, pause, slow-cpu, disk-damage, throw, hang, partition, hold, reset, delay, loss, duplicate, reorder, slow-link, service, operation, clock-step or clock-drift',
  },
);

const checkpoint = record({
  intervalUs: natural,
  intervalDuringBacklogUs: natural.exactOptional(),
  minPauseUs: natural,
  timeoutUs: positive,
  mode: z.enum(GUARANTEES),
  // Plans from before there were unaligned checkpoints do not say.
  unaligned: z.boolean().default(false),
  alignedTimeoutUs: natural.default(0),
  withoutChannelStateOf: positive.exactOptional(),
  maxConcurrent: positive,
  tolerableFailures: natural,
  retained: positive,
  storage: storageConfigurationPlanSchema,
  directory: z.string(),
  savepointDirectory: z.string().default('savepoints'),
  savepointTimeoutUs: positive.default(60_000_000),
  firstId: positive.default(1),
  retention: z.enum(RETENTIONS).default('retain-on-cancellation'),
  // Plans from before there was a choice do not say.
  backend: z.enum(BACKENDS).default('hashmap'),
  incremental: z.boolean().default(false),
  changelog: changelogPlanSchema,
  localRecovery: z.enum(LOCAL_RECOVERIES).exactOptional(),
  inlineThresholdBytes: natural,
  // Plans from before state could be compressed do not say.
  compression: z.enum(COMPRESSIONS).default('none'),
  fileMerging: fileMergingPlanSchema.exactOptional(),
  timelineLogging: z.boolean(),
});

const restart = z.discriminatedUnion(
  'strategy',
  [
    record({ strategy: z.literal('fixed-delay'), attempts: positive, delayUs: natural }),
    record({
      strategy: z.literal('exponential-delay'),
      initialUs: natural,
      maxUs: natural,
      multiplier: ratio,
      jitter: ratio.exactOptional(),
      resetThresholdUs: natural,
      attemptsBeforeReset: natural.default(0),
    }),
    record({
      strategy: z.literal('failure-rate'),
      maxFailures: positive,
      intervalUs: natural,
      delayUs: natural,
    }),
    record({ strategy: z.literal('none') }),
  ],
  { error: 'expected a strategy: exponential-delay, fixed-delay, failure-rate or none' },
);

/** Plans of before there was a choice have none. */
const scheduler = z
  .discriminatedUnion(
    'mode',
    [
      record({ mode: z.literal('default') }),
      record({
        mode: z.literal('adaptive'),
        minParallelism: positive,
        maxParallelism: positive,
        resourceStabilizationUs: natural,
        cooldownUs: natural,
        stabilizationUs: natural,
        maxDelayUs: natural,
        maxCheckpointFailures: positive,
        activeCheckpoint: z.boolean(),
      }),
    ],
    { error: 'expected a mode: default or adaptive' },
  )
  .default({ mode: 'default' });

const runtime = record({
  heartbeatIntervalUs: positive,
  heartbeatTimeoutUs: positive,
  leaseRenewUs: positive,
  leaseUs: positive,
  deploymentTimeoutUs: positive,
  bufferTimeoutUs: natural,
  bufferBytes: positive,
  exclusiveBuffersPerChannel: positive,
  floatingBuffersPerGate: natural,
  overdraftBuffers: natural.default(5),
  bufferDebloat: record({
    enabled: z.boolean(),
    targetUs: positive,
    periodUs: positive,
    samples: positive,
    thresholdPercent: natural,
    minBufferBytes: positive,
  }).default({
    enabled: false,
    targetUs: 1_000_000,
    periodUs: 200_000,
    samples: 20,
    thresholdPercent: 25,
    minBufferBytes: 256,
  }),
  requestTimeoutUs: positive,
  askTimeoutUs: positive.exactOptional(),
  partitionRequestBackoffUs: natural,
  slotsPerTaskManager: positive,
  failoverStrategy: z.enum(['region', 'full', 'approximate']).default('region'),
  taskCancellationTimeoutUs: natural.default(180_000_000),
  blocklist: record({ failures: natural, withinUs: natural, forUs: natural }).default({
    failures: 0,
    withinUs: 0,
    forUs: 0,
  }),
});

export const planSchema = record({
  version: z.literal(1, { error: 'expected 1, the version of this format' }),
  scenario: z.string(),
  seed: z.string({ error: 'expected a seed in quotes' }),
  job: record({
    use: z.string(),
    parallelism: positive,
    parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  topics: z
    .array(
      record({
        name: z.string(),
        dataset: z.string(),
        records: natural,
        rows: z.array(natural).exactOptional(),
        partitions: positive,
        startUs: natural,
        ratePerSecond: natural,
        bounded: z.boolean().default(false),
        socket: z.literal(true).exactOptional(),
        induced: z.literal(true).exactOptional(),
        before: natural.exactOptional(),
        committed: natural.exactOptional(),
        grows: record({ atUs: natural, partitions: positive }).exactOptional(),
        entryRecords: positive.exactOptional(),
        files: record({
          count: positive,
          parts: positive,
          partBytes: positive,
          blockBytes: positive,
          everyUs: natural,
        }).exactOptional(),
        startFrom: z
          .union([z.enum(['earliest', 'latest', 'committed']), record({ timestampUs: whole })], {
            error: 'expected earliest, latest, committed or { timestampUs }',
          })
          .exactOptional(),
        discoveryUs: positive.exactOptional(),
        retentionUs: positive.exactOptional(),
        offsetReset: z.literal('earliest').exactOptional(),
        after: z.string().exactOptional(),
      }).refine(({ records, rows }) => rows === undefined || rows.length === records, {
        error: 'expected as many rows as records',
        path: ['rows'],
      }),
    )
    .refine(
      (topics) =>
        topics.every(
          ({ after }, index) =>
            after === undefined || topics.slice(0, index).some(({ name, bounded }) => name === after && bounded),
        ),
      { error: 'expected after to name an earlier topic that ends' },
    ),
  cluster: record({
    taskManagers: positive,
    slots: positive,
    jobManagers: positive,
    profile: z.string(),
    clients: natural.exactOptional(),
    brokers: natural.exactOptional(),
    clocks: z.array(record({ node, offsetUs: whole, driftPpm: whole })).exactOptional(),
  }),
  engine: record({ scheduler, checkpoint, restart, runtime, highAvailability: highAvailabilityPlanSchema }),
  storage: storagePlanSchema,
  transactionTimeoutUs: positive,
  sink: sinkPlanSchema.exactOptional(),
  faults: z.array(fault),
  liveness: record({ stormUs: natural, withinUs: natural }),
  limits: record({ maxEvents: positive, maxVirtualUs: positive, maxQueueLength: positive }),
  variant: z.string(),
  drawnSites: z.array(z.string()).exactOptional(),
  fixedChoices: z.array(record({ site: z.string(), nth: positive, option: natural })).exactOptional(),
  priorities: record({
    ranks: positive,
    windowUs: natural,
    changeSteps: z.array(positive),
    dropUs: natural,
  }).exactOptional(),
  branches: z
    .array(
      record({
        afterEvent: whole.min(-1, { error: 'expected the index of an event, or -1 for the start' }),
        rootSeed: z.string(),
        sites: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
  expect: z.enum([...GUARANTEES, 'at-most-once']),
});

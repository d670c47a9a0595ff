/**
 * The checkpoint storage in scenario and plan files: what the engine is told of it, and what it is like.
 *
 * Defaults of a plan are those of plans from before there was a choice.
 */
import { z } from 'zod';
import { STORAGE_KINDS } from '../../engine/protocol/configuration.ts';
import { STORAGE_FLAVOURS, USUAL_STORAGE } from '../../sim/services/storage-physics.ts';
import { count, duration, multiplier, record, size } from './scalars.ts';

const MIB = 1_048_576;
/** Flink's limits: state.storage of the JobManager, pekko.framesize, execution.checkpointing.write-buffer-size. */
const USUAL_LIMITS = {
  maxStateBytes: 5 * MIB,
  frameBytes: 10 * MIB,
  writeBufferBytes: 4_096,
  uploadPartBytes: 0,
  entropy: false,
};

/** Rows S19, T2. */
export const fileMergingSchema = record({
  enabled: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe(
      'Whether state of the subtasks of a TaskManager goes into common files. As in Flink, savepoints take no notice.',
    ),
  acrossCheckpoints: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe(
      'Whether a file takes state of several checkpoints. Object stores, whose objects do not grow, take no notice.',
    ),
  maxFileSize: size().prefault('32MiB').describe("A file that is so large takes nothing more. Flink's default."),
  maxSpaceAmplification: multiplier()
    .prefault('2/1')
    .describe(
      'Bytes of a file per byte in use from which on incremental checkpoints write its segments anew. Flink: 2.',
    ),
}).prefault({});

export const fileMergingOf = ({
  enabled,
  acrossCheckpoints,
  maxFileSize,
  maxSpaceAmplification,
}: z.output<typeof fileMergingSchema>) =>
  enabled ? { fileMerging: { acrossCheckpoints, maxFileBytes: maxFileSize, maxSpaceAmplification } } : {};

export const storageKindSchema = z
  .enum(STORAGE_KINDS, { error: `expected one of ${STORAGE_KINDS.join(', ')}` })
  .default('object-store')
  .describe(
    'Where checkpoints lie. `jobmanager`: state in the acknowledgement. `filesystem`: a file server that forgets what was not synced. `object-store`: whole objects. `hdfs`: files with leases, a namenode.',
  );

export const storageSchema = record({
  maxState: size().prefault('5MiB').describe("jobmanager: largest piece of state. Flink's default."),
  frame: size().prefault('10MiB').describe("Most inline state of an acknowledgement. Flink's default."),
  writeBuffer: size().prefault('4KiB').describe("filesystem, hdfs: bytes of a write request. Flink's default."),
  uploadPart: size()
    .prefault('0B')
    .describe('object-store: larger files are uploaded in parts of this size; 0B: never. S3: at least 5 MiB.'),
  entropy: z
    .boolean()
    .default(false)
    .describe(
      'object-store: paths of state begin with letters of their own, so that rates are those of many prefixes.',
    ),
  flavour: z
    .enum(STORAGE_FLAVOURS)
    .default(USUAL_STORAGE.flavour)
    .describe('object-store: whose latencies it has; `profile`: those of the hardware profile.'),
  putsPerSecond: count()
    .default(USUAL_STORAGE.putsPerSecond)
    .describe('object-store: writes and lists a second that a prefix takes before it answers SlowDown. As S3.'),
  getsPerSecond: count().default(USUAL_STORAGE.getsPerSecond).describe('object-store: the same for reads. As S3.'),
  listDelay: duration()
    .prefault('0s')
    .describe('object-store: how long an object may be missing from lists after its put, at most.'),
  writeBack: duration().prefault('5s').describe('filesystem: after so long the server writes out by itself.'),
  leaseSoftLimit: duration()
    .prefault('60s')
    .describe('hdfs: a lease not renewed for so long may be taken over. As HDFS.'),
  leaseHardLimit: duration()
    .prefault('20m')
    .describe('hdfs: after so long the namenode closes a file itself. As HDFS.'),
  safeMode: duration()
    .prefault('3s')
    .describe('hdfs: how long a restarted namenode refuses changes. HDFS: at least 30 s.'),
});

type StorageInput = z.output<typeof storageSchema>;

export const storageConfigurationOf = (kind: (typeof STORAGE_KINDS)[number], storage: StorageInput) => ({
  kind,
  maxStateBytes: storage.maxState,
  frameBytes: storage.frame,
  writeBufferBytes: storage.writeBuffer,
  uploadPartBytes: storage.uploadPart,
  entropy: storage.entropy,
});

export const storagePhysicsOf = (storage: StorageInput) => ({
  flavour: storage.flavour,
  putsPerSecond: storage.putsPerSecond,
  getsPerSecond: storage.getsPerSecond,
  listDelayUs: storage.listDelay,
  writeBackUs: storage.writeBack,
  leaseSoftLimitUs: storage.leaseSoftLimit,
  leaseHardLimitUs: storage.leaseHardLimit,
  safeModeUs: storage.safeMode,
});

const natural = z.int().min(0, { error: 'expected a whole number of at least 0' });
const positive = z.int().min(1, { error: 'expected a whole number of at least 1' });

export const storageConfigurationPlanSchema = record({
  kind: z.enum(STORAGE_KINDS),
  maxStateBytes: natural,
  frameBytes: natural,
  writeBufferBytes: positive,
  uploadPartBytes: natural,
  entropy: z.boolean().default(false),
}).default({ kind: 'object-store', ...USUAL_LIMITS });

export const fileMergingPlanSchema = record({
  acrossCheckpoints: z.boolean(),
  maxFileBytes: positive,
  maxSpaceAmplification: record({ numerator: positive, denominator: positive }),
});

export const storagePlanSchema = record({
  flavour: z.enum(STORAGE_FLAVOURS),
  putsPerSecond: positive,
  getsPerSecond: positive,
  listDelayUs: natural,
  writeBackUs: positive,
  leaseSoftLimitUs: positive,
  leaseHardLimitUs: positive,
  safeModeUs: natural,
}).default(USUAL_STORAGE);

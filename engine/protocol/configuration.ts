/**
 * Engine options, fully resolved: nobody asks for defaults later (STYLE 19). Lengths are in microseconds of virtual time.
 */
/** Where keyed state lives (Flink: state.backend.type). */
export const BACKENDS = ['hashmap', 'lsm'] as const;
export type BackendName = (typeof BACKENDS)[number];

export const STORAGE_KINDS = ['jobmanager', 'filesystem', 'object-store', 'hdfs'] as const;

/** Where checkpoints lie (row T1). */
export interface StorageConfiguration {
  readonly kind: (typeof STORAGE_KINDS)[number];
  /** jobmanager: largest single piece of state, which travels in the acknowledgement (Flink: maxStateSize). */
  readonly maxStateBytes: number;
  /** Most inline state of one acknowledgement: the frame of the RPC system (Flink: pekko.framesize). */
  readonly frameBytes: number;
  /** filesystem, hdfs: bytes of one write request (Flink: write-buffer-size). */
  readonly writeBufferBytes: number;
  /** object-store: larger files are uploaded in parts of this size (Flink: s3.upload.min.part.size); 0: never. */
  readonly uploadPartBytes: number;
  /** object-store: paths of state begin with letters of their own (Flink: s3.entropy.key). */
  readonly entropy: boolean;
}

/** How long copies of state on the node's own disk live (row S22): with the process, or as its working directory, which a restarted one finds. */
export const LOCAL_RECOVERIES = ['process', 'working-directory'] as const;
export type LocalRecovery = (typeof LOCAL_RECOVERIES)[number];

/** Rows S19, T2 (Flink: execution.checkpointing.file-merging). */
export interface FileMergingConfiguration {
  /** Whether a file takes state of several checkpoints (across-checkpoint-boundary); where files can grow, so not in object stores. */
  readonly acrossCheckpoints: boolean;
  /** A file that is so large takes nothing more (max-file-size). */
  readonly maxFileBytes: number;
  /** Bytes of a file per byte of it that is in use, from which on its parts are written anew instead of reused (max-space-amplification). */
  readonly maxSpaceAmplification: { readonly numerator: number; readonly denominator: number };
}

/** Row S20 (Flink: state.changelog.*). A storage that holds no files takes no notice. */
export interface ChangelogConfiguration {
  /** From materialisation to materialisation (Flink: periodic-materialize.interval); 0: only where there is nothing to build on. */
  readonly materializationIntervalUs: number;
  /** Failed materialisations in a row that do not fail the subtask (Flink: max-failures-allowed). */
  readonly maxMaterializationFailures: number;
  /** Size of the log at which it is written without waiting for a checkpoint (Flink: dstl.dfs.preemptive-persist-threshold). */
  readonly preemptiveBytes: number;
}

export interface CheckpointConfiguration {
  /** 0 switches checkpointing off. */
  readonly intervalUs: number;
  /** While a source is in backlog (row C5); 0: no checkpoints then. Absent: as `intervalUs`. */
  readonly intervalDuringBacklogUs?: number;
  /** From completion of one checkpoint to the next trigger. */
  readonly minPauseUs: number;
  readonly timeoutUs: number;
  readonly mode: 'exactly-once' | 'at-least-once';
  /** Barriers may overtake records (row B5). Needs exactly-once and one checkpoint at a time. */
  readonly unaligned: boolean;
  /** With `unaligned`: 0 overtakes from the start; else barriers keep their place until this long after the trigger (row B8). */
  readonly alignedTimeoutUs: number;
  /**
   * Row X26: a restore of the checkpoint with this id gives its channel state up. Absent: of none (Flink:
   * execution.state-recovery.without-channel-state.checkpoint-id, there -1).
   */
  readonly withoutChannelStateOf?: number;
  /** Checkpoints that may be pending at the same time; unaligned ones: 1. */
  readonly maxConcurrent: number;
  readonly tolerableFailures: number;
  /** Completed checkpoints kept. */
  readonly retained: number;
  readonly storage: StorageConfiguration;
  /** Directory on the checkpoint storage; `<dir>/<job>/chk-<n>/` below it. */
  readonly directory: string;
  /** Savepoints of users who name no other directory; `<dir>/savepoint-<job>-<n>/` below it. */
  readonly savepointDirectory: string;
  /** A savepoint that takes longer is aborted; Flink uses `timeoutUs` for both. */
  readonly savepointTimeoutUs: number;
  /** First id a new job takes; Flink: 1. */
  readonly firstId: number;
  /** Row C17: what becomes of retained checkpoints when the job is over. */
  readonly retention: 'no-externalized' | 'delete-on-cancellation' | 'retain-on-cancellation';
  readonly backend: BackendName;
  /** Row S17, of a backend that has segments: checkpoints are made of them, and write those that no earlier one has. */
  readonly incremental: boolean;
  /** Subtasks keep copies of their keyed state on their node; absent: they do not. */
  readonly localRecovery?: LocalRecovery;
  /** Checkpoints are made of a log of changes; absent: of the state. */
  readonly changelog?: ChangelogConfiguration;
  /** State up to this many bytes travels in the acknowledgement and lies in `_metadata` (row T3). */
  readonly inlineThresholdBytes: number;
  /** Row S14: whether full snapshots and savepoints of keyed state are compressed, key group by key group. */
  readonly compression: 'none' | 'lz4';
  /** Absent: every piece of state has a file of its own. */
  readonly fileMerging?: FileMergingConfiguration;
  /** A line per completed checkpoint and task in `timeline.log`. */
  readonly timelineLogging: boolean;
}

export type RestartConfiguration =
  | { readonly strategy: 'fixed-delay'; readonly attempts: number; readonly delayUs: number }
  | {
      readonly strategy: 'failure-rate';
      /** Failures within the interval that are still restarted. */
      readonly maxFailures: number;
      readonly intervalUs: number;
      readonly delayUs: number;
    }
  | {
      readonly strategy: 'exponential-delay';
      readonly initialUs: number;
      readonly maxUs: number;
      /** Rational, for integer arithmetic: 3/2 is Flink's default 1.5. */
      readonly multiplier: { readonly numerator: number; readonly denominator: number };
      /** By which share of it a delay is longer or shorter (Flink: jitter-factor); absent: by none. */
      readonly jitter?: { readonly numerator: number; readonly denominator: number };
      readonly resetThresholdUs: number;
      /** Restarts without a quiet time between them before the job fails; 0: without end. */
      readonly attemptsBeforeReset: number;
    }
  | { readonly strategy: 'none' };

/**
 * What a failure restarts (Flink: jobmanager.execution.failover-strategy; `approximate`: execution.checkpointing.approximate-local-recovery,
 * FLIP-135). With `approximate` it is the failed subtasks and all behind them; their producers go on, and what those had sent is lost.
 */
export type FailoverStrategyName = 'region' | 'full' | 'approximate';

/** A node that loses its tasks `failures` times within `withinUs` gets none for `forUs`. 0 failures: never. */
export interface BlocklistConfiguration {
  readonly failures: number;
  readonly withinUs: number;
  readonly forUs: number;
}

/** Row B16 (Flink: taskmanager.network.memory.buffer-debloat). */
export interface BufferDebloatConfiguration {
  readonly enabled: boolean;
  /** In-flight data is to be consumed in this time. */
  readonly targetUs: number;
  readonly periodUs: number;
  /** Of the moving average. */
  readonly samples: number;
  /** Smaller changes are not announced. */
  readonly thresholdPercent: number;
  readonly minBufferBytes: number;
}

export interface RuntimeConfiguration {
  readonly heartbeatIntervalUs: number;
  readonly heartbeatTimeoutUs: number;
  /**
   * A leader renews its lease this often, gives up when it could not for `leaseUs`; others take over after `leaseUs` without change.
   * ZooKeeper: session time-out and longest time between pings. Kubernetes: lease duration and renew deadline, retry period.
   */
  readonly leaseRenewUs: number;
  readonly leaseUs: number;
  readonly deploymentTimeoutUs: number;
  /** Partial buffers are flushed after this time (Flink: execution.buffer-timeout.interval). */
  readonly bufferTimeoutUs: number;
  readonly bufferBytes: number;
  readonly exclusiveBuffersPerChannel: number;
  readonly floatingBuffersPerGate: number;
  /** Buffers a record in progress may take beyond the pool before the subtask is stuck in it (row B15). */
  readonly overdraftBuffers: number;
  readonly bufferDebloat: BufferDebloatConfiguration;
  /** A request to an outside system without reply is repeated after this time. */
  readonly requestTimeoutUs: number;
  /**
   * A trigger that nobody confirmed has failed after this time, and its checkpoint with it (Flink: pekko.ask.timeout); absent: none is confirmed, and
   * one that was lost is noticed when its checkpoint expires.
   */
  readonly askTimeoutUs?: number;
  readonly partitionRequestBackoffUs: number;
  readonly slotsPerTaskManager: number;
  readonly failoverStrategy: FailoverStrategyName;
  /** A TaskManager whose cancelled subtask has not ended by then ends its own process (Flink: task.cancellation.timeout); 0: never. */
  readonly taskCancellationTimeoutUs: number;
  readonly blocklist: BlocklistConfiguration;
}

/** Who elects the leader and keeps what outlives it (rows F13, F14). */
export interface HighAvailabilityConfiguration {
  /** `lease-store`: versioned values, no more. `none`: one JobManager, whose end is the job's. */
  readonly kind: 'lease-store' | 'zookeeper' | 'kubernetes' | 'none';
  /** ZooKeeper: a leader goes on while its connection is lost, until its session may have expired. Flink's default: false. */
  readonly tolerateSuspendedConnections: boolean;
}

/** Rows F6, F7. */
export type SchedulerConfiguration =
  /** One parallelism; the job waits until there are slots for it (Flink: DefaultScheduler). */
  | { readonly mode: 'default' }
  /** Parallelism by the slots there are (Flink: AdaptiveScheduler). */
  | {
      readonly mode: 'adaptive';
      readonly minParallelism: number;
      readonly maxParallelism: number;
      /** Before a deployment: how long more slots are waited for once there are enough (Flink: submission.resource-stabilization-timeout). */
      readonly resourceStabilizationUs: number;
      /** After a deployment, until the next rescale is thought of (Flink: executing.cooldown-after-rescaling). */
      readonly cooldownUs: number;
      /** While running: how long more slots are waited for (Flink: executing.resource-stabilization-timeout). */
      readonly stabilizationUs: number;
      /** Longest wait for a checkpoint at which to rescale (Flink: rescale-trigger.max-delay). */
      readonly maxDelayUs: number;
      /** Failed checkpoints in a row after which none is waited for (Flink: rescale-trigger.max-checkpoint-failures). */
      readonly maxCheckpointFailures: number;
      /** Ask for a checkpoint instead of waiting for the next (Flink: rescale-trigger.active-checkpoint.enabled). */
      readonly activeCheckpoint: boolean;
    };

export interface EngineConfiguration {
  readonly scheduler: SchedulerConfiguration;
  readonly checkpoint: CheckpointConfiguration;
  readonly restart: RestartConfiguration;
  readonly runtime: RuntimeConfiguration;
  readonly highAvailability: HighAvailabilityConfiguration;
}

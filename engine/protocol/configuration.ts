/**
 * Engine options, fully resolved: nobody asks for defaults later (STYLE 19). Lengths are in microseconds of virtual time.
 */
export interface CheckpointConfiguration {
  /** 0 switches checkpointing off. */
  readonly intervalUs: number;
  /** From completion of one checkpoint to the next trigger. */
  readonly minPauseUs: number;
  readonly timeoutUs: number;
  readonly mode: 'exactly-once' | 'at-least-once';
  /** Checkpoints that may be pending at the same time; unaligned ones: 1. */
  readonly maxConcurrent: number;
  readonly tolerableFailures: number;
  /** Completed checkpoints kept. */
  readonly retained: number;
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
  /** State up to this many bytes travels in the acknowledgement and lies in `_metadata` (row T3). */
  readonly inlineThresholdBytes: number;
  /** A line per completed checkpoint and task in `timeline.log`. */
  readonly timelineLogging: boolean;
}

export type RestartConfiguration =
  | { readonly strategy: 'fixed-delay'; readonly attempts: number; readonly delayUs: number }
  | {
      readonly strategy: 'exponential-delay';
      readonly initialUs: number;
      readonly maxUs: number;
      /** Rational, for integer arithmetic: 3/2 is Flink's default 1.5. */
      readonly multiplier: { readonly numerator: number; readonly denominator: number };
      readonly resetThresholdUs: number;
    }
  | { readonly strategy: 'none' };

export interface RuntimeConfiguration {
  readonly heartbeatIntervalUs: number;
  readonly heartbeatTimeoutUs: number;
  /** A leader renews its lease this often, gives up when it could not for `leaseUs`; others take over after `leaseUs` without change. */
  readonly leaseRenewUs: number;
  readonly leaseUs: number;
  readonly deploymentTimeoutUs: number;
  /** Partial buffers are flushed after this time (Flink: execution.buffer-timeout.interval). */
  readonly bufferTimeoutUs: number;
  readonly bufferBytes: number;
  readonly exclusiveBuffersPerChannel: number;
  readonly floatingBuffersPerGate: number;
  /** A request to an outside system without reply is repeated after this time. */
  readonly requestTimeoutUs: number;
  readonly partitionRequestBackoffUs: number;
  readonly slotsPerTaskManager: number;
}

export interface EngineConfiguration {
  readonly checkpoint: CheckpointConfiguration;
  readonly restart: RestartConfiguration;
  readonly runtime: RuntimeConfiguration;
}

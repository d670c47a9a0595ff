/**
 * The closed list of reasons for which a checkpoint ends without completing (row C15; Flink: CheckpointFailureReason).
 * `counted` reasons raise the failure counter that `tolerableFailedCheckpoints` bounds; `preFlight` ones happen before any
 * task heard of the checkpoint.
 */
export interface CheckpointFailureTraits {
  readonly sentence: string;
  readonly counted: boolean;
  readonly preFlight: boolean;
}

const ignored = (sentence: string, preFlight = false): CheckpointFailureTraits => ({
  sentence,
  counted: false,
  preFlight,
});
const counted = (sentence: string, preFlight = false): CheckpointFailureTraits => ({
  sentence,
  counted: true,
  preFlight,
});

export const CHECKPOINT_FAILURES = {
  'periodic-scheduler-shutdown': ignored('Periodic checkpoint scheduler is shut down', true),
  'too-many-checkpoint-requests': ignored('The maximum number of queued checkpoint requests is exceeded', true),
  'minimum-time-between-checkpoints': ignored('The minimum pause between checkpoints has not passed', true),
  'not-all-required-tasks-running': ignored('Not all required tasks are running', true),
  'io-exception': counted('The checkpoint could not be started because of an I/O error', true),
  'blocking-output-exist': ignored('Blocking result partitions exist', true),
  'checkpoint-async-exception': counted('The asynchronous part of the snapshot failed'),
  'channel-state-shared-stream-exception': ignored('A shared channel state stream failed'),
  'checkpoint-expired': counted('The checkpoint expired before it completed'),
  'checkpoint-subsumed': ignored('A newer checkpoint completed first'),
  'checkpoint-declined': counted('A task declined the checkpoint'),
  'checkpoint-declined-task-not-ready': ignored('A task was not ready'),
  'checkpoint-declined-task-closing': ignored('A task is closing'),
  'checkpoint-declined-subsumed': ignored('A task received a newer barrier'),
  'checkpoint-declined-on-cancellation-barrier': ignored('A task received a cancellation barrier'),
  'checkpoint-declined-input-end-of-stream': ignored('An input of a task ended'),
  'checkpoint-coordinator-shutdown': ignored('The checkpoint coordinator shut down'),
  'checkpoint-coordinator-suspend': ignored('The checkpoint coordinator was suspended'),
  'job-failover-region': ignored('A region of the job is failing over'),
  'task-failure': ignored('A task failed'),
  'task-checkpoint-failure': ignored('A task failed its part of the checkpoint'),
  'unknown-task-checkpoint-notification-failure': ignored('A notification for an unknown task failed'),
  'finalize-checkpoint-failure': counted('The completed checkpoint could not be stored'),
  'trigger-checkpoint-failure': ignored('Triggering the checkpoint failed'),
} as const satisfies Readonly<Record<string, CheckpointFailureTraits>>;

export type CheckpointFailure = keyof typeof CHECKPOINT_FAILURES;

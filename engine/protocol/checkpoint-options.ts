/** How one checkpoint is to be taken; travels in the trigger and in every barrier (Flink: CheckpointOptions, SnapshotType). */

/**
 * `checkpoint`: periodic or asked for, owned by the engine. `savepoint`: owned by the user, always aligned, changes nothing in the job.
 * `suspend-savepoint` and `terminate-savepoint` are synchronous (stop-with-savepoint, row C28): a task blocks after its snapshot until
 * the savepoint is complete, then ends; `terminate` (drain) also finishes the operators first.
 */
export type SnapshotType = 'checkpoint' | 'savepoint' | 'suspend-savepoint' | 'terminate-savepoint';

/** Row B10. `forced-aligned`: the job is unaligned, this exchange or this snapshot cannot be. */
export type BarrierAlignment = 'at-least-once' | 'aligned' | 'unaligned' | 'forced-aligned';

/**
 * Row C7. `forward-backward`: may reuse files of earlier checkpoints and be reused by later ones. `forward`: writes everything anew, later
 * ones may build on it. `no-sharing`: stands alone for ever.
 */
export type SharingStrategy = 'forward-backward' | 'forward' | 'no-sharing';

/** Row C26. `canonical`: one backend-neutral file. `native`: the files of the backend. */
export type SavepointFormat = 'canonical' | 'native';

export interface CheckpointOptions {
  readonly snapshot: SnapshotType;
  readonly alignment: BarrierAlignment;
  /**
   * With `aligned`: microseconds from the trigger after which the barrier may overtake (row B8); 0: it never may.
   */
  readonly alignedTimeoutUs: number;
  /** Directory of a savepoint (Flink: CheckpointStorageLocationReference); absent: the checkpoint's own below the job's. */
  readonly location?: string;
  /** Row C7; absent: `forward-backward`. */
  readonly sharing?: SharingStrategy;
  /** Row C26; absent for checkpoints. */
  readonly format?: SavepointFormat;
}

/** Row C28: the task waits for the completion of this snapshot. */
export const isSynchronous = (snapshot: SnapshotType): boolean =>
  snapshot === 'suspend-savepoint' || snapshot === 'terminate-savepoint';
export const isSavepoint = (snapshot: SnapshotType): boolean => snapshot !== 'checkpoint';

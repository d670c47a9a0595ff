/** How one checkpoint is to be taken; travels in the trigger and in every barrier (Flink: CheckpointOptions, SnapshotType). */

/**
 * `checkpoint`: periodic or asked for, owned by the engine. `savepoint`: owned by the user, always aligned, changes nothing in the job.
 * `suspend-savepoint` and `terminate-savepoint` are synchronous (stop-with-savepoint, row C28): a task blocks after its snapshot until
 * the savepoint is complete, then ends; `terminate` (drain) also finishes the operators first.
 */
export type SnapshotType = 'checkpoint' | 'savepoint' | 'suspend-savepoint' | 'terminate-savepoint';

/** Row B10. `forced-aligned`: the job is unaligned, this exchange or this snapshot cannot be. */
export type BarrierAlignment = 'at-least-once' | 'aligned' | 'unaligned' | 'forced-aligned';

export interface CheckpointOptions {
  readonly snapshot: SnapshotType;
  readonly alignment: BarrierAlignment;
  /**
   * With `aligned`: microseconds from the trigger after which the barrier may overtake (row B8); 0: it never may.
   */
  readonly alignedTimeoutUs: number;
}

/** Row C28: the task waits for the completion of this snapshot. */
export const isSynchronous = (snapshot: SnapshotType): boolean =>
  snapshot === 'suspend-savepoint' || snapshot === 'terminate-savepoint';
export const isSavepoint = (snapshot: SnapshotType): boolean => snapshot !== 'checkpoint';

/**
 * Which checkpoints leave the store when one is added, and which when the job is over (rows C16, C17; Flink: CheckpointSubsumeHelper,
 * CheckpointProperties). Pure.
 */
import type { JobEnd, RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';

/**
 * From the oldest, until no more than `retained` are left. Never the newest; never the newest that is no savepoint, on which the next
 * checkpoint may be built (FLINK-21351). What may not go is passed over.
 */
export function subsume(all: readonly RetainedCheckpoint[], retained: number): readonly RetainedCheckpoint[] {
  const newest = all.at(-1);
  const newestCheckpoint = all.findLast(({ isSavepoint }) => isSavepoint !== true);
  let surplus = all.length - retained;
  return all.filter((checkpoint) => {
    if (surplus <= 0 || checkpoint === newest || checkpoint === newestCheckpoint) return true;
    surplus -= 1;
    return false;
  });
}

/** What is kept when the job is over. A snapshot that is its user's leaves the store, but its files stay in any case. */
export function keptAtEnd(
  all: readonly RetainedCheckpoint[],
  status: JobEnd['status'],
  retention: CheckpointConfiguration['retention'],
): readonly RetainedCheckpoint[] {
  const keeps =
    (retention === 'retain-on-cancellation' && status !== 'finished') ||
    (retention === 'delete-on-cancellation' && status === 'failed');
  return keeps ? all : [];
}

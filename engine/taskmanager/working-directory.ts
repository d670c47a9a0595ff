/**
 * The directories on the disk of the node in which the subtasks of a process keep state while they run (Flink: the working directory of the
 * TaskManager, and in it one of RocksDB per operator).
 *
 * Owns: where they lie and when they go. Does not own: what is in them (segment-directory.ts), copies for local recovery (local-state-store.ts).
 * Invariant I1: what an attempt left is never read by another: it goes when the attempt ends, and what a process that died left goes when the
 * next one begins. State comes back from a checkpoint, never from here.
 */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { WorkingDirectory } from '../lsm/segment-directory.ts';
import type { TaskEnvironment } from './task-environment.ts';

const ROOT = 'lsm/';

type OnDisk = Pick<TaskEnvironment, 'disk'>;

/** Undefined: the node has no disk. */
export function workingDirectory(
  { disk }: OnDisk,
  attempt: ExecutionAttemptId,
  operator: string,
): WorkingDirectory | undefined {
  return disk === undefined ? undefined : { disk, path: `${directoryOf(attempt)}${operator}/` };
}

/** I1: the process has begun. */
export function beginWorkingDirectories({ disk }: OnDisk): void {
  for (const path of disk?.paths(ROOT) ?? []) disk?.delete(path);
}

/** I1: the attempt has ended. */
export function removeWorkingDirectory({ disk }: OnDisk, attempt: ExecutionAttemptId): void {
  for (const path of disk?.paths(directoryOf(attempt)) ?? []) disk?.delete(path);
}

const directoryOf = (attempt: ExecutionAttemptId): string => `${ROOT}${attempt}/`;

/** A subtask's own clients of the storage that checkpoints lie on: one for each of its parts that reads files. */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { TaskEnvironment } from './task-environment.ts';

/** Replies go to every client of a mailbox, so each counts its requests from elsewhere. */
const REQUESTS_OF = { get: 1, 'source-file': 1_000_000_000 } as const;

export function taskStorage(
  { services, configuration, parts }: TaskEnvironment,
  attempt: ExecutionAttemptId,
  name: keyof typeof REQUESTS_OF,
): CheckpointStorage {
  const { requestTimeoutUs: timeoutUs } = configuration.runtime;
  const firstRequestId = REQUESTS_OF[name];
  return openStorage({
    client: { node: services.storage, via: 'datagram', name, timeoutUs, firstRequestId },
    writer: `attempt-${attempt}`,
    checkpoint: configuration.checkpoint,
    parts,
  });
}

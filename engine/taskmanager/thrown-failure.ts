/**
 * What an error that was thrown in a mailbox action of a subtask means (Flink: StreamTask.invoke).
 *
 * Owns: the one place where user code, and state that cannot be read, is told from a broken assumption of the engine (decision 0020).
 */
import { DamagedSegment } from '../lsm/segment-file.ts';
import type { UserCode } from '../operators/user-code.ts';
import type { EngineEvent } from '../protocol/engine-events.ts';
import type { TaskDeployment, TaskFailure } from '../protocol/task.ts';
import { IncompatibleState } from '../state/type-serializer.ts';

export interface ThrownFailure {
  readonly failure: TaskFailure;
  readonly reason?: string;
  /** To be told before. */
  readonly event?: EngineEvent;
}

/** Undefined: the engine is wrong, and that goes on up. */
export function thrownFailure(
  thrown: unknown,
  userCode: UserCode,
  task: Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>,
): ThrownFailure | undefined {
  if (thrown instanceof IncompatibleState) {
    // Row S13: the job fails for good, and what it was to be restored from stays as it is.
    const { message: why } = thrown;
    return { failure: 'incompatible-state', reason: why, event: { kind: 'state-incompatible', ...task, why } };
  }
  if (thrown instanceof DamagedSegment) {
    // The disk of the node has lost a part of the state (RocksDB: Corruption); it lies in the checkpoint as it was.
    const { path, offset, problem, message: reason } = thrown;
    return { failure: 'corrupt-state', reason, event: { kind: 'corrupt-file', path, offset, problem } };
  }
  const failure = userCode.failureOf(thrown);
  return failure === undefined ? undefined : { failure };
}

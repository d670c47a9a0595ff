/**
 * Whose code runs in a subtask right now: the user's, or the engine's (row F2; Flink: ExceptionInChainedOperatorException,
 * SuppressRestartsException).
 *
 * Owns: the mark that operators set around each call of a user function, and what an error thrown under it means. Two assignments per
 * call, no `try` and no closure per record: the one `catch` is the subtask's.
 * I1: a broken assumption of the engine is never taken for the user's error, wherever it is thrown.
 * I2: a collector clears the mark while the operators behind it run, and sets it again when the user function goes on.
 */
import { InvariantViolation } from '../foundation/assert.ts';
import { SuppressRestarts } from '../job/functions.ts';
import type { TaskFailure } from '../protocol/task.ts';

export class UserCode {
  /** True from the call of a user function to its return. */
  isRunning = false;

  /** Undefined: not the user's fault. */
  failureOf(thrown: unknown): TaskFailure | undefined {
    if (!this.isRunning || thrown instanceof InvariantViolation) return undefined;
    this.isRunning = false;
    return thrown instanceof SuppressRestarts ? 'unrecoverable' : 'user-function';
  }
}

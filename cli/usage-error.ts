/** A wrong flag, file or scenario: told in one sentence, without a stack, with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

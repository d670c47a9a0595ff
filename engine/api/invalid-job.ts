/**
 * A job that cannot be run as it was written. The message names the stream or operator and what to change; it is for the
 * author of the job, who may be a stranger to this code base.
 */
export class InvalidJob extends Error {
  override readonly name = 'InvalidJob';
}

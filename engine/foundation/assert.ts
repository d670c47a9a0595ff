/**
 * Broken assumptions become findings (STYLE 36): an assert states one fact, in the present tense, that only our own
 * code guarantees. Operating failures are values and bad flags are usage errors; neither belongs here.
 *
 * Nothing is formatted unless the fact fails. On a hot path test first and assert inside the branch, because the
 * details object is built by the caller either way.
 */

/** A fact that this code guarantees does not hold. The actor host turns it into a finding. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  /** The sentence that turned out to be false. */
  readonly fact: string;
  /** The values it was false for. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(fact: string, details: Readonly<Record<string, unknown>> = {}) {
    super(fact);
    this.fact = fact;
    this.details = details;
  }
}

export function assert(
  condition: boolean,
  fact: string,
  details?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantViolation(fact, details);
}

/** The end of a `switch` over a union: a new variant breaks the build here. */
export function unreachable(x: never): never {
  throw new InvariantViolation('every variant of a union is handled', { x });
}

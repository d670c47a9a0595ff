/**
 * What a mutant is: the standard engine with one decision answered wrongly, as a real system once answered it.
 *
 * Owns the form of an entry, and the one way to make an engine of it. The engine knows nothing of mutants; they enter by its parts.
 *
 * I1: a mutant differs from the standard engine in the parts it names and in nothing else.
 */
import type { BrokerRules } from '../../sim/services/kafka/broker-rules.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';

export interface Mutant {
  /** Name, as a plan's `variant` says it. */
  readonly slug: string;
  /** The bug that it re-creates, in the tracker of the system that had it. */
  readonly bug: string;
  /** What is wrong, in a sentence or two. */
  readonly story: string;
  readonly parts: EngineParts;
  /** Where it is the brokers that are wrong. */
  readonly brokerRules?: BrokerRules;
  /** Shipped scenario whose sweep finds it. */
  readonly scenario: string;
  /** Judges that may catch it there. */
  readonly judges: readonly string[];
}

/** Judges that see a file of a checkpoint go while somebody needs it, each in its own way: which comes first depends on the life. */
export const SEE_EARLY_DELETION: readonly string[] = [
  'checkpoint-lifecycle',
  'consistent-cut',
  'exactly-once-output',
  'exactly-once-state',
  'progress',
  'restore-audit',
  'retention',
  'savepoints',
];

/** The standard engine, with these decisions in place of its own. */
export function withWrong(decisions: Partial<EngineParts>): EngineParts {
  return { ...standardParts, ...decisions };
}

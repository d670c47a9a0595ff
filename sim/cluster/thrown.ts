/**
 * What an actor threw, in words for the history: no stack, no identity, the same in every run.
 */
import { InvariantViolation } from '../../engine/foundation/assert.ts';

export interface ThrownFacts {
  /** The broken assumption, or name and message of another error. */
  readonly fact: string;
  /** `key=value` pairs; empty when there are none. */
  readonly details: string;
}

export function thrownFacts(thrown: unknown): ThrownFacts {
  if (thrown instanceof InvariantViolation) return { fact: thrown.fact, details: detailsText(thrown.details) };
  if (thrown instanceof Error) return { fact: `${thrown.name}: ${thrown.message}`, details: '' };
  return { fact: 'an actor throws an error', details: valueText(thrown) };
}

function detailsText(details: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(details)) parts.push(`${key}=${valueText(value)}`);
  return parts.join(', ');
}

/** Short, and safe for values that JSON refuses. */
function valueText(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return `[${value.length} items]`;
    if ('kind' in value) return `{${String(value.kind)}}`;
    return '{...}';
  }
  return typeof value === 'function' ? 'function' : String(value);
}
